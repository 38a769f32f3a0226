"""What a global month of the product costs, by tiles and as a field, beside a plain loop over tiles, in one run.

    python benchmarks/product.py                       the paper's network, on the CPU or the first GPU
    python benchmarks/product.py --rounds 5 --with compile
    python benchmarks/product.py --narrow --rounds 1   the demo's network

Weights and inputs are random, every cell of the 360 by 720 counts, and so all 450 tiles do. Over the Earth's land
without Greenland and Antarctica 241 of them hold a valid cell, and tiles take 0.54 of what is printed here; the field,
which computes the sea too, takes as long as printed. A month is timed from the inputs in memory to the corrected mean
and standard deviation in memory; its parts, and writing it as NetCDF, are timed apart. Ways take turns, round by round,
so that a noisy machine disturbs all of them alike; the median of each one's quieter half of rounds is reported. Peak
memory is that of a process that makes one month (on a GPU: what torch held there). The results go to the screen and to
results/benchmarks/product.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gwsd.grid import Grid
from gwsd.memory import SWITCH, use_huge_pages
from gwsd.model.downscaler import Downscaler, count_parameters
from gwsd.patches.gathering import Cube, Scale
from gwsd.product.correction import correct_means, corrected_sd
from gwsd.product.estimators import Estimator, trained
from gwsd.product.months import Correction, FineMonth, Way, downscale_months
from gwsd.product.netcdf import Origin, new_product
from gwsd.product.tiles import Tiling
from gwsd.product.whole_grid import Cells, month_of_cube
from gwsd.provenance.environment import processor_name
from gwsd.training.engine import Engine, EngineSettings

VARIABLES = ("precipitation", "soil_moisture", "temperature", "surface_pressure")
PAPER = {"lstm_channels": 64, "unet_channels": [64, 128, 256], "bottleneck_channels": 512}
NARROW = {"lstm_channels": 8, "unet_channels": [16, 32, 64], "bottleneck_channels": 128}
MONTH = np.datetime64("2010-07")
GRID = Grid(0.5)
MEMORY = 6


PLAIN = EngineSettings(precision="float32", channels_last=False, compile=False)


@dataclass(frozen=True)
class Configuration:
    """One way to make a month."""

    name: str
    way: Way
    tiles_at_a_time: int = 16
    engine: EngineSettings = PLAIN


def configurations(more: list[str]) -> list[Configuration]:
    """Give the plain loop first, then tiles in batches and the field, each with one gain added after the other."""
    plain = Configuration("plain loop over tiles, float32", Way.TILES, tiles_at_a_time=1)
    last = replace(plain.engine, channels_last=True)
    rough = replace(last, precision="bfloat16")
    found = [
        plain,
        Configuration("tiles in batches, float32", Way.TILES),
        Configuration("  + channels_last", Way.TILES, engine=last),
        Configuration("  + bfloat16", Way.TILES, engine=rough),
        Configuration("field, float32", Way.FIELD),
        Configuration("  + channels_last", Way.FIELD, engine=last),
        Configuration("  + bfloat16", Way.FIELD, engine=rough),
    ]
    if "compile" in more:
        found.append(Configuration("  + compiled", Way.FIELD, engine=replace(rough, compile=True)))
    return found


class Run:
    """One configuration, ready to make months."""

    def __init__(self, one: Configuration, cube: Cube, network: dict[str, Any]) -> None:
        self.one, self.cube = one, cube
        torch.manual_seed(1)
        model = Downscaler(
            temporal_encoder="conv_lstm",
            memory=MEMORY,
            climate_variables=VARIABLES,
            lstm_layers=2,
            normalisation="batch",
            residual=False,
            variance_head=True,
            variance_floor=1.0e-4,
            **network,
        )
        self.parameters = count_parameters(model)
        engine = Engine(replace(one.engine, compile=False), cube.device)
        self.estimator: Estimator = trained("random", model, cube.storage_scale, engine)
        if one.engine.compile:
            model.compile(dynamic=False)
        self.cells = Cells.of(cube, GRID)
        self.seconds: list[float] = []

    def month(self) -> FineMonth:
        """Make the month."""
        (fine,) = downscale_months(
            self.estimator,
            self.cube,
            [MONTH],
            self.cells,
            memory=MEMORY,
            way=self.one.way,
            tiling=Tiling(32, 24, self.one.tiles_at_a_time),
            correction=Correction(True),
        )
        return fine

    def measure(self) -> None:
        """Time a month."""
        self.seconds.append(timed(self.month, self.cube.device))

    @property
    def median(self) -> float:
        """Median of the quieter half of the rounds, seconds."""
        return quiet_median(self.seconds)


def quiet_median(seconds: list[float]) -> float:
    return statistics.median(sorted(seconds)[: max(1, (len(seconds) + 1) // 2)])


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds that some work takes, after the device has done what it was asked."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def random_globe(device: torch.device) -> Cube:
    """Six months of a globe whose every cell is valid."""
    torch.manual_seed(2)
    rows, cols = GRID.shape
    fine = GRID.refined()
    return Cube(
        storage=50.0 * torch.randn(1, rows * cols, device=device),
        climate=torch.randn(MEMORY, len(VARIABLES), rows * cols, device=device),
        nearest=torch.arange(rows * cols, device=device).reshape(rows, cols),
        valid=torch.ones(rows, cols, dtype=torch.bool, device=device),
        cos_latitude=torch.from_numpy(np.cos(np.deg2rad(fine.lat)).astype(np.float32)).to(device),
        storage_months=np.array([MONTH]),
        climate_months=MONTH - np.arange(MEMORY)[::-1],
        variables=VARIABLES,
        model_variables=VARIABLES,
        storage_scale=Scale(0.0, 50.0),
        climate_mean=torch.zeros(len(VARIABLES), 1, 1, device=device),
        climate_std=torch.ones(len(VARIABLES), 1, 1, device=device),
    )


def parts(run: Run, rounds: int) -> dict[str, float]:
    """Seconds of what is not the network, and of writing a month."""
    device, cells = run.cube.device, run.cells
    batch = month_of_cube(run.cube, MONTH, cells, memory=MEMORY)
    fine = run.month()
    mean = torch.from_numpy(fine.mean).to(device)
    origin = Origin("benchmark", "random", "random", "none", "none", "none", "synthetic: random", "none", "none")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.nc"

        def write() -> None:
            with new_product(path, GRID.refined(), origin, with_sd=True) as file:
                file.append(fine)

        work: dict[str, Callable[[], object]] = {
            "laying the inputs out": lambda: month_of_cube(run.cube, MONTH, cells, memory=MEMORY),
            "correcting the means": lambda: correct_means(mean, batch.storage_mm[0, 0], cells),
            "their standard deviation": lambda: corrected_sd(mean.abs(), cells, 0.5),
            "writing NetCDF": write,
        }
        return {name: quiet_median([timed(one, device) for _ in range(rounds)]) for name, one in work.items()}


def peak_bytes(number: int, arguments: list[str]) -> int:
    """Peak memory of a process that makes one month in one way."""
    command = [sys.executable, __file__, *arguments, "--peak-of", str(number)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def print_peak(run: Run) -> None:
    run.month()
    device = run.cube.device
    if device.type == "cuda":
        print(torch.cuda.max_memory_allocated(device))
        return
    # Not ru_maxrss: that of a child starts from its parent's.
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    print(1024 * int(line.split()[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=2, help="of torch on the CPU")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--narrow", action="store_true", help="the demo's narrow network")
    parser.add_argument("--with", dest="more", choices=["compile"], action="append", default=[], help="add a gain")
    parser.add_argument("--small-pages", action="store_true", help="memory in pages of 4 KB, not as the product has it")
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks/product.json"))
    parser.add_argument("--peak-of", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.small_pages:
        use_huge_pages()
    device = torch.device(options.device)
    torch.set_num_threads(options.threads)
    cube, network = random_globe(device), NARROW if options.narrow else PAPER
    chosen = configurations(options.more)
    if options.peak_of is not None:
        print_peak(Run(chosen[options.peak_of], cube, network))
        return
    runs = [Run(one, cube, network) for one in chosen]
    for run in runs:
        if device.type == "cuda" or run.one.engine.compile:
            print(f"warmed up {run.one.name.strip(' +')}: {timed(run.month, device):.1f} s", flush=True)
    for number in range(options.rounds):
        for run in runs:
            run.measure()
            print(f"round {number + 1}, {run.one.name.strip(' +')}: {run.seconds[-1]:.2f} s", flush=True)
    arguments = ["--device", options.device, "--threads", str(options.threads)]
    arguments += ["--small-pages"] * options.small_pages
    arguments += ["--narrow"] * options.narrow + [word for one in options.more for word in ("--with", one)]
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name()
    report = {
        "device": name,
        "torch": torch.__version__,
        "threads": torch.get_num_threads() if device.type == "cpu" else None,
        "parameters": runs[0].parameters,
        "tiles": len(Tiling(32, 24, 1).origins(runs[0].cells)),
        "rounds": options.rounds,
        "huge_pages": os.environ.get(SWITCH) == "1",
        "configurations": [
            {
                "name": run.one.name.strip(),
                "way": str(run.one.way),
                "seconds_a_month": run.median,
                "times_the_plain_loop": runs[0].median / run.median,
                "peak_gb": peak_bytes(number, arguments) / 1e9,
            }
            for number, run in enumerate(runs)
        ],
        "parts_seconds_a_month": parts(runs[-1], options.rounds),
    }
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    print(
        f"\n{name}{threads}, torch {torch.__version__}, {report['parameters']:,} parameters, {report['tiles']} tiles\n"
    )
    print(f"{'':34}{'s/month':>9}{'225 months':>12}{'× plain':>9}{'peak GB':>9}")
    for run, row in zip(runs, report["configurations"], strict=True):
        months = 225 * row["seconds_a_month"]
        length = f"{months / 60:.0f} min" if months >= 120 else f"{months:.0f} s"
        print(
            f"{run.one.name:34}{row['seconds_a_month']:9.2f}{length:>12}{row['times_the_plain_loop']:9.2f}"
            f"{row['peak_gb']:9.2f}"
        )
    print("\nof which, or besides:")
    for part, seconds in report["parts_seconds_a_month"].items():
        print(f"  {part:32}{seconds:9.2f}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\n{options.out}")


if __name__ == "__main__":
    main()
