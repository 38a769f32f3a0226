"""What a person points at: a file, a folder or a glob."""

import glob
from pathlib import Path

from gwsd.errors import DataError

SUFFIXES = (".nc", ".nc4", ".cdf", ".zip")
"""Files of a folder that are taken; a file or a glob that is given may have any."""


def expand(path: str, setting: str) -> list[Path]:
    """List the files that a path means.

    Parameters
    ----------
    path : str
        A file, a folder (its NetCDF and zip files, also in folders below) or a glob (`**` goes through folders).
    setting : str
        What the path is called in the settings, for the message.

    Returns
    -------
    list of Path
        Sorted; at least one. Hidden files and folders are left out.

    Raises
    ------
    DataError
        If nothing is found.
    """
    given = Path(path).expanduser()
    if given.is_file():
        return [given]
    if given.is_dir():
        found = [
            one
            for one in given.rglob("*")
            if one.suffix.lower() in SUFFIXES and not any(part.startswith(".") for part in one.relative_to(given).parts)
        ]
        wanted = f"no file that ends in {', '.join(SUFFIXES)} in this folder"
    else:
        found = [Path(one) for one in glob.glob(str(given), recursive=True)]
        wanted = "no file matches this pattern" if glob.has_magic(path) else "no such file or folder"
    files = sorted(one for one in found if one.is_file() and not one.name.startswith("."))
    if not files:
        raise DataError(f"{setting}: {path}: {wanted}. Expected a file, a folder or a glob: check the path.")
    return files
