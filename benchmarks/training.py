"""What each gain of the training engine is worth, added in turn to a plain reference, all measured in one run.

    python benchmarks/training.py                     the paper's network and batch, on the CPU or the first GPU
    python benchmarks/training.py --rounds 20 --without compile

Configurations take turns, round by round, each in a process of its own, so that a noisy machine disturbs all of them
alike. Between the steps the device's peak is measured with a large matrix product: on a shared machine it falls to a
third while a neighbour uses the same matrix unit. Medians are reported of the steps beside which the device gave at
least three quarters of its best, and of all. The results go to the screen and to results/benchmarks/training.json.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import torch
from textbook import PatchDataset, TextbookDownscaler, as_batch, random_cube
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

from gwsd.losses import LossSettings, total_loss
from gwsd.memory import SWITCH
from gwsd.patches.gathering import Batch, Cube, gather
from gwsd.provenance.environment import processor_name
from gwsd.training.engine import PRECISIONS, Engine, EngineSettings

LOSS = LossSettings(
    physics_weight=0.05,
    smoothness_weight=0.01,
    regional_pool=32,
    regional_unit_mm=10.0,
    sign_sharpness_mm=10.0,
    infiltration=(0.1, 0.4),
)
MODEL: dict[str, Any] = {
    "temporal_encoder": "conv_lstm",
    "memory": 6,
    "climate_variables": ["precipitation", "soil_moisture", "temperature", "surface_pressure"],
    "lstm_layers": 2,
    "normalisation": "batch",
    "residual": False,
    "variance_head": True,
    "variance_floor": 1.0e-4,
}
PAPER = {"lstm_channels": 64, "unet_channels": [64, 128, 256], "bottleneck_channels": 512}
NARROW = {"lstm_channels": 8, "unet_channels": [16, 32, 64], "bottleneck_channels": 128}


SIZE = 32
"""Coarse cells along a patch's side."""

WARMING_STEPS = 3

QUIET = 0.75
"""Share of the device's best at which a step counts as undisturbed."""

FEWEST = 3
"""Quiet steps of which a median is reported."""

PLAIN = EngineSettings(precision="float32", channels_last=False, compile=False)


@dataclass(frozen=True)
class Configuration:
    """One way to take the same step."""

    name: str
    from_cube: bool = False
    zero_state: bool = True
    heads_after: bool = True
    fused: bool = False
    only_convolutions: bool = True
    huge_pages: bool = False
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
    if device.type == "cpu":
        yield (now := replace(now, name="+ deep layers as products", only_convolutions=False))
        yield (now := replace(now, name="+ huge pages", huge_pages=True))
    yield replace(now, name="  float32, compiled", engine=replace(now.engine, compile=True))
    yield (now := replace(now, name="+ bfloat16", engine=replace(now.engine, precision="bfloat16")))
    yield (now := replace(now, name="+ compiled", engine=replace(now.engine, compile=True)))
    if device.type == "cuda":
        yield replace(now, name="+ CUDA graphs", engine=replace(now.engine, graphs=True))


class Steps:
    """One configuration, ready to take steps."""

    def __init__(self, one: Configuration, device: torch.device, *, narrow: bool, batch: int) -> None:
        self.one, self.batch_size = one, batch
        self.cube = random_cube(device)
        self.table = patch_table(self.cube)
        self.engine = Engine(one.engine, device)
        torch.manual_seed(1)
        self.network = TextbookDownscaler(
            zero_state=one.zero_state,
            heads_after=one.heads_after,
            only_convolutions=one.only_convolutions,
            **MODEL,
            **(NARROW if narrow else PAPER),
        )
        self.engine.place(self.network)
        self.forward: Callable[..., Any] = self.engine.compiled(self.network)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=1e-4, fused=one.fused)
        self.batches = self._gathered() if one.from_cube else self._loaded()

    def _gathered(self) -> Iterator[Batch]:
        position = 0
        while True:
            rows = self.table.iloc[position : position + self.batch_size]
            position = (position + self.batch_size) % (len(self.table) - self.batch_size + 1)
            yield gather(self.cube, rows, size=SIZE, memory=self.network.memory)

    def _loaded(self) -> Iterator[Batch]:
        host = self.cube if self.cube.device.type == "cpu" else random_cube(torch.device("cpu"))
        data = PatchDataset(host, self.table, size=SIZE, memory=self.network.memory)
        while True:
            for fields in DataLoader(data, batch_size=self.batch_size, drop_last=True):
                yield as_batch(fields, self.cube.device)

    def take(self) -> float:
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

    def seconds(self) -> float:
        """Time one step."""
        start = clock(self.cube.device)
        self.take()
        return clock(self.cube.device) - start

    def flops(self) -> float:
        """Floating-point operations of one step, forward and backward, as the network's layers count them."""
        with FlopCounterMode(display=False) as counter:
            self.take()
        return float(counter.get_total_flops())


