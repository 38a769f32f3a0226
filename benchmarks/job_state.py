"""Which jobs of a plan are made already: read from the records beside their outputs, as Snakemake would decide."""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from frozen_plan import PlannedJob

from gwsd.provenance.closure import import_closure
from gwsd.provenance.hashing import key_of, sha256_of

RECORD_SUFFIX = ".record.json"


class State:
    """What lies in a project's folder of a plan's jobs.

    Parameters
    ----------
    root : Path
        The project's root; paths of jobs are relative to it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def record(self, job: PlannedJob) -> dict[str, Any] | None:
        """Return the record of a job's outputs, None where there is none that can be read."""
        for output in job.outputs:
            path = self.root / (output + RECORD_SUFFIX)
            try:
                found = json.loads(path.read_text())
            except (OSError, ValueError):
                continue
            return found if isinstance(found, dict) else None
        return None

    def made(self, jobs: Iterable[PlannedJob]) -> set[str]:
        """Return the outputs that are there and were made by these jobs: same settings, code, seed and inputs.

        Jobs come after those that they need.
        """
        hashes: dict[str, str] = {}
        for job in jobs:
            record = self.record(job)
            if record is not None and self._fits(job, record, hashes):
                hashes |= {file["path"]: file["sha256"] for file in record["outputs"]}
        return set(hashes)

    def _fits(self, job: PlannedJob, record: dict[str, Any], hashes: dict[str, str]) -> bool:
        read = {file["path"]: file["sha256"] for files in record["inputs"].values() for file in files}
        seed = job.option("--seed")
        return (
            record["settings"] == job.settings
            and record["seed"] == (int(seed[0]) if seed else 0)
            and all(path in hashes and read.get(path) == hashes[path] for path in job.inputs)
            and {file["path"] for file in record["outputs"]} >= set(job.outputs)
            and all(self._lies_there(file) for file in record["outputs"])
            and all(_hash_or_none(self.root / file["path"]) == file["sha256"] for file in record["code"])
        )

    def _lies_there(self, file: dict[str, Any]) -> bool:
        path = self.root / file["path"]
        return path.is_file() and path.stat().st_size == file["bytes"]

    def checkpoints(self, job: PlannedJob) -> Path:
        """Return the folder of a training's checkpoints: named by the key of inputs, code, settings and seed."""
        (seed,), (scratch,) = job.option("--seed"), job.option("--scratch")
        program = self.root / job.program
        sources = sorted([Path(job.program), *import_closure(program, self.root)])
        names = [word for word in job.arguments if word.startswith("--")]
        inputs = {
            name[2:].replace("-", "_"): [sha256_of(self.root / path) for path in job.option(name)]
            for name in names
            if set(job.option(name)) & set(job.inputs)
        }
        code = [{"path": path.as_posix(), "sha256": sha256_of(self.root / path)} for path in sources]
        key = key_of({"inputs": inputs, "code": code, "settings": job.settings, "seed": int(seed)})
        return self.root / scratch / key


@cache
def _hash_or_none(path: Path) -> str | None:
    return sha256_of(path) if path.is_file() else None
