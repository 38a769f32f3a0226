"""Benchmark of a training step: precision, memory layout and compilation on the CPU or a GPU.

    python benchmarks/training.py              float32 against bfloat16: the paper's network and batch, a few minutes
    python benchmarks/training.py --compile    also compiled, which takes minutes to start
    python benchmarks/training.py --layout     also with channels first and without huge pages
    python benchmarks/training.py --narrow     the demo's network

Configurations take turns, each in a process of its own, so that a noisy machine disturbs all of them alike; medians and
minima over the rounds are reported. Results are printed and written to results/benchmarks/training.json.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
import yaml
from torch.utils.flop_counter import FlopCounterMode

from gwsd.losses import total_loss
from gwsd.model.downscaler import Downscaler
from gwsd.model.execution import HUGE_PAGES, Executor, has_compiler, has_fast_bfloat16
from gwsd.model.settings import CpuExecution, CudaExecution, Model
from gwsd.patches.gathering import Cube, gather
from gwsd.physics import Loss
from gwsd.provenance.environment import processor_name

CONFIG = yaml.safe_load((Path(__file__).parents[1] / "config.yaml").read_text())
VARIABLES = CONFIG["settings"]["climate_variables"]
SIZE = 32  # coarse cells along a patch's side


def configurations(device: torch.device, options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Return settings of the execution, and `huge_pages`, by name."""
    found: dict[str, dict[str, Any]] = {"float32": {}, "bfloat16": {"precision": "bfloat16"}}
    if options.layout:
        found["float32, channels first"] = {"channels_last": False}
        if device.type == "cpu":
            found["float32, small pages"] = {"huge_pages": False}
    if options.compile and (device.type == "cuda" or has_compiler()):
        found["float32, compiled"] = {"compile": True}
        found["bfloat16, compiled"] = compiled = {"precision": "bfloat16", "compile": True}
        if device.type == "cuda":
            found["bfloat16, compiled, CUDA graphs"] = compiled | {"graphs": True}
    return found


def executor(changes: dict[str, Any], device: torch.device) -> Executor:
    values = {"precision": "float32", "channels_last": True, "compile": False} | changes
    if device.type == "cuda":
        return Executor(CudaExecution.from_job({"graphs": False, "max_trainings_per_device": 1} | values), device)
    return Executor(CpuExecution.from_job(values), device)


class Steps:
    """One configuration, ready to take steps."""

    def __init__(self, changes: dict[str, Any], options: argparse.Namespace) -> None:
        torch.set_num_threads(options.threads)
        self.device = torch.device(options.device)
        self.batch_size = options.batch
        self.cube = random_cube(self.device)
        self.table = patch_table(self.cube)
        narrow = CONFIG["scenarios"]["demo"]["model"] if options.narrow else {}
        self.loss = Loss.from_job(CONFIG["settings"]["loss"])
        torch.manual_seed(1)
        self.network = Downscaler(Model.from_job(CONFIG["settings"]["model"] | narrow), VARIABLES)
        execution = executor(changes, self.device)
        execution.to_device(self.network)
        self.forward = execution.forward(self.network)
        self.optimiser = execution.optimiser(self.network.parameters(), learning_rate=1e-4, weight_decay=1e-5)
        self.position = 0

    def take(self) -> float:
        """Take one step; return the loss."""
        rows = self.table.iloc[self.position : self.position + self.batch_size]
        self.position = (self.position + self.batch_size) % (len(self.table) - self.batch_size + 1)
        batch = gather(self.cube, rows, size=SIZE, history_months=self.network.history_months)
        self.optimiser.zero_grad(set_to_none=True)
        total, _ = total_loss(self.forward(batch), batch, self.cube.storage_scale, self.loss)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        return float(total.detach())

    def seconds(self) -> float:
        """Time one step."""
        begin = time.perf_counter()  # `take` reads the loss, which waits for the device
        self.take()
        return time.perf_counter() - begin

    def flops(self) -> int:
        """Count the floating-point operations of one step, forward and backward."""
        with FlopCounterMode(display=False) as counter:
            self.take()
        return counter.get_total_flops()


