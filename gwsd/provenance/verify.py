"""Verify a results folder against its provenance records and lineage.json."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gwsd.errors import DataError
from gwsd.provenance.hashing import sha256_of
from gwsd.provenance.lineage import Lineage, is_raw, is_source, read_lineage, root_hash
from gwsd.provenance.record import (
    RECORD_SUFFIX,
    FileEntry,
    Record,
    base_of,
    files_below,
    read_json,
    read_record,
    record_files,
    record_key,
    record_text,
)

STATUSES = INTACT, CHANGED, MISSING, UNKNOWN, NOT_HERE = "intact", "changed", "missing", "unknown", "not present"

UNREADABLE = (DataError, OSError, ValueError, RecursionError)
"""Errors of damaged records: not JSON, not UTF-8, nested too deeply."""

UNRECORDED_FOLDERS = ("logs", "benchmarks", "checkpoints")
"""Folders of a scenario whose files are in no record."""


class FileStatus(NamedTuple):
    """Path from the project's root, one of `STATUSES`, and the reason."""

    path: str
    status: str
    reason: str


@dataclass
class Report:
    """Result of a verification; `name` is the path of the folder in its records, such as `results/demo`."""

    name: str
    files: list[FileStatus] = field(default_factory=list)
    """All files, sorted by path."""
    problems: list[str] = field(default_factory=list)
    """Faults in records, in the links between them, in lineage.json and in root.txt."""
    notes: list[str] = field(default_factory=list)
    """What could not be checked."""
    root: str | None = None
    """Root hash of the records that lineage.json lists."""
    numbers: int = 0
    """Published values in numbers.json."""

    @property
    def counts(self) -> dict[str, int]:
        """Number of files by status."""
        found = Counter(file.status for file in self.files)
        return {status: found[status] for status in STATUSES if found[status]}

    @property
    def ok(self) -> bool:
        """True if no file is changed, missing or unknown and there are no problems."""
        return not self.problems and set(self.counts) <= {INTACT, NOT_HERE}


def verify(results: Path, root: str | None = None) -> Report:
    """Verify the results folder of a scenario, wherever it is now, and its root hash; nothing is written.

    Faults of its files are reported, not raised; DataError if there is no such folder, or it has no record.
    """
    statuses: dict[str, tuple[str, str]] = {}
    records = []
    for path in record_files(results):
        name = path.relative_to(results).as_posix()
        try:
            record = read_record(path, name)
            intact = path.read_bytes() == record_text(record.document).encode()
        except UNREADABLE:
            statuses[name] = (CHANGED, "not a readable record")
        else:
            records.append(record)
            statuses[name] = (INTACT, "") if intact else (CHANGED, "its checksum does not match its content")
    base = base_of(results, records)
    report = Report(base)
    moved = [record.model_copy(update={"path": f"{base}/{record.path}"}) for record in records]
    here = {record.path: record for record in moved}
    listed = _check_lineage(results, here, report, root)
    absent = {record.path: record for record in listed if _may_be_absent(record.path, base)}
    lineage = Lineage(list((absent | here).values()))
    files = {f"{base}/{name}": FileStatus(f"{base}/{name}", *status) for name, status in statuses.items()}
    for status in _recorded(results, base, lineage):
        files.setdefault(status.path, status)
    for file in files_below(results):
        name = file.relative_to(results).as_posix()
        if name.partition("/")[0] not in UNRECORDED_FOLDERS and file.name != ".snakemake_timestamp":
            files.setdefault(f"{base}/{name}", FileStatus(f"{base}/{name}", UNKNOWN, "in no provenance record"))
    report.files = [files[path] for path in sorted(files)]
    for record in lineage.records:
        report.problems += _problems(record, lineage, base)
    return report


def _may_be_absent(path: str, base: str) -> bool:
    return is_raw(path) or not path.startswith(f"{base}/")


def _recorded(results: Path, base: str, lineage: Lineage) -> Iterator[FileStatus]:
    """Check outputs, and raw data that no record makes; the commit identifies files of the repository."""
    for record in lineage.records:
        for file in record.outputs:
            yield _status(results, base, file, f"made by {record.job}")
    for file in {file.path: file for record in lineage.records for file in record.read}.values():
        if not is_source(file.path) and _may_be_absent(file.path, base):
            yield _status(results, base, file, "read by a job")