def serve(pipe: Connection, one: Configuration, options: argparse.Namespace) -> None:
    """Answer, in a process of its own, with what the methods of `Steps` return whose names arrive."""
    torch.set_num_threads(options.threads)
    steps = Steps(one, torch.device(options.device), narrow=options.narrow, batch=options.batch)
    for name in iter(pipe.recv, "end"):
        pipe.send(getattr(steps, name)())


class Probe:
    """The device's peak, measured again and again: what a large matrix product reaches."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.found: dict[str, list[float]] = {kind: [] for kind in PRECISIONS}

    def peak(self, kind: str) -> float:
        """Measure it, floating-point operations a second."""
        self.found[kind].append(peak_flops(self.device, PRECISIONS[kind] or torch.float32))
        return self.found[kind][-1]

    def best(self, kind: str) -> float:
        """Return the highest that was found."""
        return max(self.found[kind], default=0.0)

    def wait(self, kind: str, patience: float) -> float:
        """Measure until the peak is near its best or patience, in seconds, is at its end; return the last."""
        start = time.perf_counter()
        while (found := self.peak(kind)) < QUIET * self.best(kind) and time.perf_counter() - start < patience:
            pass
        return found


class Run:
    """One configuration in its process, and the steps timed there.

    A process of its own, since pages of memory are chosen for a whole process, and what one configuration leaves
    behind in memory shall not serve the next.
    """

    def __init__(self, one: Configuration, options: argparse.Namespace) -> None:
        self.one = one
        self.timed: list[Timed] = []
        spawning = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawning.Pipe()
        self._process = spawning.Process(target=serve, args=(theirs, one, options), daemon=True)
        with patch.dict(os.environ, {SWITCH: "1" if one.huge_pages else "0"}):
            self._process.start()
        theirs.close()

    def ask(self, method: str) -> float:
        """Call a method of `Steps` in the process."""
        self._pipe.send(method)
        return float(self._pipe.recv())

    def end(self) -> None:
        """Let the process end."""
        self._pipe.send("end")
        self._process.join()

    def turn(self, probe: Probe, *, seconds: float, patience: float) -> None:
        """Wait for a quiet moment, for so long at most, then time steps: at least two, and until so long is over."""
        kind = self.one.engine.precision
        before, turn = probe.wait(kind, patience), list[Timed]()
        while len(turn) < 2 or sum(step.seconds for step in turn) < seconds:
            took = self.ask("seconds")
            after = probe.peak(kind)
            turn.append(Timed(took, min(before, after)))
            before = after
        self.timed += turn

    def chosen(self, probe: Probe, *, quiet: bool) -> list[float]:
        """Give the seconds of the quiet steps, or of all."""
        least = QUIET * probe.best(self.one.engine.precision) if quiet else 0.0
        return [step.seconds for step in self.timed if step.peak >= least]


@dataclass(frozen=True)
class Timed:
    """One step: its seconds, and the lower of the peaks measured right before and after it."""

    seconds: float
    peak: float


def clock(device: torch.device) -> float:
    """Seconds, after the device has done what it was asked."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def peak_flops(device: torch.device, precision: torch.dtype, *, rounds: int = 2) -> float:
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


