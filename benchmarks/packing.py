"""Packs what is small of a scenario's results into one archive."""

import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from frozen_plan import PlannedJob
from job_state import State

LARGEST = 1_000_000
"""Bytes of a file that is packed."""

LARGEST_FIGURE = 4_000_000
"""Bytes of a figure's file: its data must come along, for it may be drawn elsewhere."""

LEFT_OUT = ("raw", "checkpoints", "product")
"""Folders of results/<scenario>/ that are not packed, and with them all weights."""


def pack(archive: Path, folder: Path, summary: Mapping[str, Any]) -> int:
    """Write small results and a summary into a .tar.gz; return how many files.

    Parameters
    ----------
    archive : Path
        The file to write.
    folder : Path
        results/<scenario> in the project's root; the archive keeps these two levels.
    summary : mapping
        Written as results/<scenario>/paper_scale.json.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    temporary = archive.with_name(f".partial-{archive.name}")
    files = list(small_files(folder, archive))
    base = folder.parent.parent
    with tarfile.open(temporary, "w:gz") as tar:
        for path in files:
            tar.add(path, arcname=path.relative_to(base).as_posix())
        text = (json.dumps(summary, indent=1) + "\n").encode()
        entry = tarfile.TarInfo((folder.relative_to(base) / "paper_scale.json").as_posix())
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    temporary.replace(archive)
    return len(files) + 1


def small_files(folder: Path, *without: Path) -> Iterable[Path]:
    """Yield what is packed of a scenario's folder."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if not path.is_file() or path in without or inside.parts[0] in LEFT_OUT:
            continue
        if path.suffix == ".safetensors" or path.name.startswith(".partial-"):
            continue
        limit = LARGEST_FIGURE if inside.parts[0] == "figures" else LARGEST
        if path.stat().st_size <= limit:
            yield path


def summarise(jobs: Iterable[PlannedJob], root: Path) -> dict[str, Any]:
    """Say on what each job ran and for how long, from the records; one that resumed counts its last run alone."""
    state = State(root)
    found = {}
    machines: dict[str, Any] = {}
    for job in jobs:
        record = state.record(job)
        if record is None:
            continue
        environment = record["environment"]
        machine = {name: environment.get(name) for name in ("processor", "cuda", "python", "packages", "commit")}
        name = next((name for name, known in machines.items() if known == machine), f"machine {len(machines) + 1}")
        machines[name] = machine
        keys = ("started", "ended", "resumed", "device")
        found[job.name] = {"machine": name, **{key: record[key] for key in keys if key in record}}
    return {"machines": machines, "jobs": found}
