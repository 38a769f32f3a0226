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

from gwsd.artifacts.formatting import Column, Row, Statistic, Table
from gwsd.constraints import left_out_note

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

    @property
    def left_out(self) -> tuple[str, ...]:
        """Note on constraints that are left out for want of climate variables; empty if none is."""
        return tuple(left_out_note(self.settings["climate_variables"]))

    def table(self, rows: Sequence[Row], columns: Sequence[Column], *notes: str) -> Table:
        """Return a table of these inputs, with its notes after that on constraints left out."""
        return Table(tuple(rows), tuple(columns), (*self.left_out, *notes), self.data_label)

    def dataset(self, name: str) -> xr.Dataset:
        """Open the netCDF file of a name."""
        (path,) = self.files[name]
        return xr.open_dataset(path)

    def frame(self, name: str) -> pd.DataFrame:
        """Read the CSV file of a name."""
        (path,) = self.files[name]
        return pd.read_csv(path)

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
        numbers = self.numbers(name, method, key, epoch).values()
        where = {} if epoch is None else {"where": {"epoch": epoch}}
        source = [{**read, **where, "factor": 1.0 / divisor} for read in self.sources(name, method, key)]
        return mean_over_seeds([None if value is None else value / divisor for value in numbers], source)

    def sources(self, name: str, method: str, key: str) -> list[dict[str, Any]]:
        """Return file and key of a number of a method for each seed, in order."""
        paths = {
            int(path.parts[-2].removeprefix("seed")): path
            for path in self.files.get(name, ())
            if path.parts[-3] == method
        }
        return [{"file": paths[seed].as_posix(), "key": key} for seed in sorted(paths)]


def mean_over_seeds(values: Sequence[float | None], source: Sequence[Mapping[str, Any]] = ()) -> Statistic:
    """Average over seeds; no mean if a seed has no value, and no standard deviation of a single seed."""
    present = [value for value in values if value is not None]
    if not present or len(present) < len(values):
        return Statistic(None, None, len(values))
    sd = float(np.std(present, ddof=1)) if len(present) > 1 else None
    return Statistic(float(np.mean(present)), sd, len(present), tuple(source))
