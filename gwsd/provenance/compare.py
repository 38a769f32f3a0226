"""Compare the published values of two runs: deterministic numbers to rounding, trained numbers by seed spread."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median, stdev
from typing import Any

from gwsd.errors import DataError
from gwsd.provenance.record import read_json

Entry = Mapping[str, Any]
Value = float | int | str | None

SPREAD = "spread.json"
RELATIVE = 1e-5
"""Relative difference between processors that add in another order."""
LAST_DIGIT = 0.01
"""The same for differences of nearly equal numbers, as a share of the last printed digit."""
LEVEL = 0.05
KEPT = ("id", "value", "text", "unit", "format", "label", "origin", "measured", "kind")
"""Members of an entry in a reference."""


@dataclass(frozen=True)
class Difference:
    """A value in two runs; `first` and `second` are None for an empty cell."""

    id: str
    kind: str
    """`deterministic`, `trained` (depends on a training) or `clock` (or names the hardware)."""
    first: Value
    second: Value
    agrees: bool
    """Equal up to rounding."""
    missing: str = ""
    """The run that does not have it: `first` or `second`."""
    unit: str = ""
    sd: float | None = None
    """Standard deviation over seeds."""

    @property
    def distance(self) -> float | None:
        """Absolute difference in seed standard deviations."""
        if self.sd and isinstance(self.first, int | float) and isinstance(self.second, int | float):
            return abs(self.second - self.first) / self.sd
        return None


@dataclass(frozen=True)
class Spread:
    """Standard deviation of trained numbers over runs with different seeds; None for text that differs."""

    runs: int = 0
    sd: Mapping[str, float | None] = field(default_factory=dict)

    def bound(self, count: int = 1) -> float:
        """Return the distance, in standard deviations, that the largest of `count` numbers keeps with 95 %.

        Both values and the standard deviation are estimated: |a - b| / (√2 sd) follows Student's t with `runs` - 1
        degrees of freedom; several numbers are judged together by Bonferroni's inequality.
        """
        from scipy.stats import t

        return float(t.ppf(1.0 - LEVEL / (2.0 * max(count, 1)), self.runs - 1)) * math.sqrt(2.0)


def compare(first: Mapping[str, Entry], second: Mapping[str, Entry], spread: Spread) -> list[Difference]:
    """Compare two sets of published values by id; a value with a spread counts as trained."""
    return [_difference(name, first.get(name), second.get(name), spread) for name in {**first, **second}]


def _difference(name: str, one: Entry | None, other: Entry | None, spread: Spread) -> Difference:
    entries = [entry for entry in (one, other) if entry is not None]
    kinds = {str(entry.get("kind", "")) for entry in entries}
    if "clock" in kinds or any(entry.get("measured") for entry in entries):
        kind = "clock"
    else:
        kind = "trained" if "trained" in kinds or name in spread.sd else "deterministic"
    a, b = (None if entry is None else entry["value"] for entry in (one, other))
    numbers = isinstance(a, int | float) and isinstance(b, int | float)
    same = a == b or (numbers and abs(a - b) <= _rounding(a, entries[0]))  # type: ignore[operator, arg-type]
    missing = "first" if one is None else "second" if other is None else ""
    return Difference(
        name, kind, a, b, bool(same and not missing), missing, entries[0].get("unit", ""), spread.sd.get(name)
    )


def _rounding(value: float, entry: Entry) -> float:
    """Return the tolerance for a number with decimals; counts must be equal."""
    form = str(entry.get("format", ""))
    if isinstance(value, int) or not form.endswith(("f", "e", "g", "%")):
        return 0.0
    digits = form[:-1].rpartition(".")[2]
    last = LAST_DIGIT * 10.0 ** -int(digits) if form.endswith("f") and digits.isdigit() else 0.0
    return max(RELATIVE * abs(value), last)


def read_document(path: Path) -> dict[str, Any]:
    """Read the `numbers.json` of a results folder, or one that is named itself.

    Raises
    ------
    DataError
        If it is missing or damaged.
    """
    file = path / "numbers.json" if path.is_dir() else path
    document = read_json(file)
    try:
        return {**document, "values": {entry["id"]: {**entry, "value": entry["value"]} for entry in document["values"]}}
    except (KeyError, TypeError) as error:
        raise DataError(f"{file}: not a list of published values ({type(error).__name__}: {error})") from None


def read_spread(*folders: Path) -> Spread:
    """Read the first `spread.json` in some folders; empty if there is none.

    Raises
    ------
    DataError
        If it is damaged.
    """
    for path in (folder / SPREAD for folder in folders):
        if path.is_file():
            try:
                return Spread(**read_json(path))
            except TypeError as error:
                raise DataError(f"{path}: not a seed spread ({error}); write it with --make-reference") from None
    return Spread()


def write_reference(folder: Path, runs: Sequence[Path]) -> list[Path]:
    """Write a reference: the values of the first run and, of several runs with different seeds, their spread.

    Returns the files: `numbers.json`, and `spread.json` if there are several runs.

    Raises
    ------
    DataError
        If a run has no `numbers.json`, or all runs have the same numbers.
    """
    documents = [read_document(run) for run in runs]
    sd: dict[str, float | None] = {}
    for name, entry in documents[0]["values"].items():
        found = [document["values"].get(name, {"value": None})["value"] for document in documents]
        if not entry.get("measured") and len(set(found)) > 1:
            numbers = [float(value) for value in found if isinstance(value, int | float)]
            sd[name] = stdev(numbers) if len(numbers) == len(runs) else None
    if len(runs) > 1 and not sd:
        raise DataError(f"{' '.join(map(str, runs))}: the runs have the same numbers; give each its own `seeds`")
    folder.mkdir(parents=True, exist_ok=True)
    entries = documents[0].pop("values").values()
    kept = [json.dumps({name: entry[name] for name in KEPT if name in entry}, ensure_ascii=False) for entry in entries]
    head = json.dumps(documents[0], ensure_ascii=False).removesuffix("}")
    text = {"numbers.json": f'{head}, "values": [\n' + ",\n".join(kept) + "\n]}\n"}  # one value per line
    if len(runs) > 1:
        text[SPREAD] = json.dumps({"runs": len(runs), "sd": sd}, indent=1) + "\n"
    for name, content in text.items():
        (folder / name).write_text(content, encoding="utf-8")
    return [folder / name for name in text]


def comparison_text(differences: Sequence[Difference], first: Path, second: Path, spread: Spread) -> str:
    """Return a comparison as text in two parts: deterministic numbers, and trained numbers by distance."""
    deterministic = [item for item in differences if item.kind == "deterministic"]
    trained = [item for item in differences if item.kind == "trained"]
    failed = [item for item in deterministic if not item.agrees]
    lines = [f"{first} against {second}", "", "Deterministic numbers (must agree to rounding on every machine)"]
    lines += [f"  {_row(item)}" for item in failed]
    lines += [] if failed else [f"  all {len(deterministic)} agree"]
    lines += ["", f"Trained numbers (distance in standard deviations over {spread.runs or 'no'} runs with other seeds)"]
    same = sum(item.agrees for item in trained)
    ranked = sorted((item for item in trained if item.distance is not None), key=lambda item: -(item.distance or 0.0))
    other = [item for item in trained if item.distance is None and not item.agrees]
    lines.append(f"  {same} of {len(trained)} equal")
    lines += [f"  {item.distance:8.2f} sd  {_row(item)}" for item in ranked if not item.agrees]
    lines += [f"  {'no sd':>11}  {_row(item)}" for item in other]
    if ranked and spread.runs > 1:
        lines += ["", *(f"  {line}" for line in _judgement([item.distance or 0.0 for item in ranked], spread))]
    clocks = sum(item.kind == "clock" for item in differences)
    lines += ["", f"{clocks} clock readings and hardware names left out"]
    return "\n".join(
        [*lines, f"{len(deterministic) - len(failed)} of {len(deterministic)} deterministic numbers agree"]
    )


def _judgement(distances: Sequence[float], spread: Spread) -> list[str]:
    single, family = spread.bound(), spread.bound(len(distances))
    beyond = sum(distance > single for distance in distances)
    outside = sum(distance > family for distance in distances)
    return [
        f"median {median(distances):.2f} sd, largest {max(distances):.2f} sd",
        f"beyond {single:.2f} sd (expected of {LEVEL:.0%} of them, {LEVEL * len(distances):.0f}): {beyond}",
        f"beyond {family:.1f} sd (95 % bound for all {len(distances)} together, Bonferroni): {outside}; "
        + ("this run differs by more than its seeds" if outside else "consistent with another seed"),
    ]


def _row(item: Difference) -> str:
    values = [
        "absent"
        if item.missing == run
        else "–"
        if value is None
        else value
        if isinstance(value, str)
        else f"{value:.6g}"
        for run, value in (("first", item.first), ("second", item.second))
    ]
    return f"{item.id}: {' / '.join(values)} {item.unit}".rstrip()


def comparison_json(differences: Sequence[Difference]) -> str:
    """Return every value of a comparison as JSON."""
    return json.dumps(
        [{**asdict(item), "distance": item.distance} for item in differences], indent=1, ensure_ascii=False
    )
