"""Observed storage and the real ERA5 climate of Indochina, from the files as they were delivered to scores."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.workflow.conftest import ROOT, Project

REAL_DATA = Path(os.environ.get("GWSD_REAL_DATA", ROOT.parent / "shared" / "data"))
STORAGE = REAL_DATA / "observed_storage" / "twsa_jpl_l2_gauss250km_05deg_200204_202309.nc"
CLIMATE = REAL_DATA / "era5_indochina"
SCENARIO = {
    "title": "storage from JPL's coefficients and ERA5 over Indochina",
    "sources": {"storage": "local", "climate": "era5"},
    "climate_variables": ["tp", "t2m"],
    "period": {"climate_start": "2005-01", "start": "2006-01", "end": "2023-09"},
    "region": [102, 8, 110.5, 23.5],
    "quality": {"expected_cells": None, "expected_months": None},
    "patches": {"size": 8, "train": 64, "validation": 16, "test": 64},
}

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.skipif(
        not (STORAGE.is_file() and CLIMATE.is_dir()),
        reason="no real observations: GWSD_REAL_DATA names the folder with observed_storage/ and era5_indochina/",
    ),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.copy(tmp_path_factory.mktemp("indochina"))
    local = {
        "scenario": "indochina",
        "storage_path": str(STORAGE),
        "climate_path": str(CLIMATE),
        "scenarios": {"indochina": SCENARIO},
    }
    (project.root / "local.yaml").write_text(yaml.safe_dump(local))
    results = "results/indochina"
    targets = [f"{results}/evaluation/{name}/seed0/summary.json" for name in ("nearest", "bilinear", "bicubic")]
    result = project.snakemake(f"{results}/inputs/water_balance.csv", *targets, toy=False)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-6000:]
    return project


def test_storage_follows_the_net_input_of_the_climate(project: Project) -> None:
    table = pd.read_csv(project.root / "results/indochina/inputs/water_balance.csv").set_index("lag")
    # Monsoon: storage rises with P - ET of the month, less with that of two months before.
    assert table.loc[0, "correlation_of_means"] > 0.7
    assert table.loc[0, "median_cell_correlation"] > 0.5
    assert table["correlation_of_means"].is_monotonic_decreasing
    assert table.loc[0, "cells"] > 300


def test_interpolations_are_scored_with_the_constraint_that_is_left(project: Project) -> None:
    scores = {
        name: json.loads((project.root / f"results/indochina/evaluation/{name}/seed0/summary.json").read_text())
        for name in ("nearest", "bilinear", "bicubic")
    }
    assert scores["nearest"]["mae_mm"] > scores["bilinear"]["mae_mm"] > scores["bicubic"]["mae_mm"] == 0.0
    for score in scores.values():
        assert score["sign"] is not None
        assert score["magnitude"] is None
        assert score["physics"] == pytest.approx(score["sign"])
