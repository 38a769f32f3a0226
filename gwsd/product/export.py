"""Write a month of the product as GeoTIFF."""

from pathlib import Path

import numpy as np
import rasterio
from rasterio import Affine

from gwsd.errors import ConfigError
from gwsd.product.dataset import ProductDataset

TAGS = (
    *("title", "source", "quantity", "method", "scenario", "references", "license", "data_label", "job_key"),
    "effective_resolution",
)
"""Attributes of the product that become tags of the image."""


def export_month(product: Path, month: str, out: Path) -> None:
    """Write a month, YYYY-MM, as GeoTIFF: north up, EPSG:4326, float32, NaN outside valid cells.

    Band 1 is the mean, band 2 the standard deviation where there is one, both in mm.
    """
    wanted = parse_month(month)
    with ProductDataset([product]) as dataset:
        fields, attributes, grid = dataset.read(wanted), dataset.attributes(wanted), dataset.grid
    bands = [(attributes["long_name"], fields.mean)]
    if fields.sd is not None:
        bands.append((f"standard deviation of the {attributes['long_name']}", fields.sd))
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
    with rasterio.open(out, "w", **profile) as image:
        image.update_tags(month=month, **{name: attributes[name] for name in TAGS if name in attributes})
        for number, (description, field) in enumerate(bands, start=1):
            image.write(field[::-1].astype(np.float32), number)  # rows of the product run from south to north
            image.set_band_description(number, description)
            image.set_band_unit(number, "mm")


def parse_month(text: str) -> np.datetime64:
    """Return a month written YYYY-MM; ConfigError if it is not."""
    try:
        if len(text) != len("YYYY-MM"):
            raise ValueError
        return np.datetime64(text, "M")
    except ValueError:
        raise ConfigError(f"{text!r} is not a month; expected YYYY-MM, such as 2010-07") from None
