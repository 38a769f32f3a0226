"""Simulate the twin Earth and write all of its files."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from typing import Any

import numpy as np
import xarray as xr

from gwsd.errors import ConfigError
from gwsd.grid import Region
from gwsd.twin.balance import Fluxes
from gwsd.twin.geography import find_land, place_nodes
from gwsd.twin.netcdf import Months, months_between, storage_months, year_of
from gwsd.twin.noise import Field
from gwsd.twin.raw_climate import climate_year
from gwsd.twin.raw_storage import apply_faults, choose_faults, observe, write_storage
from gwsd.twin.settings import Twin
from gwsd.twin.simulation import Month, Simulation, Stream, generator
from gwsd.twin.truth import TruthRecorder, choose_blocks, climate_blocks, write_balance, write_known


def build_twin(
    *,
    land: xr.DataArray,
    settings: Twin,
    region: Region,
    climate_start: str,
    start: str,
    end: str,
    seed: int,
    outputs: Mapping[str, Any],
    scenario_title: str,
    report: Callable[[str], None],
) -> None:
    """Simulate the twin Earth and write its raw files, its truth and the files that check both.

    Parameters
    ----------
    land : DataArray, dims (lat, lon)
        Land share, 0 to 1, on the fine grid of at least the region.
    settings : Twin
    region : tuple of float
        West, south, east, north, multiples of 0.5°.
    climate_start, start, end : str
        First month of the climate, first and last month of the storage, YYYY-MM.
    seed : int
    outputs : mapping
        Paths of storage, truth, climate_blocks, balance, known (netCDF) and faults (CSV); climate maps each year to a
        path (netCDF or zip by content, whatever the name).
    scenario_title : str
        Part of each file's title, after the word "Synthetic".
    report : callable
        Called with progress messages.
    """
    months, present = months_between(climate_start, end), storage_months(start, end)
    if len(present) == 0:
        raise ConfigError(f"period: the storage product has no month from {start} to {end}. Choose a longer period.")
    west, south, east, north = region
    cells = find_land(land.sel(lat=slice(south, north), lon=slice(west, east)), settings)
    faults = choose_faults(cells, present, settings.faults, generator(seed, Stream.FAULTS))
    report(f"twin Earth: {cells.count:,} land cells of 0.125°, {int(cells.covered.sum()):,} half-degree cells")
    simulation = Simulation(cells, months[0], seed, inverse_crime=settings.inverse_crime)
    report("twin Earth: spin-up done")
    coarse = _simulate(simulation, settings, months, present, seed, outputs, scenario_title, report)
    storage, uncertainty = observe(cells, coarse, present, settings, generator(seed, Stream.NOISE))
    table = apply_faults(storage, uncertainty, present, faults)
    write_storage(outputs["storage"], storage, uncertainty, present, cells.coarse, scenario_title)
    valid = write_known(outputs["known"], cells, faults, scenario_title)
    table.to_csv(outputs["faults"], index=False, lineterminator="\n", float_format="%.6g")
    report(f"twin Earth: {valid:,} valid cells, {len(table)} damaged on purpose, {len(present)} months")


def _simulate(
    simulation: Simulation,
    settings: Twin,
    months: Months,
    present: Months,
    seed: int,
    outputs: Mapping[str, Any],
    scenario_title: str,
    report: Callable[[str], None],
) -> Field:
    """Simulate all months; write climate, truth and balance; return half-degree storage, (M, rows, columns), mm."""
    cells = simulation.cells
    nodes = place_nodes(cells, simulation.points, settings.climate_step)
    blocks = choose_blocks(cells, settings.n_climate_blocks, generator(seed, Stream.BLOCKS))
    truth = TruthRecorder(cells, present)
    states, fluxes, sample_storage = [simulation.sample_state], list[Fluxes](), list[Field]()
    coarse = np.zeros((len(present), *cells.coarse.shape), dtype=np.float32)

    def finish(jobs: list[Future[None]]) -> None:
        for job in jobs:
            job.result()

    def record(month: Month) -> None:
        states.append(month.sample_state)
        fluxes.append(month.sample_fluxes)
        sample_storage.append(month.storage[simulation.sample])
        if month.month in present:
            truth.record(month.storage)
            coarse[np.searchsorted(present, month.month)] = cells.coarse_mean(month.storage)

    with (
        climate_blocks(outputs["climate_blocks"], cells, blocks, months, scenario_title) as write_blocks,
        ThreadPoolExecutor(1) as writer,  # writes a month while the next one is simulated
    ):
        for year, of_year in groupby(simulation.run(months), key=lambda month: year_of(month.month)):
            with climate_year(outputs["climate"][year], nodes, months, year, scenario_title) as write_climate:
                jobs: list[Future[None]] = []
                for month in of_year:
                    finish(jobs)
                    jobs = [writer.submit(task, month) for task in (write_climate, write_blocks, record)]
                finish(jobs)
            report(f"twin Earth: {year} done")
    write_balance(outputs["balance"], cells, simulation.sample, months, states, fluxes, sample_storage, scenario_title)
    truth.write(outputs["truth"], scenario_title)
    if truth.clipped:
        report(f"twin Earth: {truth.clipped} values of the truth were clipped to ±3276.7 mm")
    return coarse
