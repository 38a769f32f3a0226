"""Whether a results folder is what its records say: every file, every record, every published number."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from gwsd.errors import DataError
from gwsd.provenance.hashing import sha256_of
from gwsd.provenance.lineage import Lineage, is_raw, is_source
from gwsd.provenance.published import check_numbers
from gwsd.provenance.records import RECORD_SUFFIX, FileEntry, Record, files_below, name_of, record_files
from gwsd.provenance.root import root_hash
from gwsd.provenance.signatures import Signed, open_record, problems_of

INTACT = "intact"
CHANGED = "changed"
MISSING = "missing"
NOT_HERE = "not present here"
UNKNOWN = "unknown"
STATUSES = (INTACT, CHANGED, MISSING, UNKNOWN, NOT_HERE)

UNRECORDED_FOLDERS = ("logs", "benchmarks", "checkpoints")
"""Folders of a scenario whose files no record names: what a run says of itself, and what a killed one goes on from."""

LEFT_BY_SNAKEMAKE = (".snakemake_timestamp",)

RULE_OF_RAW = "Only raw data may be absent: files under raw/ of the scenario, and inputs from outside of the results."


class FileStatus(NamedTuple):
    """What was found of a file: its path from the project's root, a status of `STATUSES`, and why."""

    path: str
    status: str
    reason: str


@dataclass(frozen=True)
class Report:
    """What `verify` found.

    Parameters
    ----------
    name : str
        How the records call the folder, such as `results/demo`.
    files : tuple of FileStatus
        Every file, records included, sorted by path.
    records : tuple of str
        What is wrong with records and between them.
    numbers : tuple of str
        Which published numbers are not what their sources say.
    notes : tuple of str
        What could not be checked here, and why.
    checked : dict of str to int
        How many numbers were compared, by where they are printed.
    root : str
        Root hash of the records that are here.
    expected_root : str or None
        The one that was asked for.
    """

    name: str
    files: tuple[FileStatus, ...]
    records: tuple[str, ...]
    numbers: tuple[str, ...]
    notes: tuple[str, ...]
    checked: dict[str, int]
    root: str
    expected_root: str | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Files by status."""
        found = Counter(file.status for file in self.files)
        return {status: found[status] for status in STATUSES if found[status]}

    @property
    def root_agrees(self) -> bool:
        """Whether the root hash is the one that was asked for; true where none was."""
        return self.expected_root in (None, self.root)

    @property
    def ok(self) -> bool:
        """Whether nothing is changed, missing or unknown, and everything agrees."""
        sound = all(file.status in (INTACT, NOT_HERE) for file in self.files)
        return sound and not self.records and not self.numbers and self.root_agrees


def verify(results: Path, *, root: str | None = None) -> Report:
    """Check a results folder without changing anything in it.

    Parameters
    ----------
    results : Path
        The folder of a scenario, wherever it lies.
    root : str or None
        The root hash that it should have.

    Returns
    -------
    Report
        Of all that was found; nothing that is wrong with the folder raises.

    Raises
    ------
    DataError
        If there is no such folder, or no record in it.
    """
    if not results.is_dir():
        raise DataError(f"{results}: no such folder; expected a scenario's results, such as results/demo")
    signed = [open_record(results, path) for path in record_files(results)]
    if not signed:
        raise DataError(
            f"{results}: no records (*{RECORD_SUFFIX}) in it; expected a scenario's results, such as results/demo, "
            "that this workflow made"
        )
    name = name_of(results, {one.name: one.document for one in signed if one.document is not None})
    records = tuple(record for one in signed if (record := one.record(name)) is not None)
    lineage = Lineage(records)
    files = {status.path: status for status in (_status_of_record(one, name) for one in signed)}
    for status in (*_outputs(results, name, records), *_inputs(results, name, lineage)):
        files.setdefault(status.path, status)
    for path in _unknown(results, name, files):
        files[path] = FileStatus(path, UNKNOWN, "no record says which job made it")
    numbers = check_numbers(results, name, lineage)
    computed = root_hash(records)
    return Report(
        name=name,
        files=tuple(files[path] for path in sorted(files)),
        records=tuple(problem for record in records for problem in problems_of(record, lineage, name)),
        numbers=(*numbers.problems, *_printed_roots(numbers.roots, computed)),
        notes=tuple(numbers.notes),
        checked=dict(numbers.checked),
        root=computed,
        expected_root=root,
    )


def located(results: Path, name: str, path: str) -> Path:
    """Say where a file of a record lies now: within the results, else from the project's root."""
    if path.startswith(f"{name}/"):
        return results / path.removeprefix(f"{name}/")
    return results.resolve().parent.parent / path


def _status_of_record(one: Signed, name: str) -> FileStatus:
    path = f"{name}/{one.name}"
    if one.fault is not None:
        return FileStatus(path, CHANGED, one.fault)
    return FileStatus(path, INTACT, "" if one.sealed else "older than seals: its own text cannot be checked")


def _outputs(results: Path, name: str, records: tuple[Record, ...]) -> Iterator[FileStatus]:
    for record in records:
        for file in record.outputs:
            yield _status(results, name, file, f"made by {record.job}")


def _inputs(results: Path, name: str, lineage: Lineage) -> Iterator[FileStatus]:
    """Check raw data that no record here makes; sources of the project are kept by its commit."""
    seen = set()
    for record in lineage.records:
        for file in record.read:
            ours = file.path.startswith(f"{name}/")
            if file.path in seen or is_source(file.path) or (ours and not is_raw(file.path)):
                continue
            seen.add(file.path)
            yield _status(results, name, file, f"read by {record.job}")


def _status(results: Path, name: str, file: FileEntry, reason: str) -> FileStatus:
    here = located(results, name, file.path)
    if not here.is_file():
        if is_raw(file.path) or not file.path.startswith(f"{name}/"):
            return FileStatus(file.path, NOT_HERE, "raw data, left out")
        return FileStatus(file.path, MISSING, reason)
    try:
        same = here.stat().st_size == file.bytes and sha256_of(here) == file.sha256
    except OSError as error:
        return FileStatus(file.path, CHANGED, f"cannot be read: {error.strerror}")
    return FileStatus(file.path, INTACT if same else CHANGED, reason if same else f"not the content {reason}")


def _unknown(results: Path, name: str, known: dict[str, FileStatus]) -> Iterator[str]:
    for file in files_below(results, without=UNRECORDED_FOLDERS):
        path = f"{name}/{file.relative_to(results).as_posix()}"
        if path not in known and file.name not in LEFT_BY_SNAKEMAKE:
            yield path


def _printed_roots(printed: dict[str, str], root: str) -> list[str]:
    return [
        f"{path}: prints the root hash {shown}, but that of the records here is {root}"
        for path, shown in printed.items()
        if shown != root
    ]
