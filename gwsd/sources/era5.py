"""ERA5 monthly means: delivered like ERA5-Land's, on 0.25° nodes.

ERA5 has values over the sea too: cells on a coast average both, and quality control counts cells of the sea as land
without storage (`filled`) instead of `ocean`. Which cells are valid does not depend on it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import xarray as xr

from gwsd.sources.era5_land import VARIABLES, Product, open_deliveries

LABEL = "ERA5"
"""What artifacts call the product."""

ERA5 = Product(LABEL, "reanalysis-era5-single-levels-monthly-means")


def open_climate(
    paths: Sequence[Path], climate_start: str, end: str, variables: Sequence[str] = tuple(VARIABLES)
) -> Iterator[xr.Dataset]:
    """Open ERA5 year by year; see `gwsd.sources.era5_land.open_climate`.

    Precipitation is metres a day here too, and the names and units of all variables are the same.
    """
    return open_deliveries(paths, climate_start, end, variables, ERA5)
