"""Two folders, number by number: same, within tolerance, outside, in one alone."""

import json
import shutil

import pytest

from gwsd.cli import main
from gwsd.errors import DataError
from gwsd.numbers.comparing import compare, read_both
from gwsd.numbers.tolerances import Tolerance, learn, read_tolerances, write_reference


def by_id(entries):
    return {one["id"]: one for one in entries}


def statuses(first, second, tolerances=None):
    return {one.id: one.status for one in compare(by_id(first), by_id(second), tolerances).values}


def test_equal_values_are_the_same_and_clock_readings_are_left_out(values):
    found = statuses(values(hours=2.0), values(hours=3.0))
    assert found.pop("table3:full:measured_hours") == "clock reading"
    assert set(found.values()) == {"same"}
    assert compare(by_id(values(hours=2.0)), by_id(values(hours=3.0))).agrees


def test_nothing_but_equality_is_tolerated_without_tolerances(values):
    comparison = compare(by_id(values(mae=1.25)), by_id(values(mae=1.2500001)))
    assert not comparison.agrees
    (one,) = [one for one in comparison.values if one.status == "outside"]
    assert one.id == "table3:full:mae_cm"
    assert one.difference == pytest.approx(1e-7)
    assert one.tolerance is None


@pytest.mark.parametrize(("mae", "status"), [(1.25, "same"), (1.3, "within"), (1.2, "within"), (1.31, "outside")])
def test_a_tolerance_decides_both_ways(values, mae, status):
    allowed = {"table3:full:mae_cm": Tolerance(0.05000001)}
    assert statuses(values(mae=1.25), values(mae=mae), allowed)["table3:full:mae_cm"] == status


def test_words_and_empty_cells_have_no_distance(value):
    words = ([value("a", "b", "Yes", "")], [value("a", "b", "No", "")])
    empty = ([value("a", "b", 1.0) | {"value": None}], [value("a", "b", 1.0)])
    for first, second in (words, empty):
        assert statuses(first, second) == {"table3:a:b": "outside"}
        assert statuses(first, second, {"table3:a:b": Tolerance(9.0)}) == {"table3:a:b": "outside"}
        assert statuses(first, second, {"table3:a:b": Tolerance(varies=True)}) == {"table3:a:b": "within"}


def test_what_one_folder_lacks_is_told(values):
    comparison = compare(by_id(values()[:-1]), by_id(values()[1:]))
    alone = {one.id: one.where for one in comparison.values if one.status == "only in one"}
    assert alone == {"table3:full:label": "first", "table3:bilinear:mae_cm": "second"}
    assert not comparison.agrees


def folders(tmp_path, written, first, second):
    written(tmp_path / "a", first)
    written(tmp_path / "b", second)
    return str(tmp_path / "a"), str(tmp_path / "b")


def test_the_command_prints_counts_then_what_is_outside_and_ends_with_1(tmp_path, written, values, capsys):
    a, b = folders(tmp_path, written, values(), values(mae=1.5)[:-1])
    with pytest.raises(SystemExit) as ended:
        main(["compare", a, b])
    assert ended.value.code == 1
    out = capsys.readouterr().out
    assert f"{a} against {b}\n       3 same\n" in out
    assert "1 outside\n       1 only in " in out
    assert "no file of tolerances: only equality is tolerated" in out
    rows = [line.split() for line in out.split("\n") if line.startswith("table3")]
    assert rows == [
        ["table3:full:mae_cm", "1.25", "1.5", "+0.25", "cm"],
        ["table3:bilinear:mae_cm", "0.035", "absent", "cm"],
    ]


