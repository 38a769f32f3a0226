"""Download ERA5-Land monthly means from the Climate Data Store (CDS): requests, errors, checks of the files.

Libraries that take long to import are imported in the functions: the rules use this module's names at parse time.
"""

import hashlib
import logging
import math
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gwsd.data.credentials import CDS_URL, HOW_TO, Credentials
from gwsd.errors import DataError

if TYPE_CHECKING:
    import requests
    from ecmwf.datastores import Client

LOG = logging.getLogger("gwsd.era5_land")
DATASET = "reanalysis-era5-land-monthly-means"
LICENCE_PAGE = f"https://cds.climate.copernicus.eu/datasets/{DATASET}?tab=download#manage-licences"
SPACING = 0.1  # of the nodes, degrees
TIMEOUT_SECONDS = 60.0

Area = tuple[float, float, float, float]  # north, west, south, east, degrees; longitude -180..180


def area_of(region: Sequence[float]) -> Area | None:
    """Return the area to request for a region (west, south, east, north): one node more on each side; None: globe."""
    west, south, east, north = region
    if (west, south, east, north) == (-180, -90, 180, 90):
        return None

    def node(degrees: float, rounding: Any, margin: float) -> float:
        return round(float(rounding(round(degrees / SPACING, 6)) * SPACING + margin), 6)

    return (
        min(node(north, math.ceil, SPACING), 90.0),
        max(node(west, math.floor, -SPACING), -180.0),
        max(node(south, math.floor, -SPACING), -90.0),
        min(node(east, math.ceil, SPACING), 180.0),
    )


def file_name(year: int, area: Area | None = None) -> str:
    """Return the name of a year's file: era5_land_<year>[_<north>_<west>_<south>_<east>].nc."""
    return f"era5_land_{year}{''.join(f'_{side:g}' for side in area or ())}.nc"


def parse_file_name(name: str) -> tuple[int, Area | None]:
    """Return year and area of a file name (inverse of `file_name`)."""
    match = re.search(r"era5_land_(\d{4})((?:_-?\d+(?:\.\d+)?){4})?\.nc$", name)
    if match is None:
        raise DataError(f"{name}: expected a name like {file_name(2003)} or {file_name(2003, (6.4, -52, -6, -44.2))}")
    if match[2] is None:
        return int(match[1]), None
    north, west, south, east = (float(side) for side in match[2].split("_")[1:])
    return int(match[1]), (north, west, south, east)


def request_of(year: int, area: Area | None = None) -> dict[str, Any]:
    """Return the request for all variables of a year."""
    from gwsd.data.era5_land import VARIABLES

    request: dict[str, Any] = {
        "product_type": ["monthly_averaged_reanalysis"],
        "variable": [requested for _, requested, _ in VARIABLES.values()],
        "year": [str(year)],
        "month": [f"{month:02d}" for month in range(1, 13)],
        "time": ["00:00"],
        "data_format": "netcdf",
        "download_format": "unarchived",
    }
    return request if area is None else {**request, "area": list(area)}