def start(changes: dict[str, Any], options: argparse.Namespace) -> None:
    """Prepare a process: huge pages are chosen for a whole process, before its first tensor."""
    os.environ[HUGE_PAGES] = "1" if changes.pop("huge_pages", True) else "0"
    global steps
    steps = Steps(changes, options)


def call(method: str) -> float:
    return float(getattr(steps, method)())


def random_cube(device: torch.device, *, rows: int = 128, columns: int = 192, months: int = 36) -> Cube:
    """Return a cube of random numbers on a grid large enough that patches differ."""
    random = np.random.default_rng(7)
    calendar = np.arange(np.datetime64("2001-04"), np.datetime64("2001-04") + months).astype("datetime64[ns]")
    axes = {"lat": -31.75 + 0.5 * np.arange(rows), "lon": -47.75 + 0.5 * np.arange(columns)}
    dims = ("time", "lat", "lon")
    names = ["storage", *VARIABLES, "evapotranspiration"]
    fields = {name: (dims, random.standard_normal((months, rows, columns)).astype(np.float32)) for name in names}
    storage = xr.Dataset({"storage": fields.pop("storage")}, {"time": calendar, **axes}).isel(time=slice(12, None))
    return Cube.from_datasets(
        storage,
        xr.Dataset(fields, {"time": calendar, **axes}),
        xr.Dataset({"valid": (dims[1:], np.ones((rows, columns), dtype=np.int8))}, axes),
        normalisation={name: {"mean": 0.0, "std": 1.0} for name in names},
        variables=VARIABLES,
        device=device,
    )


def patch_table(cube: Cube) -> pd.DataFrame:
    random = np.random.default_rng(3)
    rows, columns = cube.valid.shape
    months = cube.storage_months[random.integers(1, 20, 256)].astype(str)
    row, col = (random.integers(0, length - SIZE, 256) for length in (rows, columns))
    return pd.DataFrame({"month": months, "row": row, "col": col})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch on the CPU")
    parser.add_argument("--batch", type=int, default=16, help="patches per step")
    parser.add_argument("--rounds", type=int, default=8, help="timed steps of each configuration")
    parser.add_argument("--narrow", action="store_true", help="the demo's narrow network")
    parser.add_argument("--compile", action="store_true", help="add compiled networks")
    parser.add_argument("--layout", action="store_true", help="add other memory layouts")
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks/training.json"))
    options = parser.parse_args()
    device = torch.device(options.device)
    spawn = multiprocessing.get_context("spawn")
    pools, timed = {}, {}
    for name, changes in configurations(device, options).items():
        begin = time.perf_counter()
        pool = ProcessPoolExecutor(1, mp_context=spawn, initializer=start, initargs=(changes, options))
        pools[name], timed[name] = pool, []
        loss = [pool.submit(call, "take").result() for _ in range(2)][-1]
        print(f"{name}: ready in {time.perf_counter() - begin:.0f} s, loss {loss:.4g}", flush=True)
    flops = pools["float32"].submit(call, "flops").result()
    for number in range(options.rounds):
        for name, pool in pools.items():
            timed[name].append(pool.submit(call, "seconds").result())
        last = ", ".join(f"{seconds[-1]:.2f}" for seconds in timed.values())
        print(f"round {number + 1} of {options.rounds}: {last} s", flush=True)
    for pool in pools.values():
        pool.shutdown()
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "median_ms": 1e3 * statistics.median(seconds),
            "min_ms": 1e3 * min(seconds),
            "gflops": flops / statistics.median(seconds) / 1e9,
            "speed_up": statistics.median(timed["float32"]) / statistics.median(seconds),
            "seconds": seconds,
        }
        for name, seconds in timed.items()
    ]
    report = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name(),
        "fast_bfloat16": has_fast_bfloat16(device),
        "torch": torch.__version__,
        "threads": options.threads,
        "batch": options.batch,
        "flops_per_step": flops,
    }
    print("\n" + ", ".join(f"{name} {value}" for name, value in report.items()) + "\n")
    print(pd.DataFrame(rows).drop(columns="seconds").to_string(index=False, float_format="{:.2f}".format))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report | {"configurations": rows}, indent=1) + "\n")
    print(f"\n{options.out}")


if __name__ == "__main__":
    main()
