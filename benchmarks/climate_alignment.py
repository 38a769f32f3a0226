"""Time and memory of regridding ERA5-Land to half a degree, compared with reading the files and with xarray.

    python benchmarks/climate_alignment.py                three generated months of true size, about a minute
    python benchmarks/climate_alignment.py --months 12

The generated file has the true grid (1801 x 3600 nodes, 4 variables, float32), deflate 1 with shuffle and the chunks of
deliveries of the Climate Data Store; a third of the nodes is land. `coarsen` takes five nodes for a cell although nodes
are on the cells' edges: its cells are a twentieth of a degree off and all rows weigh alike. `interp` takes the four
nodes around a cell's centre and has no value where one of them is water. Neither converts units or estimates
evapotranspiration, which this project's seconds include. Each measurement is a process of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import netCDF4
import numpy as np
import xarray as xr

from gwsd.config import read_project_config
from gwsd.data.climate import prepare_climate
from gwsd.data.inputs import open_climate
from gwsd.grid import Grid

GRID = Grid(0.5)
FIELDS = {  # step of the values, mean, standard deviation, unit
    "tp": (2.0**-19, 0.003, 0.002, "m"),
    "swvl1": (2.0**-16, 0.25, 0.1, "m**3 m**-3"),
    "t2m": (2.0**-9, 285.0, 12.0, "K"),
    "sp": (1.0, 90000.0, 8000.0, "Pa"),
}
VARIABLES = ["precipitation", "soil_moisture", "temperature", "surface_pressure"]
METHODS = ("read only", "coarsen", "interp", "gwsd, 1 thread", "gwsd, 2 threads")


def generate(path: Path, months: int) -> None:
    """Write months of smooth random fields with noise of a tenth of their amplitude."""
    rng = np.random.default_rng(0)
    lat, lon = np.round(90.0 - 0.1 * np.arange(1801), 6), np.round(0.1 * np.arange(3600), 6)
    waves = np.sin(np.deg2rad(lat))[:, None] * np.cos(np.deg2rad(3 * lon)) + np.sin(np.deg2rad(lon) * 5)
    water = waves < np.quantile(waves, 0.66)
    with netCDF4.Dataset(path, "w") as file:
        for name, values in (("valid_time", np.arange(months)), ("latitude", lat), ("longitude", lon)):
            file.createDimension(name, len(values))
            file.createVariable(name, "f8", (name,))[:] = values
        stamps = np.arange("2001-01", np.datetime64("2001-01", "M") + months, dtype="datetime64[M]")
        file["valid_time"][:] = stamps.astype("datetime64[s]").astype(np.int64)
        file["valid_time"].units = "seconds since 1970-01-01"
        for name, (step, mean, spread, unit) in FIELDS.items():
            variable = file.createVariable(
                name,
                "f4",
                ("valid_time", "latitude", "longitude"),
                zlib=True,
                complevel=1,
                shuffle=True,
                chunksizes=(min(4, months), 601, 1200),
                fill_value=np.nan,
            )
            variable.units = unit
            for month in range(months):
                field = mean + spread * (waves / 3 + 0.1 * rng.standard_normal(waves.shape))
                variable[month] = np.where(water, np.nan, np.rint(field / step) * step)


def run(method: str, source: Path, out: Path, months: int) -> None:
    """Bring the file to half a degree by one method."""
    if method.startswith("gwsd"):
        settings = read_project_config().settings("paper")
        end = str(np.datetime64("2001-01", "M") + months - 1)
        climate = open_climate([source], "era5_land", start="2001-01", end=end, variables=VARIABLES)
        prepare_climate(
            climate,
            GRID,
            out,
            start="2001-01",
            end=end,
            variables=VARIABLES,
            evapotranspiration=settings.evapotranspiration,
            threads=int(method.split()[1]),
            report=lambda line: None,
        )
        return
    with xr.open_dataset(source) as raw:
        for name in FIELDS:
            field = raw[name].load()
            if method == "coarsen":
                field.coarsen(latitude=5, longitude=5, boundary="trim").mean().to_netcdf(out)
            elif method == "interp":
                field.interp(latitude=GRID.lat, longitude=GRID.lon % 360.0).to_netcdf(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--months", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks/climate_alignment.json"))
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        method, source = options.measure
        start = time.perf_counter()
        run(method, Path(source), Path(source).with_name("out.nc"), options.months)
        unit = 1 if sys.platform == "darwin" else 1024
        peak = unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e9
        print(json.dumps({"seconds": time.perf_counter() - start, "peak_gb": peak}))
        return
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "era5_land.nc"
        print(f"generating {options.months} months", file=sys.stderr, flush=True)
        generate(source, options.months)
        for method in METHODS:
            command = [sys.executable, __file__, "--months", str(options.months), "--measure", method, str(source)]
            finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            found[method] = json.loads(finished.stdout)
            print(f"{method:18}{found[method]['seconds']:8.1f} s{found[method]['peak_gb']:8.2f} GB", flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
