"""Settings of the artifacts: the sections `trend` and `plot`."""

from pydantic import Field

from gwsd.settings import Section


class Trend(Section):
    """The trend map (Figure 1)."""

    significance: float = Field(gt=0, lt=1)
    """Level at which a trend is marked."""


class Plot(Section):
    """Style of the figures."""

    width_mm: float = Field(ge=60, le=400)
    """Width of a figure, mm."""

    font: str = Field(min_length=1)
    """Font family."""

    font_size: float = Field(ge=7, le=14)
    """Size of axis labels and titles at the final width, pt; ticks and notes are 1 pt smaller, at least 7 pt."""

    map: str = Field(min_length=1)
    """cmocean map of anomalies and trends, reversed so that loss is red."""

    error_map: str = Field(min_length=1)
    """cmocean map of errors."""

    dpi: int = Field(ge=50, le=1200)
    """Resolution of PNG files, and of map cells in PDF and SVG files, dots per inch."""

    @property
    def small(self) -> float:
        """Size of ticks, legends and notes, pt."""
        return max(7.0, self.font_size - 1.0)
