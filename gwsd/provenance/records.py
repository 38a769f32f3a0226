"""Records of jobs: read from a results folder, written with a seal."""

import json
import os
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gwsd.errors import DataError
from gwsd.provenance.hashing import key_of

RECORD_SUFFIX = ".record.json"
PARTIAL_PREFIX = ".partial-"
SEAL = "seal"
REMARKS = "remarks"

_KNOWN = frozenset(
    f"job key inputs code settings seed outputs command started ended resumed environment {REMARKS} {SEAL}".split()
)
"""Members of every record; all others are notes of the job."""


@dataclass(frozen=True)
class FileEntry:
    """A file as a record names it.

    Parameters
    ----------
    path : str
        From the project's root, such as `results/demo/tables/table3.csv`; absolute for a file from elsewhere.
    sha256 : str
        Of its content.
    bytes : int
        Its size.
    made_by : mapping or None
        `record` (path) and `key` of the job that made it, where its record was found when the file was read.
    url, doi : str or None
        Where it was downloaded from.
    """

    path: str
    sha256: str
    bytes: int
    made_by: Mapping[str, str] | None = None
    url: str | None = None
    doi: str | None = None


@dataclass(frozen=True)
class Record:
    """What a job left beside its outputs.

    Parameters
    ----------
    path : str
        The record's own path, from the project's root.
    job : str
        Name of the program.
    key : str
        SHA-256 of inputs, code, settings and seed.
    inputs : dict of str to tuple of FileEntry
        What it read, by option.
    code : tuple of dict
        `path` and `sha256` of the program and every module that it imports.
    settings : dict
        What it was told.
    seed : int
        Of its random numbers.
    outputs : tuple of FileEntry
        What it wrote.
    command : tuple of str
        As it was run.
    started, ended : str
        ISO 8601.
    resumed : bool
        Whether it went on from a checkpoint.
    notes : dict
        Further facts, such as `device`, or `raw` of a download.
    environment : dict
        Machine, software, commit.
    remarks : tuple of str
        What a reader should know of this run, in words.
    seal : str or None
        SHA-256 of the record itself; None in records older than seals.
    document : dict
        The JSON as it was read.
    """

    path: str
    job: str
    key: str
    inputs: dict[str, tuple[FileEntry, ...]]
    code: tuple[dict[str, str], ...]
    settings: dict[str, Any]
    seed: int
    outputs: tuple[FileEntry, ...]
    command: tuple[str, ...]
    started: str
    ended: str
    resumed: bool
    notes: dict[str, Any]
    environment: dict[str, Any]
    remarks: tuple[str, ...] = ()
    seal: str | None = None
    document: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def read(self) -> tuple[FileEntry, ...]:
        """All inputs, of every option."""
        return tuple(file for files in self.inputs.values() for file in files)

    @property
    def device(self) -> str | None:
        """What it computed on, where it says so."""
        return self.notes.get("device")


def seal_of(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a record's JSON, sorted keys, without its seal."""
    return key_of({name: value for name, value in document.items() if name != SEAL})


def record_text(document: Mapping[str, Any]) -> str:
    """Print a record with its seal, as it stands in its file.

    Parameters
    ----------
    document : mapping
        The record; what JSON does not know is written as text.

    Returns
    -------
    str
        Reading it and printing it again gives the same text, so that no byte of a record can change unseen.
    """
    plain = json.loads(json.dumps(document, default=str))
    plain.pop(SEAL, None)
    return json.dumps({**plain, SEAL: seal_of(plain)}, indent=1) + "\n"


def record_files(folder: Path) -> list[Path]:
    """List the records below a folder, sorted; those of jobs that still write are left out."""
    return [path for path in files_below(folder) if path.name.endswith(RECORD_SUFFIX)]


def files_below(folder: Path, without: Collection[str] = ()) -> list[Path]:
    """List all files below a folder, sorted; folders that are links are followed, once.

    Parameters
    ----------
    folder : Path
        Where to begin.
    without : collection of str
        Folders directly below it to leave out.

    Returns
    -------
    list of Path
        Without what jobs are still writing.
    """
    found = []
    seen = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        if Path(parent) == folder:
            folders[:] = [name for name in folders if name not in without]
        found += [Path(parent, name) for name in names if not name.startswith(PARTIAL_PREFIX)]
    return sorted(found)


def read_document(path: Path) -> dict[str, Any]:
    """Read a record's JSON.

    Raises
    ------
    DataError
        If it is no record.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        _record(document, str(path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error) or type(error).__name__
        raise DataError(
            f"{path}: no readable record ({reason}); expected the JSON that a job of this workflow leaves; "
            "make the file beside it again"
        ) from None
    return document


def read_records(results: Path) -> tuple[Record, ...]:
    """Read all records of a results folder.

    Parameters
    ----------
    results : Path
        The folder of a scenario, wherever it lies.

    Returns
    -------
    tuple of Record
        Sorted by path.

    Raises
    ------
    DataError
        If there is no such folder, or a record cannot be read.
    """
    if not results.is_dir():
        raise DataError(
            f"{results}: no such folder; expected a scenario's results, such as results/demo; "
            "make them with `snakemake --cores all`, or check the path"
        )
    documents = {path.relative_to(results).as_posix(): read_document(path) for path in record_files(results)}
    base = name_of(results, documents)
    return tuple(_record(document, f"{base}/{name}") for name, document in documents.items())


def name_of(results: Path, documents: Mapping[str, Mapping[str, Any]]) -> str:
    """Tell how records call the folder that they lie in, such as `results/demo`, wherever that lies now.

    Parameters
    ----------
    results : Path
        The folder.
    documents : mapping of str to mapping
        The records by their paths within it.

    Returns
    -------
    str
        What most records say; `results/` and the folder's own name where there is none.
    """
    said: Counter[str] = Counter()
    for name, document in documents.items():
        beside = "/" + name.removesuffix(RECORD_SUFFIX)
        said.update(
            str(file["path"]).removesuffix(beside) for file in document["outputs"] if str(file["path"]).endswith(beside)
        )
    return said.most_common(1)[0][0] if said else f"results/{results.resolve().name}"


def parse_record(document: dict[str, Any], path: str) -> Record:
    """Return the record that a JSON document of `read_document` holds; `path` is its own, from the project's root."""
    return _record(document, path)


def _record(document: dict[str, Any], path: str) -> Record:
    return Record(
        path=path,
        job=str(document["job"]),
        key=str(document["key"]),
        inputs={name: tuple(_entry(file) for file in files) for name, files in document["inputs"].items()},
        code=tuple({"path": str(file["path"]), "sha256": str(file["sha256"])} for file in document["code"]),
        settings=dict(document["settings"]),
        seed=int(document["seed"]),
        outputs=tuple(_entry(file) for file in document["outputs"]),
        command=tuple(str(word) for word in document["command"]),
        started=str(document["started"]),
        ended=str(document["ended"]),
        resumed=bool(document["resumed"]),
        notes={name: value for name, value in document.items() if name not in _KNOWN},
        environment=dict(document["environment"]),
        remarks=tuple(str(remark) for remark in document.get(REMARKS, ())),
        seal=None if document.get(SEAL) is None else str(document[SEAL]),
        document=document,
    )


def _entry(file: Mapping[str, Any]) -> FileEntry:
    return FileEntry(
        path=str(file["path"]),
        sha256=str(file["sha256"]),
        bytes=int(file["bytes"]),
        made_by=None if file.get("made_by") is None else dict(file["made_by"]),
        url=file.get("url"),
        doi=file.get("doi"),
    )
