"""Download ERA5-Land monthly means from the Climate Data Store (CDS): credentials, requests, checks of the files.

Libraries that take long to import are imported in the functions: the rules use this module's names at parse time.
"""

import hashlib
import logging
import math
import os
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gwsd.data.credentials import CDS_URL, HOW_TO, Credentials
from gwsd.errors import DataError

if TYPE_CHECKING:
    import requests
    from ecmwf.datastores import Client, Remote

LOG = logging.getLogger("gwsd.era5_land")

DATASET = "reanalysis-era5-land-monthly-means"
DOI = "10.24381/cds.68d2bb30"
LICENCE = "CC-BY-4.0"
LICENCE_ID = "cc-by"
LICENCE_PAGE = f"https://cds.climate.copernicus.eu/datasets/{DATASET}?tab=download#manage-licences"

SPACING = 0.1
"""Of the nodes, degrees."""

TIMEOUT_SECONDS = 60.0

NOT_FULFILLED = (
    "the CDS did not fulfil the request ({}). See https://cds.climate.copernicus.eu/requests; the same command makes a "
    "new request."
)

Area = tuple[float, float, float, float]
"""North, west, south, east, degrees; longitude -180..180."""

Request = dict[str, Any]


class CostLimitError(DataError):
    """The request is too large for the CDS; smaller ones may pass."""


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
        raise DataError(
            f"{name}: expected a name like {file_name(2003)} or {file_name(2003, (6.4, -52.1, -6.1, -44.2))}"
        )
    if match[2] is None:
        return int(match[1]), None
    north, west, south, east = (float(side) for side in match[2].split("_")[1:])
    if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
        raise DataError(f"{name}: expected an area north, west, south, east with south < north and west < east")
    return int(match[1]), (north, west, south, east)


