"""What each gain of the training engine is worth, added in turn to a plain reference, all measured in one run.

    python benchmarks/training.py                     the paper's network and batch, on the CPU or the first GPU
    python benchmarks/training.py --steps 3 --rounds 5 --without compile

Configurations take turns, round by round, so that a noisy machine disturbs all of them alike; the median of each one's
quieter half of rounds is reported. The results go to the screen and to results/benchmarks/training.json.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from textbook import PatchDataset, TextbookDownscaler, as_batch, random_cube
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

from gwsd.losses import LossSettings, total_loss
from gwsd.model.downscaler import count_parameters
from gwsd.patches.gathering import Batch, Cube, gather
from gwsd.provenance.environment import processor_name
from gwsd.training.engine import Engine, EngineSettings

LOSS = LossSettings(
    physics_weight=0.05,
    smoothness_weight=0.01,
    regional_pool=32,
    regional_unit_mm=10.0,
    sign_sharpness_mm=10.0,
    infiltration=(0.1, 0.4),
)
PAPER = {"lstm_channels": 64, "unet_channels": [64, 128, 256], "bottleneck_channels": 512}
NARROW = {"lstm_channels": 8, "unet_channels": [16, 32, 64], "bottleneck_channels": 128}


PLAIN = EngineSettings(precision="float32", channels_last=False, compile=False)


@dataclass(frozen=True)
class Configuration:
    """One way to take the same step."""

    name: str
    from_cube: bool = False
    zero_state: bool = True
    heads_after: bool = True
    fused: bool = False
    engine: EngineSettings = PLAIN


def configurations(device: torch.device) -> Iterator[Configuration]:
    """Give the plain reference, then each gain added to those before it, and compilation in float32 too."""
    now = Configuration("plain reference")
    yield now
    yield (now := replace(now, name="+ patches cut on the device", from_cube=True))
    yield (now := replace(now, name="+ no work on the zero state", zero_state=False))
    yield (now := replace(now, name="+ heads before upsampling", heads_after=False))
    yield (now := replace(now, name="+ fused AdamW", fused=True))
    yield (now := replace(now, name="+ channels_last", engine=replace(now.engine, channels_last=True)))
    yield replace(now, name="  float32, compiled", engine=replace(now.engine, compile=True))
    yield (now := replace(now, name="+ bfloat16", engine=replace(now.engine, precision="bfloat16")))
    yield (now := replace(now, name="+ compiled", engine=replace(now.engine, compile=True)))
    if device.type == "cuda":
        yield replace(now, name="+ CUDA graphs", engine=replace(now.engine, graphs=True))


class Run:
    """One configuration, ready to take steps."""

    def __init__(self, one: Configuration, cube: Cube, table: pd.DataFrame, model: dict[str, Any], batch: int) -> None:
        self.one, self.cube, self.table, self.batch_size = one, cube, table, batch
        self.engine = Engine(one.engine, cube.device)
        torch.manual_seed(1)
        self.network = TextbookDownscaler(zero_state=one.zero_state, heads_after=one.heads_after, **model)
        self.engine.place(self.network)
        self.forward: Callable[..., Any] = self.engine.compiled(self.network)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=1e-4, fused=one.fused)
        self.size = 32
        self.batches = self._gathered() if one.from_cube else self._loaded()
        self.seconds: list[float] = []

    def _gathered(self) -> Iterator[Batch]:
        position = 0
        while True:
            rows = self.table.iloc[position : position + self.batch_size]
            position = (position + self.batch_size) % (len(self.table) - self.batch_size + 1)
            yield gather(self.cube, rows, size=self.size, memory=self.network.memory)

    def _loaded(self) -> Iterator[Batch]:
        host = self.cube if self.cube.device.type == "cpu" else random_cube(torch.device("cpu"))
        data = PatchDataset(host, self.table, size=self.size, memory=self.network.memory)
        while True:
            for fields in DataLoader(data, batch_size=self.batch_size, drop_last=True):
                yield as_batch(fields, self.cube.device)

    def step(self) -> float:
        """Take one step; return the loss."""
        batch = next(self.batches)
        self.optimiser.zero_grad(set_to_none=True)
        with self.engine.autocast():
            output = self.forward(batch.climate, self.engine.laid_out(batch.storage))
        total, _ = total_loss(output, batch, self.cube.storage_scale, LOSS)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        return float(total.detach())

    def measure(self, steps: int) -> None:
        """Time some steps."""
        start = clock(self.cube.device)
        for _ in range(steps):
            self.step()
        self.seconds.append((clock(self.cube.device) - start) / steps)

    @property
    def median(self) -> float:
        """Median of the quieter half of the rounds, seconds a step."""
        quiet = sorted(self.seconds)[: max(1, (len(self.seconds) + 1) // 2)]
        return statistics.median(quiet)


def clock(device: torch.device) -> float:
    """Seconds, after the device has done what it was asked."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def peak_flops(device: torch.device, precision: torch.dtype, *, rounds: int = 5) -> float:
    """Floating-point operations a second of a large matrix product: what the device can do at its best."""
    side = 8192 if device.type == "cuda" else 2048
    left, right = (torch.randn(side, side, device=device).to(precision) for _ in range(2))
    left @ right
    times = []
    for _ in range(rounds):
        start = clock(device)
        left @ right
        times.append(clock(device) - start)
    return float(2.0 * side**3 / min(times))


