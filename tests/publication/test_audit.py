"""Verdicts from findings and a run's values, and the statistics of figures that they use."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gwsd.errors import DataError
from gwsd.publication.audit import COLUMNS, NAMES, RunValues, audit, claims_csv, weigh
from gwsd.publication.claims import Claim
from gwsd.publication.figure_statistics import STATISTICS, figure_statistics

TWIN = "synthetic: twin Earth, not observations"
CONTRADICTS = {"verdict": "contradicts", "established": "comparison", "of": "b.b", "evidence": "3.4 here, 2.99 there"}
CONSISTENT = {"verdict": "consistent", "established": "arithmetic", "evidence": "1 + 2 = 3"}


def claim(**keys):
    kind = keys.pop("kind", "number" if "value" in keys else "statement")
    return Claim.model_validate({"id": "a.a", "place": "Table 9", "claim": "x", "kind": kind, **keys})


def values(entries, label="", **more):
    return RunValues(
        {name: {"id": name, "value": value, "text": str(value), **more} for name, value in entries.items()}, label
    )


def verdict(entries=None, label="", **keys):
    return weigh(claim(**keys), values(entries or {}, label))


@pytest.mark.parametrize(("found", "expected"), [(1.6449, "reproduced"), (1.646, "not reproduced")])
def test_a_value_is_reproduced_within_the_papers_rounding(found, expected):
    weighed = verdict({"t:r:c": found}, value="1.64", unit="cm", run=[{"value": "t:r:c"}])
    assert (weighed["verdict"], weighed["numbers"], weighed["printed"]) == (expected, ["t:r:c"], "1.64 cm")
    assert "the paper prints 1.64 cm" in weighed["reason"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30 (early stopping after 10)", "reproduced"), ("(stopping early) 30", "not reproduced")],
)
def test_words_are_found_in_their_order(text, expected):
    keys = {"value": "30 (early stopping)", "kind": "words", "run": [{"value": "t:r:c"}]}
    assert verdict({"t:r:c": text}, **keys)["verdict"] == expected


def test_a_formula_of_the_runs_values_is_compared_with_the_printed_value():
    run = [{"value": "100 * ({t:a:c} - {t:b:c}) / {t:a:c}"}]
    weighed = verdict({"t:a:c": 2.0, "t:b:c": 1.48}, value="26", unit="%", kind="percentage", run=run)
    assert (weighed["verdict"], weighed["found"], weighed["numbers"]) == ("reproduced", "26", ["t:a:c", "t:b:c"])


@pytest.mark.parametrize(
    ("relation", "holds", "found"),
    [
        ("{t:a:c} < {t:b:c}", True, "1 against 2"),
        ("{t:b:c} <= {t:a:c}", False, "2 against 1"),
        ("2 <= {t:b:c} <= 3", True, "2"),
        ("{t:b:c} < min({t:a:c}, 9)", False, "2 against 1"),
        ("abs({t:a:c} - 90) > 5", True, "89"),
        ("{t:a:c} == 1", True, "1"),
    ],
)
def test_a_relation_between_values_holds_or_not(relation, holds, found):
    weighed = verdict({"t:a:c": 1.0, "t:b:c": 2.0}, run=[{"relation": relation, "because": "so it is"}])
    assert (weighed["slug"], weighed["found"]) == ("reproduced" if holds else "not_reproduced", found)
    assert weighed["reason"].endswith("so it is")
    assert weighed["reason"].startswith("does not hold") != holds


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([CONSISTENT], "reproduced"),
        ([CONSISTENT, CONTRADICTS], "contradicts claim b.b"),
        ([CONTRADICTS, {**CONSISTENT, "verdict": "cannot hold"}], "cannot hold (arithmetic)"),
        ([CONSISTENT, {**CONSISTENT, "verdict": "reported by others"}], "reported by others"),
        ([{**CONSISTENT, "verdict": "not checkable", "of": "opinion"}], "not checkable here (opinion)"),
    ],
)
def test_findings_alone_give_a_verdict(findings, expected):
    weighed = verdict(findings=findings)
    assert weighed["verdict"] == expected
    assert all(finding["evidence"] in weighed["reason"] for finding in findings)


def test_a_finding_against_the_paper_outweighs_the_run():
    weighed = verdict({"t:r:c": 3.41}, value="3.4", run=[{"value": "t:r:c"}], findings=[CONTRADICTS])
    assert (weighed["verdict"], weighed["found"]) == ("contradicts claim b.b", "3.41")
    assert weighed["compared_with"] == "b.b; t:r:c"


def test_a_value_that_the_run_lacks_or_an_expression_that_fails_is_named():
    weighed = verdict(value="1.0", run=[{"value": "table7:memory_12:mae_cm"}])
    assert weighed["verdict"] == "not checkable here (table7:memory_12:mae_cm is not in this run)"
    with pytest.raises(DataError, match=r"claims\.yaml: a\.a: '\{t:r:c\} < smallest' cannot be computed"):
        verdict({"t:r:c": 1.0}, run=[{"relation": "{t:r:c} < smallest"}])


def test_remarks_name_twin_data_short_trainings_and_settings():
    keys = {"value": "57,503", "kind": "count", "on_twin": "valid_cells", "run": [{"value": "t:r:c"}]}
    twin = verdict({"t:r:c": 57503}, TWIN, **keys)
    assert "On twin data, not observations. The twin is made so: valid_cells" in twin["reason"]
    assert twin["data"] == TWIN
    entries = {"table3:full:mae_cm": 1.2, "table3:nearest:mae_cm": 0.2, "table3:full:steps": 384}
    short = "384 of the paper's 15,000 steps"
    assert short in verdict(entries, value="1.64", run=[{"value": "table3:full:mae_cm"}])["reason"]
    assert short not in verdict(entries, value="2.21", run=[{"value": "table3:nearest:mae_cm"}])["reason"]
    setting = verdict({"t:r:c": 768}, value="8,000", kind="setting", run=[{"value": "t:r:c"}])
    assert "A setting of this scenario, not a result" in setting["reason"]


def test_the_audit_counts_groups_and_publishes():
    odd = {**CONSISTENT, "subject": "Small"}
    claims = [
        claim(value="3.4", findings=[{**CONTRADICTS, "subject": "Total"}]),
        claim(id="a.c", value="3.39", findings=[{**CONTRADICTS, "subject": "Total", "evidence": "other"}]),
        claim(id="a.d", findings=[odd]),
        claim(id="a.e", value="1.0", run=[{"value": "t:r:c"}]),
    ]
    document = audit(claims, values({"t:r:c": 1.0}, TWIN, measured=True), [{"id": "claims:figure1:x"}], "claims.json")
    assert document["contradictions"] == [
        {"heading": "Total", "claims": ["a.a", "a.c"], "evidence": [CONTRADICTS["evidence"], "other"]}
    ]
    assert [group["claims"] for group in document["oddities"]] == [["a.d"]]
    counts = document["counts"]
    assert sum(counts[slug] for slug in NAMES) == counts["total"] == 4
    assert (counts["contradicts"], counts["reproduced"], counts["reproduced_in_run"]) == (2, 2, 1)
    published = {entry["id"]: entry for entry in document["values"]}
    assert published["claims:count:total"]["value"] == 4
    assert "claims:figure1:x" in published
    measured = {name for name, entry in published.items() if entry.get("measured")}
    assert measured == {f"claims:count:{slug}" for slug in ("reproduced", "not_reproduced", "reproduced_in_run")}
    rows = list(csv.DictReader(claims_csv(document["claims"]).splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert [row["id"] for row in rows] == ["a.a", "a.c", "a.d", "a.e"]


def test_a_file_without_values_is_named(tmp_path):
    (tmp_path / "table3.json").write_text(json.dumps({"values": [{"id": "table3:full:r2", "value": 1.0}]}))
    run = RunValues.read([tmp_path / "table3.json"])
    assert run.missing(["table3:full:r2", "table3:full:mae"]) == "table3:full:mae"
    (tmp_path / "table3.json").write_text("{}")
    with pytest.raises(DataError, match=r"table3\.json: not the values of a table or figure"):
        RunValues.read([tmp_path / "table3.json"])


MONTHS = np.arange(1, 13)


def figures():
    """Small data files of all figures with statistics."""
    target, error = np.zeros((1, 32, 32)), np.full((1, 32, 32), 10.0)
    target[:, :, 16:] = 200.0  # a step of 20 cm with an error of 2 cm there and 1 cm elsewhere
    error[:, :, 14:18] = 20.0
    error[0, 0, 0] = np.nan
    season = 100.0 * np.cos(2 * np.pi * (MONTHS - 3) / 12)
    both = (("hemisphere", "month"), np.stack([season, -season]))
    training = [("full", 0, 0, None, 50.0, -0.1), ("full", 0, 1, 15.2, 42.0, 0.92), ("full", 0, 2, 15.3, 30.0, 0.95)]
    training += [("full", 0, 3, 2.8, 16.4, 0.998), ("other", 0, 3, 9.0, 9.0, 0.9), ("full", 1, 3, 9.0, 9.0, 0.9)]
    quartiles = np.array([[1.0, 2.0, 3.0], [1, 3, 4], [1, 4, 5], [1, 8, 9]]) * 10
    fields, grid = ("example", "y", "x"), ("lat", "lon")
    return {
        "figure1": xr.Dataset({"trend": (grid, [[-30.0, -50.0], [5.0, 1.0]]), "significant": (grid, [[1, 0], [1, 1]])}),
        "figure3": xr.Dataset({"target": (fields, target), "absolute_error": (fields, error)}),
        "figure4": xr.Dataset(
            {
                "mae_mean": ("month", np.where(np.isin(MONTHS, (7, 8)), 17.0, 15.0)),
                "patches": ("month", np.full(12, 10)),
                "all_cells": both,
                "predicted": both,
            },
            {"month": MONTHS, "hemisphere": ["northern", "southern"]},
        ),
        "figure5": xr.Dataset({"error": (("region", "y", "x"), [[[5.0, 15.0], [25.0, 45.0]]])}),
        "figure6": pd.DataFrame(training, columns=["variant", "seed", "epoch", "train_total", "val_mae_mm", "val_r2"]),
        "figure7": xr.Dataset(
            {"quartile_error": (("quartile", "quantile"), quartiles), "absolute_error": ("cell", [0.0, 10.0, 50.0])},
            {"quantile": [0.25, 0.5, 0.75]},
        ),
    }


def statistics(figure):
    return {name: value for name, (value, _) in STATISTICS[figure](figures()[figure]).items()}


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        ("figure1", {"fastest_loss_mm_per_year": 30}),
        ("figure3", {"examples": 1, "largest_gain_cm": 20, "share_below_5_cm": 1}),
        ("figure4", {"month_of_maximum_north": 3, "swing_north_cm": 20, "months": 12, "mae_july_august_cm": 1.7}),
        ("figure5", {"regions": 1, "share_below_3_cm": 0.75, "lowest_quarter_cm": 1.25}),
        ("figure6", {"loss_end": 2.8, "epochs_in_which_loss_rises": 1, "r2_end": 0.998, "mae_start_cm": 4.2}),
        ("figure7", {"median_error_cm": 1, "median_error_quartile_1_cm": 2, "median_error_quartile_4_cm": 8}),
    ],
)
def test_statistics_of_a_figure(figure, expected):
    found = statistics(figure)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_errors_are_larger_where_the_target_is_steep():
    found = statistics("figure3")
    assert found["error_in_steepest_quarter_cm"] > found["error_in_flattest_quarter_cm"]
    assert found["error_inside_cm"] > found["error_at_edge_cm"]


def test_statistics_are_published_with_their_file_also_without_a_northern_hemisphere(tmp_path):
    made = figures()
    made["figure4"]["all_cells"][0] = np.nan
    paths = {
        name: tmp_path / f"{name}.{'nc' if isinstance(data, xr.Dataset) else 'csv'}" for name, data in made.items()
    }
    for name, data in made.items():
        data.to_netcdf(paths[name]) if isinstance(data, xr.Dataset) else data.to_csv(paths[name], index=False)
    entries = {entry["id"]: entry for entry in figure_statistics(paths, "results/demo")}
    assert entries["claims:figure4:swing_north_cm"]["file"] == "results/demo/figures/figure4.nc"
    assert entries["claims:figure4:months"]["text"] == "12"
    month = entries["claims:figure4:month_of_minimum_north"]
    assert (month["value"], month["text"]) == (None, "–")
