"""`gwsd downscale`: the product of a user's own months, in one command."""

import argparse
import glob
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from gwsd.errors import ConfigError, DataError

OPTIONS = {
    " in the config": "",
    "sources.storage_units": "--storage-units",
    "sources.storage_variable": "--storage-variable",
    "storage_path": "--storage",
    "the settings `region` or `period`": "--region or --months",
}
"""What messages of the workflow speak of, and what it is called here."""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = commands.add_parser("downscale", help="downscale months of your own with trained weights")
    parser.add_argument(
        "--storage", nargs="+", required=True, metavar="FILE", help="coarse storage: files, a folder or a quoted glob"
    )
    parser.add_argument("--climate", nargs="+", default=[], metavar="FILE", help="climate of these months and before")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="of a trained network, weights.safetensors")
    parser.add_argument("--method", metavar="NAME", help="instead of weights: nearest, bilinear or bicubic")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the NetCDF file to make")
    parser.add_argument("--months", metavar="YYYY-MM[:YYYY-MM]", help="all that the storage has unless given")
    parser.add_argument("--region", metavar="W,S,E,N", help="degrees; where the storage lies unless given")
    parser.add_argument("--way", choices=["auto", "tiles", "field"], default="auto", help="how a month is made")
    parser.add_argument("--no-correction", action="store_true", help="leave half-degree means as the network has them")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32", help="of the network")
    parser.add_argument("--storage-format", default="local", metavar="NAME", help="local, g3p or a module of your own")
    parser.add_argument("--storage-variable", metavar="NAME", help="name of the storage where it is not a usual one")
    parser.add_argument("--storage-units", choices=["mm", "cm", "m"], help="for files that state no unit")
    parser.add_argument("--climate-format", default="era5_land", metavar="NAME", help="era5_land or era5")
    parser.add_argument(
        "--patch-size", type=int, metavar="CELLS", help="of tiles: that of the training, 32 unless given"
    )
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help="where the network runs")
    parser.add_argument("--threads", type=int, metavar="N", help="of the processor; all unless given")
    parser.add_argument("--force", action="store_true", help="replace the file of --out")
    # A region west of Greenwich begins with a minus, and is no option.
    parser._negative_number_matcher = re.compile(r"^-[\d.]+(,-?[\d.]+)*$")
    parser.set_defaults(command=downscale)


def downscale(options: argparse.Namespace) -> None:
    """Make the file, and say how far its half-degree means lie from the input."""
    if options.out.exists() and not options.force:
        raise DataError(f"{options.out}: is there already; --force replaces it")
    if not options.out.parent.is_dir():
        raise DataError(f"{options.out}: there is no folder {options.out.parent}; make it, or choose another")
    if not os.access(options.out.parent, os.W_OK):
        raise DataError(f"{options.out}: {options.out.parent} cannot be written to; choose another folder")

    def stop(*_: object) -> None:
        # Without unwinding: threads that still read climate would meet closed files.
        for path in options.out.parent.glob(f".partial-{os.getpid()}-*{glob.escape(options.out.name)}"):
            path.unlink(missing_ok=True)
        os._exit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        _downscale(options)
    except DataError as error:
        raise DataError(_in_options(str(error))) from error
    finally:
        signal.signal(signal.SIGTERM, before)


def _downscale(options: argparse.Namespace) -> None:
    from gwsd.memory import use_huge_pages

    use_huge_pages()

    from tqdm import tqdm

    from gwsd.product import own_making, own_months
    from gwsd.product.months import Correction
    from gwsd.provenance.closure import ROOT, import_closure
    from gwsd.provenance.hashing import key_of, sha256_of
    from gwsd.training.devices import lease_device

    request = own_months.Request(
        storage=_files(options.storage, "--storage"),
        climate=_files(options.climate, "--climate"),
        out=options.out,
        weights=options.weights,
        method=options.method,
        months=options.months,
        region=_region(options.region),
        way=options.way,
        correction=Correction(not options.no_correction),
        precision=options.precision,
        storage_format=options.storage_format,
        climate_format=options.climate_format,
        storage_variable=options.storage_variable,
        storage_units=options.storage_units,
        patch_size=options.patch_size,
        threads=options.threads or len(os.sched_getaffinity(0)),
    )

    def report(line: str) -> None:
        tqdm.write(line, file=sys.stderr)

    planned = own_months.plan(request, report=report)
    code = [sha256_of(ROOT / path) for path in import_closure(Path(own_making.__file__))]
    key = key_of({**planned.identity, "code": code})
    with lease_device(options.device if options.weights else "cpu", report=report) as device:
        largest = own_making.make(
            planned,
            job_key=key,
            device=device,
            report=report,
            progress=lambda months: tqdm(
                months, total=planned.months.size, unit="month", disable=not sys.stderr.isatty(), leave=False
            ),
        )
    report(f"largest difference between a half-degree mean and its input: {largest:.2g} mm")
    print(options.out)


def _files(given: Sequence[str], option: str) -> list[Path]:
    from gwsd.sources.paths import expand

    return list(dict.fromkeys(path for one in given for path in expand(one, option)))


def _region(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        edges = [float(word) for word in text.split(",")]
        if len(edges) != 4:
            raise ValueError
    except ValueError:
        raise ConfigError(f"--region {text}: expected W,S,E,N in degrees, such as 98,8,110,20") from None
    return edges


def _in_options(message: str) -> str:
    for setting, option in OPTIONS.items():
        message = message.replace(setting, option)
    return message
