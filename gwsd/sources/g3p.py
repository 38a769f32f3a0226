"""The Global Gravity-based Groundwater Product, G3P v1.12 (DOI 10.5880/G3P.2024.001)."""

from pathlib import Path

import xarray as xr

from gwsd.errors import DataError
from gwsd.sources.local import read_storage

UNIT = "mm"
"""Equivalent water height; what the product's documentation says where a file does not."""


def open_storage(path: Path) -> xr.Dataset:
    """Open G3P's groundwater storage anomaly.

    Parameters
    ----------
    path : Path
        As the product comes: variables `GWSA` and `uncertainty` in any case, dims (time, lat, lon), stamps
        on the 16th of the month, absent months absent, ocean filled.

    Returns
    -------
    xarray.Dataset
        `storage` and `uncertainty`, dims (time, lat, lon), float32, mm, NaN where there is none; time the
        first day of the month, latitude and longitude increasing, -180..180.

    Raises
    ------
    DataError
        If the file is damaged or not the groundwater product.
    """
    dataset = read_storage(path, default_unit=UNIT)
    if "uncertainty" not in dataset:
        raise DataError(
            f"{path}: there is no variable 'uncertainty'. Expected G3P's GWSA file with 'GWSA' and "
            "'uncertainty'. For a file of your own use the scenario 'observed' (--config scenario=observed "
            "storage_path=FILE)."
        )
    return dataset
