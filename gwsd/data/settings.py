"""Settings of data sources, downloads, period, quality control and evapotranspiration."""

import difflib
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from gwsd.data.era5_land import VARIABLES
from gwsd.data.inputs import CLIMATE, STORAGE
from gwsd.settings import Month, Positive, Section


def _full_name(name: Any) -> Any:
    return next((ours for ours, (short, *_) in VARIABLES.items() if short == name), name)


ClimateVariable = Annotated[
    Literal["precipitation", "soil_moisture", "temperature", "surface_pressure"], BeforeValidator(_full_name)
]
"""A climate variable, by our name or ERA5-Land's short name."""


class Sources(Section):
    """Sources of the raw files."""

    storage: str
    """Source of the coarse storage: a key of `STORAGE` in `gwsd/data/inputs.py`."""
    climate: str
    """Source of the climate: a key of `CLIMATE` in `gwsd/data/inputs.py`."""
    storage_variable: str | None
    """Name of the storage in its files; null: one of the usual names."""
    storage_units: Literal["mm", "cm", "m"] | None
    """Unit of storage whose files state none."""

    @field_validator("storage", "climate")
    @classmethod
    def _known(cls, name: str, info: ValidationInfo) -> str:
        known = list(STORAGE if info.field_name == "storage" else CLIMATE)
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise ValueError(f"expected one of {', '.join(known)}" + (f"; did you mean {near[0]!r}?" if near else ""))
        return name

    @property
    def data_label(self) -> str:
        """Origin of the data, as every artifact states it."""
        match self.storage == "twin", self.climate == "twin":
            case True, True:
                return "synthetic: twin Earth, not observations"
            case True, False:
                return "storage synthetic (twin Earth), climate observed"
            case False, True:
                return "storage observed, climate synthetic (twin Earth)"
        return f"observed: {STORAGE[self.storage].label} and {CLIMATE[self.climate].label}"


class Downloads(Section):
    """Downloads of raw files; no effect on results."""

    g3p_urls: list[str] = Field(min_length=1)
    """URLs of G3P's zip, tried in this order."""
    max_concurrent_requests: int = Field(ge=1, le=32)
    """Years of ERA5-Land requested at the same time."""
    retries: int = Field(ge=0)
    """Retries of a request or transfer after a temporary failure."""
    backoff_s: float = Field(ge=0, le=3600)
    """Wait before the first retry, s; doubled before each further one."""
    max_file_gb: float = Field(gt=0)
    """Larger files, and zips that unpack to more, are refused, GB."""

    @field_validator("g3p_urls")
    @classmethod
    def _without_credentials(cls, urls: list[str]) -> list[str]:
        # Settings are written into records and logs.
        if any("@" in url.partition("://")[2].partition("/")[0] for url in urls):
            raise ValueError("expected addresses without user name and password: put those in ~/.netrc")
        return urls


class Period(Section):
    """Months of the data, YYYY-MM."""

    climate_start: Month
    """First month of climate; early enough for the longest history."""
    start: Month
    """First month of storage."""
    end: Month
    """Last month of storage and climate."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.climate_start <= self.start < self.end:
            raise ValueError("expected climate_start <= start < end")
        return self


class Quality(Section):
    """Limits of quality control."""

    max_anomaly_mm: float = Field(gt=0)
    """Anomalies of larger magnitude are implausible, mm."""
    spike_threshold_sigma: float = Field(gt=0)
    """A month that differs from both neighbours by more is a spike; robust standard deviations of differences."""
    min_std_mm: float = Field(gt=0)
    """A series with a smaller standard deviation is constant, mm."""
    expected_cells: Positive | None
    """Expected number of valid cells, a difference is reported; null: none."""
    expected_months: Positive | None
    """Expected number of months, a difference is reported; null: none."""


class Evapotranspiration(Section):
    """Estimate of evapotranspiration from temperature."""

    formula: Literal["thornthwaite", "oudin", "hamon"]
    """Formula of potential evapotranspiration."""
    supply_limit: Literal["budyko", "precipitation_plus_soil_water", "none"]
    """Limit of evapotranspiration by available water."""
    soil_water_mm: float = Field(ge=0)
    """Soil water available to roots, mm."""
