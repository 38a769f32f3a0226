"""The jobs of a scenario as Snakemake would run them, frozen into a file that is read where there is no Snakemake."""

import json
import re
import shlex
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

TARGETS = (
    "tables",
    "figures",
    "results/{scenario}/figures/quality_map.png",
    "results/{scenario}/twin/quality_check.csv",
)
"""What is asked of the workflow: all tables and figures, and what the twin Earth knows of its quality control."""

ASIDE = ("--log", "--scratch")
"""Options whose paths are neither inputs nor outputs."""

SHELL = re.compile(r"^ *Shell command: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class PlannedJob:
    """One program of the workflow with its arguments.

    Parameters
    ----------
    program : str
        Path from the project's root, such as workflow_scripts/train.py.
    arguments : tuple of str
        All options but `--settings`.
    settings : dict
        What `--settings` passes as JSON; empty for a program without.
    threads : int or None
        OMP_NUM_THREADS, where the rule sets it.
    inputs, outputs : tuple of str
        Files below results/ that it reads and writes.
    """

    program: str
    arguments: tuple[str, ...]
    settings: dict[str, Any]
    threads: int | None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The program's name, such as train."""
        return Path(self.program).stem

    @property
    def name(self) -> str:
        """What a person calls it: the program and, where it runs several times, what it makes."""
        first = Path(self.outputs[0])
        if self.kind in ("train", "evaluate"):
            return f"{self.kind} {first.parent.parent.name}/{first.parent.name}"
        return f"{self.kind} {first.stem}" if self.kind in ("table", "figure_data", "draw_figure") else self.kind

    @property
    def words(self) -> list[str]:
        """The command without the interpreter, as the rule writes it."""
        said = ["--settings", json.dumps(self.settings, sort_keys=True)] if self.settings else []
        return [self.program, *self.arguments, *said]

    def option(self, name: str) -> list[str]:
        """Return what stands behind an option."""
        found: list[str] = []
        inside = False
        for word in self.arguments:
            if word.startswith("--"):
                inside = word == name
            elif inside:
                found.append(word)
        return found

    def without(self, paths: Collection[str]) -> "PlannedJob | None":
        """Return the job without some inputs; itself where it reads none of them, None where it cannot do without."""
        if not set(self.inputs) & set(paths):
            return self
        options = [word for word in self.arguments if word.startswith("--")]
        if any(found and set(found) <= set(paths) for found in map(self.option, options)):
            return None
        return replace(
            self,
            arguments=tuple(word for word in self.arguments if word not in paths),
            inputs=tuple(path for path in self.inputs if path not in paths),
        )

    def with_training(self, **changes: Any) -> "PlannedJob":
        """Return the job with other settings of the training."""
        return replace(self, settings={**self.settings, "training": {**self.settings["training"], **changes}})


def read_plan(path: Path) -> list[PlannedJob]:
    """Read a frozen plan."""
    jobs: list[dict[str, Any]] = json.loads(path.read_text())["jobs"]
    return [
        PlannedJob(**{**job, **{name: tuple(job[name]) for name in ("arguments", "inputs", "outputs")}}) for job in jobs
    ]


def write_plan(path: Path, scenario: str, jobs: Sequence[PlannedJob]) -> None:
    """Write a plan, one job a line."""
    lines = ",\n".join("  " + json.dumps(vars(job), ensure_ascii=False) for job in jobs)
    path.write_text(f'{{\n "scenario": "{scenario}",\n "jobs": [\n{lines}\n ]\n}}\n')


def ask_snakemake(root: Path, scenario: str, config: Sequence[Path] = ()) -> list[PlannedJob]:
    """Ask a dry run of the workflow for the jobs of a scenario.

    Raises
    ------
    SystemExit
        If the dry run fails.
    """
    command = ["snakemake", "--dry-run", "--forceall", "--nolock", "--printshellcmds"]
    command += ["--configfile", *map(str, config)] if config else []
    command += ["--config", f"scenario={scenario}", "--", *(target.format(scenario=scenario) for target in TARGETS)]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"the plan cannot be made: {shlex.join(command)} failed:\n{result.stdout}{result.stderr}")
    commands = SHELL.findall(result.stdout + result.stderr)
    return in_order([command for command in commands if command != "None"], scenario)  # targets have no command


def in_order(commands: Sequence[str], scenario: str) -> list[PlannedJob]:
    """Read shell commands, of which each comes after those that it needs, into jobs; order them by stage, then name."""
    made_by: dict[str, int] = {}
    depths: list[int] = []
    jobs: list[PlannedJob] = []
    for command in commands:
        job = _parsed(command)
        files = [path for path in _files(job) if path.startswith(f"results/{scenario}/")]
        inputs = tuple(path for path in files if path in made_by)
        outputs = tuple(path for path in files if path not in made_by)
        depth = 1 + max((depths[made_by[path]] for path in inputs), default=0)
        made_by |= dict.fromkeys(outputs, len(jobs))
        depths.append(depth)
        jobs.append(replace(job, inputs=inputs, outputs=outputs))
    return [job for _, job in sorted(zip(depths, jobs, strict=True), key=lambda pair: (pair[0], pair[1].words))]


def _parsed(command: str) -> PlannedJob:
    words = shlex.split(command)
    threads = None
    if words[0].startswith("OMP_NUM_THREADS="):
        threads = int(words.pop(0).split("=")[1])
    python, program, *rest = words
    if python != "python":
        raise SystemExit(f"the plan knows programs of the workflow alone, not {command!r}")
    settings = {}
    if "--settings" in rest:
        at = rest.index("--settings")
        settings = json.loads(rest[at + 1])
        del rest[at : at + 2]
    return PlannedJob(program, tuple(rest), settings, threads)


def _files(job: PlannedJob) -> list[str]:
    found, option = [], ""
    for word in job.arguments:
        if word.startswith("--"):
            option = word
        elif option not in ASIDE:
            found.append(word)
    return found
