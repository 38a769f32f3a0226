"""The files of a run as an RO-Crate names them: part of it, or kept by reference and hash."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from gwsd.errors import DataError
from gwsd.provenance.hashing import sha256_of
from gwsd.provenance.lineage import is_raw
from gwsd.provenance.records import FileEntry, Record

LARGE_BYTES = 10_000_000
"""Larger files are described by name, size and hash, so that the crate stays valid and small without them."""

FORMATS = {
    "LICENSE": "text/plain",
    "Snakefile": "text/x-python",
    ".nc": "application/x-netcdf",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".jsonld": "application/ld+json",
    ".tex": "text/x-tex",
    ".md": "text/markdown",
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".py": "text/x-python",
    ".smk": "text/x-python",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".cff": "application/yaml",
    ".lock": "text/plain",
    ".tif": "image/tiff",
}


@dataclass(frozen=True)
class CrateFile:
    """A file as the crate names it.

    Attributes
    ----------
    path : str
        From the crate's root; for a file from outside, from the project's root.
    sha256 : str
        Of its content.
    bytes : int
        Its size.
    included : bool
        Whether it is part of the crate.
    unique : bool
        Whether its path alone tells it from others; not where a job read other content there than lies there now, nor
        for a file from elsewhere on the machine.
    url, doi : str or None
        Where it was downloaded from.
    """

    path: str
    sha256: str
    bytes: int
    included: bool = True
    unique: bool = True
    url: str | None = None
    doi: str | None = None

    @property
    def identifier(self) -> str:
        """Its identifier in the crate: a path, or begins with # where it is no part of the crate."""
        if self.included:
            return quote(self.path)
        return f"#{quote(self.path)}" + ("" if self.unique else f"@{self.sha256[:12]}")

    @property
    def name(self) -> str:
        """Its path, for people."""
        return self.path

    @property
    def encoding_format(self) -> str:
        """Its media type."""
        one = PurePosixPath(self.path)
        return FORMATS.get(one.suffix or one.name, "application/octet-stream")


class CrateFiles:
    """Finds the crate's name of each file that a record names.

    Parameters
    ----------
    results : Path
        The crate's root: the folder of a scenario, wherever it lies.
    base : str
        How records call that folder, such as `results/demo`.
    records : iterable of Record
        Of that folder.

    Raises
    ------
    DataError
        If a file is not what the record of the job that made it says.
    """

    def __init__(self, results: Path, base: str, records: Iterable[Record]) -> None:
        self._results = results
        self._base = base
        records = tuple(records)
        made = {file.path: file for record in records for file in record.outputs}
        self._current = {**{file.path: file for record in records for file in record.read}, **made}
        self._included = {path for path, file in made.items() if self._is_part(file)}
        self._refuse_changed(made[path] for path in sorted(self._included))

    def find(self, file: FileEntry) -> CrateFile:
        """Return the crate's name of a file; other content under the same path is another file."""
        current = self._current[file.path].sha256 == file.sha256
        included = current and file.path in self._included
        unique = current and not file.path.startswith("/")
        return CrateFile(self._relative(file.path), file.sha256, file.bytes, included, unique, file.url, file.doi)

    def _is_part(self, file: FileEntry) -> bool:
        inside = file.path.startswith(f"{self._base}/")
        return inside and not is_raw(file.path) and file.bytes <= LARGE_BYTES and self._path(file).is_file()

    def _path(self, file: FileEntry) -> Path:
        return self._results / self._relative(file.path)

    def _relative(self, path: str) -> str:
        """Name a file from the crate's root; one from outside by its path in the project, or by its name alone."""
        return PurePosixPath(path).name if path.startswith("/") else path.removeprefix(f"{self._base}/")

    def _refuse_changed(self, files: Iterable[FileEntry]) -> None:
        changed = [file.path for file in files if sha256_of(self._path(file)) != file.sha256]
        if changed:
            raise DataError(
                f"{', '.join(changed[:3])}{' and others' if len(changed) > 3 else ''}: changed since the job that made "
                "it; a crate would describe what was not computed; remove the file and make it again"
            )
