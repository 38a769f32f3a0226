"""The lineage of everything on the page, each file and job once, as plain data for its scripts."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gwsd.provenance.lineage import Lineage, Node
from gwsd.provenance.lineage import walk as nodes_of
from gwsd.provenance.records import FileEntry, Record

SETTINGS = "--settings"
"""Option whose value a record holds twice; the page shows it once."""


class LineageData:
    """Files, jobs and code behind the files of the page, numbered in the order in which they are met.

    Parameters
    ----------
    records : sequence of Record
        Of the results folder.
    data_label : str
        What the data are; the origin of raw files that the twin Earth wrote.
    """

    def __init__(self, records: Sequence[Record], data_label: str) -> None:
        self.lineage = Lineage(records)
        self.files: list[dict[str, Any]] = []
        self.jobs: list[dict[str, Any]] = []
        self.code: list[list[str]] = []
        self._data_label = data_label
        self._file_index: dict[tuple[str, str], int] = {}
        self._job_index: dict[str, int] = {}
        self._code_index: dict[tuple[str, str], int] = {}

    def add(self, file: FileEntry) -> int:
        """Add a file with all that it was made from.

        Returns
        -------
        int
            Its number among the files.
        """
        root = self.lineage.tree(file)
        for node in nodes_of(root):
            self._add_file(node)
        return self._file_index[root.file.path, root.file.sha256]

    def find(self, path: str, sha256: str | None = None) -> int | None:
        """Return the number of a file that a record names, adding it first; None where none does."""
        made = self.lineage.maker_of_path(path)
        if made is not None and sha256 in (None, made[0].sha256):
            return self.add(made[0])
        if sha256 is None:
            return None
        elsewhere = FileEntry(path=path, sha256=sha256, bytes=0)
        record = self.lineage.producer(elsewhere)
        if record is None:
            return None
        return self.add(next(entry for entry in record.outputs if entry.sha256 == sha256))

    def paths(self) -> set[str]:
        """Return the paths of all files and records, from the project's root."""
        return {file["path"] for file in self.files} | {job["record"] for job in self.jobs}

    def mark(self, statuses: Mapping[str, str]) -> None:
        """Note what `gwsd verify` says of each file; `statuses` by path."""
        for file in self.files:
            file["status"] = statuses.get(file["path"], "")

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON types."""
        return {"files": self.files, "jobs": self.jobs, "code": self.code}

    def _add_file(self, node: Node) -> int:
        identity = (node.file.path, node.file.sha256)
        if identity in self._file_index:
            return self._file_index[identity]
        index = self._file_index[identity] = len(self.files)
        shown: dict[str, Any] = {
            "path": node.file.path,
            "sha256": node.file.sha256,
            "bytes": node.file.bytes,
            "job": None,
            "raw": node.raw,
            "origin": self._origin(node),
            "status": "",
            "anchor": f"file-{node.file.sha256[:12]}",
        }
        if any(one["anchor"] == shown["anchor"] for one in self.files):  # the same content under another name
            shown["anchor"] += f"-{index}"
        self.files.append(shown)
        if node.record is not None:
            shown["job"] = self._add_job(node.record)
        return index

    def _add_job(self, record: Record) -> int:
        if record.path in self._job_index:
            return self._job_index[record.path]
        index = self._job_index[record.path] = len(self.jobs)
        shown: dict[str, Any] = {
            "job": record.job,
            "record": record.path,
            "key": record.key,
            "inputs": [],
            "settings": record.settings,
            "seed": record.seed,
            "code": [self._add_code(file["path"], file["sha256"]) for file in record.code],
            "command": command_line(record.command),
            "started": record.started,
            "ended": record.ended,
            "resumed": record.resumed,
            "device": record.device,
            "remarks": list(record.remarks),
            "commit": record.environment.get("commit"),
            "dirty": bool(record.environment.get("dirty")),
        }
        self.jobs.append(shown)
        code = {(file["path"], file["sha256"]) for file in record.code}
        for name, entries in record.inputs.items():
            # Code that is named on the command line, such as a table's builder, stands among the code.
            data = [entry for entry in entries if (entry.path, entry.sha256) not in code]
            if data:
                shown["inputs"].append([name, [self._add_file(self.lineage.tree(entry)) for entry in data]])
        return index

    def _add_code(self, path: str, sha256: str) -> int:
        identity = (path, sha256)
        if identity not in self._code_index:
            self._code_index[identity] = len(self.code)
            self.code.append([path, sha256])
        return self._code_index[identity]

    def _origin(self, node: Node) -> str:
        if node.doi:
            doi = node.doi if node.doi.startswith("http") else f"https://doi.org/{node.doi}"
            return ", ".join(filter(None, (doi, node.url)))
        if node.url:
            return node.url
        if node.synthetic:
            return self._data_label
        if node.raw and node.record is None:
            return "given by the user: no record says where it came from"
        return "written by the authors of the workflow" if node.source else ""


def command_line(words: Sequence[str]) -> str:
    """Print a command without the value of its settings, which are shown apart."""
    shown = list(words)
    for place, word in enumerate(words[:-1]):
        if word == SETTINGS:
            shown[place + 1] = "…"
    return " ".join(shown)


def as_script_data(document: Mapping[str, Any]) -> str:
    """Print JSON so that it can stand inside a script element: nothing in it can end the element.

    Parameters
    ----------
    document : mapping
        JSON types.

    Returns
    -------
    str
        Without spaces; `</` and `<!--` cannot occur in it.
    """
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def grouped(files: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Sort files into raw ones and all others, each by path.

    Returns
    -------
    list of dict
        `name` and `files`; groups without files are left out.
    """
    ordered = sorted(files, key=lambda file: file["path"])
    groups = (
        {"name": "Raw files", "files": [file for file in ordered if file["raw"]]},
        {"name": "All other files of the lineage", "files": [file for file in ordered if not file["raw"]]},
    )
    return [group for group in groups if group["files"]]
