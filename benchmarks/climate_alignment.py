"""What bringing ERA5-Land to half a degree costs, beside reading the files and beside the usual ways, in one run.

    python benchmarks/climate_alignment.py                      one generated year of true size, about 4 minutes
    python benchmarks/climate_alignment.py --years 2 --repeats 3
    python benchmarks/climate_alignment.py --years 23 --only reading,ours1,ours2      the length of the paper's period

The files have the true grid (1801 x 3600 nodes, 4 variables, float32). As in deliveries of the Climate Data Store they
are compressed with deflate 1 and shuffle, in the chunks that the netCDF library chooses (4 x 601 x 1200), and values
have the steps of the GRIB files behind them (2^-9 K, 2^-19 m). Assumed are what a generator must assume: a third of the
nodes is land, fields vary over some ten degrees and, a tenth as much, from node to node. Further years are the same
fields under other dates.

What the usual ways do otherwise: `coarsen` takes five nodes for a cell, though nodes stand on the cells' edges and
belong to two; its cells lie a twentieth of a degree off, all rows weigh alike, and the last row is lost. `interp` takes
the four nodes around a cell's centre for the cell, and has no value where one of them is water. `xarray-regrid` as it
comes averages over areas like this workflow, but gives the poles' nodes no weight and halves boxes by degrees.
None of them converts units or estimates evapotranspiration, which this workflow's seconds include.

Every measurement is a process of its own: seconds are those of the work without imports, peak memory is the kernel's
VmHWM. Methods take turns, repeat by repeat; medians are reported, and CPU seconds too, for a machine that others use.
Files have just been written, so that reading them is decompression and not the disk. The results go to the screen and
to results/benchmarks/climate_alignment.json.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter, zoom

from gwsd.grid import Grid
from gwsd.inputs.climate import align_climate
from gwsd.provenance.environment import processor_name
from gwsd.sources.era5_land import KELVIN, open_climate

FIRST_YEAR = 2001
GRID = Grid(0.5)
LAND_SHARE = 0.34
FIELDS = {  # step of the values, mean, standard deviation, unit
    "tp": (2.0**-19, 0.003, 0.002, "m"),
    "swvl1": (2.0**-16, 0.25, 0.1, "m**3 m**-3"),
    "t2m": (2.0**-9, 285.0, 12.0, "K"),
    "sp": (1.0, 90000.0, 8000.0, "Pa"),
}
BLOCK = {"valid_time": 4, "latitude": -1, "longitude": -1}
"""Whole chunks of the files, for the ways that have a choice: a month at a time takes four times as long to read."""

ROOT = Path(__file__).resolve().parents[1]


def dates(year: int, months: int) -> np.ndarray:
    return np.arange(f"{year}-01", np.datetime64(f"{year}-01", "M") + months, dtype="datetime64[M]")


def generate(folder: Path, years: int, months: int, step: float) -> list[Path]:
    """Write the first year; further ones are copies under other dates."""
    rng = np.random.default_rng(0)
    lat, lon = np.round(np.arange(90.0, -90.0 - step / 2, -step), 6), np.round(np.arange(0.0, 360.0, step), 6)
    shape = (len(lat), len(lon))

    def smooth(degrees: float) -> np.ndarray:
        coarse = gaussian_filter(rng.normal(size=(226, 450)), degrees / 0.8, mode=("nearest", "wrap"))
        field = np.asarray(zoom(coarse, (shape[0] / 226, shape[1] / 450), order=1), dtype=np.float32)
        return field / field.std()

    continents = smooth(10.0)
    water = continents < np.quantile(continents, 1.0 - LAND_SHARE)
    paths = [folder / f"era5_land_{FIRST_YEAR + k}.nc" for k in range(years)]
    with netCDF4.Dataset(paths[0], "w") as file:
        seconds = dates(FIRST_YEAR, months).astype("datetime64[s]").astype(np.int64)
        for name, values in (("valid_time", seconds), ("latitude", lat), ("longitude", lon)):
            file.createDimension(name, len(values))
            file.createVariable(name, values.dtype, (name,))[:] = values
        file["valid_time"].units = "seconds since 1970-01-01"
        for name, (resolution, mean, spread, unit) in FIELDS.items():
            variable = file.createVariable(
                name, "f4", tuple(BLOCK), zlib=True, complevel=1, shuffle=True, fill_value=np.float32(np.nan)
            )
            variable.units = unit
            detail = gaussian_filter(rng.normal(size=shape).astype(np.float32), 1.0)
            detail /= detail.std()
            block = np.empty((months, *shape), dtype=np.float32)
            for month in range(months):
                field = mean + spread * (smooth(3.0) + 0.1 * detail)
                block[month] = np.where(water, np.nan, np.maximum(np.round(field / resolution) * resolution, 0.0))
            variable[:] = block
    for k, path in enumerate(paths[1:], start=1):
        shutil.copyfile(paths[0], path)
        with netCDF4.Dataset(path, "r+") as file:
            file["valid_time"][:] = dates(FIRST_YEAR + k, months).astype("datetime64[s]").astype(np.int64)
    return paths


def read(paths: list[Path], out: Path) -> None:
    """Read every value once, a row of chunks at a time, and do nothing with it."""
    for path in paths:
        with netCDF4.Dataset(path) as file:
            file.set_auto_maskandscale(False)
            for name in FIELDS:
                months = file[name].chunking()[0]
                for start in range(0, file[name].shape[0], months):
                    file[name][start : start + months]


def align(paths: list[Path], out: Path, threads: int) -> None:
    """Do what the workflow does: units, area-weighted means, evapotranspiration, one compressed file."""
    with xr.open_dataset(paths[0]) as first, xr.open_dataset(paths[-1]) as last:
        start, end = (str(file["valid_time"].values[k])[:7] for file, k in ((first, 0), (last, -1)))
    align_climate(
        open_climate(paths, start, end),
        GRID,
        out,
        climate_start=start,
        end=end,
        formula="thornthwaite",
        limit="budyko",
        soil_water_mm=100.0,
        threads=threads,
    )


def write_with(regrid: Callable[[xr.Dataset], xr.Dataset], paths: list[Path], out: Path) -> None:
    """Apply a way of xarray's to all files, lazily, on two of dask's threads."""
    import dask

    with dask.config.set(scheduler="threads", num_workers=2):
        raw = xr.open_mfdataset(paths, chunks=BLOCK)
        done = regrid(raw)
        done.to_netcdf(out, encoding={name: {"zlib": True, "complevel": 1} for name in FIELDS})


def coarsen(raw: xr.Dataset) -> xr.Dataset:
    return raw.coarsen(latitude=5, longitude=5, boundary="trim").mean()


def interpolate(raw: xr.Dataset) -> xr.Dataset:
    return raw.interp(latitude=GRID.lat, longitude=GRID.lon % 360.0)


def regrid_by_library(raw: xr.Dataset) -> xr.Dataset:
    import xarray_regrid  # noqa: F401  registers the accessor `.regrid`

    target = xr.Dataset(coords={"latitude": GRID.lat, "longitude": GRID.lon})
    return raw.regrid.conservative(target, latitude_coord="latitude", time_dim="valid_time")


METHODS: dict[str, tuple[str, Callable[[list[Path], Path], None]]] = {
    "reading": ("reading alone", read),
    "ours1": ("this workflow, 1 thread", lambda paths, out: align(paths, out, 1)),
    "ours2": ("this workflow, 2 threads", lambda paths, out: align(paths, out, 2)),
    "coarsen": ("xarray coarsen(5, 5).mean()", lambda paths, out: write_with(coarsen, paths, out)),
    "interp": ("xarray interp to the centres", lambda paths, out: write_with(interpolate, paths, out)),
    "library": ("xarray-regrid conservative()", lambda paths, out: write_with(regrid_by_library, paths, out)),
}


def measure_here(method: str, paths: list[Path], out: Path) -> None:
    """Run one method in this process and print what it took."""
    started, used = time.perf_counter(), time.process_time()
    METHODS[method][1](paths, out)
    seconds, used = time.perf_counter() - started, time.process_time() - used
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024.0
    print(json.dumps({"seconds": seconds, "cpu": used, "peak_mb": peak}))


def measure(method: str, paths: list[Path], out: Path, months: int) -> dict[str, float]:
    """Run one method in a process of its own."""
    out.unlink(missing_ok=True)
    command = [sys.executable, __file__, "--run", method, "--out", str(out), *map(str, paths)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{method} failed:\n{done.stderr}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    by_month = {"seconds_a_month": result["seconds"] / months, "cpu_seconds_a_month": result["cpu"] / months}
    return {**by_month, "peak_mb": result["peak_mb"]}


def compare(folder: Path, methods: list[str]) -> dict[str, dict[str, Any]]:
    """How far the first month's temperature of each way is from ours, °C, and where values are missing."""
    with xr.open_dataset(folder / "ours1.nc") as file:
        ours, share = file["temperature"][0].load(), file["land_share"].load()
    found = {}
    for method in methods:
        with xr.open_dataset(folder / f"{method}.nc") as file:
            theirs = (file["t2m"][0] - KELVIN).rename(latitude="lat", longitude="lon")
            theirs = theirs.assign_coords(lon=(theirs["lon"] + 180.0) % 360.0 - 180.0).sortby(["lat", "lon"])
        # The rows and columns of `coarsen` are not the grid's: each is taken for the nearest.
        theirs = theirs.reindex(lat=GRID.lat, lon=GRID.lon, method="nearest", tolerance=0.3)
        difference = np.abs(theirs.values - ours.values)
        both = np.isfinite(difference)
        whole = both & (share.values > 0.999)
        found[method] = {
            "largest_difference": float(difference[both].max()),
            "largest_difference_on_whole_cells": float(difference[whole].max()),
            "mean_difference": float(difference[both].mean()),
            "cells": int(np.isfinite(ours.values).sum()),
            "cells_without_value": int((np.isfinite(ours.values) & ~both).sum()),
        }
    return found


