"""The key of the Climate Data Store: where a person keeps it, and keeping it out of everything that is written."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gwsd.errors import DataError

HOW_TO = "https://cds.climate.copernicus.eu/how-to-api"
"""Where a person finds the key."""

STORE_URL = "https://cds.climate.copernicus.eu/api"
"""Address of the Climate Data Store, for keys that come without one."""

SHOWN = "(key)"
"""What stands in a text where the key stood."""


class Key:
    """A secret that shows itself to nobody who does not ask by name.

    Parameters
    ----------
    value : str
        The personal access token.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the key itself, for the header of a request and nothing else."""
        return self._value

    def hide(self, text: str) -> str:
        """Return a text with the key taken out."""
        return text.replace(self._value, SHOWN)

    def __repr__(self) -> str:
        return SHOWN


@dataclass(frozen=True)
class Credentials:
    """What the Climate Data Store asks for.

    Attributes
    ----------
    url : str
        Address of its interface, without a slash at the end.
    key : Key
        The personal access token.
    origin : str
        Where the key was found, in words.
    file : Path or None
        The file that it was found in.
    """

    url: str
    key: Key
    origin: str
    file: Path | None = None

    @property
    def readable_by_others(self) -> bool:
        """Whether other people of the machine can read the key's file."""
        return self.file is not None and bool(self.file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


@dataclass(frozen=True)
class _Place:
    """Two environment variables and a file, as one of ECMWF's clients reads them."""

    url: str
    key: str
    file_variable: str
    file: str


PLACES = (
    _Place("ECMWF_DATASTORES_URL", "ECMWF_DATASTORES_KEY", "ECMWF_DATASTORES_RC_FILE", "~/.ecmwfdatastoresrc"),
    _Place("CDSAPI_URL", "CDSAPI_KEY", "CDSAPI_RC", "~/.cdsapirc"),
)
"""Where keys are looked for, in this order: those of ecmwf-datastores-client, then those of cdsapi."""


def find_credentials(environ: Mapping[str, str] | None = None, home: Path | None = None) -> Credentials:
    """Find the key of the Climate Data Store where either of ECMWF's clients keeps it.

    Parameters
    ----------
    environ : mapping of str to str or None
        The environment; that of the process unless said otherwise.
    home : Path or None
        The person's home folder; that of the process unless said otherwise.

    Returns
    -------
    Credentials
        The first key found: an environment variable goes before the file beside it.

    Raises
    ------
    DataError
        If there is none, or it cannot be one. The message never shows it.
    """
    environ = os.environ if environ is None else environ
    home = Path.home() if home is None else home
    seen = []
    for place in PLACES:
        file = _file(place, environ, home)
        written = _read(file)
        key, origin = environ.get(place.key, ""), f"the environment variable {place.key}"
        if not key:
            key, origin = written.get("key", ""), str(file)
        if not key:
            seen += [place.key, f"{file} ({'it has no line key:' if file.is_file() else 'no such file'})"]
            continue
        url = environ.get(place.url) or written.get("url") or STORE_URL
        return Credentials(
            url=_checked_url(url, place, file),
            key=Key(_checked_key(key, origin)),
            origin=origin,
            file=file if origin == str(file) else None,
        )
    raise DataError(
        f"There is no key of the Climate Data Store. Looked for: {', '.join(seen)}. "
        f"Register at {HOW_TO} (free), copy the personal access token shown there and write two lines to "
        f"~/.ecmwfdatastoresrc: 'url: {STORE_URL}' and 'key: YOUR-TOKEN'."
    )


def _file(place: _Place, environ: Mapping[str, str], home: Path) -> Path:
    name = environ.get(place.file_variable) or place.file
    return home / name[2:] if name.startswith("~/") else Path(name)


def _read(file: Path) -> dict[str, str]:
    """Read lines `name: value`; what is no such line is skipped, as the clients do."""
    if not file.is_file():
        return {}
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}). Check its rights: chmod 600 {file}.") from None
    return dict(_pairs(text))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and not name.lstrip().startswith("#"):
            yield name.strip(), value.strip().strip("\"'")


def _checked_key(key: str, origin: str) -> str:
    key = key.strip()
    if re.fullmatch(r"\d+:.+", key):
        raise DataError(
            f"{origin}: the key has the form uid:key of the Climate Data Store that was retired in 2024. "
            f"Fetch a new personal access token, which has no colon, at {HOW_TO} and put it in its place."
        )
    # A header cannot hold such characters, and the error that would follow shows the key.
    if not re.fullmatch(r"[!-~]+", key):
        raise DataError(
            f"{origin}: the key holds a blank or a character that no key has. "
            f"Copy the personal access token again from {HOW_TO}."
        )
    if re.fullmatch(r"[<\[{].*[>\]}]|YOUR[-_ ].*", key, flags=re.IGNORECASE):
        raise DataError(
            f"{origin}: the key still is the placeholder of the instructions. "
            f"Put the personal access token shown at {HOW_TO} in its place."
        )
    return key


def _checked_url(url: str, place: _Place, file: Path) -> str:
    url = url.strip().rstrip("/")
    if not re.match(r"https?://[^/]", url) or re.search(r"/api/v\d+$|cds-beta", url):
        raise DataError(
            f"{place.url} or the line url: of {file}: {url} is no address of today's Climate Data Store. "
            f"Expected {STORE_URL} (see {HOW_TO})."
        )
    return url
