"""Units: constants of conversion, and depths of water in the attribute `units` of files."""

import re

import numpy as np
from numpy.typing import NDArray

from gwsd.errors import DataError

MM_PER_CM = 10.0  # the paper prints cm, files hold mm
ZERO_CELSIUS = 273.15  # K

CLIMATE_UNITS = {
    # tp of a monthly mean has the units "m" but is in metres per day (the mean of daily sums).
    "precipitation": dict.fromkeys(("m", "mday-1", "md-1", "m/day"), (1000.0, 0.0))
    | dict.fromkeys(("mm", "mmday-1", "mmd-1", "mm/day"), (1.0, 0.0)),
    "temperature": dict.fromkeys(("k", "kelvin"), (1.0, -ZERO_CELSIUS))
    | dict.fromkeys(("c", "degc", "°c", "celsius", "degreecelsius", "degreescelsius", "degreesc"), (1.0, 0.0)),
    "surface_pressure": {"pa": (0.01, 0.0)} | dict.fromkeys(("hpa", "mbar", "millibar", "millibars"), (1.0, 0.0)),
}
"""Scale and offset of the conversion to mm/day, °C and hPa by the attribute `units`, without blanks and underscores."""

MIN_STD_MM = 0.5  # storage in mm with a smaller standard deviation is in metres
MAX_STD_MM = 20_000.0  # storage in m or cm with a larger standard deviation is in a smaller unit

_MM = {
    r"mm|milli ?met(er|re)s?|kg(/| |\.|\*)?m(\*\*|\^)?-?2": 1.0,
    r"cm|centi ?met(er|re)s?": 10.0,
    r"m|met(er|re)s?": 1000.0,
}
_UNSTATED = ("", "1", "-", "--", "none", "null", "nan", "n/a", "na", "unknown", "undefined", "dimensionless")


def millimetres(unit: str) -> float | None:
    """Return the millimetres of water per unit, or None if it is not a depth of water (rates are none).

    Accepts "mm", "cm", "m" or "kg m-2", also written out or with words after it: "mm EWH", "m w.e.".
    """
    text = re.sub(r"[\s_]+", " ", re.sub(r"^[(\[]|[)\]]$", "", unit.strip().lower().replace("−", "-"))).strip()
    for pattern, factor in _MM.items():
        # A rate or another power of a length continues with a digit, a sign or "per".
        if (match := re.match(rf"({pattern})(?![a-z0-9*^/-])", text)) is not None:
            rest = text[match.end() :]
            return None if re.search(r"[/^*]|(?<!\d)-\s?\d|\bper\b", rest) else factor
    return None


def choose_unit(stated: object, given: str | None, default: str | None, variable: str) -> str | None:
    """Return the unit that a file states, otherwise the `given` one of the settings, otherwise the `default`.

    `variable` names file and variable in error messages: a unit that is not a depth of water, or settings that
    contradict the file.
    """
    is_stated = stated is not None and str(stated).strip().lower() not in _UNSTATED
    unit = str(stated).strip() if is_stated else given or default
    if unit is None:
        return None
    if millimetres(unit) is None:
        raise DataError(
            f"{variable} has the units '{unit}'. Expected mm, cm, m or kg m-2: convert it, or correct the attribute "
            "(ncatted -a units,VARIABLE,o,c,mm FILE)."
        )
    if given is not None and millimetres(given) != millimetres(unit):
        raise DataError(
            f"{variable} has the units '{unit}', but sources.storage_units is '{given}'. The setting is for "
            "files without units: remove it or, if the file is wrong, correct its attribute."
        )
    return unit


def check_spread(fields: NDArray[np.float32], unit: str | None, variable: str) -> None:
    """Raise a DataError if there is no unit, or the values are far too small or too large for a storage anomaly.

    `fields` are storage in mm, shape (T, H, W), or in an unknown unit if `unit` is None.
    """
    number, total, squares = 0, 0.0, 0.0
    for field in fields:  # one at a time: double precision takes memory
        known = field[np.isfinite(field)].astype(np.float64)
        number, total, squares = number + known.size, total + float(known.sum()), squares + float(known @ known)
    if not number:
        raise DataError(f"{variable} holds no values, only fill. Expected a storage anomaly in mm.")
    size = float(np.sqrt(max(0.0, squares / number - (total / number) ** 2)))
    likely = "metres" if size < MIN_STD_MM else "mm or cm"
    if unit is None:
        raise DataError(
            f"{variable} has no units. Expected an attribute 'units' of mm, cm or m: set sources.storage_units in the "
            f"config (the standard deviation of {size:.3g} looks like {likely})."
        )
    if not MIN_STD_MM <= size <= MAX_STD_MM:
        raise DataError(
            f"{variable} cannot be in {unit}: its standard deviation, {size:.3g} mm, is far too "
            f"{'small' if size < MIN_STD_MM else 'large'} for a storage anomaly: the values are {likely}. Correct the "
            "attribute 'units' or sources.storage_units."
        )
