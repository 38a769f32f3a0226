"""Read zip archives safely: members are checked before anything is written, and their total size is bounded."""

import errno
import lzma
import os
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gwsd.errors import DataError

MAX_BYTES = 60_000_000_000
MAX_RATIO = 200  # fields that are mostly fill reach about 50, zip bombs 1000
HARMLESS_BYTES = 100_000_000  # archives that unpack to less may have any ratio

_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, OSError)


def check_members(path: Path, *, max_bytes: int = MAX_BYTES, contents: bool = False) -> list[zipfile.ZipInfo]:
    """List the files of an archive, after checking that unpacking it is safe; `contents` also verifies checksums.

    Raises
    ------
    DataError
        If a member has an absolute path, leaves the folder by `..`, is a duplicate, a link, a device or encrypted;
        if the members together are larger than `max_bytes`, or compressed implausibly well; if the archive is damaged.
    """
    with _open(path) as archive:
        members = archive.infolist()
        names = [member.filename for member in members]
        for member in members:
            fault = "comes twice" if names.count(member.filename) > 1 else _fault(member)
            if fault:
                raise DataError(
                    f"{path}: its member {member.filename!r} {fault}. Expected plain files with relative paths; "
                    "nothing was unpacked. Download the file again from its publisher."
                )
        size, total = path.stat().st_size, sum(member.file_size for member in members)
        if total > max_bytes:
            raise DataError(
                f"{path}: the zip ({size / 1e9:.3g} GB) unpacks to {total / 1e9:.3g} GB, more than the "
                f"{max_bytes / 1e9:.3g} GB that are allowed; nothing was unpacked. Check that it is the right file; "
                "if it is, raise downloads.max_file_gb in the config."
            )
        if total > max(HARMLESS_BYTES, MAX_RATIO * size):
            raise DataError(
                f"{path}: the zip unpacks to {total / 1e9:.3g} GB, {total / size:.0f} times its size, which is "
                "implausible for data; nothing was unpacked. Download the file again from its publisher."
            )
        if contents and (bad := archive.testzip()) is not None:
            raise zipfile.BadZipFile(f"the checksum of {bad!r} is wrong")
    return [member for member in members if not member.is_dir()]


@contextmanager
def unpacked(
    path: Path,
    *,
    suffixes: Sequence[str] = (".nc", ".nc4"),
    wanted: Callable[[str], bool] | None = None,
    max_bytes: int = MAX_BYTES,
) -> Iterator[list[Path]]:
    """Unpack files of an archive, for the duration of the context, to a temporary folder next to it.

    `wanted` selects files by their path within the archive. Where the archive's folder is not writable, the system's
    temporary folder is used. A `DataError` raised in the context names archive and member, not the temporary file.

    Raises
    ------
    DataError
        As `check_members`; or if no file is selected, or the disk is too small.
    """
    members = check_members(path, max_bytes=max_bytes)
    chosen = [
        member
        for member in members
        if member.filename.lower().endswith(tuple(suffixes))
        and not re.search(r"(^|/)(__MACOSX/|\._)", member.filename)  # metadata files of macOS
        and (wanted is None or wanted(member.filename))
    ]
    if not chosen:
        found = ", ".join(sorted(member.filename for member in members)[:8]) or "nothing"
        raise DataError(
            f"{path}: the zip has no {' or '.join(suffixes)} file of the expected kind; it contains {found}. "
            "Check that it is the right file."
        )
    parent = path.resolve().parent
    parent = parent if os.access(parent, os.W_OK) else Path(tempfile.gettempdir())
    size, free = sum(member.file_size for member in chosen), shutil.disk_usage(parent).free
    if free < size:
        raise DataError(
            f"{path}: unpacking needs {size / 1e9:.3g} GB in {parent}, which has {free / 1e9:.3g} GB free. Free some "
            "space, or move the file to a larger disk."
        )
    with tempfile.TemporaryDirectory(prefix=".unpacked-", dir=parent) as folder:
        with _open(path) as archive:
            files = [Path(archive.extract(member, folder)) for member in chosen]
        try:
            yield files
        except DataError as error:
            raise DataError(str(error).replace(f"{folder}{os.sep}", f"{path}: ")) from None


def _fault(member: zipfile.ZipInfo) -> str | None:
    name = member.filename.replace("\\", "/")
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        return "has an absolute path"
    if ".." in name.split("/"):
        return "leaves the folder by '..'"
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    return "is encrypted" if member.flag_bits & 1 else None


@contextmanager
def _open(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except NotImplementedError as error:
        raise DataError(
            f"{path}: the zip uses an unsupported compression ({error}). Unpack it with another program and pass "
            "the folder."
        ) from None
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DataError(
            f"{path}: the zip is truncated or damaged ({error}). Expected a whole archive: download or copy it again."
        ) from None
