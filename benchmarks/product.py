"""Time and memory of a month of the product: tiled and full-field inference against a plain loop over tiles.

    python benchmarks/product.py                    the demo's network on a quarter of the globe, about a minute
    python benchmarks/product.py --paper --rounds 3 the paper's network on the whole globe

Weights and inputs are random and every cell is valid: on the whole globe all 450 tiles are predicted (241 on the
Earth's land without Greenland and Antarctica). A month is timed from the inputs in memory to the corrected mean and
standard deviation in memory. Configurations take turns; the fastest round of each is reported. Peak memory is that of a
process that makes one month (on a GPU: allocated by torch).
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from gwsd.config import read_project_config
from gwsd.grid import Grid
from gwsd.methods.network import Network
from gwsd.model.downscaler import Downscaler, count_parameters
from gwsd.model.execution import use_huge_pages
from gwsd.patches.gathering import Cube, Scale
from gwsd.product.estimator import trained
from gwsd.product.grid_batch import ValidCells, month_batch
from gwsd.product.months import downscale_month

GLOBE, QUARTER = Grid(0.5), Grid(0.5, (-180.0, -90.0, 0.0, 0.0))
MONTH = np.datetime64("2010-07")
SCALE = Scale(0.0, 50.0)
CONFIGURATIONS = [  # name, inference, tiles at a time, channels_last, precision
    ("plain loop over tiles, float32", "tiled", 1, False, "float32"),
    ("tiles in batches, float32, channels_last", "tiled", 18, True, "float32"),
    ("tiles in batches, bfloat16, channels_last", "tiled", 18, True, "bfloat16"),
    ("full field, float32, channels_last", "full_field", 18, True, "float32"),
    ("full field, bfloat16, channels_last", "full_field", 18, True, "bfloat16"),
]


def random_cube(grid: Grid, months: int, variables: list[str], device: torch.device) -> Cube:
    """Return one month of a grid whose every cell is valid, with its climate."""
    torch.manual_seed(2)
    rows, cols = grid.shape
    return Cube(
        storage=50.0 * torch.randn(1, rows * cols, device=device),
        climate=torch.randn(months, len(variables), rows * cols, device=device),
        nearest=torch.arange(rows * cols, device=device).reshape(rows, cols),
        valid=torch.ones(rows, cols, dtype=torch.bool, device=device),
        cos_latitude=torch.from_numpy(np.cos(np.deg2rad(grid.refined().lat)).astype(np.float32)).to(device),
        storage_months=np.array([MONTH]),
        climate_months=MONTH - np.arange(months)[::-1],
        variables=tuple(variables),
        model_variables=tuple(variables),
        storage_scale=SCALE,
        climate_mean=torch.zeros(len(variables), 1, 1, device=device),
        climate_std=torch.ones(len(variables), 1, 1, device=device),
    )


def prepare(number: int, options: argparse.Namespace) -> tuple[Callable[[], object], int]:
    """Return a function that makes the month in one configuration, and the number of parameters."""
    _, inference, batch_size, channels_last, precision = CONFIGURATIONS[number]
    settings = read_project_config().settings("paper" if options.paper else "demo")
    variables, device = list(settings.climate_variables), torch.device(options.device)
    torch.manual_seed(1)
    method = Network("random", Downscaler(settings.model, variables), SCALE)
    estimator = trained(method, 32, normalisation={}, precision=precision, device=device)
    if not channels_last:
        method.model.to(memory_format=torch.contiguous_format)
        plain = estimator.executor.settings.model_copy(update={"channels_last": False})
        estimator = replace(estimator, executor=type(estimator.executor)(plain, device))
    product = settings.product.model_copy(update={"inference": inference, "batch_size": batch_size, "correction": True})
    months = estimator.history_months
    grid = GLOBE if options.paper else QUARTER
    cube = random_cube(grid, months, variables, device)
    cells = ValidCells.of(cube, grid)

    def run() -> None:
        downscale_month(estimator, month_batch(cube, MONTH, cells, history_months=months), cells, product)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return run, count_parameters(method.model)


def measure(number: int, options: argparse.Namespace) -> dict[str, float]:
    """Run one configuration in a process of its own: seconds and peak memory."""
    given = ["--device", options.device, "--threads", str(options.threads), "--configuration", str(number)]
    command = [sys.executable, __file__, *given, *(["--paper"] if options.paper else [])]
    finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(finished.stdout)


def print_measurement(options: argparse.Namespace) -> None:
    run, parameters = prepare(options.configuration, options)
    if options.device.startswith("cuda"):
        run()  # warm up
    start = time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    peak = unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if options.device.startswith("cuda"):
        peak = torch.cuda.max_memory_allocated(options.device)
    print(json.dumps({"seconds": seconds, "peak_gb": peak / 1e9, "parameters": parameters}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=2, help="of torch on the CPU")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--paper", action="store_true", help="the paper's network instead of the demo's")
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks/product.json"))
    parser.add_argument("--configuration", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.configuration is not None:
        use_huge_pages()
        torch.set_num_threads(options.threads)
        print_measurement(options)
        return
    rounds: list[list[dict[str, float]]] = [[] for _ in CONFIGURATIONS]
    for turn in range(options.rounds):
        for number, (name, *_) in enumerate(CONFIGURATIONS):
            rounds[number].append(measure(number, options))
            print(f"round {turn + 1}: {name}: {rounds[number][-1]['seconds']:.2f} s", file=sys.stderr, flush=True)
    best = [min(turns, key=lambda found: found["seconds"]) for turns in rounds]
    grid = "globe" if options.paper else "quarter of the globe"
    print(f"{int(best[0]['parameters']):,} parameters, {grid}, {options.device}\n\n{'':44}s/month   × plain   peak GB")
    for (name, *_), found in zip(CONFIGURATIONS, best, strict=True):
        print(f"{name:44}{found['seconds']:7.2f}{best[0]['seconds'] / found['seconds']:10.2f}{found['peak_gb']:10.2f}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    names = [name for name, *_ in CONFIGURATIONS]
    options.out.write_text(json.dumps(dict(zip(names, best, strict=True)), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
