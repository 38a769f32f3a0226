"""The program, from its command line: files in, `claims.csv` and `claims.json` out."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from gwsd.claims.cells import read_cells
from gwsd.claims.listing import BY_RUN, COLUMNS, document_of
from gwsd.claims.verdicts import SLUGS, weigh
from gwsd.errors import DataError
from tests.claims.test_figure_values import write_figures

ROOT = Path(__file__).parents[2]
LABEL = "synthetic: twin Earth, not observations"


def sidecar(path, values, measured=False):
    artifact = path.stem
    entries = [
        {
            "id": f"{artifact}:{row}:{column}",
            "value": value,
            "text": str(value),
            "artifact": artifact,
            "measured": measured,
        }
        for (row, column), value in values.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"artifact": artifact, "data_label": LABEL, "values": entries}))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    table = {("full", "mae_cm"): 1.638, ("full", "mae_sd_cm"): 0.9, ("nearest", "mae_cm"): 2.2, ("full", "r2"): 0.95}
    table |= {
        ("bilinear", "mae_cm"): 0.5,
        ("bicubic", "mae_cm"): 0.0,
        ("full", "physics"): 4.4,
        ("full", "rmse_cm"): 2.0,
    }
    table |= {
        ("nearest", "physics"): 6.4,
        ("nearest", "r2"): 0.99,
        ("bilinear", "mae_sd_cm"): 0.1,
        ("full", "steps"): 384,
    }
    values = sidecar(folder / "table3.json", table)
    figures = write_figures(folder / "figures")
    command = [sys.executable, "workflow_scripts/claims.py", "--ledger", "paper/claims.yaml", "--values", str(values)]
    command += ["--figures", *map(str, figures.values()), "--json", str(folder / "claims.json")]
    command += ["--csv", str(folder / "claims.csv")]
    command += ["--settings", json.dumps({"data_label": LABEL, "scenario": "demo"})]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_table_has_a_row_for_each_claim(made, ledger):
    with (made / "claims.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [row["id"] for row in rows] == [claim.id for claim in ledger.claims]
    mae = next(row for row in rows if row["id"] == "table3.full.mae")
    assert (mae["value"], mae["verdict"], mae["found"]) == ("1.64", "reproduced", "1.638")
    assert mae["data"].startswith(LABEL) or LABEL in mae["data"]


def test_the_document_counts_and_names_the_contradictions(made):
    document = json.loads((made / "claims.json").read_text())
    counts = document["counts"]
    assert sum(counts[slug] for slug in SLUGS) == counts["total"] == len(document["claims"])
    assert 0 < counts["reproduced_in_run"] < counts["reproduced"]
    assert counts["contradictions"] == len(document["contradictions"]) > 40
    published = {one["id"]: one for one in document["values"]}
    assert published["claims:count:reproduced"]["value"] == counts["reproduced"]
    assert published["claims:count:total"]["file"] == "results/demo/audit/claims.json"
    assert "claims:figure4:swing_north_cm" in published


def test_what_the_run_does_not_have_is_named(made):
    claims = {one["id"]: one for one in json.loads((made / "claims.json").read_text())["claims"]}
    assert claims["table7.memory_12.mae"]["verdict"] == (
        "not checkable here (table7:memory_12:mae_cm is not in this run)"
    )


def test_a_claim_leads_to_the_numbers_it_was_compared_with(made):
    claims = {one["id"]: one for one in json.loads((made / "claims.json").read_text())["claims"]}
    assert claims["table3.full.mae"]["number"] == "table3:full:mae_cm"
    assert claims["abstract.improvement"]["numbers"] == ["table3:nearest:mae_cm", "table3:full:mae_cm"]
    assert claims["equation.e05"]["numbers"] == []


def test_the_same_inputs_make_the_same_bytes(made, tmp_path):
    record = json.loads((made / "claims.json.record.json").read_text())
    command = [part.replace(str(made / "claims."), str(tmp_path / "claims.")) for part in record["command"]]
    subprocess.run([sys.executable, *command[1:]], cwd=ROOT, check=True, capture_output=True)
    for name in ("claims.json", "claims.csv"):
        assert (tmp_path / name).read_bytes() == (made / name).read_bytes()


def test_a_file_that_is_no_sidecar_is_named(tmp_path):
    path = tmp_path / "table3.json"
    path.write_text("{}")
    with pytest.raises(DataError, match=r"table3.json: not the values of a table or figure"):
        read_cells([path])


@pytest.mark.parametrize("measured", [False, True])
def test_counts_that_rest_on_a_clock_are_readings_of_it(tmp_path, ledger, measured):
    columns = {"measured_training_hours": 0.1, "mae_cm": 1.638, "memory_months": 6, "physics": 4.4}
    names = {("full", column): value for column, value in columns.items()}
    cells = read_cells([sidecar(tmp_path / "table7.json", names, measured=measured)])
    verdicts = [weigh(claim, ledger, cells) for claim in ledger.claims if claim.id.startswith("table7.full.")]
    values = {one["column"]: one for one in document_of(verdicts, cells, [], "claims.json")["values"]}
    assert values["not_reproduced"]["value"] > 0
    assert {slug for slug, one in values.items() if one["measured"]} == (set(BY_RUN) if measured else set())