def patch_table(cube: Cube) -> pd.DataFrame:
    """Return places of patches, the same for every configuration."""
    random = torch.Generator().manual_seed(3)
    rows, columns = cube.valid.shape
    return pd.DataFrame(
        {
            "month": [str(cube.storage_months[int(i)]) for i in torch.randint(1, 20, (256,), generator=random)],
            "row": torch.randint(0, rows - SIZE, (256,), generator=random).numpy(),
            "col": torch.randint(0, columns - SIZE, (256,), generator=random).numpy(),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=2, help="of torch on the CPU")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="of each configuration in a round, at least two steps"
    )
    parser.add_argument("--patience", type=float, default=10.0, help="seconds to wait for a quiet moment in each turn")
    parser.add_argument("--narrow", action="store_true", help="the demo's narrow network")
    parser.add_argument("--without", choices=["compile"], action="append", default=[], help="leave a gain out")
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks/training.json"))
    options = parser.parse_args()
    device = torch.device(options.device)
    torch.set_num_threads(options.threads)
    chosen = [one for one in configurations(device) if not (one.engine.compile and "compile" in options.without)]
    runs = [Run(one, options) for one in chosen]
    for run in runs:
        start = time.perf_counter()
        loss = [run.ask("take") for _ in range(WARMING_STEPS)][-1]
        print(f"warmed up {run.one.name.strip(' +')}: {time.perf_counter() - start:.1f} s, loss {loss:.4g}", flush=True)
    flops = next(run for run in runs if not run.one.heads_after).ask("flops")
    probe = Probe(device)
    for number in range(options.rounds):
        for run in runs:
            run.turn(probe, seconds=options.seconds, patience=options.patience)
        print(f"round {number + 1} of {options.rounds}", flush=True)
    for run in runs:
        run.end()
    rows = [_row(run, runs[0], probe, flops, options.batch) for run in runs]
    report = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads() if device.type == "cpu" else None,
        "batch": options.batch,
        "flops_a_step": flops,
        "peak_flops": {kind: probe.best(kind) for kind in PRECISIONS},
        "quiet_share_of_peak": QUIET,
        "configurations": rows,
        "steps": {run.one.name.strip(): [[step.seconds, step.peak] for step in run.timed] for run in runs},
    }
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    step = f"batch {options.batch}, {flops / 1e9:.0f} GFLOP a step"
    print(f"\n{report['device']}{threads}, torch {torch.__version__}, {step}")
    said = ", ".join(
        f"{kind} {max(found) / 1e9:,.0f} at best, {statistics.median(found) / 1e9:,.0f} in the median"
        for kind, found in probe.found.items()
        if found
    )
    print(f"peak of a matrix product, GFLOP/s: {said}")
    print(f"quiet: the steps right before and after which it was at least {QUIET:.0%} of its best\n")
    print(f"{'':29}{'of the quiet steps':^43}{'of all steps':^29}")
    print(f"{'':29}" + 2 * f"{'ms/step':>9}{'samples/s':>11}{'× plain':>9}{'of peak':>9}{'n':>5}")
    for run, row in zip(runs, rows, strict=True):
        print(f"{run.one.name:29}{_shown(row['quiet'])}{_shown(row['all'])}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\n{options.out}")


def _row(run: Run, plain: Run, probe: Probe, flops: float, batch: int) -> dict[str, Any]:
    """Return a configuration's row: medians of its quiet steps, and of all."""

    def medians(*, quiet: bool) -> dict[str, float | None]:
        steps, reference = run.chosen(probe, quiet=quiet), plain.chosen(probe, quiet=quiet)
        if len(steps) < min(FEWEST, len(run.timed)):
            return {"steps": len(steps)}
        seconds = statistics.median(steps)
        return {
            "ms_a_step": 1e3 * seconds,
            "samples_a_second": batch / seconds,
            "times_the_reference": statistics.median(reference) / seconds if len(reference) >= FEWEST else None,
            "share_of_peak": flops / seconds / probe.best(run.one.engine.precision),
            "steps": len(steps),
        }

    return {"name": run.one.name.strip(), "quiet": medians(quiet=True), "all": medians(quiet=False)}


def _shown(medians: Mapping[str, float | None]) -> str:
    """Write one half of a row; what too few steps cannot say is a dash."""
    columns = {"ms_a_step": "9.0f", "samples_a_second": "11.1f", "times_the_reference": "9.2f", "share_of_peak": "9.1%"}
    texts = []
    for name, form in columns.items():
        value = medians.get(name)
        width = int(form.split(".")[0])
        texts.append(f"{'–':>{width}}" if value is None else f"{value:{form}}")
    return f"{''.join(texts)}{medians['steps']:5}"


if __name__ == "__main__":
    main()
