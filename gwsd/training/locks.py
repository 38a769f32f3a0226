"""Locks that the kernel frees when their holder dies, SIGKILL included (flock)."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def try_lock(path: Path) -> int | None:
    """Take a lock file if it is free.

    Parameters
    ----------
    path : Path
        Created where it is missing; it stays when the lock is freed and carries the last holder's process id.

    Returns
    -------
    int or None
        A file descriptor that holds the lock until it is closed; None where another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return None
        raise
    _sign(descriptor)
    return descriptor


def holder(path: Path) -> str:
    """Return the process id written in a lock file, "unknown" where there is none."""
    try:
        return path.read_text().strip() or "unknown"
    except OSError:
        return "unknown"


@contextmanager
def locked(path: Path, *, on_wait: Callable[[str], None]) -> Iterator[bool]:
    """Hold a lock file, after waiting for it if need be.

    Parameters
    ----------
    path : Path
        The lock file.
    on_wait : callable
        Called once with the holder's process id before waiting.

    Yields
    ------
    bool
        Whether it had to be waited for.
    """
    descriptor = try_lock(path)
    waited = descriptor is None
    if descriptor is None:
        on_wait(holder(path))
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        _sign(descriptor)
    try:
        yield waited
    finally:
        os.close(descriptor)


def _sign(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
