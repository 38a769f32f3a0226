"""Zip archives from elsewhere: what is in them is looked at before anything is written.

No member may leave the folder that it is unpacked to, and sizes are bounded, as declared and as written.
"""

import errno
import lzma
import os
import re
import shutil
import stat
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gwsd.errors import DataError

LARGEST_BYTES = 60_000_000_000
"""Most that an archive may unpack to, unless a caller says otherwise."""

LARGEST_RATIO = 200
"""Fields that are mostly fill compress to a fiftieth; an archive built to fill a disk, to a thousandth."""

HARMLESS_BYTES = 100_000_000
"""An archive that unpacks to less is harmless at any ratio."""

BLOCK_BYTES = 1 << 20
LEFT_OVER_SECONDS = 86_400.0
_FOLDER_PREFIX = ".unpacked-"
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, OSError)


def check_members(path: Path, *, largest_bytes: int = LARGEST_BYTES, contents: bool = False) -> list[zipfile.ZipInfo]:
    """Look at an archive's table of contents, and refuse one that would do harm or cannot be read.

    Parameters
    ----------
    path : Path
        A zip archive, whatever its suffix.
    largest_bytes : int
        Most that all members together may declare as their size.
    contents : bool
        Read all members too and compare their checksums. Nothing is written.

    Returns
    -------
    list of ZipInfo
        The files, without folders.

    Raises
    ------
    DataError
        If a name is absolute, has a drive letter, climbs out by `..` or comes twice; a member is a link, a
        device or encrypted; sizes are too large or out of proportion; the archive is damaged.
    """
    with _opened(path) as archive:
        members = archive.infolist()
        names: set[str] = set()
        for member in members:
            if (fault := _fault(member)) or member.filename in names:
                raise DataError(
                    f"{path}: its member {member.filename!r} {fault or 'comes twice'}. Expected plain files with "
                    "paths that stay in the archive's folder: nothing was unpacked. Take the file from its publisher."
                )
            names.add(member.filename)
        _check_sizes(path, sum(member.file_size for member in members), largest_bytes)
        if contents and (bad := archive.testzip()) is not None:
            raise zipfile.BadZipFile(f"the checksum of {bad!r} is wrong")
    return [member for member in members if not member.is_dir()]


@contextmanager
def unpacked(
    path: Path,
    *,
    suffixes: Sequence[str] = (".nc", ".nc4"),
    wanted: Callable[[str], bool] | None = None,
    largest_bytes: int = LARGEST_BYTES,
) -> Iterator[list[Path]]:
    """Give the files of an archive, in a temporary folder that goes when the context ends.

    The folder lies beside the archive, where there is room for data, or, where that cannot be written to, in
    the system's temporary folder. A `DataError` raised in the context names the archive and the member in
    place of the temporary file.

    Parameters
    ----------
    path : Path
        A zip archive, whatever its suffix.
    suffixes : sequence of str
        Endings, in any case, of the files to unpack.
    wanted : callable, optional
        Given a member's path within the archive, tells whether to unpack it; all with such a suffix otherwise.
    largest_bytes : int
        Most that the archive may unpack to.

    Yields
    ------
    list of Path
        In the order of the archive; folders within the archive are kept.

    Raises
    ------
    DataError
        As `check_members`; or if nothing is wanted, or the disk is too small.
    """
    members = check_members(path, largest_bytes=largest_bytes)
    chosen = [
        member
        for member in members
        if member.filename.lower().endswith(tuple(suffixes))
        and not _is_shadow(member.filename)
        and (wanted is None or wanted(member.filename))
    ]
    if not chosen:
        found = ", ".join(sorted(member.filename for member in members)[:8]) or "nothing"
        raise DataError(
            f"{path}: the zip holds no {' or '.join(suffixes)} file of the kind that is wanted here; it holds {found}. "
            "Check that it is the right file."
        )
    with _folder_for(path, sum(member.file_size for member in chosen)) as folder:
        files = [folder / member.filename for member in chosen]
        with _opened(path) as archive:
            for member, file in zip(chosen, files, strict=True):
                _extract(archive, member, file)
        try:
            yield files
        except DataError as error:
            raise DataError(str(error).replace(f"{folder}{os.sep}", f"{path}: ")) from None


def _fault(member: zipfile.ZipInfo) -> str | None:
    """Say what is wrong with a member, if anything."""
    name = member.filename.replace("\\", "/")
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        return "has an absolute path"
    if ".." in name.split("/"):
        return "leads out of the folder by '..'"
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if member.flag_bits & 1:
        return "is encrypted"
    return None


def _is_shadow(name: str) -> bool:
    """Whether a member is what macOS adds beside a file of the same name."""
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1].startswith("._")


def _check_sizes(path: Path, total: int, largest_bytes: int) -> None:
    size = path.stat().st_size
    if total > largest_bytes:
        raise DataError(
            f"{path}: the zip ({size / 1e9:.3g} GB) unpacks to {total / 1e9:.3g} GB, more than the "
            f"{largest_bytes / 1e9:.3g} GB that are allowed; nothing was unpacked. Check that it is the right file; "
            "if it is, raise downloads.largest_gb in the config."
        )
    if total > max(HARMLESS_BYTES, LARGEST_RATIO * size):
        raise DataError(
            f"{path}: the zip unpacks to {total / 1e9:.3g} GB, {total / size:.0f} times its size, which no data do; "
            "nothing was unpacked. Take the file from its publisher."
        )


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive, and turn what damage raises into one message."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except NotImplementedError as error:
        raise DataError(
            f"{path}: the zip is compressed in a way that is not understood ({error}). Unpack it with another "
            "program and give the folder."
        ) from None
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DataError(
            f"{path}: the zip is truncated or damaged ({error}). Expected a whole archive: download or copy it again."
        ) from None


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    left = member.file_size
    with archive.open(member) as source, file.open("wb") as target:
        while block := source.read(BLOCK_BYTES):
            left -= len(block)
            if left < 0:
                break
            target.write(block)
    if left:
        raise zipfile.BadZipFile(f"{member.filename!r} has not the size that is declared")


@contextmanager
def _folder_for(path: Path, size: int) -> Iterator[Path]:
    beside, system = path.resolve().parent, Path(tempfile.gettempdir())
    where = beside if os.access(beside, os.W_OK) else system
    for old in beside.glob(f"{_FOLDER_PREFIX}*"):
        # What a killed process left: no reading takes a day.
        if time.time() - old.stat().st_mtime > LEFT_OVER_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    free = shutil.disk_usage(where).free
    if free < size:
        raise DataError(
            f"{path}: unpacking it takes {size / 1e9:.3g} GB in {where}, which has {free / 1e9:.3g} GB free. Free some "
            "space, or put the file on a larger disk."
        )
    with tempfile.TemporaryDirectory(prefix=_FOLDER_PREFIX, dir=where) as folder:
        yield Path(folder)
