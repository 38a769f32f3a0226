"""The one door of the room: from a land fraction and settings to all files of the twin Earth."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.errors import ConfigError
from gwsd.grid import Region
from gwsd.sources.twin.audit_files import BalanceRecorder, BlockWriter, choose_blocks, choose_sample, write_known
from gwsd.sources.twin.cells import LandCells, find_land
from gwsd.sources.twin.faults import apply_faults, choose_faults
from gwsd.sources.twin.months import Months, months_between, storage_months, year_of
from gwsd.sources.twin.nodes import place_nodes
from gwsd.sources.twin.noise import Field
from gwsd.sources.twin.raw_climate import ClimateWriter
from gwsd.sources.twin.raw_storage import observe, write_storage
from gwsd.sources.twin.settings import TwinSettings
from gwsd.sources.twin.simulation import Month, Simulation, Stream, generator
from gwsd.sources.twin.truth import TruthRecorder

OUTPUTS = ("storage", "climate", "truth", "climate_blocks", "balance", "known", "faults")
"""Keys of the paths that `build_twin` writes to."""


def build_twin(
    *,
    land: xr.DataArray,
    settings: TwinSettings,
    region: Region,
    climate_start: str,
    start: str,
    end: str,
    seed: int,
    outputs: Mapping[str, Path | Mapping[int, Path]],
    scenario_title: str,
    report: Callable[[str], None],
) -> None:
    """Simulate the twin Earth and write its raw files, its truth and what checks them.

    Parameters
    ----------
    land : DataArray, dims (lat, lon)
        Share of land on the fine grid of the region or of more, 0 to 1.
    settings : TwinSettings
        Section `twin` of the settings.
    region : tuple of float
        West, south, east, north, multiples of 0.5°.
    climate_start, start, end : str
        First month of the climate, first and last month of the storage, "YYYY-MM".
    seed : int
        Of everything random.
    outputs : mapping
        Paths to write to: storage, truth, climate_blocks, balance, known (netCDF), faults (CSV), and climate,
        which maps each year to its path (netCDF or zip by content, whatever the name).
    scenario_title : str
        Goes into the title of each file, after the word "Synthetic".
    report : callable
        Called with a line of text now and then.

    Raises
    ------
    ConfigError
        The settings ask for what the region or the period does not have.
    """
    months = months_between(climate_start, end)
    present = storage_months(start, end)
    single, climate_paths = _check(outputs, months, present)
    west, south, east, north = region
    land = land.sel(lat=slice(south, north), lon=slice(west, east))
    cells = find_land(land, settings)
    faults = choose_faults(cells.chosen, cells.coarse, present, settings.faults, generator(seed, Stream.FAULTS))
    report(f"twin Earth: {cells.count:,} land cells of 0.125°, {int(cells.chosen.sum()):,} half-degree cells")

    simulation = Simulation(cells, seed, same_formulas=settings.same_formulas_as_losses)
    simulation.spin_up(months[0])
    simulation.watch(choose_sample(simulation.properties.pumping, generator(seed, Stream.SAMPLE)))
    report("twin Earth: soils and groundwater have settled")

    coarse = _go_through(simulation, months, present, settings, seed, single, climate_paths, scenario_title, report)
    storage, uncertainty = observe(
        cells,
        coarse,
        present,
        noise_mm=settings.noise_mm,
        smoothing_km=settings.smoothing_km,
        random=generator(seed, Stream.NOISE),
    )
    table = apply_faults(storage, uncertainty, present, faults)
    write_storage(single["storage"], storage, uncertainty, present, cells.coarse, scenario_title)
    valid = write_known(single["known"], cells, faults, scenario_title)
    table.to_csv(single["faults"], index=False, lineterminator="\n", float_format="%.6g")
    report(f"twin Earth: {valid:,} valid cells, {len(table)} damaged on purpose, {len(present)} months")


def _go_through(
    simulation: Simulation,
    months: Months,
    present: Months,
    settings: TwinSettings,
    seed: int,
    single: Mapping[str, Path],
    climate_paths: Mapping[int, Path],
    scenario_title: str,
    report: Callable[[str], None],
) -> NDArray[np.float32]:
    """Step through all months, write climate, truth and balance; give storage on half a degree (M, rows, columns)."""
    cells = simulation.cells
    nodes = place_nodes(cells, simulation.points, settings.climate_step)
    blocks = choose_blocks(cells, settings.truth_climate_blocks, generator(seed, Stream.BLOCKS))
    truth = TruthRecorder(cells, present)
    balance = BalanceRecorder(cells, simulation.sample, months, simulation.exact_state)
    coarse = np.zeros((len(present), *cells.coarse.shape), dtype=np.float32)
    place = {month: number for number, month in enumerate(present)}
    with (
        ClimateWriter(climate_paths, nodes, months, scenario_title) as climate,
        BlockWriter(single["climate_blocks"], cells, blocks, months, scenario_title) as block_writer,
        ThreadPoolExecutor(1) as pool,  # one thread for all files, beside the simulation of the next month
    ):

        def keep(month: Month) -> None:
            climate.write(month)
            block_writer.write(month)
            truth.record(month.month, month.storage)
            if month.month in place:
                coarse[place[month.month]] = coarse_mean(cells, month.storage)

        kept = pool.submit(lambda: None)
        for month in simulation.run(months):
            assert simulation.exact_fluxes is not None
            balance.record(simulation.exact_fluxes, simulation.exact_state, month.storage)
            kept.result()
            kept = pool.submit(keep, month)
            if month.month == months[-1] or year_of(month.month + 1) != year_of(month.month):
                report(f"twin Earth: {year_of(month.month)} done")
        kept.result()
    balance.write(single["balance"], scenario_title)
    truth.write(single["truth"], scenario_title)
    if truth.clipped:
        report(f"twin Earth: {truth.clipped} values of the truth were cut to ±3276.7 mm")
    return coarse


def coarse_mean(cells: LandCells, values: Field) -> NDArray[np.float32]:
    """Average land cells over half-degree cells, weighted by area; 0 where there is no land.

    Parameters
    ----------
    cells : LandCells
        Where.
    values : ndarray, shape (N,)
        Any unit.

    Returns
    -------
    ndarray, shape (rows, columns)
        In the unit of `values`.
    """
    size = cells.coarse.shape[0] * cells.coarse.shape[1]
    total = np.bincount(cells.coarse_index, weights=values * cells.area, minlength=size).reshape(cells.coarse.shape)
    area = cells.coarse_area
    return np.divide(total, area, out=np.zeros_like(total), where=area > 0).astype(np.float32)


def _check(
    outputs: Mapping[str, Path | Mapping[int, Path]], months: Months, present: Months
) -> tuple[dict[str, Path], dict[int, Path]]:
    """Check periods and paths before minutes are spent."""
    if len(present) == 0:
        raise ConfigError("period: the storage product has no month between period.start and period.end.")
    if present[0] < months[0]:
        raise ConfigError("period.start lies before period.climate_start: the climate must begin first.")
    single = {key: path for key, path in outputs.items() if isinstance(path, Path)}
    years = outputs.get("climate")
    if not isinstance(years, Mapping):
        raise TypeError("outputs['climate'] must map years to paths")
    missing = sorted(
        ({*OUTPUTS} - {"climate"} - single.keys()) | ({year_of(m) for m in months} - years.keys()), key=str
    )
    if missing:
        raise TypeError(f"outputs lacks {', '.join(map(str, missing))}")
    return single, dict(years)