def request_of(year: int, area: Area | None = None) -> Request:
    """Return the request for all variables of a year."""
    from gwsd.data.era5_land import VARIABLES

    request: Request = {
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
    """Request a year, wait for it and download it to `target`, which is written by renaming a checked file.

    A request that exceeds the cost limit of the CDS is halved by months; the parts are stored as members of one zip.

    Parameters
    ----------
    target : Path
        netCDF as delivered, or a zip of netCDF files, whatever its suffix.
    year, area
        All months and variables are requested; area None is the globe.
    credentials : Credentials
        Access to the CDS.
    retries : int
        Further attempts of each call or transfer after a temporary failure.
    backoff_s : float
        Pause before the second attempt, s; doubled before each further one, up to tenfold.

    Returns
    -------
    dict
        For the record: `url`, `dataset`, `doi`, `licence`, `licence_page`, `request`, `request_ids`,
        `preliminary_months`, `bytes`, `sha256`, `retrieved` (UTC).

    Raises
    ------
    DataError
        If the key, the licence or the request is refused, the CDS cannot be reached, or the file is not what was
        requested.
    """
    whole = request_of(year, area)
    parts: list[Path] = []
    preliminary: set[str] = set()
    try:
        with _explain_errors(credentials):
            client = _client(credentials, retries, backoff_s)
        submitted = _submit(client, whole, credentials)
        for request, remote in submitted:
            parts.append(target.with_name(f".part-{len(parts)}-{file_name(year, area)}"))
            with _explain_errors(credentials):
                remote.download(str(parts[-1]))
            preliminary.update(check_delivery(parts[-1], request))
        _join(parts, target)
    except DataError as error:
        raise type(error)(f"ERA5-Land {year}: {error}") from None
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    if preliminary:
        LOG.info("preliminary fields (expver 0005), which may be replaced: %s", ", ".join(sorted(preliminary)))
    with target.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return {
        "url": f"https://cds.climate.copernicus.eu/datasets/{DATASET}",
        "dataset": DATASET,
        "doi": DOI,
        "licence": LICENCE,
        "licence_page": LICENCE_PAGE,
        "request": whole,
        "request_ids": [remote.request_id for _, remote in submitted],
        "preliminary_months": sorted(preliminary),
        "bytes": target.stat().st_size,
        "sha256": sha256,
        "retrieved": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def check_account(credentials: Credentials) -> None:
    """Check that the CDS accepts the key and that its account has accepted the licence; `DataError` if not."""
    with _explain_errors(credentials):
        client = _client(credentials, retries=0, backoff_s=0)
        client.check_authentication()
        if all(licence.get("id") != LICENCE_ID for licence in client.get_accepted_licences()):
            raise DataError(f"The licence of ERA5-Land is not accepted. Log in and accept it at {LICENCE_PAGE}.")


def check_delivery(path: Path, request: Request) -> list[str]:
    """Read a delivery completely and compare it with the request; return the preliminary months, YYYY-MM.

    Raises `DataError` if the file is damaged, of another format, or lacks a variable, a month or a month's values.
    """
    import numpy as np

    from gwsd.data.era5_land import VARIABLES, open_climate_year

    requested = [f"{year}-{month}" for year in request["year"] for month in request["month"]]
    preliminary: set[str] = set()
    try:
        with _netcdf_files(path) as files:
            for name, (short, _, _) in VARIABLES.items():  # one at a time: a global year of all has over a gigabyte
                with open_climate_year(*files, variables=(name,)) as year:
                    months = [str(month)[:7] for month in year["time"].values]
                    if missing := [month for month in requested if month not in months]:
                        raise DataError(f"{path}: {short} lacks {', '.join(missing)}")
                    for number, month in enumerate(months):
                        if not np.isfinite(year[name][number].values).any():
                            raise DataError(f"{path}: {short} of {month} has no valid value")
                    preliminary.update(year.attrs.get("preliminary_months", "").split())
    except DataError as error:
        text = str(error).replace(str(path), "the delivered file")
        raise DataError(f"{text} Run the same command again to request {_months(request)} anew.") from None
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


def _submit(client: "Client", request: Request, credentials: Credentials) -> list[tuple[Request, "Remote"]]:
    """Submit a request, in halves where it exceeds the cost limit."""
    try:
        with _explain_errors(credentials):
            return [(request, client.submit(DATASET, request))]
    except CostLimitError:
        months = request["month"]
        if len(months) == 1:
            raise
        LOG.info("%s exceed the cost limit of one request: requesting the halves", _months(request))
        halves = months[: len(months) // 2], months[len(months) // 2 :]
        return [pair for half in halves for pair in _submit(client, {**request, "month": half}, credentials)]


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
        raise DataError(NOT_FULFILLED.format(credentials.redact(str(error)))) from None
    except (DownloadError, AssertionError) as error:
        raise DataError(f"the transfer is incomplete: {credentials.redact(str(error))}") from None
    except (ValueError, KeyError, TypeError, LinkError):  # ValueError is also JSONDecodeError
        raise DataError(
            f"{credentials.url} does not answer as the Climate Data Store. Check the address (expected {CDS_URL}), and "
            "that no log-in page of the network is in between."
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
        return DataError(
            f"{credentials.origin}: the CDS refuses the key ({answer}). Copy the current token from {HOW_TO}."
        )
    if response.status_code == 403 and re.search("cost limit|too large", words, re.IGNORECASE):
        return CostLimitError(f"the request is too large for the CDS ({answer})")
    if response.status_code == 403 and re.search("licen[cs]e|policies", words, re.IGNORECASE):
        return DataError(
            f"the licence of ERA5-Land is not accepted ({answer}). Log in, accept it once at {LICENCE_PAGE}, and run "
            "the same command again."
        )
    if response.status_code == 404:
        return DataError(f"{credentials.url} does not know the request ({answer}). Expected the address {CDS_URL}.")
    return DataError(NOT_FULFILLED.format(answer))


@contextmanager
def _netcdf_files(path: Path) -> Iterator[list[Path]]:
    from gwsd.data.archives import unpacked
    from gwsd.data.netcdf_io import ZIP_MAGIC, read_magic

    if read_magic(path).startswith(ZIP_MAGIC):
        with unpacked(path) as files:
            yield files
    else:
        yield [path]


def _join(parts: Sequence[Path], target: Path) -> None:
    """Rename a single part to the target; store several as members of an uncompressed zip."""
    if len(parts) == 1:
        os.replace(parts[0], target)
        return
    whole = parts[0].with_suffix(".zip")
    try:
        with zipfile.ZipFile(whole, "w", strict_timestamps=False) as archive:
            for number, part in enumerate(parts, start=1):
                with _netcdf_files(part) as files:
                    for file in files:
                        archive.write(file, f"{number:02d}_{file.stem}.nc")
        os.replace(whole, target)
    finally:
        whole.unlink(missing_ok=True)


def _months(request: Request) -> str:
    return f"{request['year'][0]}-{request['month'][0]} to {request['year'][0]}-{request['month'][-1]}"
