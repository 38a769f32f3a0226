"""What a file of a user's own months says of its origin: above all, on what its network was trained."""

from collections.abc import Mapping
from dataclasses import dataclass

from gwsd.product.months import Correction, Way
from gwsd.product.netcdf import Origin
from gwsd.product.origin import OWN, PAPER, SOURCES, describe_making, describe_sd
from gwsd.product.trained import Trained

SYNTHETIC = "synthetic: twin Earth, not observations"
"""Label of what has nothing observed in it."""

QUANTITIES = {"g3p": "groundwater storage anomaly"}
"""What the storage of a product is; others hold groundwater or all water."""


@dataclass(frozen=True)
class Input:
    """Storage or climate, as a file says of itself.

    Parameters
    ----------
    kind : str
        storage or climate.
    format : str
        Module of `gwsd.sources`.
    label : str
        What that calls itself.
    title : str
        What the file calls itself; empty where it does not.
    synthetic : bool
        Whether it says that it is.
    """

    kind: str
    format: str
    label: str
    title: str
    synthetic: bool

    @property
    def words(self) -> str:
        """What it is."""
        if self.synthetic:
            return "synthetic (twin Earth)"
        return f"{self.label} ({self.title})" if self.title else self.label


def label_of(inputs: tuple[Input, ...], trained: Trained | None) -> str:
    """Say what the data are, and on what the network was trained; "synthetic" is in it where any of them is."""
    trained_on = None if trained is None else trained.data_label
    if all(one.synthetic for one in inputs) and (trained_on is None or trained_on.startswith("synthetic")):
        return SYNTHETIC
    parts = [f"{one.kind}: {'synthetic (twin Earth)' if one.synthetic else one.label}" for one in inputs]
    if trained_on is not None:
        parts.append(f"network trained on: {trained_on}")
    return "; ".join(parts)


def warning_of(inputs: tuple[Input, ...], trained: Trained | None) -> str:
    """Say that a network of a synthetic Earth answers for real months; empty where that is not so."""
    if trained is None or "synthetic" not in trained.data_label or all(one.synthetic for one in inputs):
        return ""
    return "by a network trained on synthetic data: a trial, not a result about the Earth"


def describe_own_origin(
    inputs: tuple[Input, ...],
    trained: Trained | None,
    *,
    method: str,
    precision: str,
    period: str,
    way: Way,
    correction: Correction,
    has_sd: bool,
    job_key: str,
    more: Mapping[str, str],
) -> Origin:
    """Say where a file of a user's own months comes from.

    Parameters
    ----------
    inputs : tuple of Input
        Storage first, then climate where there is any.
    trained : Trained or None
        The network's weights.
    method, precision : str
        What answered, and with which precision.
    period : str
        The months, in words.
    way, correction
        As the months were made.
    has_sd : bool
        Whether there is a standard deviation.
    job_key : str
        Of the files and settings.
    more : mapping
        Further attributes.
    """
    known = {one.kind: SOURCES["twin"] if one.synthetic else SOURCES.get(one.format, OWN) for one in inputs}
    quantity = QUANTITIES.get(inputs[0].format, "water storage anomaly")
    warning = warning_of(inputs, trained)
    references = [PAPER, *dict.fromkeys(one.reference for one in known.values() if one.reference)]
    if all(one.synthetic for one in inputs):
        terms = SOURCES["twin"].license
    else:
        terms = "derived from " + "; ".join(f"{one.kind} ({one.words}): {known[one.kind].license}" for one in inputs)
    by = method if trained is None else f"{method} (weights of job {trained.job_key or 'unknown'}), {precision}"
    origins = {} if trained is None else {"weights_data_label": trained.data_label, "weights_job_key": trained.job_key}
    return Origin(
        title=f"{quantity} on a 0.125 degree grid, {period}{f', {warning}' if warning else ''}",
        source="; ".join(f"{one.kind}: {one.words}" for one in inputs),
        method=f"{by}; {describe_making(way, correction)}",
        scenario="own months",
        references="; ".join(references),
        license=terms,
        data_label=label_of(inputs, trained),
        job_key=job_key,
        sd_comment=describe_sd(way, correction) if has_sd else "",
        quantity=quantity,
        more={**origins, **more},
    )
