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
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

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
SIZE = 32
"""Coarse cells along a patch's side."""


@dataclass(frozen=True)
class Configuration:
    """Settings of a step."""

    name: str
    precision: str
    compile: bool = False
    channels_last: bool = True
    huge_pages: bool = True
    graphs: bool = False

    def executor(self, device: torch.device) -> Executor:
        """Return the executor for a device."""
        shared = {"precision": self.precision, "channels_last": self.channels_last, "compile": self.compile}
        if device.type == "cuda":
            return Executor(CudaExecution(**shared, graphs=self.graphs, max_trainings_per_device=1), device)
        return Executor(CpuExecution(**shared), device)


def configurations(device: torch.device, options: argparse.Namespace) -> list[Configuration]:
    found = [Configuration("float32", "float32"), Configuration("bfloat16", "bfloat16")]
    if options.layout:
        found.append(Configuration("float32, channels first", "float32", channels_last=False))
        if device.type == "cpu":
            found.append(Configuration("float32, small pages", "float32", huge_pages=False))
    if options.compile and (device.type == "cuda" or has_compiler()):
        found.append(Configuration("float32, compiled", "float32", compile=True))
        found.append(Configuration("bfloat16, compiled", "bfloat16", compile=True))
        if device.type == "cuda":
            found.append(Configuration("bfloat16, compiled, CUDA graphs", "bfloat16", compile=True, graphs=True))
    return found


class Steps:
    """One configuration, ready to take steps."""

    def __init__(self, configuration: Configuration, options: argparse.Namespace) -> None:
        torch.set_num_threads(options.threads)
        self.device = torch.device(options.device)
        self.batch_size = options.batch
        self.cube = random_cube(self.device)
        self.table = patch_table(self.cube)
        departures = CONFIG["scenarios"]["demo"]["model"] if options.narrow else {}
        self.loss = Loss.from_job(CONFIG["settings"]["loss"])
        torch.manual_seed(1)
        self.network = Downscaler(Model.from_job(CONFIG["settings"]["model"] | departures), VARIABLES)
        execution = configuration.executor(self.device)
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
        start = time.perf_counter()  # `take` reads the loss, which waits for the device
        self.take()
        return time.perf_counter() - start

    def flops(self) -> float:
        """Count the floating-point operations of one step, forward and backward."""
        with FlopCounterMode(display=False) as counter:
            self.take()
        return float(counter.get_total_flops())


def serve(pipe: Connection, configuration: Configuration, options: argparse.Namespace) -> None:
    """Call the methods of `Steps` whose names arrive, in a process of its own."""
    steps = Steps(configuration, options)
    for name in iter(pipe.recv, "end"):
        pipe.send(getattr(steps, name)())


class Run:
    """One configuration in its process: huge pages are chosen for a whole process."""

    def __init__(self, configuration: Configuration, options: argparse.Namespace) -> None:
        self.configuration = configuration
        self.timed: list[float] = []
        spawning = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawning.Pipe()
        self._process = spawning.Process(target=serve, args=(theirs, configuration, options), daemon=True)
        with patch.dict(os.environ, {HUGE_PAGES: "1" if configuration.huge_pages else "0"}):
            self._process.start()
        theirs.close()

    def ask(self, method: str) -> float:
        """Call a method of `Steps` in the process."""
        self._pipe.send(method)
        return float(self._pipe.recv())

    def end(self) -> None:
        """End the process."""
        self._pipe.send("end")
        self._process.join()


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
    corners = {"row": random.integers(0, rows - SIZE, 256), "col": random.integers(0, columns - SIZE, 256)}
    return pd.DataFrame({"month": months, **corners})


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
    runs = []
    for configuration in configurations(device, options):
        start = time.perf_counter()
        runs.append(run := Run(configuration, options))
        loss = [run.ask("take") for _ in range(2)][-1]
        print(f"{configuration.name}: ready in {time.perf_counter() - start:.0f} s, loss {loss:.4g}", flush=True)
    flops = runs[0].ask("flops")
    for number in range(options.rounds):
        for run in runs:
            run.timed.append(run.ask("seconds"))
        last = ", ".join(f"{run.timed[-1]:.2f}" for run in runs)
        print(f"round {number + 1} of {options.rounds}: {last} s", flush=True)
    for run in runs:
        run.end()
    rows: list[dict[str, Any]] = [
        {
            "name": run.configuration.name,
            "median_ms": 1e3 * statistics.median(run.timed),
            "min_ms": 1e3 * min(run.timed),
            "gflops": flops / statistics.median(run.timed) / 1e9,
            "speed_up": statistics.median(runs[0].timed) / statistics.median(run.timed),
            "seconds": run.timed,
        }
        for run in runs
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
