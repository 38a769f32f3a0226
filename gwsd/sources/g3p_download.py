"""Fetching G3P v1.12 from either of its hosts."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gwsd.errors import DataError
from gwsd.sources.archives import check_members
from gwsd.sources.g3p import DOI, open_storage
from gwsd.sources.lock_file import record, verify
from gwsd.sources.transfer import Transferred, transfer

NAME = "G3P_v1.12.zip"
"""What the zip is called in raw.lock.json and in messages."""

LICENCE = f"see https://doi.org/{DOI}"

BY_HAND = (
    "If the zip has moved, set downloads.g3p_urls. Or download it by hand from "
    f"https://doi.org/{DOI} and give it: --config storage_path=FILE."
)


def download_g3p(
    urls: Sequence[str],
    target: Path,
    lock: Path,
    *,
    attempts: int,
    wait_seconds: float,
    largest_bytes: int,
    name: str = NAME,
    progress: bool = True,
) -> dict[str, Any]:
    """Fetch G3P's zip, and let it stand under its name when it is whole, readable and the one seen before.

    Parameters
    ----------
    urls : sequence of str
        Where the zip lies, tried in this order.
    target : Path
        The zip. What arrived of it meanwhile lies beside it, as `.part-<name>`.
    lock : Path
        `raw.lock.json`.
    attempts, wait_seconds, largest_bytes, progress
        As in `transfer`; the zip may not unpack to more than `largest_bytes` either.
    name : str
        Of the zip in the lock file and in messages.

    Returns
    -------
    dict
        For the record: `url`, `doi`, `licence`, `bytes`, `sha256`, `retrieved` (UTC).

    Raises
    ------
    DataError
        If no host gives the zip, it is damaged or not G3P, or it differs from the lock file's entry.
    """

    def check(part: Path, arrived: Transferred) -> None:
        try:
            verify(lock, name, arrived.sha256)
            check_members(part, largest_bytes=largest_bytes, contents=True)
            open_storage(part)  # reads every month
        except DataError as error:
            raise DataError(str(error).replace(str(part), name)) from None
        record(lock, name, sha256=arrived.sha256, size=arrived.bytes, url=arrived.url)

    arrived = transfer(
        urls,
        target,
        attempts=attempts,
        wait_seconds=wait_seconds,
        largest_bytes=largest_bytes,
        name=name,
        check=check,
        otherwise=BY_HAND,
        progress=progress,
    )
    return {
        "url": arrived.url,
        "doi": DOI,
        "licence": LICENCE,
        "bytes": arrived.bytes,
        "sha256": arrived.sha256,
        "retrieved": datetime.now(UTC).isoformat(timespec="seconds"),
    }