def grow(folder: Path) -> dict[str, float]:
    """Peak memory of 12 and of 270 months, on nodes 0.5 degrees apart."""
    (folder / "small").mkdir()
    paths = generate(folder / "small", 23, 12, 0.5)
    peaks = {}
    for years in (1, 2, 23):
        months = 12 * years
        peaks[str(months)] = measure("ours2", paths[:years], folder / "small.nc", months)["peak_mb"]
    return peaks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, default=1)
    parser.add_argument("--months", type=int, default=12, help="months in each year's file")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--only", default=",".join(METHODS), help="some of the methods, separated by commas")
    parser.add_argument("--growth", action=argparse.BooleanOptionalAction, default=True, help="12 against 276 months")
    parser.add_argument("--folder", type=Path, help="where generated files are put for the while")
    parser.add_argument("--json", type=Path, default=ROOT / "results/benchmarks/climate_alignment.json")
    parser.add_argument("--run", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("paths", type=Path, nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        return measure_here(options.run, options.paths, options.out)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        report = benchmark(Path(name), options)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n")
    return None


def benchmark(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    methods = [method for method in METHODS if method in options.only.split(",")]
    months = options.years * options.months
    print(f"generating {options.years} year(s) of {options.months} months, 1801 x 3600 nodes", flush=True)
    paths = generate(folder, options.years, options.months, 0.1)
    size = sum(path.stat().st_size for path in paths)
    taken: dict[str, list[dict[str, float]]] = {method: [] for method in methods}
    shorter: list[dict[str, float]] = []
    loads = [os.getloadavg()[0]]
    for _ in range(options.repeats):
        for method in methods:
            taken[method].append(measure(method, paths, folder / f"{method}.nc", months))
        if "ours2" in methods and options.years > 1:
            shorter.append(measure("ours2", paths[:1], folder / "shorter.nc", options.months))
        loads.append(os.getloadavg()[0])
    rows = {
        method: {key: statistics.median(one[key] for one in runs) for key in runs[0]} for method, runs in taken.items()
    }
    reading = rows["reading"]["seconds_a_month"] if "reading" in rows else float("nan")
    others = [method for method in methods if method in ("coarsen", "interp", "library")]
    apart = compare(folder, others) if "ours1" in methods else {}
    print(f"\n{months} months, {size / months / 1e6:.1f} MB a month; {options.repeats} repeat(s), load {loads}")
    print(f"{'':30} {'s a month':>10} {'of reading':>11} {'CPU s':>6} {'peak MB':>8}   temperature against ours")
    for method, row in rows.items():
        row["ratio_to_reading"] = row["seconds_a_month"] / reading
        said = ""
        if method in apart:
            one = apart[method]
            said = (
                f"up to {one['largest_difference']:.2f} °C, {one['largest_difference_on_whole_cells']:.2f} inland; "
                f"{one['cells_without_value']:,} of {one['cells']:,} cells lost"
            )
        print(
            f"{METHODS[method][0]:30} {row['seconds_a_month']:10.3f} {row['ratio_to_reading']:11.2f} "
            f"{row['cpu_seconds_a_month']:6.3f} {row['peak_mb']:8.0f}   {said}"
        )
    peaks = grow(folder) if options.growth and "ours2" in methods else {}
    if shorter:
        print(f"\npeak of one year of these: {statistics.median(one['peak_mb'] for one in shorter):.0f} MB")
    if peaks:
        print(
            "peak on 0.5 degree nodes: " + ", ".join(f"{count} months {peak:.0f} MB" for count, peak in peaks.items())
        )
    return {
        "processor": processor_name(),
        "cpus": os.cpu_count(),
        "load": loads,
        "months": months,
        "bytes": size,
        "repeats": options.repeats,
        "methods": {method: {"what": METHODS[method][0], **row} for method, row in rows.items()},
        "temperature_against_ours": apart,
        "peak_mb_of_one_year": [one["peak_mb"] for one in shorter],
        "peak_mb_by_months_on_half_degree_nodes": peaks,
    }


if __name__ == "__main__":
    main()
