"""Global attributes of a file of the product: title, sources, references, licence, method.

No attribute holds a time, a host or a path: the same inputs give the same bytes.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gwsd.product.netcdf import RESOLUTION_MM
from gwsd.product.settings import Product

GROUNDWATER = "groundwater storage anomaly"

EFFECTIVE_RESOLUTION = (
    "that of the coarse storage (about 250 km for GRACE products smoothed with a 250 km Gaussian). Cells of 0.125 "
    "degrees are interpolation between coarse cells unless shown otherwise."
)

PAPER = (
    '"Securing the Silent Reserve: Physics-Informed Deep Learning for Global Groundwater Storage Downscaling", whose '
    "method this is"
)

SOURCES = {
    "twin": ("", "MIT, as the program that made the twin Earth"),
    "g3p": ("G3P v1.12, https://doi.org/10.5880/G3P.2024.001", "see https://doi.org/10.5880/G3P.2024.001"),
    "era5_land": ("ERA5-Land monthly means, https://doi.org/10.24381/cds.68d2bb30", "CC-BY-4.0"),
    "era5": ("ERA5 monthly means on single levels, https://doi.org/10.24381/cds.f17050d7", "CC-BY-4.0"),
}
"""Reference and licence by the names of `sources` in the settings."""

USER_SUPPLIED = ("", "that of the user-supplied files")

SD = (
    "As stated by the network: the expected error about its training target, the bicubic interpolation of the coarse "
    "storage. Not an error against the true storage: the uncertainty of the coarse storage is not included."
)
SD_CORRECTION = (
    " Reduced for the correction of the 0.5 degree means, with errors within a coarse cell correlated by {:g} and the "
    "input taken as exact."
)


class InputSource(NamedTuple):
    """Origin of an input: `kind` is storage or climate, `name` that of the settings' `sources`, such as `g3p`."""

    kind: str
    name: str
    label: str
    synthetic: bool
    title: str = ""

    @property
    def text(self) -> str:
        """Label and title, or "synthetic"."""
        if self.synthetic:
            return "synthetic (twin Earth)"
        return f"{self.label} ({self.title})" if self.title else self.label

    @property
    def reference_and_licence(self) -> tuple[str, str]:
        """Reference to cite and licence of the data."""
        return SOURCES["twin"] if self.synthetic else SOURCES.get(self.name, USER_SUPPLIED)


def network_warning(sources: Sequence[InputSource], trained_on: str) -> str:
    """Return a warning if a network trained on synthetic data (label `trained_on`) is applied to other data, or ""."""
    if "synthetic" not in trained_on or all(source.synthetic for source in sources):
        return ""
    return "by a network trained on synthetic data: a demonstration, not a result about the Earth"


def describe_product(
    settings: Product,
    sources: Sequence[InputSource],
    *,
    inference: str,
    method: str,
    period: str,
    scenario: str,
    data_label: str,
    job_key: str,
    title: str = "",
    quantity: str = GROUNDWATER,
    weights: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the global attributes of a file.

    `sources` are storage and, if it is used, climate; `title` is that of the scenario; `data_label` contains
    "synthetic" where any input is the twin Earth's; `quantity` is groundwater or total water storage anomaly; `weights`
    has the `data_label` and `job_key` of the network.
    """
    warning = network_warning(sources, weights["data_label"] if weights else "")
    synthetic = "Synthetic: " if data_label.startswith("synthetic") else "Partly synthetic: "
    terms = "; ".join(f"{source.kind} ({source.text}): {source.reference_and_licence[1]}" for source in sources)
    how = {"full_field": "the whole grid at once", "tiled": "overlapping tiles, blended"}[inference]
    means = "0.5 degree means made equal to the input by an additive correction" if settings.correction else ""
    return {
        "Conventions": "CF-1.11",
        "title": (synthetic if "synthetic" in data_label else "")
        + f"{quantity} on a 0.125 degree grid, {period}"
        + (f" ({title})" if title else "")
        + (f", {warning}" if warning else ""),
        "source": "; ".join(f"{source.kind}: {source.text}" for source in sources),
        "quantity": quantity,
        "method": f"{method}{f', {settings.precision}' if weights else ''}; {how}; {means or 'not corrected'}",
        "scenario": scenario,
        "references": "; ".join(dict.fromkeys([PAPER, *filter(None, (s.reference_and_licence[0] for s in sources))])),
        "license": SOURCES["twin"][1] if all(source.synthetic for source in sources) else f"derived from {terms}",
        "data_label": data_label,
        "job_key": job_key,
        "history": f"made by gwsd, job {job_key}",
        "effective_resolution": EFFECTIVE_RESOLUTION,
        "comment": f"{data_label}. Effective resolution: {EFFECTIVE_RESOLUTION} Values are rounded to "
        f"{RESOLUTION_MM} mm (off by {RESOLUTION_MM / 2} mm at most). Months that the coarse storage lacks are absent.",
        "sd_comment": SD
        + (" Includes the spread between overlapping tiles." if inference == "tiled" else "")
        + (SD_CORRECTION.format(settings.error_correlation) if settings.correction else ""),
        **{f"weights_{name}": text for name, text in (weights or {}).items()},
    }
