"""`raw.lock.json`: the SHA-256 of every raw file as it was first downloaded, for the repository to keep.

The first good download of a file writes its entry; a later one that differs is an error.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gwsd.errors import DataError

Entries = dict[str, dict[str, Any]]
"""Name of a file to its `sha256`, `bytes`, `url` and `first_seen` (a date)."""


@contextmanager
def held(path: Path, *, wait: bool = True) -> Iterator[int]:
    """Hold the kernel's lock on a file; a killed process's is free.

    Parameters
    ----------
    path : Path
        Created where it is missing. Its holder may replace or remove it: whoever waited takes the new one.
    wait : bool
        Wait for the lock.

    Yields
    ------
    int
        A file descriptor, open for reading and writing.

    Raises
    ------
    BlockingIOError
        If another process holds it and `wait` is false.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(descriptor)
            raise
        except OSError:
            pass  # a file system without locks
        if _is_still(descriptor, path):
            break
        os.close(descriptor)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_still(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def read_lock(lock: Path) -> Entries:
    """Read a lock file; one that is missing or empty has no entries.

    Raises
    ------
    DataError
        If it is not what `record` writes.
    """
    try:
        text = lock.read_text()
    except FileNotFoundError:
        return {}
    try:
        entries = json.loads(text or "{}")
        sums = [entry["sha256"] for entry in entries.values()]
        valid = all(re.fullmatch("[0-9a-f]{64}", one) for one in sums)
    except (ValueError, TypeError, KeyError, AttributeError):
        valid = False
    if not valid:
        raise DataError(
            f"{lock}: it does not read as a list of checksums. Expected an object that gives each file's "
            '"sha256": take the committed version back (git checkout), or remove the file to begin anew.'
        )
    return dict(entries)


def verify(lock: Path, name: str, sha256: str) -> bool:
    """Compare a file with its entry.

    Parameters
    ----------
    lock : Path
        The lock file.
    name : str
        Of the raw file, without its folder.
    sha256 : str
        Of the file as it is now, hexadecimal.

    Returns
    -------
    bool
        True where the entry agrees, False where there is none.

    Raises
    ------
    DataError
        If the sums differ.
    """
    if (entry := read_lock(lock).get(name)) is None:
        return False
    if entry["sha256"] == sha256:
        return True
    origin = f", from {entry['url']}" if entry.get("url") else ""
    raise DataError(
        f"{name}: its SHA-256 is {sha256}, but {lock} has {entry['sha256']} (first seen "
        f"{entry.get('first_seen', 'at an unknown date')}{origin}). Expected the same file as then. If the publisher "
        f"has replaced it, remove the entry '{name}' from {lock} and run the same command again; results made from "
        "the former file will differ."
    )


def record(lock: Path, name: str, *, sha256: str, size: int, url: str) -> None:
    """Write a file's entry where there is none yet; compare where there is one.

    Parameters
    ----------
    lock : Path
        The lock file; written whole or not at all, also by several jobs at once.
    name : str
        Of the raw file, without its folder.
    sha256 : str
        Hexadecimal.
    size : int
        Bytes.
    url : str
        Where it came from, without credentials.

    Raises
    ------
    DataError
        If the sums differ, or the lock file cannot be written.
    """
    if verify(lock, name, sha256):
        return
    temporary = lock.with_name(f".{lock.name}.{os.getpid()}")
    try:
        with held(lock):
            # Another job may have written it meanwhile.
            if verify(lock, name, sha256):
                return
            today = datetime.now(UTC).date().isoformat()
            entry = {"sha256": sha256, "bytes": size, "url": url, "first_seen": today}
            entries = {**read_lock(lock), name: entry}
            temporary.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n")
            os.replace(temporary, lock)
    except PermissionError as error:
        raise DataError(
            f"{lock}: cannot be written ({error.strerror}), so the checksum of {name} cannot be kept. Make it "
            "writable, or run in a folder of your own."
        ) from None
    finally:
        temporary.unlink(missing_ok=True)
