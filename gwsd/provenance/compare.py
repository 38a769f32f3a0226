"""Compare the published values of two runs: deterministic numbers to rounding, trained numbers by seed spread."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
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

        Values and standard deviation are estimates: |a - b| / (√2 sd) follows Student's t with `runs` - 1 degrees of
        freedom; several numbers are judged together by Bonferroni's inequality.
        """
        from scipy.stats import t

        return float(t.ppf(1.0 - LEVEL / (2.0 * count), self.runs - 1)) * math.sqrt(2.0)


def compare(first: Mapping[str, Entry], second: Mapping[str, Entry], spread: Spread) -> list[Difference]:
    """Compare two sets of published values by id; a value with a spread counts as trained."""
    return [_difference(name, first.get(name), second.get(name), spread) for name in {**first, **second}]


def _difference(name: str, ours: Entry | None, theirs: Entry | None, spread: Spread) -> Difference:
    entries = [entry for entry in (ours, theirs) if entry is not None]
    kinds = {str(entry.get("kind", "")) for entry in entries}
    if "clock" in kinds or any(entry.get("measured") for entry in entries):
        kind = "clock"
    else:
        kind = "trained" if "trained" in kinds or name in spread.sd else "deterministic"
    a, b = (None if entry is None else entry["value"] for entry in (ours, theirs))
    numbers = isinstance(a, int | float) and isinstance(b, int | float)
    same = a == b or (numbers and abs(a - b) <= _rounding(a, entries[0]))  # type: ignore[operator, arg-type]
    missing = "first" if ours is None else "second" if theirs is None else ""
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
    """Read the `numbers.json` of a results folder, or one that is named itself; its `values` become a dict by id."""
    file = path / "numbers.json" if path.is_dir() else path
    document = read_json(file)
    try:
        return {**document, "values": {entry["id"]: {**entry, "value": entry["value"]} for entry in document["values"]}}
    except (KeyError, TypeError) as error:
        raise DataError(f"{file}: not a list of published values ({type(error).__name__}: {error})") from None


def read_spread(*folders: Path) -> Spread:
    """Read the first `spread.json` in some folders; empty if there is none."""
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


def comparison_text(
    differences: Sequence[Difference], first: Path, second: Path, spread: Spread, limit: int | None = None
) -> str:
    """Return a comparison as text: deterministic numbers, then trained numbers, the most distant first.

    At most `limit` numbers of each part are listed, all if it is None.
    """
    deterministic = [item for item in differences if item.kind == "deterministic"]
    failed = [item for item in deterministic if not item.agrees]
    trained = [item for item in differences if item.kind == "trained"]
    # A number without a spread cannot be ranked: after the others.
    differing = sorted((item for item in trained if not item.agrees), key=lambda item: -(item.distance or 0.0))
    distances = [item.distance for item in trained if item.distance is not None]
    clocks = sum(item.kind == "clock" for item in differences)
    return "\n".join(
        [
            f"{first} against {second}",
            "",
            "Deterministic numbers: must agree to rounding on every machine",
            f"  {len(deterministic) - len(failed)} of {len(deterministic)} agree",
            *_rows(failed, first, second, limit),
            "",
            f"Trained numbers: distance in standard deviations (sd) over {spread.runs or 'no'} runs with other seeds",
            f"  {len(trained) - len(differing)} of {len(trained)} equal",
            *(_judgement(distances, spread) if distances and spread.runs > 1 else ()),
            *_rows(differing, first, second, limit),
            "",
            f"Not compared: {clocks} clock readings and hardware names",
        ]
    )


def _judgement(distances: Sequence[float], spread: Spread) -> Iterator[str]:
    single, family = spread.bound(), spread.bound(len(distances))
    beyond, outside = (sum(distance > bound for distance in distances) for bound in (single, family))
    yield f"  median {median(distances):.2f} sd, largest {max(distances):.2f} sd"
    yield f"  {beyond} beyond {single:.2f} sd; chance alone: {LEVEL:.0%} of them, {LEVEL * len(distances):.0f}"
    verdict = "this run differs by more than its seeds" if outside else "consistent with another seed"
    yield f"  {outside} beyond {family:.1f} sd, the 95 % bound for all {len(distances)} together: {verdict}"


def _rows(items: Sequence[Difference], first: Path, second: Path, limit: int | None) -> Iterator[str]:
    if not items:
        return
    rows = [("/".join(first.parts[-2:]), "/".join(second.parts[-2:]), "sd", "number")]
    for item in items[:limit]:
        distance = "–" if item.distance is None else f"{item.distance:.2f}"
        unit = f" ({item.unit})" if item.unit else ""
        rows.append((_number(item, "first"), _number(item, "second"), distance, f"{item.id}{unit}"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    yield ""
    for *numbers, name in rows:
        yield "  ".join(["", *(f"{text:>{width}}" for text, width in zip(numbers, widths, strict=True)), name])
    if len(items) >= len(rows):
        yield f"  … and {len(items) - len(rows) + 1} more; --all lists them"


def _number(item: Difference, run: str) -> str:
    value = getattr(item, run)
    if item.missing == run:
        return "absent"
    return "–" if value is None else value if isinstance(value, str) else f"{value:.6g}"


def comparison_json(differences: Sequence[Difference]) -> str:
    """Return every value of a comparison as JSON."""
    document = [{**asdict(item), "distance": item.distance} for item in differences]
    return json.dumps(document, indent=1, ensure_ascii=False)
