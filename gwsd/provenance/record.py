"""Provenance records: the JSON file that each job writes next to its outputs."""

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from gwsd.errors import DataError
from gwsd.provenance.hashing import key_of

RECORD_SUFFIX = ".record.json"
PARTIAL_PREFIX = ".partial-"
CHECKSUM = "checksum"


class FileEntry(BaseModel, frozen=True):
    """A file in a record; `path` is relative to the project's root, or absolute outside of it."""

    path: str
    sha256: str
    bytes: int
    made_by: dict[str, str] | None = None
    """`record` (path) and `key` of the job that made it."""
    url: str | None = None
    doi: str | None = None


class Record(BaseModel, frozen=True):
    """A job as its record describes it; `document` is the JSON itself, `path` is relative to the project's root."""

    path: str
    document: dict[str, Any]
    job: str
    """Name of the workflow script."""
    key: str
    """See `record_key`."""
    inputs: dict[str, tuple[FileEntry, ...]]
    """Files read, by option."""
    code: tuple[dict[str, str], ...]
    """`path` and `sha256` (of the syntax tree) of each source file that the job depends on."""
    settings: dict[str, Any]
    seed: int
    outputs: tuple[FileEntry, ...]
    command: tuple[str, ...]
    started: str
    ended: str
    resumed: bool
    device: str | None = None
    raw: dict[str, Any] | None = None
    """`url` and `doi` of a download."""
    environment: dict[str, Any]
    remarks: tuple[str, ...]
    """Sentences for readers, such as that a training was resumed."""
    checksum: str

    @property
    def read(self) -> tuple[FileEntry, ...]:
        """Inputs of all options."""
        return tuple(file for files in self.inputs.values() for file in files)


def record_text(document: Mapping[str, Any]) -> str:
    """Return a record as text with its checksum; the same for a record that was read from a file."""
    plain = json.loads(json.dumps(document, default=str))
    plain.pop(CHECKSUM, None)
    return json.dumps({**plain, CHECKSUM: key_of(plain)}, indent=1) + "\n"


def record_key(document: Mapping[str, Any]) -> str:
    """Return the key of a job: SHA-256 of the content of its inputs, and of code, settings and seed."""
    inputs = {name: [file["sha256"] for file in files] for name, files in document["inputs"].items()}
    return key_of({"inputs": inputs, **{name: document[name] for name in ("code", "settings", "seed")}})


def parse_record(document: Any, path: str) -> Record:
    """Return the record in a JSON document; DataError if a member is missing or has the wrong type."""
    try:
        return Record.model_validate({**document, "path": path, "document": document})
    except (TypeError, ValidationError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise DataError(f"{path}: not a provenance record ({reason}); make its file again") from None


def read_record(path: Path, name: str | None = None) -> Record:
    """Read a record; `name` is its path relative to the project's root if it was moved."""
    return parse_record(read_json(path), name or path.as_posix())


def read_json(path: Path) -> Any:
    """Read JSON; DataError if the file is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: not readable as JSON ({error}); expected a file of the workflow") from None


def read_records(results: Path) -> tuple[Record, ...]:
    """Read all records in a results folder, sorted by path."""
    found = [read_record(path, path.relative_to(results).as_posix()) for path in record_files(results)]
    base = base_of(results, found)
    return tuple(record.model_copy(update={"path": f"{base}/{record.path}"}) for record in found)


def record_files(results: Path) -> list[Path]:
    """List the records in a results folder, sorted; DataError if there are none."""
    found = [path for path in files_below(results) if path.name.endswith(RECORD_SUFFIX)]
    if not found:
        reason = "no provenance records (*.record.json)" if results.is_dir() else "no such folder"
        raise DataError(f"{results}: {reason}; expected the results of a scenario, such as results/demo")
    return found


def files_below(folder: Path) -> Iterator[Path]:
    """List all files below a folder, sorted, without temporary files of running jobs."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith(PARTIAL_PREFIX))


def base_of(results: Path, records: list[Record]) -> str:
    """Return the path of a results folder when its records were written, such as `results/demo`.

    `results` may have been moved; the paths of `records` are relative to it.
    """
    found: Counter[str] = Counter()
    for record in records:
        output = "/" + record.path.removesuffix(RECORD_SUFFIX)
        found.update(file.path.removesuffix(output) for file in record.outputs if file.path.endswith(output))
    return found.most_common(1)[0][0] if found else f"results/{results.resolve().name}"


def find_producer(path: Path, sha256: str | None = None) -> dict[str, Any]:
    """Describe the job that made a file, from the records in the file's own folder.

    Returns `made_by` with `record` and `key`, and `url` and `doi` of a download; empty if there is no such record.
    """
    for record in _records_in(path.parent):
        for file in record.outputs:
            if Path(file.path).name == path.name and sha256 in (None, file.sha256):
                origin = {name: value for name, value in (record.raw or {}).items() if name in ("url", "doi") and value}
                return {"made_by": {"record": record.path, "key": record.key}, **origin}
    return {}


@cache
def _records_in(folder: Path) -> list[Record]:
    records = []
    for path in sorted(folder.glob(f"[!.]*{RECORD_SUFFIX}")):
        with contextlib.suppress(DataError):  # `gwsd verify` reports it
            records.append(read_record(path))
    return records
