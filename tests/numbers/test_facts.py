"""Facts that no table prints, counted in small files and checked by hand."""

import json

import pytest

from gwsd.numbers.facts import Facts, about_data, about_scores, about_trainings, by_method_and_seed
from gwsd.numbers.published import text_agrees


@pytest.fixture
def facts():
    return Facts("results/toy/facts.json")


def value_of(facts, row, column):
    (one,) = [one for one in facts.values if one["id"] == f"facts:{row}:{column}"]
    assert text_agrees(one)
    return one["value"]


def test_months_cells_and_patches_are_counted(tmp_path, facts):
    files = {
        "months": "month,present\n2003-01,1\n2003-02,0\n2003-03,1\n",
        "quality": "reason,cells,meaning\nvalid,30,fine\nocean,70,water\n",
        "test": "patch,has_previous\n0,1\n1,0\n2,1\n",
        "overlap": "split,shared_share,shared_cells_share\ntest,0.0625,0.997\n",
    }
    paths = {name: tmp_path / f"{name}.csv" for name in files}
    for name, text in files.items():
        paths[name].write_text(text)
    about_data(
        facts,
        months=paths["months"],
        quality=paths["quality"],
        patches={"test": paths["test"]},
        overlap=paths["overlap"],
    )
    assert value_of(facts, "months", "calendar") == 3
    assert value_of(facts, "months", "absent") == 1
    assert value_of(facts, "grid", "cells") == 100
    assert value_of(facts, "test_patches", "with_previous") == 2
    assert value_of(facts, "test_patches", "shared_percent") == 6.25
    assert value_of(facts, "test_patches", "shared_any_month_percent") == pytest.approx(99.7)


def files_by_seed(tmp_path, name, contents):
    found = {}
    for (method, seed), text in contents.items():
        path = tmp_path / method / f"seed{seed}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        found.setdefault(method, {})[seed] = path
    assert by_method_and_seed(path for of_seeds in found.values() for path in of_seeds.values()) == found
    return found


def test_trainings_are_counted_and_their_hours_are_a_clock_reading(tmp_path, facts):
    names = [("full", 0), ("full", 1), ("residual", 0), ("residual", 1)]
    clock = json.dumps({"seconds": 1800.0, "threads": 2, "device": "cpu"})
    histories = files_by_seed(tmp_path, "history.csv", dict.fromkeys(names, "epoch,steps\n0,0\n1,48\n2,96\n"))
    timings = files_by_seed(tmp_path, "timing.json", dict.fromkeys(names, clock))
    about_trainings(facts, histories=histories, timings=timings)
    assert value_of(facts, "trainings", "count") == 4
    assert value_of(facts, "trainings", "variants") == value_of(facts, "trainings", "seeds") == 2
    assert value_of(facts, "full", "epochs") == 2
    assert value_of(facts, "trainings", "measured_thread_hours") == 4.0
    measured = {one["column"] for one in facts.values if one["measured"]}
    assert measured == {"device", "measured_thread_hours"}


def test_scores_are_means_over_seeds_with_their_sources(tmp_path, facts):
    contents = {
        ("nearest", 0): json.dumps({"mae_pooled_mm": 2.0, "valid_cells": 1000, "target_sd_mm": 80.0}),
        ("full", 0): json.dumps({"mae_pooled_mm": 10.0, "coverage_90": 0.9, "valid_cells": 1000}),
        ("full", 1): json.dumps({"mae_pooled_mm": 14.0, "coverage_90": 0.95, "valid_cells": 1000}),
    }
    summaries = files_by_seed(tmp_path, "summary.json", contents)
    about_scores(facts, summaries=summaries)
    assert value_of(facts, "full", "mae_pooled_cm") == pytest.approx(1.2)
    assert value_of(facts, "full", "coverage_90_percent") == pytest.approx(92.5)
    assert value_of(facts, "test", "cells") == 1000
    assert value_of(facts, "test", "target_sd_cm") == pytest.approx(8.0)
    assert not [one for one in facts.values if one["id"] == "facts:nearest:coverage_90_percent"], "it predicts no sd"
    (one,) = [one for one in facts.values if one["id"] == "facts:full:mae_pooled_cm"]
    assert [source["file"] for source in one["source"]] == [str(path) for path in summaries["full"].values()]
    assert {source["factor"] for source in one["source"]} == {0.1}
