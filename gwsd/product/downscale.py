"""Downscale user-supplied months without Snakemake: the inputs stage and the product in one function."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import xarray as xr

from gwsd.data.climate import prepare_climate
from gwsd.data.inputs import CLIMATE, STORAGE, open_climate, open_storage, prepare_storage
from gwsd.data.quality import control_quality
from gwsd.data.settings import Evapotranspiration, Quality, Sources
from gwsd.errors import ConfigError, DataError
from gwsd.grid import COARSE_SPACING, GLOBE, Grid, Region
from gwsd.product.attributes import GROUNDWATER, InputSource, describe_product, network_warning
from gwsd.product.estimator import Estimator
from gwsd.product.export import parse_month
from gwsd.product.months import Months, resolve_inference, write_months
from gwsd.product.settings import Product

MARGIN_DEGREES = 8.0
"""Width of the margin around a region that a method receives, where there are data."""

SYNTHETIC = "synthetic: twin Earth, not observations"
"""Label of files without any observed input."""


def downscale(
    out: Path,
    files: Mapping[str, Sequence[Path]],
    estimator: Estimator,
    settings: Product,
    *,
    sources: Sources,
    quality: Quality,
    evapotranspiration: Evapotranspiration,
    months: str | None = None,
    region: Sequence[float] | None = None,
    threads: int = 1,
    report: Callable[[str], None] = print,
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> float:
    """Downscale user-supplied months.

    Parameters
    ----------
    out : Path
        NetCDF file to write; temporary files are made next to it.
    files : mapping
        `storage`, `climate` and `weights`; an interpolation needs no climate and no weights.
    months : str or None
        YYYY-MM or YYYY-MM:YYYY-MM; all months of the storage if None.
    region : sequence of float or None
        West, south, east, north, degrees, rounded outward to half degrees; the extent of the storage if None.
    threads : int
        Threads that read climate.
    report, progress : callable
        Receive a line, and wrap the iteration over months.

    Returns
    -------
    float
        Largest difference between a half-degree mean of the file and its input, mm.
    """
    network, variables = estimator.network, estimator.climate_variables
    raw = open_storage(
        files["storage"], sources.storage, variable=sources.storage_variable, units=sources.storage_units
    )
    held = raw["time"].to_numpy().astype("datetime64[M]")
    chosen = select_months(held, months, report)
    whole = extent_of(raw)
    region = select_region(whole, region)
    report(f"storage: {held.size} months, {held[0]} to {held[-1]}; {chosen.size} to downscale")
    origins = [_origin("storage", sources.storage, STORAGE[sources.storage].label, raw.attrs)]
    start, end = str(chosen[0] - (estimator.history_months - 1)), str(chosen[-1])
    climate = None
    if network is not None:
        if not files["climate"]:
            raise DataError(f"--climate is missing: the network needs {', '.join(variables)}")
        report(
            f"network: {estimator.name}, trained on {estimator.data_label}, job {estimator.job_key[:12]}; needs "
            f"climate from {start} to {end} ({estimator.history_months} months for each month)"
        )
        climate = open_climate(files["climate"], sources.climate, start=start, end=end, variables=variables)
        about = {"source_title": climate.title, "synthetic": climate.synthetic}
        origins.append(_origin("climate", sources.climate, CLIMATE[sources.climate].label, about))
    if warning := network_warning(origins, estimator.data_label):
        report(f"NOTE: {warning}; the title of the file says so")
    # An interpolation of all there is has no use for a margin.
    shown = region if network is None and region == whole else around(region, network.unet.divisor if network else 1)
    grid = Grid(COARSE_SPACING, shown)
    aligned = prepare_storage(raw, grid, start=str(held[0]), end=str(held[-1]), report=report)
    if absent := sorted(set(chosen) - set(aligned["time"].to_numpy().astype("datetime64[M]"))):
        raise DataError(f"--months: the storage has no value within the region in {', '.join(map(str, absent))}")
    with ExitStack() as stack:
        fields = None
        if climate is not None:
            path = Path(stack.enter_context(TemporaryDirectory(prefix=".gwsd-", dir=out.parent))) / "climate.nc"
            prepare_climate(
                climate,
                grid,
                path,
                start=start,
                end=end,
                variables=variables,
                evapotranspiration=evapotranspiration,
                threads=threads,
                report=report,
            )
            fields = stack.enter_context(xr.open_dataset(path))
        storage, mask = control_quality(aligned, fields, quality, report)
        attributes = describe_product(
            settings,
            origins,
            inference=resolve_inference(settings, estimator),
            method=estimator.name,
            period=str(chosen[0]) if chosen.size == 1 else f"{chosen[0]} to {chosen[-1]}",
            scenario="own",
            data_label=_label(origins, estimator.data_label),
            job_key=_key(
                files,
                *(sources, quality, evapotranspiration, settings, estimator.name, estimator.patch_size),
                *(chosen.tolist(), region),
            ),
            quantity=raw["storage"].attrs.get("quantity", GROUNDWATER),
            weights=estimator.origin,
        )
        attributes["storage_files"] = _names(files["storage"])
        if climate is not None:
            attributes["climate_files"] = _names(climate.files)
        if fields is None:
            times = np.arange(chosen[0], chosen[-1] + 1).astype("datetime64[ns]")
            fields = xr.Dataset(coords={"time": times, "lat": grid.lat, "lon": grid.lon})
        return write_months(
            out, estimator, storage, fields, mask, chosen, settings, attributes, region=region, progress=progress
        )


def _key(files: Mapping[str, Sequence[Path]], *settings: object) -> str:
    """Hash the files, the settings and the code: the same key gives the same bytes."""
    digest = hashlib.sha256(json.dumps([str(each) for each in settings]).encode())
    for path in (*chain.from_iterable(files.values()), *sorted(Path(__file__).parents[1].rglob("*.py"))):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _origin(kind: str, name: str, label: str, attributes: Mapping[str, Any]) -> InputSource:
    synthetic = name == "twin" or bool(attributes.get("synthetic"))
    return InputSource(kind, name, label, synthetic, attributes.get("source_title") or "")


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(dict.fromkeys(path.name for path in paths))


def _label(sources: Sequence[InputSource], trained_on: str) -> str:
    """Return the data_label: origin of the inputs and of the network; "synthetic" is in it where any of them is."""
    if all(source.synthetic for source in sources) and (not trained_on or trained_on.startswith("synthetic")):
        return SYNTHETIC
    parts = [f"{source.kind}: {'synthetic (twin Earth)' if source.synthetic else source.label}" for source in sources]
    return "; ".join([*parts, *([f"network trained on: {trained_on}"] if trained_on else [])])


def select_months(held: Months, requested: str | None, report: Callable[[str], None]) -> Months:
    """Return the requested months that the storage holds; absent ones between its first and last are reported."""
    if requested is None:
        return held
    first, last = map(parse_month, requested.split(":") if requested.count(":") == 1 else (requested, requested))
    if last < first:
        raise ConfigError(f"--months {requested}: ends before it starts; expected such as 2023-01:2023-09")
    wanted = np.arange(first, last + 1)
    chosen = held[np.isin(held, wanted)]
    if first < held[0] or last > held[-1] or chosen.size == 0:
        near = held[np.sort(np.argsort(np.abs((held - first).astype(int)), kind="stable")[:3])]
        raise DataError(
            f"--months {requested}: the storage has {held.size} months from {held[0]} to {held[-1]}; the nearest are "
            f"{', '.join(map(str, near))}"
        )
    if chosen.size < wanted.size:
        report(f"NOTE: the storage lacks {', '.join(map(str, np.setdiff1d(wanted, chosen)))}")
    return chosen


def select_region(extent: Region, requested: Sequence[float] | None) -> Region:
    """Return the requested region, rounded outward to half degrees, or the extent of the storage."""
    if requested is None:
        return extent
    west, south, east, north = requested
    if not (-180.0 <= west < east <= 180.0 and -90.0 <= south < north <= 90.0):
        raise ConfigError(
            f"--region {_text(requested)}: expected W,S,E,N in degrees with -180 <= W < E <= 180 and "
            "-90 <= S < N <= 90, such as 98,8,110,20 (use two regions across the date line)"
        )
    region = _outward((west, south, east, north), COARSE_SPACING)
    if region[0] >= extent[2] or region[2] <= extent[0] or region[1] >= extent[3] or region[3] <= extent[1]:
        raise DataError(f"--region {_text(region)}: outside the storage, which covers {_text(extent)} (W,S,E,N)")
    return region


def around(region: Region, divisor: int) -> Region:
    """Return a region with a margin, its edges whole numbers of `divisor` coarse cells from the globe's edges.

    So a network's poolings combine the same cells as on the globe. The whole circle of longitude if the margin would
    cross the date line.
    """
    west, south, east, north = region
    grown = (west - MARGIN_DEGREES, south - MARGIN_DEGREES, east + MARGIN_DEGREES, north + MARGIN_DEGREES)
    west, south, east, north = _outward(grown, COARSE_SPACING * divisor)
    south, north = max(south, -90.0), min(north, 90.0)
    if west < -180.0 or east > 180.0:
        west, east = -180.0, 180.0
    return west, south, east, north


def extent_of(raw: xr.Dataset) -> Region:
    """Return the extent of a dataset's cells, rounded outward to half degrees."""
    edges = []
    for name in ("lon", "lat"):
        axis = raw[name].to_numpy().astype(np.float64)
        step = float(np.median(np.diff(axis))) if axis.size > 1 else COARSE_SPACING
        edges.append((float(axis[0]) - step / 2, float(axis[-1]) + step / 2))
    (west, east), (south, north) = edges
    if east - west > 360.0 - 2 * COARSE_SPACING:
        return GLOBE
    west, south, east, north = _outward((west, south, east, north), COARSE_SPACING)
    return max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0)


def _outward(region: Region, step: float) -> Region:
    west, south, east, north = region
    # Counted from the globe's own edges, which are not multiples of every step.
    low = [edge + step * np.floor((value - edge) / step + 1e-6) for value, edge in ((west, -180.0), (south, -90.0))]
    high = [edge + step * np.ceil((value - edge) / step - 1e-6) for value, edge in ((east, -180.0), (north, -90.0))]
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _text(region: Sequence[float]) -> str:
    return ",".join(f"{edge:g}" for edge in region)
