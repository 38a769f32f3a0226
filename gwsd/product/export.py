"""A month of the product as GeoTIFF."""

from pathlib import Path

import numpy as np
import rasterio
from rasterio import Affine

from gwsd.errors import ConfigError
from gwsd.product.reading import Product, whole_or_nothing

TAGS = (
    "title",
    "source",
    "method",
    "scenario",
    "references",
    "license",
    "data_label",
    "job_key",
    "effective_resolution",
)
"""Attributes of the product that become tags of the image."""


def export_month(product: Path, month: str, out: Path) -> None:
    """Write a month as GeoTIFF: north up, EPSG:4326, float32, NaN outside valid cells.

    Parameters
    ----------
    product : Path
        File of the product that holds the month.
    month : str
        YYYY-MM.
    out : Path
        Where. Band 1 is the mean, band 2 the standard deviation where the product has one, both in mm.

    Raises
    ------
    ConfigError
        If the month is not written YYYY-MM.
    DataError
        If the file is none of the product, or lacks the month.
    """
    wanted = parsed_month(month)
    with Product([product]) as files:
        fields = files.read(wanted)
        tags = {name: text for name, text in files.attributes(wanted).items() if name in TAGS}
        grid = files.grid
    bands = [("groundwater storage anomaly", fields.mean)]
    if fields.sd is not None:
        bands.append(("standard deviation of the groundwater storage anomaly", fields.sd))
    profile = {
        "driver": "GTiff",
        "height": grid.shape[0],
        "width": grid.shape[1],
        "count": len(bands),
        "dtype": "float32",
        "crs": "EPSG:4326",
        "transform": Affine(grid.spacing, 0.0, grid.region[0], 0.0, -grid.spacing, grid.region[3]),
        "nodata": np.nan,
        "compress": "deflate",
        "predictor": 3,
        "interleave": "band",
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
    }
    with whole_or_nothing(out) as temporary, rasterio.open(temporary, "w", **profile) as image:
        image.update_tags(month=month, **tags)
        for number, (description, field) in enumerate(bands, start=1):
            image.write(field[::-1].astype(np.float32), number)  # rows of the product run from south to north
            image.set_band_description(number, description)
            image.set_band_unit(number, "mm")


def parsed_month(text: str) -> np.datetime64:
    """Return a month written YYYY-MM.

    Raises
    ------
    ConfigError
        If it is not.
    """
    try:
        if len(text) != len("YYYY-MM"):
            raise ValueError
        return np.datetime64(text, "M")
    except ValueError:
        raise ConfigError(f"{text!r} is no month; expected YYYY-MM, such as 2010-07") from None
