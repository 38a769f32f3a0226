"""One hash over all that the published numbers rest on."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gwsd.provenance.hashing import key_of
from gwsd.provenance.lineage import Lineage
from gwsd.provenance.records import FileEntry, Record

NUMBERS = "numbers.json"


def root_hash(records: Iterable[Record]) -> str:
    """Hash what is reproducible in the records behind the published numbers.

    Parameters
    ----------
    records : iterable of Record
        All of a results folder.

    Returns
    -------
    str
        SHA-256 in hexadecimal over job, key, inputs, code, settings, seed and outputs of every record that leads to
        `numbers.json`: not over times, machines and commands, so that a run with the same bytes has the same root.
        Before there is a `numbers.json`, over all records.
    """
    return key_of([_reproducible(record) for record in behind_the_numbers(records)])


def behind_the_numbers(records: Iterable[Record]) -> tuple[Record, ...]:
    """List the records that lead to `numbers.json`, sorted by path; all where none makes it."""
    lineage = Lineage(tuple(records))
    waiting = [record for record in lineage.records if any(_is_numbers(file) for file in record.outputs)]
    if not waiting:
        return tuple(sorted(lineage.records, key=lambda record: record.path))
    found: dict[str, Record] = {}
    while waiting:
        record = waiting.pop()
        if record.path in found:
            continue
        found[record.path] = record
        makers = (lineage.producer(file) for file in record.read)
        waiting.extend(maker for maker in makers if maker is not None)
    return tuple(found[path] for path in sorted(found))


def _is_numbers(file: FileEntry) -> bool:
    parts = Path(file.path).parts
    return parts[-1] == NUMBERS and parts[-3:-2] == ("results",)


def _reproducible(record: Record) -> dict[str, Any]:
    return {
        "job": record.job,
        "key": record.key,
        "inputs": {name: [_described(file) for file in files] for name, files in record.inputs.items()},
        "code": list(record.code),
        "settings": record.settings,
        "seed": record.seed,
        "outputs": [_described(file) for file in record.outputs],
    }


def _described(file: FileEntry) -> dict[str, str]:
    """Name a file of the project by its path too; one from elsewhere by its content alone."""
    if Path(file.path).is_absolute():
        return {"sha256": file.sha256}
    return {"path": file.path, "sha256": file.sha256}
