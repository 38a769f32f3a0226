"""What is asked of the Climate Data Store for ERA5-Land, and what the files are called."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gwsd.errors import DataError
from gwsd.sources.era5_land import VARIABLES

DATASET = "reanalysis-era5-land-monthly-means"
"""Its name at the Climate Data Store."""

DOI = "10.24381/cds.68d2bb30"
LICENCE = "CC-BY-4.0"
LICENCE_ID = "cc-by"
"""What the store calls the licence in the list of those that an account has accepted."""

LICENCE_PAGE = f"https://cds.climate.copernicus.eu/datasets/{DATASET}?tab=download#manage-licences"
"""Where a person accepts it, once."""

MONTHS = tuple(range(1, 13))
SPACING = 0.1
"""Of the nodes, degrees."""

Request = dict[str, Any]


@dataclass(frozen=True)
class Area:
    """A box of nodes, degrees; longitude -180 to 180.

    Raises
    ------
    DataError
        If its sides are in the wrong order or off the globe.
    """

    north: float
    west: float
    south: float
    east: float

    def __post_init__(self) -> None:
        if not (-90 <= self.south < self.north <= 90 and -180 <= self.west < self.east <= 180):
            raise DataError(
                f"area {self.sides()}: expected [north, west, south, east] in degrees with "
                "-90 <= south < north <= 90 and -180 <= west < east <= 180"
            )

    def sides(self) -> list[float]:
        """Return north, west, south and east, as a request has them."""
        return [round(side, 6) for side in (self.north, self.west, self.south, self.east)]


def area_of(region: Sequence[float]) -> Area | None:
    """Return the area to request for a region of the settings.

    Parameters
    ----------
    region : sequence of float
        West, south, east, north, degrees.

    Returns
    -------
    Area or None
        The region and one node more on each side, so that the cells at its border are covered; None for the globe.
    """
    west, south, east, north = region
    if (west, south, east, north) == (-180, -90, 180, 90):
        return None
    return Area(
        north=min(_node(north, math.ceil) + SPACING, 90.0),
        west=max(_node(west, math.floor) - SPACING, -180.0),
        south=max(_node(south, math.floor) - SPACING, -90.0),
        east=min(_node(east, math.ceil) + SPACING, 180.0),
    )


def request_of(
    year: int, variables: Sequence[str], area: Area | None = None, months: Sequence[int] = MONTHS
) -> Request:
    """Return the request for a year.

    Parameters
    ----------
    year : int
        Calendar year.
    variables : sequence of str
        Our names, keys of `gwsd.sources.era5_land.VARIABLES`.
    area : Area or None
        None for the globe.
    months : sequence of int
        1 to 12; all unless said otherwise.

    Returns
    -------
    dict
        Plain JSON types.

    Raises
    ------
    DataError
        If there is no variable, or one that ERA5-Land does not have here.
    """
    if not variables or (unknown := [name for name in variables if name not in VARIABLES]):
        found = f"{', '.join(unknown)} is unknown" if variables else "there is none"
        raise DataError(f"variables: {found}; expected some of {', '.join(VARIABLES)}")
    request: Request = {
        "product_type": ["monthly_averaged_reanalysis"],
        "variable": [VARIABLES[name][1] for name in VARIABLES if name in variables],
        "year": [str(year)],
        "month": [f"{month:02d}" for month in months],
        "time": ["00:00"],
        "data_format": "netcdf",
        "download_format": "unarchived",
    }
    return request if area is None else request | {"area": area.sides()}


def split(request: Request) -> list[Request]:
    """Halve a request by its months; one of a single month comes back alone."""
    months = request["month"]
    if len(months) < 2:
        return [request]
    middle = len(months) // 2
    return [request | {"month": months[:middle]}, request | {"month": months[middle:]}]


def months_of(request: Request) -> list[str]:
    """Return the months that a request asks for, YYYY-MM."""
    return [f"{year}-{month}" for year in request["year"] for month in request["month"]]


def spoken_months(request: Request) -> str:
    """Name the months of a request: "2003-01 to 2003-06"."""
    months = months_of(request)
    return months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}"


def variables_of(request: Request) -> list[str]:
    """Return our names of the variables that a request asks for."""
    return [name for name in VARIABLES if VARIABLES[name][1] in request["variable"]]


def file_name(year: int, area: Area | None = None) -> str:
    """Return the name that a year is kept under; an area stands in it as north, west, south, east."""
    box = "" if area is None else "".join(f"_{side:g}" for side in area.sides())
    return f"era5_land_{year}{box}.nc"


def _node(degrees: float, towards: Callable[[float], int]) -> float:
    return towards(round(degrees / SPACING, 6)) * SPACING
