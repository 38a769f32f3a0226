"""What a file of the product says of its origin, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gwsd.product.months import Correction, Way
from gwsd.product.netcdf import Origin

PAPER = (
    '"Securing the Silent Reserve: Physics-Informed Deep Learning for Global Groundwater Storage Downscaling", whose '
    "method this is"
)


@dataclass(frozen=True)
class Source:
    """Where inputs come from.

    Parameters
    ----------
    reference : str
        To cite; empty where there is none.
    license : str
        Of the data.
    """

    reference: str
    license: str


SOURCES = {
    "twin": Source("", "MIT, as the program that made the twin Earth"),
    "g3p": Source("G3P v1.12, https://doi.org/10.5880/G3P.2024.001", "see https://doi.org/10.5880/G3P.2024.001"),
    "era5_land": Source("ERA5-Land monthly means, https://doi.org/10.24381/cds.68d2bb30", "CC-BY-4.0"),
    "era5": Source("ERA5 monthly means on single levels, https://doi.org/10.24381/cds.f17050d7", "CC-BY-4.0"),
}
"""By the names of `sources` in the settings."""

OWN = Source("", "as the files of the user's own")


def describe_origin(
    settings: Mapping[str, Any], *, year: int, way: Way, correction: Correction, has_sd: bool, job_key: str
) -> Origin:
    """Say where a year of the product comes from.

    Parameters
    ----------
    settings : mapping
        `scenario` (name), `title` (of the scenario), `method`, `seed`, `data_label`, `precision`, and `sources`:
        {"storage": {"name": ..., "label": ...}, "climate": {...}}.
    year : int
        Of the file.
    way, correction
        As the months were made.
    has_sd : bool
        Whether there is a standard deviation.
    job_key : str
        Of the job.
    """
    sources = settings["sources"]
    known = {kind: SOURCES.get(one["name"], OWN) for kind, one in sources.items()}
    references = [PAPER, *dict.fromkeys(one.reference for one in known.values() if one.reference)]
    if all(one is SOURCES["twin"] for one in known.values()):
        terms = SOURCES["twin"].license
    else:
        terms = "derived from " + "; ".join(
            f"{kind} ({one['label']}): {known[kind].license}" for kind, one in sources.items()
        )
    return Origin(
        title=f"groundwater storage anomaly on a 0.125 degree grid, {year} ({settings['title']})",
        source="; ".join(f"{kind}: {one['label']}" for kind, one in sources.items()),
        method=_method(settings, way, correction),
        scenario=settings["scenario"],
        references="; ".join(references),
        license=terms,
        data_label=settings["data_label"],
        job_key=job_key,
        sd_comment=describe_sd(way, correction) if has_sd else "",
    )


def _method(settings: Mapping[str, Any], way: Way, correction: Correction) -> str:
    return f"{settings['method']}, seed {settings['seed']}, {settings['precision']}; {describe_making(way, correction)}"


def describe_making(way: Way, correction: Correction) -> str:
    """Say how months are made."""
    how = {
        Way.FIELD: "the whole grid at once",
        Way.TILES: "overlapping tiles, blended",
    }[way]
    means = "0.5 degree means made equal to the input by an additive correction" if correction.on else "not corrected"
    return f"{how}; {means}"


def describe_sd(way: Way, correction: Correction) -> str:
    """Say what the standard deviation means."""
    parts = [
        "As the network states it: the expected error about what it was trained on, the bicubic interpolation of the "
        "coarse storage. Not an error against the true storage: that of the coarse storage itself is not in it."
    ]
    if way is Way.TILES:
        parts.append("The spread between overlapping tiles is in it.")
    if correction.on:
        parts.append(
            "Reduced for the correction of the 0.5 degree means, errors within a coarse cell taken as correlated by "
            f"{correction.error_correlation:g} and the input as exact."
        )
    return " ".join(parts)
