"""Find the key of the Climate Data Store (CDS)."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from gwsd.errors import DataError

CDS_URL = "https://cds.climate.copernicus.eu/api"
HOW_TO = "https://cds.climate.copernicus.eu/how-to-api"  # page that shows the personal access token


@dataclass(frozen=True)
class Credentials:
    """Access to the CDS; the key is not shown when printed."""

    url: str
    key: SecretStr
    origin: str  # where the key was found: a file or an environment variable

    def redact(self, text: str) -> str:
        """Remove the key from a text and put it on one line."""
        return " ".join(text.replace(self.key.get_secret_value(), "(key)").split())[:400]


def find_credentials() -> Credentials:
    """Find the key of the CDS where ecmwf-datastores-client or cdsapi keep it.

    Raises `DataError` if there is none, or it is not a personal access token; the message never contains it.
    """
    searched = []
    for prefix, rc_variable, rc_file in (
        ("ECMWF_DATASTORES", "ECMWF_DATASTORES_RC_FILE", "~/.ecmwfdatastoresrc"),
        ("CDSAPI", "CDSAPI_RC", "~/.cdsapirc"),
    ):
        file = Path(os.environ.get(rc_variable) or rc_file).expanduser()
        written = _read_rc(file)
        variable = os.environ.get(f"{prefix}_KEY", "").strip()
        origin = f"the environment variable {prefix}_KEY" if variable else str(file)
        if not (key := variable or written.get("key", "")):
            searched.append(f"{prefix}_KEY, {file} ({'no line key:' if file.is_file() else 'no such file'})")
            continue
        if not re.fullmatch(r"[!-9;-~]+", key) or re.fullmatch(r"[<\[{].*|YOUR.*", key, re.IGNORECASE):
            raise DataError(
                f"{origin}: the key is not a personal access token (one word without a colon; keys uid:key were "
                f"retired in 2024). Copy the token from {HOW_TO}."
            )
        url = (os.environ.get(f"{prefix}_URL") or written.get("url") or CDS_URL).strip().rstrip("/")
        if not re.match(r"https?://[^/]", url) or re.search(r"/api/v\d+$|cds-beta", url):
            raise DataError(f"{prefix}_URL or the line url: of {file}: {url} is not the CDS; use {CDS_URL}")
        return Credentials(url, SecretStr(key), origin)
    raise DataError(
        f"There is no key of the Climate Data Store. Searched: {', '.join(searched)}. Register at {HOW_TO} "
        "(free), copy the personal access token and write two lines to ~/.ecmwfdatastoresrc: "
        f"'url: {CDS_URL}' and 'key: YOUR-TOKEN'."
    )


def _read_rc(file: Path) -> dict[str, str]:
    from ecmwf.datastores.config import read_config

    try:
        return {name.strip(): value.strip("\"' ") for name, value in read_config(str(file)).items()}
    except FileNotFoundError:
        return {}
    except ValueError:
        raise DataError(f"{file}: cannot be read. Expected lines url: and key:; check its permissions.") from None
