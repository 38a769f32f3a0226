"""JSON files of tables: every printed cell once, as printed, with the files it can be recomputed from."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gwsd.artifacts.formatting import CLOCK, DASH, DATA, Column, Table
from gwsd.artifacts.json_face import table_entries, write_table
from tests.artifacts.toy_results import build, settings_of, write_method, write_results

NAMES = [f"table{number}" for number in range(1, 9)]
OF_OTHERS = ("miro_famiglietti_2018", "data_assimilation", "paper_method", "geostatistical", "traditional_ml")


@pytest.fixture(scope="module", params=[1, 3], ids=["one seed", "three seeds"])
def tables(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("results")
    write_results(root, seeds=request.param)
    settings = settings_of()
    return {name: build(name, root, settings) for name in NAMES}


def entries(table, name):
    return {(cell["row"], cell["column"]): cell for cell in table_entries(table, artifact=name, file=f"{name}.csv")}


@pytest.mark.parametrize("name", NAMES)
def test_every_printed_cell_is_published_as_printed(tables, name):
    table, found = tables[name], entries(tables[name], name)
    lines = [line for line in table.markdown("A caption.").split("\n") if line.startswith("| ")][1:]
    assert len(lines) == len(table.rows)
    for row, line in zip(table.rows, lines, strict=True):
        cells = [found[next(iter(row.values())), column.key] for column in table.visible]
        assert [cell.get("shown", cell["text"]) for cell in cells] == [c.strip() for c in line.strip("|").split(" | ")]


@pytest.mark.parametrize("name", NAMES)
def test_every_value_of_the_csv_is_published_with_all_digits_and_once(tables, name):
    table, found = tables[name], entries(tables[name], name)
    assert len(found) == len(list(table_entries(table, artifact=name, file="")))
    reader = csv.reader(io.StringIO(table.csv()))
    _, *columns = next(reader)
    for line in reader:
        for column, text in zip(columns, line[1:], strict=True):
            cell = found.get((line[0], column))
            if cell is None:
                assert column == DATA or text == "", f"{line[0]}:{column} is not published"
            elif cell["value"] is None:
                assert (text, cell["text"]) == ("", DASH)
            else:
                assert text == str(cell["value"])


@pytest.mark.parametrize("name", NAMES)
def test_texts_follow_their_format_and_origins_their_mark(tables, name):
    for cell in entries(tables[name], name).values():
        if cell["format"]:
            assert format(cell["value"], cell["format"]).replace("-", "−") == cell["text"], cell["id"]
        of_paper = cell["column"].startswith("paper_") or cell["row"] in OF_OTHERS
        assert (cell["origin"] == "reported by the paper") == of_paper, cell["id"]
        assert ("reported by the paper" in cell["label"]) == of_paper
        assert cell["measured"] == (cell["column"].startswith(CLOCK) and not of_paper), cell["id"]


@pytest.mark.parametrize("name", NAMES)
def test_a_value_can_be_recomputed_from_its_source(tables, name):
    traced = [cell for cell in entries(tables[name], name).values() if "source" in cell]
    assert len(traced) >= 3 or name in ("table1", "table2")
    for cell in traced:
        values = []
        for source in cell["source"]:
            path = Path(source["file"])
            where = pd.read_csv(path).set_index("epoch").loc[source["where"]["epoch"]] if "where" in source else None
            content = json.loads(path.read_text()) if where is None else where
            values.append(content[source["key"]] * source["factor"])
        assert np.mean(values) == pytest.approx(cell["value"], rel=1e-12), cell["id"]


def test_rows_of_one_key_are_refused(tmp_path):
    table = Table(({"a": "x"}, {"a": "x"}), (Column("A", "a"),), (), "")
    with pytest.raises(ValueError, match="some values have the same id: t:x:a"):
        write_table(tmp_path / "t.json", table, artifact="t", caption="", file="")


def test_slower_runs_differ_in_measured_cells_only(tmp_path):
    for name, slower in (("quick", 1.0), ("slow", 3.7)):
        write_results(tmp_path / name)
        for method in ("bilinear", "full", "residual", "memory_1"):
            write_method(tmp_path / name, method, slower=slower)
    settings = settings_of()
    for name in ("table7", "table8"):
        quick, slow = (entries(build(name, tmp_path / run, settings), name) for run in ("quick", "slow"))
        different = [quick[key] for key in quick if quick[key]["value"] != slow[key]["value"]]
        assert different
        assert all(cell["measured"] for cell in different)
