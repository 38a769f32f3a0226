"""Settings of the patches."""

from typing import Literal

from pydantic import Field

from gwsd.settings import Positive, Section


class Blocks(Section):
    """Blocks of space and time that the split `blocked` holds out whole."""

    size_in_patches: float = Field(ge=1)
    """Side of a block, in sides of a patch."""

    length_months: Positive
    """Length of a block, months."""

    buffer_cells: int = Field(ge=0)
    """Coarse cells around a held-out block that no other split touches."""

    buffer_months: int = Field(ge=0)
    """Months around a held-out block that no other split contains."""

    holdout_fraction: float = Field(gt=0, lt=0.5)
    """Share of the blocks for validation, and as many for test."""


class Patches(Section):
    """Sampling of patches."""

    size: int = Field(ge=8, multiple_of=8)
    """Side of a patch, coarse cells."""

    train: Positive
    """Training patches."""

    validation: Positive
    """Validation patches."""

    test: Positive
    """Test patches."""

    split: Literal["random", "blocked"]
    """Independent draws, or time and space blocks with buffers."""

    min_valid_share: float = Field(gt=0, le=1)
    """Smallest share of valid coarse cells in a patch."""

    blocks: Blocks