def flops_a_step(run: Run) -> float:
    """Floating-point operations of one step, forward and backward, as the network's layers count them."""
    with FlopCounterMode(display=False) as counter:
        run.step()
    return float(counter.get_total_flops())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=2, help="of torch on the CPU")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=2, help="steps of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--narrow", action="store_true", help="the demo's narrow network")
    parser.add_argument("--without", choices=["compile"], action="append", default=[], help="leave a gain out")
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks/training.json"))
    options = parser.parse_args()
    device = torch.device(options.device)
    torch.set_num_threads(options.threads)
    model = {
        "temporal_encoder": "conv_lstm",
        "memory": 6,
        "climate_variables": ["precipitation", "soil_moisture", "temperature", "surface_pressure"],
        "lstm_layers": 2,
        "normalisation": "batch",
        "residual": False,
        "variance_head": True,
        "variance_floor": 1.0e-4,
        **(NARROW if options.narrow else PAPER),
    }
    cube = random_cube(device)
    random = torch.Generator().manual_seed(3)
    table = pd.DataFrame(
        {
            "month": [str(cube.storage_months[int(i)]) for i in torch.randint(1, 20, (256,), generator=random)],
            "row": torch.randint(0, 128 - 32, (256,), generator=random).numpy(),
            "col": torch.randint(0, 192 - 32, (256,), generator=random).numpy(),
        }
    )
    chosen = [one for one in configurations(device) if not (one.engine.compile and "compile" in options.without)]
    runs = [Run(one, cube, table, model, options.batch) for one in chosen]
    for run in runs:
        start = clock(device)
        for _ in range(2):
            loss = run.step()
        print(f"warmed up {run.one.name.strip(' +')}: {clock(device) - start:.1f} s, loss {loss:.4g}", flush=True)
    flops = flops_a_step(next(run for run in runs if not run.one.engine.compile and not run.one.heads_after))
    rates: dict[str, list[float]] = {str(kind): [] for kind in (torch.float32, torch.bfloat16)}
    for _ in range(options.rounds):
        for kind in (torch.float32, torch.bfloat16):
            rates[str(kind)].append(peak_flops(device, kind))
        for run in runs:
            run.measure(options.steps)
    peaks = {kind: max(found) for kind, found in rates.items()}
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name()
    report = {
        "device": name,
        "torch": torch.__version__,
        "threads": torch.get_num_threads() if device.type == "cpu" else None,
        "batch": options.batch,
        "parameters": count_parameters(runs[0].network),
        "flops_a_step": flops,
        "peak_flops": peaks,
        "peak_flops_by_round": rates,
        "steps": options.steps,
        "rounds": options.rounds,
        "configurations": [
            {
                "name": run.one.name.strip(),
                "ms_a_step": 1e3 * run.median,
                "samples_a_second": options.batch / run.median,
                "times_the_reference": runs[0].median / run.median,
                "share_of_peak": flops / run.median / peaks[str(_precision(run.one))],
            }
            for run in runs
        ],
    }
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    print(f"\n{name}{threads}, torch {torch.__version__}, batch {options.batch}, {flops / 1e9:.0f} GFLOP a step")
    said = ", ".join(
        f"{kind.removeprefix('torch.')} {peaks[kind] / 1e9:,.0f} (median {statistics.median(found) / 1e9:,.0f})"
        for kind, found in rates.items()
    )
    print(f"peak of a matrix product over the rounds, GFLOP/s: {said}\n")
    print(f"{'':32}{'ms/step':>9}{'samples/s':>11}{'× plain':>9}{'of peak':>9}")
    for run, row in zip(runs, report["configurations"], strict=True):
        print(
            f"{run.one.name:32}{row['ms_a_step']:9.0f}{row['samples_a_second']:11.1f}"
            f"{row['times_the_reference']:9.2f}{row['share_of_peak']:9.1%}"
        )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\n{options.out}")


def _precision(one: Configuration) -> torch.dtype:
    return torch.bfloat16 if one.engine.precision == "bfloat16" else torch.float32


if __name__ == "__main__":
    main()
