"""Trained variants in tables: row labels, training steps, and notes on seeds, steps and devices."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.formatting import Statistic
from gwsd.artifacts.reported import STEPS_IN_PAPER
from gwsd.units import MM_PER_CM

COMPUTED_HERE = "computed here"
"""Mark of rows that are not the paper's, in tables that also list methods of others."""

_LABELS = {"nearest": "Nearest neighbour", "bilinear": "Bilinear", "bicubic": "Bicubic (control)", "full": "Full model"}


def label(method: str, variants: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the row label of a method: `label` in its settings, or one derived from its name and group."""
    settings = variants.get(method) or {}
    if settings.get("label"):
        return str(settings["label"])
    if settings.get("group") == "ours":
        return f"`{method}` (ours, not the paper's)"
    words = method.replace("_", " ")
    return _LABELS.get(method) or (f"Without {words[3:]}" if words.startswith("no ") else words.capitalize())


def score(inputs: ArtifactInputs, method: str, key: str) -> Statistic:
    """Average a score of a method's summaries over seeds; errors in cm."""
    return inputs.over_seeds("summaries", method, key, divisor=MM_PER_CM if key.endswith("_mm") else 1.0)


def steps(inputs: ArtifactInputs, variant: str) -> Statistic:
    """Return the number of training steps (the fewest of the seeds), with its source if all seeds ran equally long."""
    last = [history.iloc[-1] for history in inputs.by_seed("histories").get(variant, {}).values()]
    ends = {(int(row["epoch"]), int(row["steps"])) for row in last}
    if not ends:
        return Statistic(None)
    fewest = min(count for _, count in ends)
    if len(ends) > 1:
        return Statistic(fewest, None, len(last))
    return replace(inputs.over_seeds("histories", variant, "steps", epoch=ends.pop()[0]), mean=fewest, sd=None)


def training_note(inputs: ArtifactInputs, variants: Sequence[str]) -> tuple[str, ...]:
    """State the number of seeds and steps of some variants; nothing if none was trained."""
    histories = inputs.by_seed("histories")
    seeds = min((len(histories.get(variant, {})) for variant in variants), default=0)
    trained = sorted({int(count) for variant in variants if (count := steps(inputs, variant).mean) is not None})
    if not trained:
        return ()
    span = f"{trained[0]:,}" if len(trained) == 1 else f"{trained[0]:,} to {trained[-1]:,}"
    return (f"{'One seed' if seeds < 2 else f'Mean of {seeds} seeds'}, {span} of {STEPS_IN_PAPER:,} steps.",)


def comparison_note(inputs: ArtifactInputs, variants: Sequence[str]) -> tuple[str, ...]:
    """State what `training_note` states, and how far the variants may be compared: one seed ranks nothing."""
    several = all(len(inputs.by_seed("histories").get(variant, {})) > 1 for variant in variants)
    caution = (
        "A ± is the standard deviation over seeds."
        if several
        else "Differences between rows may be chance, and the table ranks nothing."
    )
    return tuple(f"{note} {caution}" for note in training_note(inputs, variants))


def devices(timings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Name the machines, devices and threads of some timings, each once."""
    timings = list(timings)
    machines = {timing["machine"] for timing in timings if timing.get("machine")}
    named = {f"{timing['device']}, {timing['threads']} thread{'s' * (timing['threads'] != 1)}" for timing in timings}
    return [*sorted(machines), *sorted(named)]
