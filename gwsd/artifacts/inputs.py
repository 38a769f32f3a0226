"""Inputs of an artifact: its files, opened by name, its settings, and statistics over the seeds of its results."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gwsd.artifacts.numbers import Statistic

BySeed = dict[str, dict[int, Any]]
"""Results by method and seed."""


@dataclass(frozen=True)
class ArtifactInputs:
    """Files and settings that the registry declares for an artifact.

    `files` have the names of `registry.INPUTS` and `registry.RESULTS`; `settings` are sections by name; `data_label` is
    the origin of the data, such as "synthetic: twin Earth, not observations"; `key` is that of the job.
    """

    files: Mapping[str, Sequence[Path]]
    settings: Mapping[str, Any]
    data_label: str
    key: str = ""
    _results: dict[str, BySeed] = field(default_factory=dict, init=False, repr=False, compare=False)

    def path(self, name: str) -> Path:
        """Return the one file of a name."""
        (path,) = self.files[name]
        return path

    def dataset(self, name: str) -> xr.Dataset:
        """Open a NetCDF file."""
        return xr.open_dataset(self.path(name))

    def table(self, name: str) -> pd.DataFrame:
        """Read a CSV file."""
        return pd.read_csv(self.path(name))

    def by_seed(self, name: str) -> BySeed:
        """Read files named `…/<method>/seed<k>/<file>`: CSV as tables, JSON as objects; methods in the given order."""
        if name not in self._results:
            found: BySeed = {}
            for path in self.files.get(name, ()):
                content = pd.read_csv(path) if path.suffix == ".csv" else json.loads(path.read_text())
                found.setdefault(path.parts[-3], {})[int(path.parts[-2].removeprefix("seed"))] = content
            self._results[name] = found
        return self._results[name]

    def numbers(self, name: str, method: str, key: str, epoch: int | None = None) -> dict[int, float | None]:
        """Read one number of a method by seed: a key of JSON files, or a column of histories at an epoch."""
        found = {}
        for seed, content in sorted(self.by_seed(name).get(method, {}).items()):
            if isinstance(content, pd.DataFrame):
                content = content.set_index("epoch").loc[epoch]
            value = content.get(key)
            found[seed] = None if value is None or math.isnan(value) else float(value)
        return found

    def over_seeds(
        self, name: str, method: str, key: str, *, divisor: float = 1.0, epoch: int | None = None
    ) -> Statistic:
        """Average one number (see `numbers`), divided by `divisor`, over the seeds of a method; with its source."""
        numbers = self.numbers(name, method, key, epoch)
        where = {} if epoch is None else {"where": {"epoch": epoch}}
        paths = {path.parts[-2]: path for path in self.files.get(name, ()) if path.parts[-3] == method}
        source = [
            {"file": paths[f"seed{seed}"].as_posix(), "key": key, **where, "factor": 1.0 / divisor} for seed in numbers
        ]
        return mean_over_seeds([None if value is None else value / divisor for value in numbers.values()], source)


def mean_over_seeds(values: Sequence[float | None], source: Sequence[Mapping[str, Any]] = ()) -> Statistic:
    """Average over seeds; no mean if a seed has no value, and no standard deviation of a single seed."""
    present = [value for value in values if value is not None]
    if not present or len(present) < len(values):
        return Statistic(None, None, len(values))
    sd = float(np.std(present, ddof=1)) if len(present) > 1 else None
    return Statistic(float(np.mean(present)), sd, len(present), tuple(source))
