"""The part of a file that has arrived, and whether what a server has now can complete it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from gwsd.errors import DataError
from gwsd.sources.lock_file import held

PART_PREFIX = ".part-"


@dataclass(frozen=True)
class Offer:
    """What a server has.

    Attributes
    ----------
    url : str
        Without credentials.
    size : int or None
        Of the whole file, bytes, where it says so.
    tag : str or None
        Its ETag or date, which change with the file; empty where it gives neither, None where it cannot send the
        rest of a file.
    first : bytes
        With which the file begins.
    """

    url: str
    size: int | None
    tag: str | None
    first: bytes


class Part:
    """What has arrived of a file, and the note beside it on where it is from."""

    def __init__(self, path: Path, note: int) -> None:
        self.path = path
        self._note = note

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    def remove(self) -> None:
        """Begin anew."""
        self.path.unlink(missing_ok=True)

    def keep_if_fits(self, offer: Offer) -> int:
        """Return how many bytes the offer can complete; where it cannot, begin anew.

        Parameters
        ----------
        offer : Offer
            It fits if its size and first bytes are those of the file that was begun and, on the same host, the
            tag: another host names the same file by another tag.

        Returns
        -------
        int
        """
        begun = self._read_note()
        if self.size and begun and offer.tag is not None and self.size <= (offer.size or 0) == begun["size"]:
            with self.path.open("rb") as stream:
                same = stream.read(len(offer.first)) == offer.first[: self.size]
            if same and (begun["url"] != offer.url or begun["tag"] == offer.tag):
                return self.size
        self.remove()
        text = json.dumps({name: value for name, value in asdict(offer).items() if name != "first"})
        os.ftruncate(self._note, 0)
        os.pwrite(self._note, text.encode(), 0)
        return 0

    def _read_note(self) -> dict[str, object] | None:
        try:
            begun = json.loads(os.pread(self._note, 1 << 16, 0))
        except ValueError:
            return None
        return begun if isinstance(begun, dict) and {"url", "size", "tag"} <= begun.keys() else None


@contextmanager
def begun_part(target: Path) -> Iterator[Part]:
    """Hold what has arrived of a file.

    Parameters
    ----------
    target : Path
        The part lies beside it, as `.part-<name>`, and its note as `.part-<name>.json`; the note goes with the part.

    Yields
    ------
    Part

    Raises
    ------
    DataError
        If another process holds it.
    """
    path = target.with_name(PART_PREFIX + target.name)
    note = path.with_name(f"{path.name}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with held(note, wait=False) as descriptor:
            try:
                yield Part(path, descriptor)
            finally:
                if not path.exists():
                    note.unlink(missing_ok=True)
    except BlockingIOError:
        raise DataError(
            f"{target.name}: another process is downloading it into {path.parent}. Wait for that to end, then run the "
            "same command again."
        ) from None
