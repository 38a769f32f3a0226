"""How far published values may differ: computed from several runs, never typed. Reading needs the standard library."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import stdev
from typing import Any

from gwsd.errors import DataError
from gwsd.numbers.entry import Entry
from gwsd.numbers.published import SCHEMA

FILE = "tolerances.json"

CONFIDENCE = 0.95
"""Share of runs with a new seed whose number lies within its tolerance of the reference."""

ROUNDING = 1e-5
"""Relative difference by which sums in float32 may part on processors that add in another order."""

LAST_DIGIT = 0.01
"""The same for what nearly cancels: a share of a unit of the last digit that is printed."""

KEPT = ("id", "value", "text", "unit", "format", "label", "origin", "measured")
"""What a reference keeps of an entry."""


@dataclass(frozen=True)
class Tolerance:
    """How far a value may be from that of the reference.

    Parameters
    ----------
    tolerance : float
        Largest difference, in the value's unit.
    varies : bool
        Words, or a cell that some runs leave empty: anything goes.
    """

    tolerance: float = 0.0
    varies: bool = False


def learn(runs: Sequence[Mapping[str, Entry]]) -> dict[str, Any]:
    """Compute tolerances from runs that differ in their seed alone.

    A number that differs between the runs may differ from the reference by t·√2·s, where s is the standard deviation
    over the runs and t Student's quantile for as many runs less one: two runs with other seeds stay within it with
    probability `CONFIDENCE`. Another machine changes the last bits, which a training amplifies to no more than another
    seed does. A number with decimals that is the same in all runs may differ by rounding; a count that is the same
    in all runs may not differ at all.

    Parameters
    ----------
    runs : sequence of mapping
        Entries by id, the reference first; at least two.

    Returns
    -------
    dict
        The content of `tolerances.json`.

    Raises
    ------
    DataError
        Where there are fewer than two runs, or all are the same.
    """
    from scipy.stats import t

    if len(runs) < 2:
        raise DataError("Tolerances need at least two runs with different seeds; name their folders.")
    factor = float(t.ppf(0.5 + CONFIDENCE / 2.0, len(runs) - 1)) * math.sqrt(2.0)
    found: dict[str, dict[str, Any]] = {}
    names = dict.fromkeys(name for run in runs for name in run)
    for name in names:
        entries = [run.get(name) for run in runs]
        if any(one is not None and one["measured"] for one in entries):
            continue
        allowed = _allowed([None if one is None else one["value"] for one in entries], entries[0], factor)
        if allowed:
            found[name] = allowed
    if not any("sd" in one for one in found.values()):
        raise DataError("The runs hold the same numbers: they tell nothing of seeds; run each with a seed of its own.")
    return {
        "schema": SCHEMA,
        "rule": (
            f"t·√2·s: s is the sd over {len(runs)} runs that differ in the seed of their trainings, t Student's "
            f"{CONFIDENCE:.0%} quantile for {len(runs) - 1} degrees of freedom; where the runs agree, numbers with "
            f"decimals may differ by {ROUNDING:g} of their value or {LAST_DIGIT:g} of the last digit printed, "
            "counts and words not at all."
        ),
        "runs": len(runs),
        "factor": factor,
        "tolerances": found,
    }


def _allowed(values: Sequence[Any], reference: Entry | None, factor: float) -> dict[str, Any]:
    numbers = [value for value in values if isinstance(value, int | float)]
    if len(numbers) < len(values):
        return {"varies": True} if len(set(values)) > 1 else {}
    sd = stdev(numbers)
    form = "" if reference is None else str(reference.get("format", ""))
    rounding = 0.0 if form in ("", "d", ",d") or form.endswith(",d") else _rounding(numbers[0], form)
    if sd > 0.0:
        return {"sd": sd, "tolerance": max(factor * sd, rounding)}
    return {"tolerance": rounding} if rounding > 0.0 else {}


def _rounding(value: float, form: str) -> float:
    decimals = form.split(".")[-1].removesuffix("f") if form.endswith("f") else ""
    last = LAST_DIGIT * 10.0 ** -int(decimals) if decimals.isdigit() else 0.0
    return max(ROUNDING * abs(value), last)


def read_tolerances(path: Path) -> dict[str, Tolerance]:
    """Read what may differ, by id.

    Raises
    ------
    DataError
        Where the file is missing or is no such file.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; `gwsd compare --learn` writes one.")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {
            name: Tolerance(float(one.get("tolerance", 0.0)), bool(one.get("varies", False)))
            for name, one in document["tolerances"].items()
        }
    except (ValueError, KeyError, AttributeError, TypeError) as damaged:
        raise DataError(f"{path}: is no file of tolerances ({type(damaged).__name__}: {damaged}).") from damaged


def write_reference(folder: Path, document: Mapping[str, Any], tolerances: Mapping[str, Any] | None) -> list[Path]:
    """Write a reference: the values of one run, reduced to what a comparison needs, and what may differ.

    Parameters
    ----------
    folder : Path
        Where to; made where it is missing.
    document : mapping
        A `numbers.json`.
    tolerances : mapping or None
        What `learn` returns; None writes the values alone.

    Returns
    -------
    list of Path
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    reduced = [{key: one[key] for key in KEPT} for one in document["values"]]
    head = {"schema": SCHEMA, "scenario": document["scenario"], "data_label": document["data_label"]}
    paths = [folder / "numbers.json"]
    paths[0].write_text(_lines(head, "values", [_json(one) for one in reduced], "[]"), encoding="utf-8")
    if tolerances is not None:
        head = {name: value for name, value in tolerances.items() if name != "tolerances"}
        lines = [f"{_json(name)}: {_json(one)}" for name, one in tolerances["tolerances"].items()]
        paths.append(folder / FILE)
        paths[1].write_text(_lines(head, "tolerances", lines, "{}"), encoding="utf-8")
    return paths


def _lines(head: Mapping[str, Any], name: str, lines: Sequence[str], brackets: str) -> str:
    """Write JSON with one line a value, so that two versions can be compared line by line."""
    start = _json(head).removesuffix("}")
    return f"{start}, {_json(name)}: {brackets[0]}\n" + ",\n".join(lines) + f"\n{brackets[1]}}}\n"


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False)