def test_tolerances_beside_the_second_folder_are_found(tmp_path, written, values, capsys):
    a, b = folders(tmp_path, written, values(), values(mae=1.5))
    content = {"tolerances": {"table3:full:mae_cm": {"sd": 0.1, "tolerance": 0.3}}}
    (tmp_path / "b/tolerances.json").write_text(json.dumps(content))
    main(["compare", a, b, "--brief"])
    assert capsys.readouterr().out == f"{b}: 4 same, 1 within tolerance, 0 outside, 1 clock readings left out\n"
    main(["compare", a, b, "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["agrees"] is True
    assert document["counts"]["within"] == 1
    (one,) = [one for one in document["values"] if one["status"] == "within"]
    assert (one["id"], one["first"], one["second"], one["tolerance"]) == ("table3:full:mae_cm", 1.25, 1.5, 0.3)
    content["tolerances"]["table3:full:mae_cm"]["tolerance"] = 0.2
    (tmp_path / "narrow.json").write_text(json.dumps(content))
    with pytest.raises(SystemExit):
        main(["compare", a, b, "--tolerances", str(tmp_path / "narrow.json"), "--brief"])
    assert "1 outside" in capsys.readouterr().out


def test_tables_as_csv_are_compared_where_there_is_nothing_else(tmp_path):
    for name, mae, hours in (("a", "1.25", "3.0"), ("b", "1.26", "4.0")):
        (tmp_path / name / "tables").mkdir(parents=True)
        (tmp_path / name / "tables/table3.csv").write_text(
            f"method,label,mae_cm,measured_h,data\nfull,Full model,{mae},{hours},twin\nnone,None,,,paper\n"
        )
    comparison = compare(*read_both(tmp_path / "a", tmp_path / "b"))
    assert {one.id: one.status for one in comparison.values} == {
        "table3:full:label": "same",
        "table3:full:mae_cm": "outside",
        "table3:full:measured_h": "clock reading",
        "table3:none:label": "same",
        "table3:none:mae_cm": "same",
        "table3:none:measured_h": "clock reading",
    }


def test_lists_beside_the_tables_are_compared_where_a_folder_has_no_numbers(tmp_path, written, values):
    written(tmp_path / "a", values())
    written(tmp_path / "a/tables", values(), "table3.json")
    written(tmp_path / "b", values(mae=1.3), "table3.json")
    (tmp_path / "a/tables/table3.csv.record.json").write_text("{}")
    comparison = compare(*read_both(tmp_path / "a", tmp_path / "b"))
    assert comparison.counts == {"same": 4, "within": 0, "outside": 1, "only in one": 0, "clock reading": 1}


def test_folders_without_values_are_named(tmp_path, written, values):
    written(tmp_path / "a", values())
    with pytest.raises(DataError, match="b: no such folder; name a folder of results"):
        read_both(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b").mkdir()
    with pytest.raises(DataError, match=r"b: no published values here; expected numbers\.json"):
        read_both(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b/table3.csv").write_text("method,mae_cm\nfull,1.0\n")
    with pytest.raises(DataError, match="hold their values in different forms"):
        read_both(tmp_path / "a", tmp_path / "b")
    with pytest.raises(SystemExit, match="error: gwsd compare takes two folders"):
        main(["compare", str(tmp_path / "a")])


def runs_of(values, *maes):
    return [by_id(values(mae=mae)) for mae in maes]


def test_tolerances_come_from_the_spread_over_runs(values):
    document = learn(runs_of(values, 1.0, 1.1, 1.2))
    one = document["tolerances"]["table3:full:mae_cm"]
    assert one["sd"] == pytest.approx(0.1)
    # Student's 97.5 % quantile for two degrees of freedom is 4.3027 (any table of it).
    assert one["tolerance"] == pytest.approx(4.3027 * 2**0.5 * 0.1, rel=1e-4)
    assert document["runs"] == 3
    assert "table3:full:measured_hours" not in document["tolerances"]


def test_counts_and_words_that_do_not_vary_have_no_tolerance_and_other_numbers_that_of_rounding(values):
    tolerances = learn(runs_of(values, 1.0, 1.1))["tolerances"]
    assert "table3:full:steps" not in tolerances
    assert "table3:full:label" not in tolerances
    assert tolerances["table3:bilinear:mae_cm"] == {"tolerance": pytest.approx(1e-5)}  # 0.01 of the third decimal
    assert tolerances["table3:full:mae_sd_cm"] == {"tolerance": pytest.approx(1e-5)}


def test_words_that_differ_between_runs_and_cells_that_some_lack_may_be_anything(values, value):
    runs = runs_of(values, 1.0, 1.1)
    runs[1]["table3:full:label"] = value("full", "label", "Another", "")
    del runs[1]["table3:full:mae_sd_cm"]
    tolerances = learn(runs)["tolerances"]
    assert tolerances["table3:full:label"] == tolerances["table3:full:mae_sd_cm"] == {"varies": True}


def test_one_run_or_the_same_run_twice_teaches_nothing(values):
    with pytest.raises(DataError, match="at least two runs with different seeds"):
        learn(runs_of(values, 1.0))
    with pytest.raises(DataError, match="run each with a seed of its own"):
        learn(runs_of(values, 1.0, 1.0))


def test_a_learnt_reference_accepts_its_runs_and_refuses_another(tmp_path, written, values, capsys):
    for name, mae in (("seed0", 1.0), ("seed1", 1.02), ("seed2", 1.05), ("wrong", 2.0)):
        written(tmp_path / name, values(mae=mae))
    seeds = [str(tmp_path / f"seed{seed}") for seed in range(3)]
    reference = tmp_path / "reference"
    with pytest.raises(SystemExit, match="needs --out FOLDER"):
        main(["compare", "--learn", *seeds])
    main(["compare", "--learn", *seeds, "--out", str(reference)])
    assert capsys.readouterr().out == f"{reference}/numbers.json\n{reference}/tolerances.json\n"
    for seed in seeds:
        main(["compare", seed, str(reference)])
    with pytest.raises(SystemExit):
        main(["compare", str(tmp_path / "wrong"), str(reference)])
    kept = json.loads((reference / "numbers.json").read_text())["values"]
    assert all("file" not in one and "source" not in one for one in kept)
    lines = (reference / "numbers.json").read_text().split("\n")
    assert len(lines) == len(kept) + 3, "one line a value, so that two versions can be compared line by line"


def test_a_file_that_holds_no_tolerances_is_named(tmp_path, written, values):
    a, b = folders(tmp_path, written, values(), values())
    with pytest.raises(DataError, match=r"t\.json: no such file; `gwsd compare --learn` writes one"):
        read_tolerances(tmp_path / "t.json")
    shutil.copy(f"{a}/numbers.json", tmp_path / "t.json")
    with pytest.raises(SystemExit, match=r"error: .*t\.json: is no file of tolerances"):
        main(["compare", a, b, "--tolerances", str(tmp_path / "t.json")])


def test_a_reference_without_tolerances_holds_the_values_alone(tmp_path, written, values):
    document = json.loads(written(tmp_path, values()).read_text())
    (path,) = write_reference(tmp_path / "reference", document, None)
    assert [one["id"] for one in json.loads(path.read_text())["values"]] == [one["id"] for one in values()]
