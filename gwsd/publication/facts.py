"""Facts of a scenario that the article's prose needs and no table or figure prints."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from gwsd.artifacts.json_face import Entry, entry
from gwsd.artifacts.numbers import format_number

BySeed = Mapping[str, Mapping[int, Path]]
"""Files by method or variant and by seed."""

SCORES: Mapping[str, tuple[str, float, str, str, str]] = {
    "mae_pooled_cm": ("mae_pooled_mm", 0.1, "cm", ".3f", "MAE over all pixels of the test patches"),
    "bias_cm": ("bias_mm", 0.1, "cm", ".3f", "mean error"),
    "r2_patch_median": ("r2_patch_median", 1.0, "", ".4f", "median over test patches of R²"),
    "sign_as_written": ("sign_as_written", 1.0, "", ".3f", "sign term, as written, on the test patches"),
    "sign": ("sign", 1.0, "", ".3f", "sign term, smooth, on the test patches"),
    "magnitude": ("magnitude", 1.0, "", ".3f", "magnitude term on the test patches"),
    "regional": ("regional", 1.0, "", ".3f", "regional term on the test patches"),
    "physics_sd": ("physics_sd", 1.0, "", ".3f", "sd over test patches of the physics loss"),
    "coverage_90_percent": ("coverage_90", 100.0, "%", ".1f", "errors inside the 90 % interval"),
    "sharpness_cm": ("sharpness_mm", 0.1, "cm", ".2f", "mean predicted sd"),
    "spread_skill": ("spread_skill", 1.0, "", ".2f", "ratio of predicted sd to actual error"),
    "sd_error_correlation": ("sd_error_correlation", 1.0, "", ".2f", "correlation of predicted sd and |error|"),
    "crps_cm": ("crps_mm", 0.1, "cm", ".3f", "CRPS"),
    "nll": ("nll", 1.0, "", ".2f", "negative log likelihood"),
}
"""Columns of each method: key of its summary, factor, unit, format and label."""

OF_TEST: Mapping[str, tuple[str, float, str, str, str]] = {
    "cells": ("valid_cells", 1, "", ",d", "Valid fine cells of the test patches"),
    "patches_with_previous": ("patches_with_previous", 1, "", ",d", "Test patches whose month before is present"),
    "target_sd_cm": ("target_sd_mm", 0.1, "cm", ".2f", "Standard deviation of the target over those cells"),
    "target_mean_cm": ("target_mean_mm", 0.1, "cm", ".2f", "Mean of the target over those cells"),
}
"""Columns of the test patches, from the summary of the first method."""


def scenario_facts(
    *,
    file: str,
    months: Path,
    quality: Path,
    patches: Mapping[str, Path],
    overlap: Path,
    summaries: BySeed,
    histories: BySeed,
    timings: BySeed,
) -> list[Entry]:
    """Count months, cells, patches and trainings, and average the scores over seeds.

    Parameters
    ----------
    file : str
        Path of `facts.json`, relative to the project's root.
    months, quality : Path
        `inputs/months.csv` and `inputs/quality.csv`.
    patches : mapping of str to Path
        Patch tables by split.
    overlap : Path
        `patches/overlap.csv`.
    summaries, histories, timings : mapping
        Files of evaluations and trainings (see `by_method_and_seed`).
    """
    return [
        *_of_data(file, months, quality, patches, overlap),
        *_of_trainings(file, histories, timings),
        *_of_scores(file, summaries),
    ]


def _fact(
    file: str, row: str, column: str, value: float | int | str, form: str, unit: str, label: str, **more: Any
) -> Entry:
    text = value if isinstance(value, str) else format_number(value, form)
    return entry(
        artifact="facts", row=row, column=column, value=value, text=text, unit=unit, format=form, label=label,
        file=file, **{"kind": "deterministic", **more},
    )  # fmt: skip


def _of_data(file: str, months: Path, quality: Path, patches: Mapping[str, Path], overlap: Path) -> Iterable[Entry]:
    present = [row["present"] == "1" for row in _rows(months)]
    yield _fact(file, "months", "calendar", len(present), ",d", "months", "Calendar months from the first to the last")
    yield _fact(file, "months", "absent", present.count(False), ",d", "months", "Months without storage")
    cells = sum(int(row["cells"]) for row in _rows(quality))
    yield _fact(file, "grid", "cells", cells, ",d", "", "Half-degree cells of the grid")
    for split, path in patches.items():
        count = sum(row["has_previous"] in ("1", "True") for row in _rows(path))
        label = f"Patches ({split}) with a month before"
        yield _fact(file, f"{split}_patches", "with_previous", count, ",d", "", label)
    for row in _rows(overlap):
        for key, column, when in (
            ("shared_share", "shared_percent", "in the same month"),
            ("shared_cells_share", "shared_any_month_percent", "in any month"),
        ):
            label = f"cells of {row['split']} patches also in training, {when}"
            yield _fact(file, f"{row['split']}_patches", column, 100.0 * float(row[key]), ".1f", "%", label)


def _of_trainings(file: str, histories: BySeed, timings: BySeed) -> Iterable[Entry]:
    clocks = [json.loads(path.read_text()) for of_seeds in timings.values() for path in of_seeds.values()]
    yield _fact(file, "trainings", "count", len(clocks), ",d", "", "Trainings: variants times seeds")
    yield _fact(file, "trainings", "variants", len(timings), ",d", "", "Variants that were trained")
    seeds = min(map(len, timings.values()), default=0)
    yield _fact(file, "trainings", "seeds", seeds, ",d", "", "Seeds of each variant")
    for variant, of_seeds in histories.items():
        epochs = min(int(_rows(path)[-1]["epoch"]) for path in of_seeds.values())
        yield _fact(file, variant, "epochs", epochs, ",d", "", f"{variant}: epochs trained", kind="trained")
    threads = max((int(clock["threads"]) for clock in clocks), default=0)
    yield _fact(file, "trainings", "threads", threads, ",d", "", "Threads of a training")
    devices = ", ".join(sorted({str(clock["device"]) for clock in clocks}))
    yield _fact(file, "trainings", "device", devices, "", "", "Device of the trainings", measured=True, kind="clock")
    hours = sum(float(clock["seconds"]) * int(clock["threads"]) for clock in clocks) / 3600.0
    label = "Hours of all trainings times threads"
    yield _fact(file, "trainings", "measured_thread_hours", hours, ".2f", "h", label, measured=True, kind="clock")


def _of_scores(file: str, summaries: BySeed) -> Iterable[Entry]:
    for position, (method, of_seeds) in enumerate(summaries.items()):
        read = {path: json.loads(path.read_text()) for _, path in sorted(of_seeds.items())}
        columns = [("test", column, about) for column, about in OF_TEST.items() if position == 0]
        columns += [(method, column, about) for column, about in SCORES.items()]
        for row, column, (key, factor, unit, form, label) in columns:
            found = [summary.get(key) for summary in read.values()]
            if not found or any(value is None for value in found):
                continue
            mean = fmean(found) * factor
            source = [{"file": path.as_posix(), "key": key, "factor": factor} for path in read]
            name = label if row == "test" else f"{method}: {label}"
            value = round(mean) if form == ",d" else mean
            yield _fact(file, row, column, value, form, unit, name, source=source, kind=None)


def by_method_and_seed(paths: Iterable[Path]) -> dict[str, dict[int, Path]]:
    """Sort files named `…/<method or variant>/seed<k>/<file>` by method and seed."""
    found: dict[str, dict[int, Path]] = {}
    for path in paths:
        *_, method, seed, _file = path.parts
        found.setdefault(method, {})[int(seed.removeprefix("seed"))] = path
    return found


def _rows(path: Path) -> Sequence[Mapping[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
