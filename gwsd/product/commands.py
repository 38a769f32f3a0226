"""Commands of the product: `gwsd downscale`, `gwsd basins` and `gwsd export`."""

import argparse
import contextlib
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from gwsd.errors import ConfigError, DataError

AFFECTS_RESULTS = False  # not part of the code hash


def add_parsers(subparsers: argparse._SubParsersAction, read_settings: Callable[[], Any]) -> None:
    """Add the commands; each sets `run`, a function of the parsed arguments. `read_settings` returns the settings."""
    parser = subparsers.add_parser("downscale", help="downscale months of your own storage with trained weights")
    parser.add_argument(
        "--storage", nargs="+", required=True, metavar="FILE", help="coarse storage: files, a folder or a quoted glob"
    )
    parser.add_argument("--climate", nargs="+", default=[], metavar="FILE", help="climate of these months and before")
    method = parser.add_mutually_exclusive_group(required=True)
    method.add_argument("--weights", type=Path, metavar="FILE", help="weights.safetensors of a trained network")
    method.add_argument("--method", choices=["nearest", "bilinear", "bicubic"], help="an interpolation")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="NetCDF file to write")
    parser.add_argument("--months", metavar="YYYY-MM[:YYYY-MM]", help="default: all months of the storage")
    parser.add_argument("--region", type=_region, metavar="W,S,E,N", help="degrees; default: extent of the storage")
    parser.add_argument("--inference", choices=["auto", "tiled", "full_field"], help="default: as in config.yaml")
    parser.add_argument("--no-correction", action="store_true", help="do not adjust the half-degree means")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], help="default: as in config.yaml")
    parser.add_argument("--storage-format", default="local", metavar="NAME", help="local (default) or g3p")
    parser.add_argument("--storage-variable", metavar="NAME", help="default: one of the usual names")
    parser.add_argument("--storage-units", choices=["mm", "cm", "m"], help="for files without a unit")
    parser.add_argument("--climate-format", default="era5_land", metavar="NAME", help="era5_land (default) or era5")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help="device of the network")
    parser.add_argument("--threads", type=_positive, metavar="N", help="CPU threads; default: all available")
    parser.add_argument("--force", action="store_true", help="replace an existing file")
    # A region west of Greenwich starts with a minus and is not an option.
    parser._negative_number_matcher = re.compile(r"^-[\d.]+(,-?[\d.]+)*$")
    parser.set_defaults(run=lambda arguments: _downscale(arguments, read_settings()))

    parser = subparsers.add_parser("basins", help="average the product over basins or aquifers, month by month")
    parser.add_argument("--product", type=Path, nargs="+", required=True, metavar="FILE", help="files of the product")
    parser.add_argument("--polygons", type=Path, required=True, metavar="FILE", help="GeoJSON, GeoPackage or shapefile")
    parser.add_argument("--name", metavar="COLUMN", help="column with the polygons' names; default: name")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="CSV file to write")
    parser.set_defaults(run=_basins)

    parser = subparsers.add_parser("export", help="write a month of the product as GeoTIFF")
    parser.add_argument("product", type=Path, metavar="FILE", help="a file of the product, such as gwsa_0p125_2010.nc")
    parser.add_argument("--month", required=True, metavar="YYYY-MM", help="such as 2010-07")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="GeoTIFF to write")
    parser.set_defaults(run=_export)


def _downscale(arguments: argparse.Namespace, settings: Any) -> None:
    from gwsd.data.inputs import CLIMATE, STORAGE, expand

    storage, climate = (
        list(dict.fromkeys(path for text in getattr(arguments, name) for path in expand(text, f"--{name}")))
        for name in ("storage", "climate")
    )
    weights = [arguments.weights] if arguments.weights else []
    if arguments.out.exists() and not arguments.force:
        raise DataError(f"{arguments.out}: exists; --force replaces it")
    for name, known in (("storage", STORAGE), ("climate", CLIMATE)):
        if (given := getattr(arguments, f"{name}_format")) not in known:
            raise ConfigError(f"--{name}-format {given}: unknown; expected one of {', '.join(known)}")
    with _writing(arguments.out, [*storage, *climate, *weights]) as temporary:
        from gwsd.model.execution import use_huge_pages

        use_huge_pages()

        import torch
        from tqdm import tqdm

        from gwsd.data.settings import Sources
        from gwsd.devices import lease_device
        from gwsd.product.downscale import downscale
        from gwsd.product.estimator import open_estimator

        def report(line: str) -> None:
            tqdm.write(line, file=sys.stderr)

        changed = {name: getattr(arguments, name) for name in ("inference", "precision") if getattr(arguments, name)}
        if arguments.no_correction:
            changed["correction"] = False
        product = settings.product.model_copy(update=changed)
        quality = settings.quality.model_copy(update={"expected_cells": None, "expected_months": None})
        sources = Sources(
            storage=arguments.storage_format,
            climate=arguments.climate_format,
            storage_variable=arguments.storage_variable,
            storage_units=arguments.storage_units,
        )
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        threads = arguments.threads or available or 1
        torch.set_num_threads(threads)
        with lease_device(arguments.device if weights else "cpu", report=report) as device:
            estimator = open_estimator(
                arguments.weights,
                method=arguments.method or "",
                patch_size=settings.patches.size,
                precision=product.precision,
                device=device,
            )
            largest = downscale(
                temporary,
                {"storage": storage, "climate": climate, "weights": weights},
                estimator,
                product,
                sources=sources,
                quality=quality,
                evapotranspiration=settings.evapotranspiration,
                months=arguments.months,
                region=arguments.region,
                threads=threads,
                report=report,
                progress=lambda months: tqdm(months, unit="month", disable=not sys.stderr.isatty(), leave=False),
            )
        report(f"largest difference between a half-degree mean and its input: {largest:.2g} mm")
    print(arguments.out)


def _basins(arguments: argparse.Namespace) -> None:
    from gwsd.product.basins import basin_series

    with _writing(arguments.out, [*arguments.product, arguments.polygons]) as temporary:
        series = basin_series(
            arguments.product,
            arguments.polygons,
            name=arguments.name,
            report=lambda line: print(line, file=sys.stderr),
        )
        series.to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")
    print(arguments.out)


def _export(arguments: argparse.Namespace) -> None:
    from gwsd.product.export import export_month

    with _writing(arguments.out, [arguments.product]) as temporary:
        export_month(arguments.product, arguments.month, temporary)
    print(arguments.out)


@contextlib.contextmanager
def _writing(out: Path, inputs: Iterable[Path]) -> Iterator[Path]:
    """Yield a temporary name that becomes `out` when the block succeeds; refuse to overwrite an input."""
    if out.exists() and not out.is_file():
        raise DataError(f"{out}: not a file; choose another name")
    if any(path.exists() and out.exists() and path.samefile(out) for path in inputs):
        raise DataError(f"{out}: is also an input; choose another name")
    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise DataError(f"{out}: the folder {out.parent} does not exist or is not writable; choose another")
    temporary = out.with_name(f".partial-{os.getpid()}-{out.name}")
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that files are removed
    try:
        yield temporary
        temporary.replace(out)
    except OSError as error:
        if error.filename is None or Path(error.filename).parent == out.parent:
            raise DataError(f"{out}: cannot be written ({error.strerror or error})") from error
        raise
    finally:
        temporary.unlink(missing_ok=True)
        signal.signal(signal.SIGTERM, before)


def _positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number from 1 to 1024")
    return int(text)


def _region(text: str) -> list[float]:
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected W,S,E,N in degrees, such as 98,8,110,20") from None
    return [west, south, east, north]
