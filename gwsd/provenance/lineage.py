"""Which job made a file, from what, and so on back to raw data."""

import difflib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwsd.errors import DataError
from gwsd.provenance.records import FileEntry, Record

RAW_FOLDER = "raw"
"""Folder of a scenario, or of the project, with raw data alone."""

SOURCE_FOLDERS = (
    "gwsd",
    "workflow_scripts",
    "paper",
    "rules",
    "reference",
    "envs",
    "docs",
    "profiles",
    "benchmarks",
    "tests",
)
"""Folders of the project with what its authors wrote: such an input is kept by the commit, and is no raw data."""

SOURCE_FILES = ("config.yaml", "Snakefile", "codecheck.yml", "CITATION.cff", "pyproject.toml", "README.md", "LICENSE")


@dataclass(frozen=True)
class Node:
    """A file and what it was made from.

    Parameters
    ----------
    file : FileEntry
        The file.
    record : Record or None
        Of the job that made it, where it is known.
    children : tuple of Node
        What that job read. The same file is the same node wherever it comes in.
    raw : bool
        Whether it is raw data: downloaded, given by the user, or written by the twin Earth in their stead.
    url, doi : str or None
        Where it was downloaded from.
    """

    file: FileEntry
    record: Record | None
    children: tuple["Node", ...]
    raw: bool
    url: str | None = None
    doi: str | None = None

    @property
    def synthetic(self) -> bool:
        """Whether it stands in for raw data: a job made it that downloaded nothing."""
        return self.raw and self.record is not None and "raw" not in self.record.notes

    @property
    def source(self) -> bool:
        """Whether the project's authors wrote it."""
        return self.record is None and is_source(self.file.path)


class Lineage:
    """The records of a results folder, linked by content.

    Parameters
    ----------
    records : sequence of Record
        As `read_records` returns them.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = tuple(records)
        self._by_sha256: dict[str, list[tuple[FileEntry, Record]]] = defaultdict(list)
        self._by_path: dict[str, tuple[FileEntry, Record]] = {}
        self._read: dict[str, FileEntry] = {}
        for record in self.records:
            for file in record.outputs:
                self._by_sha256[file.sha256].append((file, record))
                self._by_path[file.path] = (file, record)
            for file in record.read:
                self._read.setdefault(file.path, file)
        self._nodes: dict[tuple[str, str], Node] = {}

    def producer(self, file: FileEntry) -> Record | None:
        """Return the record of the job that made this content, under this path where several made it."""
        made = self._by_sha256.get(file.sha256, [])
        for entry, record in made:
            if entry.path == file.path:
                return record
        return made[0][1] if made else None

    def maker_of_path(self, path: str) -> tuple[FileEntry, Record] | None:
        """Return what the records say was written under a path, and by which job."""
        return self._by_path.get(path)

    def entry(self, path: str | Path) -> FileEntry:
        """Return the entry of a file that a job made or read.

        Parameters
        ----------
        path : str or Path
            From the project's root, or as much of its end as tells it from others.

        Raises
        ------
        DataError
            If no record names it, or several files end so.
        """
        name = path.as_posix() if isinstance(path, Path) else path
        known = {**self._read, **{name: made for name, (made, _) in self._by_path.items()}}
        if name in known:
            return known[name]
        ending = [one for one in known if one.endswith("/" + name)]
        if len(ending) == 1:
            return known[ending[0]]
        if ending:
            raise DataError(f"{name}: several files end so: {', '.join(sorted(ending)[:5])}; give more of the path")
        files = [one for one in known if not is_source(one)]
        near = difflib.get_close_matches(name, files, n=3, cutoff=0.4)
        raise DataError(
            f"{name}: no record names this file; near ones: {', '.join(near) or 'none'}; "
            "check the path, or make the file with the workflow"
        )

    def tree(self, path_or_entry: str | Path | FileEntry) -> Node:
        """Return a file with all that it was made from.

        Parameters
        ----------
        path_or_entry : str, Path or FileEntry
            A path as `entry` takes it, or an entry of a record.
        """
        entry = path_or_entry if isinstance(path_or_entry, FileEntry) else self.entry(path_or_entry)
        return self._node(entry, ())

    def _node(self, file: FileEntry, below: tuple[tuple[str, str], ...]) -> Node:
        identity = (file.path, file.sha256)
        if identity in self._nodes:
            return self._nodes[identity]
        record = self.producer(file)
        facts: dict[str, Any] = {} if record is None else record.notes.get("raw") or {}
        children: tuple[Node, ...] = ()
        if record is not None and identity not in below:  # a forged record may lead back to itself
            children = tuple(self._node(read, (*below, identity)) for read in record.read)
        node = Node(
            file=file,
            record=record,
            children=children,
            raw=is_raw(file.path) or bool(facts) or (record is None and self._is_raw_input(file)),
            url=file.url or facts.get("url"),
            doi=file.doi or facts.get("doi"),
        )
        self._nodes[identity] = node
        return node

    def _is_raw_input(self, file: FileEntry) -> bool:
        return not is_source(file.path) and not file.path.startswith("results/")


def is_raw(path: str) -> bool:
    """Tell whether a path lies in a folder of raw data: `raw/` or `results/<scenario>/raw/`."""
    parts = Path(path).parts
    return parts[:1] == (RAW_FOLDER,) or (parts[:1] == ("results",) and parts[2:3] == (RAW_FOLDER,))


def is_source(path: str) -> bool:
    """Tell whether a path names a file that the project's authors wrote."""
    one = Path(path)
    return not one.is_absolute() and (one.parts[0] in SOURCE_FOLDERS or path in SOURCE_FILES)


def walk(node: Node) -> list[Node]:
    """List a node and all below it, each once, parents first."""
    seen: dict[tuple[str, str], Node] = {}
    waiting = [node]
    while waiting:
        one = waiting.pop()
        identity = (one.file.path, one.file.sha256)
        if identity not in seen:
            seen[identity] = one
            waiting.extend(reversed(one.children))
    return list(seen.values())
