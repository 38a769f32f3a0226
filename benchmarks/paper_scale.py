"""The scenario `twin` at the paper's full scale, without Snakemake: inputs, trainings, evaluation, tables, figures.

    python benchmarks/paper_scale.py                          everything, on the first GPU
    python benchmarks/paper_scale.py --minutes 9              a slice; the same command goes on where it stopped
    python benchmarks/paper_scale.py --device cpu --variants full --minutes 60
                                                              the curve of one training, as far as an hour gets
    python benchmarks/paper_scale.py --prepare wheels         packages for a machine without a network
    python benchmarks/paper_scale.py --freeze                 after a change of rules or settings

Runs the programs of the workflow with the settings that the rules would pass, read from benchmarks/paper_scale.json.
Ends with 0 when all is made, with 3 when the time was up, with 1 when a job failed. The small results are packed into
paper_scale.tar.gz in --out.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # the package need not be installed

import carried_packages  # noqa: E402
from frozen_plan import PlannedJob, ask_snakemake, read_plan, write_plan  # noqa: E402
from job_state import State  # noqa: E402
from packing import pack, summarise  # noqa: E402
from running import STOPPING_SECONDS, Outcome, run_jobs  # noqa: E402

PLAN = Path(__file__).with_suffix(".json")
STAGES = {
    "inputs": ("land_fraction", "twin_earth", "climate", "quality_control", "twin_check", "patches"),
    "training": ("train",),
    "evaluation": ("evaluate",),
    "tables": ("table",),
    "figures": ("figure_data", "draw_figure"),
}
"""Programs by stage."""

OURS = ("residual",)
"""Variants that the paper does not have: tables and figures that show them do without them too."""

UNFINISHED = 3
"""Exit status of a slice whose time was up."""

PACKING_SECONDS, CURVE_SECONDS = 5.0, 60.0
"""What is kept of a slice for its end, at most; a tenth of a short one."""


def main() -> None:
    options = parse()
    if options.prepare is not None:
        carried_packages.download(options.prepare, options.python)
        return
    if options.freeze:
        write_plan(options.plan, options.scenario, ask_snakemake(ROOT, options.scenario, options.config))
        print(options.plan)
        return
    start = time.monotonic()
    os.chdir(ROOT)
    plan = ask_snakemake(ROOT, options.scenario, options.config) if options.config else read_plan(options.plan)
    with tempfile.TemporaryDirectory(prefix="gwsd-packages-") as folder:
        environment = dict(os.environ)
        if options.wheels is not None and (place := carried_packages.install(options.wheels, Path(folder))):
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(place), environment.get("PYTHONPATH")]))
        device = chosen_device(options.device)
        if device == "cpu":
            environment["CUDA_VISIBLE_DEVICES"] = ""
        at_once = options.at_once or (3 if device == "cuda" else 1)
        jobs = limited(plan, options, at_once if device == "cuda" else 1)
        jobs = runnable(jobs, State(ROOT).made(jobs))
        reserve = STOPPING_SECONDS + PACKING_SECONDS + (CURVE_SECONDS if device == "cpu" else 0.0)
        deadline = start + 60.0 * options.minutes - min(reserve, 6.0 * options.minutes)
        outcome = run_jobs(jobs, ROOT, at_once=at_once, deadline=deadline, environment=environment)
        if device == "cpu":
            draw_curves(jobs, outcome, options)
    finish(jobs, outcome, options, time.monotonic() - start)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so many; go on another time")
    parser.add_argument("--device", choices=("auto", "cuda", "cpu"), default="auto")
    parser.add_argument("--at-once", type=int, metavar="N", help="jobs side by side; 3 on a GPU and 1 on a CPU")
    parser.add_argument("--variants", nargs="+", metavar="NAME", help="instead of all")
    parser.add_argument("--epochs", type=int, metavar="N", help="instead of the paper's 30")
    parser.add_argument("--only", choices=STAGES, help="go as far as this stage, and make no other table or figure")
    parser.add_argument("--scenario", default="twin")
    parser.add_argument("--plan", type=Path, default=PLAN, metavar="FILE", help="the jobs; this one unless given")
    parser.add_argument(
        "--config", type=Path, nargs="+", default=[], metavar="FILE", help="ask Snakemake, with files over config.yaml"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="of the archive; $OUT or the results unless given")
    parser.add_argument(
        "--curve",
        type=Path,
        metavar="DIR",
        help="of all trainings' curves; else reference/<scenario>, of unfinished ones",
    )
    parser.add_argument("--note", default="", metavar="TEXT", help="for the curves' records")
    parser.add_argument("--wheels", type=Path, metavar="DIR", help="packages to unpack where this Python lacks them")
    parser.add_argument("--prepare", type=Path, metavar="DIR", help="download these packages, and do nothing else")
    parser.add_argument("--python", default="3.12", metavar="X.Y", help="for which --prepare downloads")
    parser.add_argument("--freeze", action="store_true", help="write the plan anew, and do nothing else")
    options = parser.parse_args()
    for name in ("plan", "out", "curve", "wheels", "prepare"):
        if getattr(options, name) is not None:
            setattr(options, name, getattr(options, name).absolute())
    options.config = [path.absolute() for path in options.config]
    return options


def chosen_device(requested: str) -> str:
    """Return cuda or cpu.

    Raises
    ------
    SystemExit
        If a GPU is asked for and there is none, or torch is missing.
    """
    if carried_packages.missing(["torch"]):
        raise SystemExit(carried_packages.advice(["torch"]))
    if requested == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if requested == "cuda":
        raise SystemExit(f"--device cuda: torch {torch.__version__} sees no GPU here; --device cpu does without")
    return "cpu"


def limited(plan: Sequence[PlannedJob], options: argparse.Namespace, sharing: int) -> list[PlannedJob]:
    """Return the jobs that are asked for, changed as the options say."""
    trained = {job.settings["variant"] for job in plan if job.kind == "train"}
    if unknown := sorted(set(options.variants or ()) - trained):
        raise SystemExit(f"--variants {' '.join(unknown)}: no such variant; there are {', '.join(sorted(trained))}")
    jobs: list[PlannedJob] = []
    dropped: set[str] = set()
    for planned in plan:
        job = planned
        if job.kind == "train" and options.epochs is not None:
            job = job.with_training(epochs=options.epochs)
        if job.kind == "train" and sharing > 1:
            engine = job.settings["training"]["engine"]
            job = job.with_training(engine={**engine, "cuda": {**engine["cuda"], "trainings_at_once": sharing}})
        unwanted = options.variants and job.kind == "train" and job.settings["variant"] not in options.variants
        lost = {path for path in job.inputs if path in dropped}
        spared = {path for path in lost if any(f"/{name}/" in path for name in OURS)}
        rest = None if unwanted or lost > spared else job.without(spared)
        if rest is None:
            dropped |= set(job.outputs)
        else:
            jobs.append(rest)
    return jobs if options.only is None else with_needs(jobs, STAGES[options.only])


def with_needs(jobs: Sequence[PlannedJob], kinds: Sequence[str]) -> list[PlannedJob]:
    """Return the jobs of some programs and those that they need."""
    needed: set[str] = set()
    kept = []
    for job in reversed(jobs):
        if job.kind in kinds or needed & set(job.outputs):
            kept.append(job)
            needed |= set(job.inputs)
    return kept[::-1]


def runnable(jobs: Sequence[PlannedJob], made: set[str]) -> list[PlannedJob]:
    """Leave out the figures that this Python cannot draw; refuse where it cannot make something else.

    Raises
    ------
    SystemExit
        If packages are missing that cannot wait.
    """
    kept: list[PlannedJob] = []
    waiting: list[str] = []
    lacking: dict[str, None] = {}
    drawing: dict[str, None] = {}
    for job in jobs:
        absent = carried_packages.missing(carried_packages.needed_by(job))
        if not absent or made >= set(job.outputs):
            kept.append(job)
        elif set(absent) <= set(carried_packages.DRAWING):
            waiting.append(job.name)
            drawing |= dict.fromkeys(absent)
        else:
            lacking |= dict.fromkeys(absent)
    if lacking:
        raise SystemExit(carried_packages.advice(list(lacking)))
    if waiting:
        print(f"left for a machine with {', '.join(drawing)}: {', '.join(waiting)}")
    return kept


def draw_curves(jobs: Sequence[PlannedJob], outcome: Outcome, options: argparse.Namespace) -> None:
    """Write what is known of trainings that are not finished; where a folder for curves is named, of all."""
    from training_curve import write_curve

    folder = options.curve or ROOT / "reference" / options.scenario
    for job in outcome.unfinished if options.curve is None else jobs:
        if job.kind == "train" and all(Path(path).is_file() for path in job.inputs):
            path = write_curve(job, ROOT, folder, options.note, partial=job in outcome.unfinished)
            print(f"{job.name}: {path or 'no epoch was finished'}")


def finish(jobs: Sequence[PlannedJob], outcome: Outcome, options: argparse.Namespace, seconds: float) -> None:
    """Pack the small results; end with the status that says how it went."""
    results = ROOT / "results" / options.scenario
    out = options.out or (Path(os.environ["OUT"]) if os.environ.get("OUT") else results)
    archive = out / "paper_scale.tar.gz"
    summary = {"scenario": options.scenario, "unfinished": [job.name for job in outcome.unfinished]}
    count = pack(archive, results, {**summary, **summarise(jobs, ROOT)})
    print(f"{archive}: {count} files, {archive.stat().st_size / 1e6:.1f} MB; {seconds:.0f} s")
    if outcome.failed:
        raise SystemExit(
            f"failed: {', '.join(job.name for job in outcome.failed)}; mend what they say and run it again"
        )
    if outcome.unfinished:
        print(f"{len(outcome.unfinished)} jobs are left; the same command goes on: {outcome.unfinished[0].name} ...")
        raise SystemExit(UNFINISHED)


if __name__ == "__main__":
    main()
