"""Facts of a scenario that the article's prose needs and no table or figure prints."""

from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.formatting import format_number
from gwsd.artifacts.json_face import Entry, entry

SPLITS = ("train", "validation", "test")

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


def scenario_facts(inputs: ArtifactInputs, file: str) -> list[Entry]:
    """Count months, cells, patches and trainings, and average the scores over seeds.

    The inputs are `months`, `quality`, `overlap`, the patches of each split, and all `summaries`, `histories` and
    `timings`; `file` is the path of `facts.json` relative to the project's root.
    """
    return [*_of_data(inputs, file), *_of_trainings(inputs, file), *_of_scores(inputs, file)]


def _fact(
    file: str, row: str, column: str, value: float | int | str, form: str, unit: str, label: str, **more: Any
) -> Entry:
    text = value if isinstance(value, str) else format_number(value, form)
    return entry(
        artifact="facts", row=row, column=column, value=value, text=text, unit=unit, format=form, label=label,
        file=file, **{"kind": "deterministic", **more},
    )  # fmt: skip


def _of_data(inputs: ArtifactInputs, file: str) -> Iterable[Entry]:
    present = inputs.frame("months")["present"].astype(bool)
    yield _fact(file, "months", "calendar", len(present), ",d", "months", "Calendar months from the first to the last")
    yield _fact(file, "months", "absent", int((~present).sum()), ",d", "months", "Months without storage")
    cells = int(inputs.frame("quality")["cells"].sum())
    yield _fact(file, "grid", "cells", cells, ",d", "", "Half-degree cells of the grid")
    for split in (split for split in SPLITS if split in inputs.files):
        count = int(inputs.frame(split)["has_previous"].astype(bool).sum())
        label = f"Patches ({split}) with a month before"
        yield _fact(file, f"{split}_patches", "with_previous", count, ",d", "", label)
    for row in inputs.frame("overlap").to_dict("records"):
        for key, column, when in (
            ("shared_share", "shared_percent", "in the same month"),
            ("shared_cells_share", "shared_any_month_percent", "in any month"),
        ):
            label = f"cells of {row['split']} patches also in training, {when}"
            yield _fact(file, f"{row['split']}_patches", column, 100.0 * float(row[key]), ".1f", "%", label)


def _of_trainings(inputs: ArtifactInputs, file: str) -> Iterable[Entry]:
    timings = inputs.by_seed("timings")
    clocks = [clock for of_seeds in timings.values() for clock in of_seeds.values()]
    yield _fact(file, "trainings", "count", len(clocks), ",d", "", "Trainings: variants times seeds")
    yield _fact(file, "trainings", "variants", len(timings), ",d", "", "Variants that were trained")
    seeds = min(map(len, timings.values()), default=0)
    yield _fact(file, "trainings", "seeds", seeds, ",d", "", "Seeds of each variant")
    for variant, of_seeds in inputs.by_seed("histories").items():
        epochs = min(int(history["epoch"].iloc[-1]) for history in of_seeds.values())
        yield _fact(file, variant, "epochs", epochs, ",d", "", f"{variant}: epochs trained", kind="trained")
    threads = max((int(clock["threads"]) for clock in clocks), default=0)
    yield _fact(file, "trainings", "threads", threads, ",d", "", "Threads of a training")
    devices = ", ".join(sorted({str(clock["device"]) for clock in clocks}))
    yield _fact(file, "trainings", "device", devices, "", "", "Device of the trainings", measured=True, kind="clock")
    hours = sum(float(clock["seconds"]) * int(clock["threads"]) for clock in clocks) / 3600.0
    label = "Hours of all trainings times threads"
    yield _fact(file, "trainings", "measured_thread_hours", hours, ".2f", "h", label, measured=True, kind="clock")


def _of_scores(inputs: ArtifactInputs, file: str) -> Iterable[Entry]:
    for position, (method, of_seeds) in enumerate(inputs.by_seed("summaries").items()):
        columns = [("test", column, about) for column, about in OF_TEST.items() if position == 0]
        columns += [(method, column, about) for column, about in SCORES.items()]
        for row, column, (key, factor, unit, form, label) in columns:
            found = [summary.get(key) for _, summary in sorted(of_seeds.items())]
            if any(value is None for value in found):
                continue
            mean = fmean(found) * factor
            source = [{**read, "factor": factor} for read in inputs.sources("summaries", method, key)]
            name = label if row == "test" else f"{method}: {label}"
            value = round(mean) if form == ",d" else mean
            yield _fact(file, row, column, value, form, unit, name, source=source, kind=None)
