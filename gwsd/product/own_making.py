"""A user's own months, made one by one and written as they come."""

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from gwsd.errors import DataError
from gwsd.grid import COARSE_SPACING, REFINEMENT, Grid, Region
from gwsd.patches.gathering import Cube
from gwsd.product import own_inputs
from gwsd.product.estimators import Estimator, interpolation, open_estimator
from gwsd.product.months import FineMonth, Way, downscale_months, resolved
from gwsd.product.netcdf import RESOLUTION_MM, Origin, new_product
from gwsd.product.own_choices import around
from gwsd.product.own_months import Plan, Report, Request
from gwsd.product.own_origin import describe_own_origin
from gwsd.product.reading import whole_or_nothing
from gwsd.product.tiles import Tiling
from gwsd.product.trained import Trained
from gwsd.product.whole_grid import Cells, block_means, grid_of

STRIDE = 0.75
"""Of a tile, from one to the next: that of config.yaml."""

BATCH_SIZE = 18
"""Tiles at a time."""

UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)
"""Errors of the system that are about the place where a file shall be."""

NEARLY_FULL_BYTES = 1_000_000

Made = tuple[FineMonth, float]
"""A month, and how far its half-degree means lie from the input, mm."""


def make(
    planned: Plan,
    *,
    job_key: str,
    device: torch.device,
    report: Report,
    progress: Callable[[Iterator[Made]], Iterable[Made]] = iter,
) -> float:
    """Downscale the months one by one and write them as they come; the file is there when it is whole.

    Parameters
    ----------
    planned : Plan
        From `plan`.
    job_key : str
        What the file says of its origin.
    device : torch.device
        Where the network runs.
    report : callable
        Takes a line.
    progress : callable
        Wraps the months, for a bar.

    Returns
    -------
    float
        Largest difference between a half-degree mean of the file and its input, mm.

    Raises
    ------
    DataError
        If the inputs leave no cell, the weights do not fit, or the file cannot be written.
    """
    request, trained = planned.request, planned.trained
    torch.set_num_threads(request.threads)
    estimator = _estimator(request, trained, device)
    way = resolved(request.way, estimator)
    divisor = 1 if estimator.network is None else estimator.network.unet.divisor
    tiling = Tiling(planned.patch_size, max(1, round(STRIDE * planned.patch_size)), BATCH_SIZE)
    if way is Way.TILES:
        known = request.patch_size or (trained and trained.patch_size)
        default = "" if known else " (a default: the weights do not say the size of their patches)"
        report(f"tiles of {tiling.size} cells{default}, one every {tiling.stride}")
    shown = planned.region if estimator.network is None else around(planned.region, divisor)
    scratch = request.out.with_name(f".partial-{os.getpid()}-climate-{request.out.name}")
    with _writing(request.out) as temporary, _removed(scratch):
        storage, mask = own_inputs.align(
            planned.storage,
            request.climate,
            request.climate_format,
            variables=() if trained is None else trained.variables,
            months=planned.months,
            memory=1 if trained is None else trained.memory,
            region=shown,
            out=scratch,
            threads=request.threads,
            report=report,
        )
        origin = _origin(planned, way, has_sd=estimator.states_sd, job_key=job_key)
        fine_grid = Grid(COARSE_SPACING, planned.region).refined()
        largest = 0.0
        with (
            xr.open_dataset(scratch) as climate,
            new_product(temporary, fine_grid, origin, with_sd=estimator.states_sd) as file,
        ):
            for fine, difference in progress(_months(estimator, planned, storage, climate, mask, way, tiling, device)):
                file.append(_cut(fine, shown, planned.region))
                largest = max(largest, difference)
    return largest


def _months(
    estimator: Estimator,
    planned: Plan,
    storage: xr.Dataset,
    climate: xr.Dataset,
    mask: xr.Dataset,
    way: Way,
    tiling: Tiling,
    device: torch.device,
) -> Iterator[Made]:
    """Make the months, and say of each how far a half-degree mean of what is written lies from its input, mm.

    What is read at a time are the inputs of a calendar year.
    """
    trained, correction = planned.trained, planned.request.correction
    memory = 1 if trained is None else trained.memory
    held = climate["time"].to_numpy().astype("datetime64[M]")
    for year in np.unique(planned.months.astype("datetime64[Y]")):
        months = planned.months[planned.months.astype("datetime64[Y]") == year]
        cube = Cube.from_datasets(
            storage.isel(time=np.flatnonzero(np.isin(storage["time"].to_numpy().astype("datetime64[M]"), months))),
            climate.isel(time=np.flatnonzero((held > months[0] - memory) & (held <= months[-1]))),
            mask,
            normalisation={"storage": {"mean": 0.0, "std": 1.0}} if trained is None else trained.normalisation,
            variables=() if trained is None else trained.variables,
            device=device,
        )
        cells = Cells.of(cube, grid_of(mask))
        made = downscale_months(
            estimator, cube, months, cells, memory=memory, way=way, tiling=tiling, correction=correction
        )
        for number, fine in enumerate(made):
            written = torch.from_numpy(np.rint(fine.mean.astype(np.float64) / RESOLUTION_MM) * RESOLUTION_MM).to(device)
            means = block_means(torch.where(cells.fine_valid, written, 0.0), cells)[cells.valid]
            yield fine, float((means - cube.storage[number].double()).abs().max())


def _cut(fine: FineMonth, shown: Region, region: Region) -> FineMonth:
    """Keep of a month what lies in the region."""
    cells = REFINEMENT / COARSE_SPACING
    west, south, east, north = (round(cells * (region[k] - shown[k % 2])) for k in range(4))
    place = (slice(south, north), slice(west, east))
    return FineMonth(fine.month, fine.mean[place], None if fine.sd is None else fine.sd[place])


def _estimator(request: Request, trained: Trained | None, device: torch.device) -> Estimator:
    if trained is None:
        assert request.method is not None
        return interpolation(request.method)
    try:
        return open_estimator(
            trained.variant,
            [trained.path],
            trained.model,
            normalisation=trained.normalisation,
            precision=request.precision,
            device=device,
        )
    except (RuntimeError, TypeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(
            f"{trained.path}: the weights do not fit the model that they say they are of ({reason}): of another "
            "version of this project; train the variant again"
        ) from None


def _origin(planned: Plan, way: Way, *, has_sd: bool, job_key: str) -> Origin:
    request, months = planned.request, planned.months
    more = {f"{kind}_files": ", ".join(path.name for path in paths) for kind, paths in request.files.items() if paths}
    return describe_own_origin(
        planned.inputs,
        planned.trained,
        method=request.method or (planned.trained.variant if planned.trained else ""),
        precision=request.precision,
        period=str(months[0]) if months.size == 1 else f"{months[0]} to {months[-1]}",
        way=way,
        correction=request.correction,
        has_sd=has_sd,
        job_key=job_key,
        more=more,
    )


@contextmanager
def _writing(out: Path) -> Iterator[Path]:
    """Give a temporary name; say in one message where a file cannot be written."""
    try:
        with whole_or_nothing(out) as temporary:
            yield temporary
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        raise DataError(f"{out}: cannot be written ({error.strerror}); choose another place, or make room") from error
    except RuntimeError as error:
        free = shutil.disk_usage(out.parent).free
        if free > NEARLY_FULL_BYTES:
            raise
        raise DataError(f"{out}: the disk is full ({free / 1e6:.1f} MB free); make room, or choose another") from error


@contextmanager
def _removed(path: Path) -> Iterator[None]:
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
