"""Reading `numbers.json`, finding a value in it, and what is said of one that is not there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gwsd.errors import DataError
from gwsd.numbers.collecting import collect
from gwsd.numbers.entry import entry, write_sidecar
from gwsd.numbers.published import find, read_numbers, text_agrees


def test_an_id_and_its_short_form_find_the_same_value(tmp_path, values, written):
    numbers = read_numbers(written(tmp_path, values()))
    assert next(iter(numbers)) == "table3:full:label"
    assert find(numbers, "table3:full:mae_cm")["value"] == 1.25
    assert find(numbers, "table3:full:mae")["id"] == "table3:full:mae_cm", "the unit may be left out"
    assert find(numbers, "table3:full:st")["id"] == "table3:full:steps"


def test_a_short_form_of_several_values_is_refused_with_all_of_them(tmp_path, values, written):
    numbers = read_numbers(written(tmp_path, values()))
    with pytest.raises(DataError, match="means several published values: table3:full:mae_cm, table3:full:mae_sd_cm"):
        find(numbers, "table3:full:ma")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("table3:ful:mae", "no such published value; near ones: table3:full:mae_cm"),
        ("table3:full", "no such published value; near ones: table3:full:label, table3:full:mae_cm"),
        ("q", "no such published value; an id reads artifact:row:column"),
    ],
)
def test_an_unknown_name_gets_the_near_ones(tmp_path, values, written, name, message):
    with pytest.raises(DataError, match=message):
        find(read_numbers(written(tmp_path, values())), name)


def test_a_missing_or_damaged_file_is_named(tmp_path, value, written):
    with pytest.raises(DataError, match=r"numbers\.json: no such file; `snakemake` makes it"):
        read_numbers(tmp_path / "numbers.json")
    (tmp_path / "numbers.json").write_text('{"values": [')
    with pytest.raises(DataError, match=r"numbers\.json: is no list of published values"):
        read_numbers(tmp_path / "numbers.json")
    (tmp_path / "numbers.json").write_text('{"schema": 9, "values": []}')
    with pytest.raises(DataError, match="its layout is 9, this program reads 1"):
        read_numbers(tmp_path / "numbers.json")
    twice = [value("a", "b", 1.0), value("a", "b", 2.0)]
    with pytest.raises(DataError, match="holds some ids twice: table3:a:b"):
        read_numbers(written(tmp_path, twice))


def test_a_text_agrees_with_its_value_or_not(value):
    assert text_agrees(value("a", "b", -1234.5678, "+,.1f") | {"text": "−1,234.6"})
    assert text_agrees(value("a", "b", 57503, ",d") | {"text": "57\u202f503"})
    assert not text_agrees(value("a", "b", 1.2381, ",.3f") | {"text": "1.239"})
    assert text_agrees(value("a", "b", "Bilinear", ""))


def test_what_is_no_number_is_an_empty_value():
    one = entry(artifact="a", row="b", column="c", value=float("nan"), text="–", file="f")
    assert one["value"] is None
    assert "source" not in entry(artifact="a", row="b", column="c", value=1, text="1", file="f", source=None)


def lists_of(tmp_path, values):
    paths = []
    for name, of_list in values.items():
        paths.append(tmp_path / f"{name}.json")
        write_sidecar(paths[-1], artifact=name, caption="C.", data_label="made up", values=of_list)
    return paths


def test_collected_values_say_what_file_they_stand_in_and_what_record_made_it(tmp_path, values, value):
    other = entry(artifact="figure7", row="sd", column="mean", value=1.0, text="1.0", file="results/toy/figure7.nc")
    paths = lists_of(tmp_path, {"table3": values(), "figure7": [other]})
    hashes = {"results/toy/tables/table3.csv": "a" * 64, "results/toy/figure7.nc": "b" * 64}
    collect(tmp_path / "numbers.json", paths, scenario="toy", data_label="made up", sha256=hashes)
    document = json.loads((tmp_path / "numbers.json").read_text())
    assert (document["schema"], document["scenario"], document["data_label"]) == (1, "toy", "made up")
    assert [one["id"] for one in document["values"]] == [*(one["id"] for one in values()), "figure7:sd:mean"]
    assert document["values"][-1] == {
        **other, "sha256": "b" * 64, "record": "results/toy/figure7.nc.record.json"
    }  # fmt: skip


def test_values_of_two_lists_under_one_id_and_files_that_are_not_inputs_are_refused(tmp_path, values):
    paths = lists_of(tmp_path, {"one": values(), "two": values()})
    hashes = {"results/toy/tables/table3.csv": "a" * 64}
    with pytest.raises(DataError, match=r"two\.json: table3:full:label is also published by another artifact"):
        collect(tmp_path / "n.json", paths, scenario="toy", data_label="", sha256=hashes)
    with pytest.raises(DataError, match=r"stands in results/toy/tables/table3\.csv, which this job was not given"):
        collect(tmp_path / "n.json", paths[:1], scenario="toy", data_label="", sha256={})
    assert not (tmp_path / "n.json").exists()


def test_an_artifact_with_an_id_twice_is_refused(tmp_path, value):
    with pytest.raises(ValueError, match="table3: some values have the same id: table3:a:b"):
        lists_of(tmp_path, {"table3": [value("a", "b", 1.0), value("a", "b", 1.0)]})


def test_reading_and_comparing_need_the_standard_library_alone(tmp_path, values, written):
    written(tmp_path, values())
    program = f"""
import sys
from gwsd.cli import main
main(["compare", {str(tmp_path)!r}, {str(tmp_path)!r}, "--brief"])
heavy = {{"numpy", "pandas", "xarray", "torch", "scipy", "matplotlib", "yaml"}} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "5 same, 0 within tolerance, 0 outside, 1 clock readings left out" in done.stdout


def test_no_program_of_the_workflow_hides_a_module_of_python():
    programs = Path(__file__).resolve().parents[2] / "workflow_scripts"
    hidden = {path.stem for path in programs.glob("*.py")} & sys.stdlib_module_names
    assert not hidden, "a program's folder comes first on the path of every other program"