def _status(results: Path, base: str, file: FileEntry, reason: str) -> FileStatus:
    inside = file.path.startswith(f"{base}/")
    path = results / file.path.removeprefix(f"{base}/") if inside else results.resolve().parent.parent / file.path
    try:
        if path.is_file():
            same = path.stat().st_size == file.bytes and sha256_of(path) == file.sha256
            return FileStatus(file.path, *((INTACT, reason) if same else (CHANGED, f"not the content {reason}")))
    except (OSError, ValueError) as error:
        return FileStatus(file.path, CHANGED, f"cannot be read: {error}")
    absent = _may_be_absent(file.path, base)
    return FileStatus(file.path, *((NOT_HERE, "raw data, not in this copy") if absent else (MISSING, reason)))


def _problems(record: Record, lineage: Lineage, base: str) -> Iterator[str]:
    """Check a record against its own key and against the records of the jobs that made its inputs."""
    if record.key != record_key(record.document):
        yield f"{record.path}: its key does not match its inputs, code, settings and seed"
    if record.path.removesuffix(RECORD_SUFFIX) not in {file.path for file in record.outputs}:
        yield f"{record.path}: it names none of its outputs"
    for file in record.outputs:
        made = lineage.producer_of_path(file.path)
        if made is not None and made[1].path != record.path:
            yield f"{record.path}: {file.path} is also an output in {made[1].path}"
    for file in record.read:
        if not file.path.startswith(f"{base}/") or file.path.endswith(RECORD_SUFFIX):
            continue
        made = lineage.producer_of_path(file.path)
        if made is None:
            if not is_raw(file.path):
                yield f"{record.path}: no record for its input {file.path}"
        elif made[0].sha256 != file.sha256:
            hashes = f"SHA-256 {file.sha256[:12]}…, but {made[1].path} made one with {made[0].sha256[:12]}…"
            yield f"{record.path}: made from {file.path} with {hashes}"
        elif file.made_by is not None and file.made_by.get("key") != made[1].key:
            keys = f"job {str(file.made_by.get('key'))[:12]}…, which is now the output of job {made[1].key[:12]}…"
            yield f"{record.path}: made from {file.path} of {keys}: make it again, or find out who changed the record"


def _check_lineage(results: Path, here: dict[str, Record], report: Report, root: str | None) -> Sequence[Record]:
    """Compare lineage.json with the records here, root.txt and the expected root with lineage.json."""
    stated = {} if root is None else {"the expected root hash": root}
    listed: Sequence[Record] = ()
    try:
        if (results / "lineage.json").is_file():
            listed = read_lineage(results / "lineage.json").records
            report.root = root_hash(listed)
            stated["lineage.json"] = read_json(results / "lineage.json").get("root")
            stated["root.txt"] = (results / "root.txt").read_text(encoding="utf-8").strip()
        else:
            report.notes.append("lineage.json: not here, so the root hash is not checked")
        if (results / "numbers.json").is_file():
            report.numbers = len(read_json(results / "numbers.json")["values"])
    except UNREADABLE as error:
        report.problems.append(str(error))
    except (KeyError, TypeError):
        report.problems.append("numbers.json: not a list of published values")
    for record in listed:
        if record.path not in here:
            if not _may_be_absent(record.path, report.name):
                report.problems.append(f"{record.path}: listed in lineage.json, but not here")
        elif here[record.path].document != record.document:
            report.problems.append(f"{record.path}: differs from its copy in lineage.json")
    for name, value in stated.items():
        if value != report.root:
            report.problems.append(f"{name}: {value}, but the root hash of the records is {report.root}")
    return listed


def report_text(report: Report, limit: int = 40) -> str:
    """Return a report as text: problems, counts, verdict and root hash."""
    faults = [f"{file.status}: {file.path}: {file.reason}" for file in report.files if file.status in STATUSES[1:4]]
    faults += report.problems
    lines = faults[:limit] + ([f"… and {len(faults) - limit} more; --json lists all"] if len(faults) > limit else [])
    lines += [f"note: {note}" for note in report.notes]
    lines += [f"{count:>7,d} files {status}" for status, count in report.counts.items()]
    lines.append(f"{report.numbers:>7,d} published values")
    if NOT_HERE in report.counts:
        lines.append("Only raw data may be absent: files under raw/, and inputs from outside of the results folder.")
    lines.append(f"{report.name}: " + ("everything agrees" if report.ok else f"{len(faults)} problems"))
    return "\n".join([*lines, f"root {report.root or 'unknown'}"])
