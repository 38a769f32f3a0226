"""Unpack zip archives to temporary files: their size is bounded, and damage is reported."""

import errno
import lzma
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gwsd.errors import DataError

MAX_BYTES = 60_000_000_000


def list_members(path: Path, *, max_bytes: int = MAX_BYTES, contents: bool = False) -> list[zipfile.ZipInfo]:
    """List the files of an archive that unpacks to at most `max_bytes`; `contents` also verifies their checksums."""
    with _open(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        total = sum(member.file_size for member in members)
        if total > max_bytes:
            raise DataError(
                f"{path}: the zip ({path.stat().st_size / 1e9:.3g} GB) unpacks to {total / 1e9:.3g} GB, more than the "
                f"{max_bytes / 1e9:.3g} GB that are allowed; nothing was unpacked. Check that it is the right file; if "
                "it is, raise downloads.max_file_gb in the config."
            )
        if contents and (bad := archive.testzip()) is not None:
            raise zipfile.BadZipFile(f"the checksum of {bad!r} is wrong")
    return members


@contextmanager
def unpacked(path: Path, *, wanted: Callable[[str], bool] | None = None) -> Iterator[list[Path]]:
    """Unpack the NetCDF files of an archive, for the duration of the context, to a temporary folder next to it.

    `wanted` selects files by their path within the archive. Where the archive's folder is not writable, the system's
    temporary folder is used. A `DataError` raised in the context names archive and member, not the temporary file.

    Raises `DataError` if the archive is damaged or too large, no file is selected, or the disk is too small.
    """
    members = list_members(path)
    chosen = [
        member
        for member in members
        if member.filename.lower().endswith((".nc", ".nc4"))
        and not re.search(r"(^|/)(__MACOSX/|\._)", member.filename)  # metadata files of macOS
        and (wanted is None or wanted(member.filename))
    ]
    if not chosen:
        found = ", ".join(sorted(member.filename for member in members)[:8]) or "nothing"
        raise DataError(f"{path}: the zip has no .nc file of the expected kind; it contains {found}.")
    parent = path.resolve().parent
    parent = parent if os.access(parent, os.W_OK) else Path(tempfile.gettempdir())
    size, free = sum(member.file_size for member in chosen), shutil.disk_usage(parent).free
    if free < size:
        sizes = f"needs {size / 1e9:.3g} GB in {parent}, which has {free / 1e9:.3g} GB free"
        raise DataError(f"{path}: unpacking {sizes}. Free some space, or move the file to a larger disk.")
    with tempfile.TemporaryDirectory(prefix=".unpacked-", dir=parent) as folder:
        with _open(path) as archive:
            files = [Path(archive.extract(member, folder)) for member in chosen]
        try:
            yield files
        except DataError as error:
            raise DataError(str(error).replace(f"{folder}{os.sep}", f"{path}: ")) from None


@contextmanager
def _open(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except RuntimeError as error:  # also NotImplementedError
        problem = f"is encrypted or uses an unsupported compression ({error})"
        raise DataError(f"{path}: the zip {problem}. Unpack it with another program.") from None
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DataError(f"{path}: the zip is truncated or damaged ({error}): download or copy it again.") from None
