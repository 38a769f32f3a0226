"""Lineage of results: which job made a file, from which inputs, back to the raw data."""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwsd.errors import DataError
from gwsd.provenance.hashing import key_of
from gwsd.provenance.record import FileEntry, Record, parse_record, read_json, read_record, read_records

SOURCE_FOLDERS = ("gwsd", "workflow_scripts", "paper", "rules", "reference", "envs", "docs", "profiles", "benchmarks")
SOURCE_FILES = ("config.yaml", "Snakefile", "codecheck.yml", "CITATION.cff", "pyproject.toml", "README.md", "LICENSE")
"""Files of the repository: inputs that the commit identifies."""


@dataclass(frozen=True)
class Node:
    """A file, the job that made it (if known) and the inputs of that job."""

    file: FileEntry
    record: Record | None
    children: tuple["Node", ...]
    raw: bool
    """True for raw data: downloaded, user-supplied, or written by the synthetic Earth."""
    url: str | None = None
    doi: str | None = None

    @property
    def identity(self) -> tuple[str, str]:
        """Path and content."""
        return self.file.path, self.file.sha256

    @property
    def synthetic(self) -> bool:
        """True for raw data that a job computed rather than downloaded."""
        return self.raw and self.record is not None and self.record.raw is None

    @property
    def source(self) -> bool:
        """True for a file of the repository."""
        return self.record is None and is_source(self.file.path)


class Lineage:
    """Records of a results folder, linked by the content of their files."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = tuple(sorted(records, key=lambda record: record.path))
        self._by_sha256: dict[str, list[tuple[FileEntry, Record]]] = defaultdict(list)
        self._by_path: dict[str, tuple[FileEntry, Record]] = {}
        self._nodes: dict[tuple[str, str], Node] = {}
        for record in self.records:
            for file in record.outputs:
                self._by_sha256[file.sha256].append((file, record))
                self._by_path[file.path] = (file, record)

    @property
    def root(self) -> str:
        """Root hash of all records."""
        return root_hash(self.records)

    def producer(self, file: FileEntry) -> Record | None:
        """Return the record of the job that made this content, preferably under this path."""
        made = self._by_sha256.get(file.sha256, [])
        return next((record for entry, record in made if entry.path == file.path), made[0][1] if made else None)

    def producer_of_path(self, path: str) -> tuple[FileEntry, Record] | None:
        """Return the output with this path and the record of its job."""
        return self._by_path.get(path)

    def entry(self, path: str) -> FileEntry:
        """Return an output or input by its path relative to the project's root, or by the end of that path."""
        known = {file.path: file for record in self.records for file in record.read}
        known |= {name: file for name, (file, _) in self._by_path.items()}
        found = [path] if path in known else [name for name in known if name.endswith(f"/{path}")]
        if len(found) == 1:
            return known[found[0]]
        if found:
            raise DataError(f"{path}: several files end so: {', '.join(sorted(found)[:5])}; give more of the path")
        near = difflib.get_close_matches(path, [name for name in known if not is_source(name)], n=3, cutoff=0.4)
        raise DataError(f"{path}: in no provenance record; did you mean {' or '.join(near) or 'another path'}?")

    def tree(self, file: str | FileEntry) -> Node:
        """Return a file (path as in `entry`, or an entry) with everything that it was made from."""
        return self._node(self.entry(file) if isinstance(file, str) else file, ())

    def _node(self, file: FileEntry, below: tuple[tuple[str, str], ...]) -> Node:
        identity = (file.path, file.sha256)
        if identity in self._nodes:
            return self._nodes[identity]
        record = self.producer(file)
        facts: dict[str, Any] = (record.raw if record else None) or {}
        children: tuple[Node, ...] = ()
        if record is not None and identity not in below:  # a forged record may lead back to itself
            children = tuple(self._node(read, (*below, identity)) for read in record.read)
        external = record is None and not is_source(file.path) and not file.path.startswith("results/")
        raw = is_raw(file.path) or bool(facts) or external
        node = Node(file, record, children, raw, file.url or facts.get("url"), file.doi or facts.get("doi"))
        self._nodes[identity] = node
        return node


def is_raw(path: str) -> bool:
    """Return whether a path is below `raw/` or `results/<scenario>/raw/`."""
    parts = Path(path).parts
    return parts[:1] == ("raw",) or (parts[:1] == ("results",) and parts[2:3] == ("raw",))


def is_source(path: str) -> bool:
    """Return whether a path is a file of the repository."""
    return path in SOURCE_FILES or path.partition("/")[0] in SOURCE_FOLDERS


def walk(node: Node) -> list[Node]:
    """List a node and all nodes below it, each once, parents first."""
    seen: dict[tuple[str, str], Node] = {}
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if current.identity not in seen:
            seen[current.identity] = current
            waiting.extend(reversed(current.children))
    return list(seen.values())


def root_hash(records: Iterable[Record]) -> str:
    """Hash what is reproducible in records: all but times, machines and commands."""
    return key_of(
        [
            {
                **{name: record.document[name] for name in ("job", "key", "code", "settings", "seed")},
                "inputs": {name: [_content(file) for file in files] for name, files in record.inputs.items()},
                "outputs": [_content(file) for file in record.outputs],
                "raw": record.raw,
            }
            for record in sorted(records, key=lambda record: record.path)
        ]
    )


def _content(file: FileEntry) -> dict[str, str]:
    """Identify a file by path and content; a file outside of the project by content alone."""
    return {"sha256": file.sha256} if Path(file.path).is_absolute() else {"path": file.path, "sha256": file.sha256}


def collect(paths: Iterable[Path]) -> dict[str, Any]:
    """Collect records into the document of a `lineage.json`: `root` and `records`, sorted, each with its path."""
    lineage = Lineage([read_record(path) for path in set(paths)])
    return {"root": lineage.root, "records": [{"record": record.path, **record.document} for record in lineage.records]}


def read_lineage(path: Path) -> Lineage:
    """Read a `lineage.json`; DataError if it is missing or damaged."""
    try:
        documents = [dict(document) for document in read_json(path)["records"]]
        return Lineage([parse_record(document, str(document.pop("record"))) for document in documents])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: not a lineage.json ({type(error).__name__}: {error}); make it again") from None


def open_lineage(results: Path) -> Lineage:
    """Read the records in a results folder, and from `lineage.json` those that are not there (of raw data)."""
    records = {record.path: record for record in read_records(results)}
    if (results / "lineage.json").is_file():
        records = {record.path: record for record in read_lineage(results / "lineage.json").records} | records
    return Lineage(list(records.values()))
