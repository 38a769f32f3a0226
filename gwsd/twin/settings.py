"""Settings of the twin Earth."""

from pydantic import Field

from gwsd.settings import Positive, Section


class FaultCounts(Section):
    """Numbers of half-degree cells that the twin damages on purpose, by kind."""

    constant: int = Field(ge=0)
    """Cells that never change."""

    spike: int = Field(ge=0)
    """Cells with an implausible month."""

    gap: int = Field(ge=0)
    """Cells with missing months."""

    missing_land: int = Field(ge=0)
    """Land cells that hold the fill value throughout."""


class Twin(Section):
    """The twin Earth."""

    climate_step: float = Field(gt=0, le=2)
    """Spacing of the ERA5-Land-like node grid, degrees."""

    valid_cells: Positive | None
    """Coarse cells that survive quality control; null: every cell that is at least half land."""

    inverse_crime: bool
    """Simulate with the evapotranspiration and infiltration of the losses (unit tests only)."""

    noise_mm: float = Field(ge=0)
    """Standard deviation of the noise of the storage product, mm."""

    smoothing_km: float = Field(ge=0)
    """Half-width of the Gaussian filter of the storage product, km."""

    faults: FaultCounts

    n_climate_blocks: int = Field(ge=0)
    """Blocks of 16° whose 0.125° climate is kept."""
