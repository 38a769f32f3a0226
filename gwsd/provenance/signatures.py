"""Whether a record is as its job left it, and agrees with the records that it leads to."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwsd.errors import DataError
from gwsd.provenance.hashing import key_of
from gwsd.provenance.lineage import Lineage, is_raw
from gwsd.provenance.records import (
    RECORD_SUFFIX,
    REMARKS,
    SEAL,
    FileEntry,
    Record,
    parse_record,
    read_document,
    record_text,
    seal_of,
)


@dataclass(frozen=True)
class Signed:
    """A record's file.

    Parameters
    ----------
    name : str
        Its path within the results folder.
    document : dict or None
        Its JSON; None where it is no record.
    fault : str or None
        Why it is not as its job left it.
    sealed : bool
        Whether it has a seal.
    """

    name: str
    document: dict[str, Any] | None
    fault: str | None
    sealed: bool

    def record(self, folder: str) -> Record | None:
        """Return the record, by the name of the results folder; None where it cannot be read."""
        return None if self.document is None else parse_record(self.document, f"{folder}/{self.name}")


def open_record(results: Path, path: Path) -> Signed:
    """Read a record's file and check its seal.

    Parameters
    ----------
    results, path : Path
        The results folder and the record in it.
    """
    name = path.relative_to(results).as_posix()
    try:
        document = read_document(path)
    except DataError:
        return Signed(name, None, "no readable record", sealed=False)
    return Signed(name, document, _fault(document, path), sealed=SEAL in document)


def _fault(document: dict[str, Any], path: Path) -> str | None:
    if SEAL not in document:
        newer = REMARKS in document or any("made_by" in file for files in document["inputs"].values() for file in files)
        return "its seal was removed" if newer else None
    if document[SEAL] != seal_of(document):
        return "its seal does not fit what it says"
    if path.read_bytes() != record_text(document).encode():
        return "its text is not as its job wrote it"
    return None


def problems_of(record: Record, lineage: Lineage, folder: str) -> list[str]:
    """List what is wrong with a record that can be read.

    Parameters
    ----------
    record : Record
        One of the lineage.
    lineage : Lineage
        Of all records of the folder.
    folder : str
        How records call the results folder, such as `results/demo`.

    Returns
    -------
    list of str
        One sentence each.
    """
    problems = []
    if record.key != _key(record):
        problems.append(f"{record.path}: its key is not that of its inputs, code, settings and seed")
    if record.path.removesuffix(RECORD_SUFFIX) not in {file.path for file in record.outputs}:
        problems.append(f"{record.path}: it lies beside none of the files that it says were made")
    for file in record.outputs:
        if not file.path.startswith(f"{folder}/"):
            problems.append(f"{record.path}: it claims {file.path}, which lies outside of {folder}")
        made = lineage.maker_of_path(file.path)
        if made is not None and made[1].path != record.path:
            problems.append(f"{record.path}: {file.path} is also claimed by {made[1].path}")
    for file in record.read:
        problem = _problem_of_input(record, file, lineage, folder)
        if problem is not None:
            problems.append(f"{record.path}: {problem}")
    return problems


def _key(record: Record) -> str:
    document = json.loads(json.dumps(record.document))
    inputs = {name: [file["sha256"] for file in files] for name, files in document["inputs"].items()}
    return key_of(
        {"inputs": inputs, "code": document["code"], "settings": document["settings"], "seed": document["seed"]}
    )


def _problem_of_input(record: Record, file: FileEntry, lineage: Lineage, folder: str) -> str | None:
    if not file.path.startswith(f"{folder}/"):
        return None
    made = lineage.maker_of_path(file.path)
    if made is None:
        return None if is_raw(file.path) else f"it was made from {file.path}, which no record here makes"
    entry, maker = made
    if maker.path == record.path:
        return f"it says that it made {file.path} from itself"
    if entry.sha256 != file.sha256:
        return (
            f"it was made from {file.path} with SHA-256 {file.sha256[:12]}…, but {maker.path} made one with "
            f"{entry.sha256[:12]}…"
        )
    if file.made_by is not None and file.made_by.get("key") != maker.key:
        return (
            f"it was made from {file.path} by the job {str(file.made_by.get('key'))[:12]}…, but the record there is "
            f"now that of {maker.key[:12]}…: make it again, or ask who changed the record"
        )
    return None
