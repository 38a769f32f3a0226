"""The workflow's lock on its folder after a SIGKILL: cleared where its owner is dead, and only then."""

import fcntl
from pathlib import Path
from typing import IO


def clear_dead_lock(folder: Path) -> IO[bytes]:
    """Remove Snakemake's lock files where no process that could own them lives.

    Every Snakemake process in the folder holds a shared kernel lock for its lifetime (the kernel frees it
    even after SIGKILL). Who gets it exclusively is alone, so lock files that lie there belong to the dead.

    Parameters
    ----------
    folder : Path
        The working directory of Snakemake.

    Returns
    -------
    file
        Keep it open as long as the process lives.
    """
    state = folder / ".snakemake"
    state.mkdir(exist_ok=True)
    handle = (state / "alive.lock").open("ab")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pass
    else:
        for lock in (state / "locks").glob("*.lock"):
            lock.unlink(missing_ok=True)
    fcntl.flock(handle, fcntl.LOCK_SH)
    return handle