def download_year(
    target: Path, year: int, area: Area | None, credentials: Credentials, *, retries: int, backoff_s: float
) -> dict[str, Any]:
    """Request all months and variables of a year, wait for them and download them; return facts for the record.

    `target` is written by renaming a checked file: NetCDF as delivered, or a zip, whatever its suffix. Each call or
    transfer is retried after a temporary failure, the first time after `backoff_s` seconds, doubled before each further
    one, up to tenfold.

    Raises
    ------
    DataError
        If the key, the licence or the request is refused, the CDS cannot be reached, or the file is not what was
        requested.
    """
    request, part = request_of(year, area), target.with_name(f".part-{file_name(year, area)}")
    try:
        with _explain_errors(credentials):
            remote = _client(credentials, retries, backoff_s).submit(DATASET, request)
            remote.download(str(part))
        preliminary = check_delivery(part, year)
        os.replace(part, target)
    except DataError as error:
        raise DataError(f"ERA5-Land {year}: {error}") from None
    finally:
        part.unlink(missing_ok=True)
    if preliminary:
        LOG.info("preliminary fields (expver 0005), which may be replaced: %s", ", ".join(preliminary))
    with target.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return {
        "url": f"https://cds.climate.copernicus.eu/datasets/{DATASET}",
        "dataset": DATASET,
        "doi": "10.24381/cds.68d2bb30",
        "licence": "CC-BY-4.0",
        "licence_page": LICENCE_PAGE,
        "request": request,
        "request_id": remote.request_id,
        "preliminary_months": preliminary,
        "bytes": target.stat().st_size,
        "sha256": sha256,
        "retrieved": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def check_account(credentials: Credentials) -> None:
    """Check that the CDS accepts the key and that its account has accepted the licence; `DataError` if not."""
    with _explain_errors(credentials):
        client = _client(credentials, retries=0, backoff_s=0)
        client.check_authentication()
        if all(licence.get("id") != "cc-by" for licence in client.get_accepted_licences()):
            raise DataError(f"The licence of ERA5-Land is not accepted. Log in and accept it at {LICENCE_PAGE}.")


def check_delivery(path: Path, year: int) -> list[str]:
    """Read a delivery completely; return the preliminary months, YYYY-MM.

    Raises `DataError` if the file is damaged, of another format, or lacks a variable, a month or a month's values.
    """
    import numpy as np

    from gwsd.data.era5_land import VARIABLES, open_era5_land

    preliminary: set[str] = set()
    try:
        for name, (short, _, _) in VARIABLES.items():  # one at a time: a global year of all has over a gigabyte
            for fields in open_era5_land([path], f"{year}-01", f"{year}-12", [name]).years:
                preliminary.update(fields.attrs.get("preliminary_months", "").split())
                for number, field in enumerate(fields[name].load(scheduler="synchronous").values, start=1):
                    if not np.isfinite(field).any():
                        raise DataError(f"{path}: {short} of {year}-{number:02d} has no valid value")
    except DataError as error:
        text = str(error).replace(str(path), "the delivered file")
        raise DataError(f"{text} Run the same command again to request {year} anew.") from None
    return sorted(preliminary)


def _client(credentials: Credentials, retries: int, backoff_s: float) -> "Client":
    from ecmwf.datastores import Client

    import gwsd.data.download  # noqa: F401  (passes multiurl's messages about retries to the log)

    def log(level: int, message: object, *_: object, **__: object) -> None:
        if level >= logging.INFO:  # messages of DEBUG contain whole answers, including the account's
            LOG.log(level, "CDS: %s", credentials.redact(str(message)))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the catalogue's messages are not available
        return Client(
            url=credentials.url,
            key=credentials.key.get_secret_value(),
            timeout=TIMEOUT_SECONDS,
            progress=False,
            maximum_tries=retries + 1,
            retry_after=(backoff_s, 10 * backoff_s, 2.0) if backoff_s > 0 else 0,  # type: ignore[arg-type]
            log_callback=log,
        )


@contextmanager
def _explain_errors(credentials: Credentials) -> Iterator[None]:
    """Turn errors of the client into a `DataError` that does not contain the key."""
    import requests
    from ecmwf.datastores.processing import DownloadError, LinkError, ProcessingFailedError

    from gwsd.data.download import describe_failure

    try:
        yield
    except requests.HTTPError as error:
        raise _refusal(error, credentials) from None
    except ProcessingFailedError as error:
        raise _not_fulfilled(credentials.redact(str(error))) from None
    except (DownloadError, AssertionError) as error:
        raise DataError(f"the transfer is incomplete: {credentials.redact(str(error))}") from None
    except (ValueError, KeyError, TypeError, LinkError):  # ValueError is also JSONDecodeError
        raise DataError(
            f"{credentials.url} does not answer as the Climate Data Store. Expected {CDS_URL}, and no log-in page of "
            "the network in between."
        ) from None
    except requests.RequestException as error:
        raise DataError(
            f"the Climate Data Store at {credentials.url} cannot be reached: {describe_failure(error)}. Check the "
            "network, or try later."
        ) from None


def _refusal(error: "requests.HTTPError", credentials: Credentials) -> DataError:
    response = error.response
    assert response is not None  # the client raises it for an answer
    try:
        body = response.json()
        words = "; ".join(str(body[key]) for key in ("title", "detail", "traceback") if body.get(key))
    except (ValueError, AttributeError):
        words = str(response.reason)
    answer = f"HTTP {response.status_code}: {credentials.redact(words)}"
    if response.status_code == 401:
        return DataError(f"{credentials.origin}: the CDS refuses the key ({answer}). Copy the token from {HOW_TO}.")
    if response.status_code == 403 and re.search("licen[cs]e|policies", words, re.IGNORECASE):
        return DataError(f"the licence of ERA5-Land is not accepted ({answer}). Accept it once at {LICENCE_PAGE}.")
    if response.status_code == 404:
        return DataError(f"{credentials.url} does not know the request ({answer}). Expected the address {CDS_URL}.")
    return _not_fulfilled(answer)


def _not_fulfilled(reason: str) -> DataError:
    return DataError(
        f"the CDS did not fulfil the request ({reason}). See https://cds.climate.copernicus.eu/requests; the same "
        "command makes a new request. Files requested by hand are taken with --config climate_path=FOLDER."
    )
