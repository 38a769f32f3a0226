"""Facts of a scenario that an article's prose needs and no table or figure prints. Standard library only."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from gwsd.numbers.entry import Entry, entry

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
"""What the summary of any method says of the test patches."""


class Facts:
    """Gathers facts; `facts.add(…)` prints each as a table would.

    Parameters
    ----------
    file : str
        Where they stand, relative to the project's root.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.values: list[Entry] = []

    def add(
        self, row: str, column: str, value: float | int | str, form: str, unit: str, label: str, **more: Any
    ) -> None:
        """Add a fact; `form` is empty for words."""
        text = format(value, form).replace("-", "−") if form else str(value)
        self.values.append(
            entry(
                artifact="facts",
                row=row,
                column=column,
                value=value,
                text=text,
                unit=unit,
                format=form,
                label=label,
                file=self.file,
                **more,
            )
        )


def about_data(facts: Facts, *, months: Path, quality: Path, patches: Mapping[str, Path], overlap: Path) -> None:
    """Add what the files say of months, cells and patches.

    Parameters
    ----------
    facts : Facts
        Where to add.
    months, quality : Path
        `inputs/months.csv` and `inputs/quality.csv`.
    patches : mapping of str to Path
        The patch tables by split.
    overlap : Path
        `patches/overlap.csv`.
    """
    present = [row["present"] == "1" for row in _rows(months)]
    facts.add("months", "calendar", len(present), ",d", "months", "Calendar months from the first to the last")
    facts.add("months", "absent", present.count(False), ",d", "months", "Months without storage")
    cells = sum(int(row["cells"]) for row in _rows(quality))
    facts.add("grid", "cells", cells, ",d", "", "Half-degree cells of the grid")
    for split, path in patches.items():
        constrained = sum(row["has_previous"] in ("1", "True") for row in _rows(path))
        facts.add(f"{split}_patches", "with_previous", constrained, ",d", "", f"Patches ({split}) with a month before")
    for row in _rows(overlap):
        shared, any_month = (100.0 * float(row[key]) for key in ("shared_share", "shared_cells_share"))
        name = f"cells of {row['split']} patches also in training"
        facts.add(f"{row['split']}_patches", "shared_percent", shared, ".1f", "%", f"{name}, in the same month")
        facts.add(f"{row['split']}_patches", "shared_any_month_percent", any_month, ".1f", "%", f"{name}, in any month")


def about_trainings(facts: Facts, *, histories: BySeed, timings: BySeed) -> None:
    """Add how long was trained, and on what.

    Parameters
    ----------
    facts : Facts
        Where to add.
    histories, timings : mapping
        `history.csv` and `timing.json` of each training, by variant and seed.
    """
    clocks = [json.loads(path.read_text()) for of_seeds in timings.values() for path in of_seeds.values()]
    facts.add("trainings", "count", len(clocks), ",d", "", "Trainings: variants times seeds")
    facts.add("trainings", "variants", len(timings), ",d", "", "Variants that were trained")
    facts.add("trainings", "seeds", min(map(len, timings.values()), default=0), ",d", "", "Seeds of each variant")
    for variant, of_seeds in histories.items():
        epochs = [int(_rows(path)[-1]["epoch"]) for path in of_seeds.values()]
        facts.add(variant, "epochs", min(epochs), ",d", "", f"{variant}: epochs trained")
    threads = sorted({int(clock["threads"]) for clock in clocks})
    devices = sorted({str(clock["device"]) for clock in clocks})
    facts.add("trainings", "threads", max(threads, default=0), ",d", "", "Threads of a training")
    facts.add("trainings", "device", ", ".join(devices), "", "", "Device of the trainings", measured=True)
    hours = sum(float(clock["seconds"]) * int(clock["threads"]) for clock in clocks) / 3600.0
    facts.add(
        "trainings", "measured_thread_hours", hours, ".2f", "h", "Hours of all trainings times threads", measured=True
    )


def about_scores(facts: Facts, *, summaries: BySeed) -> None:
    """Add what summaries of evaluations hold beyond the tables, as means over seeds.

    Parameters
    ----------
    facts : Facts
        Where to add.
    summaries : mapping
        `summary.json` of each evaluation, by method and seed.
    """
    for number, (method, of_seeds) in enumerate(summaries.items()):
        read = {path: json.loads(path.read_text()) for _, path in sorted(of_seeds.items())}
        columns = [*((("test", column), one) for column, one in OF_TEST.items() if number == 0)]
        columns += [((method, column), one) for column, one in SCORES.items()]
        for (row, column), (key, factor, unit, form, label) in columns:
            found = [summary.get(key) for summary in read.values()]
            if not found or any(value is None for value in found):
                continue
            mean = fmean(found) * factor
            source = [{"file": path.as_posix(), "key": key, "factor": factor} for path in read]
            name = label if row == "test" else f"{method}: {label}"
            facts.add(row, column, round(mean) if form == ",d" else mean, form, unit, name, source=source)


def by_method_and_seed(paths: Iterable[Path]) -> dict[str, dict[int, Path]]:
    """Sort files named …/<method or variant>/seed<k>/<file>."""
    found: dict[str, dict[int, Path]] = {}
    for path in paths:
        *_, method, seed, _file = path.parts
        found.setdefault(method, {})[int(seed.removeprefix("seed"))] = path
    return found


def _rows(path: Path) -> Sequence[Mapping[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
