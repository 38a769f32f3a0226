"""Settings of the product."""

from typing import Literal

from pydantic import Field

from gwsd.settings import Positive, Section


class Product(Section):
    """The global 0.125° fields."""

    method: str = Field(min_length=1)
    """A trained variant, nearest, bilinear or bicubic."""

    inference: Literal["auto", "tiled", "full_field"]
    """Overlapping tiles that are blended, or the whole grid at once; auto: tiled for networks with group
    normalisation."""

    stride: float = Field(gt=0, le=1)
    """Distance between tiles, in sides of a patch."""

    batch_size: Positive
    """Tiles predicted at a time; changes speed and memory only."""

    correction: bool
    """Make every half-degree mean equal the input."""

    error_correlation: float = Field(ge=0, le=1)
    """Assumed correlation of errors within a half-degree cell, for the corrected standard deviation."""

    precision: Literal["float32", "bfloat16"]
    """Precision of the network's convolutions."""

    check_months: Positive
    """Months on which the product is checked."""
