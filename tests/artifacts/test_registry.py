"""The registry of artifacts, and the paper's numbers that they print."""

from importlib import import_module

import pytest

from gwsd.artifacts.registry import ARTIFACTS, INPUTS, RESULTS, artifact
from gwsd.artifacts.reported import STEPS_IN_PAPER, figure_note, reported
from gwsd.errors import ConfigError


def test_labels_and_paths_follow_from_the_name() -> None:
    assert (artifact("table3").label, artifact("quality_map").label) == ("Table 3: Methods", "Quality control")
    assert artifact("table3").paths("demo") == [f"results/demo/tables/table3.{name}" for name in ("csv", "tex", "md")]
    assert artifact("figure4").data_path("twin") == "results/twin/figures/figure4.nc"
    with pytest.raises(ConfigError, match="figure99: no such table or figure"):
        artifact("figure99")


@pytest.mark.parametrize("entry", ARTIFACTS, ids=lambda entry: entry.name)
def test_an_entry_names_known_files_and_an_existing_builder(entry) -> None:
    assert set(entry.files) <= set(INPUTS)
    assert set(entry.results) <= set(RESULTS)
    module = import_module(f"gwsd.artifacts.{entry.name}")
    names = ("build",) if entry.kind == "table" else ("compute", "values", "draw")
    assert all(callable(getattr(module, name)) for name in names)


def test_the_papers_numbers_agree_with_each_other() -> None:
    assert STEPS_IN_PAPER == 8_000 // 16 * 30
    assert reported("table3", "residual", "mae") is None
    for epoch in ("1", "10", "30"):
        terms = sum(reported("table5", epoch, term) for term in ("sign", "magnitude", "regional"))
        assert terms == pytest.approx(reported("table5", epoch, "physics"), abs=0.005)
    assert reported("table5", "30", "physics") != reported("text", "epoch_30", "physics")
    assert figure_note("figure3").startswith("example 1: MAE 1.67 cm; example 2: MAE 2.01 cm")
    assert figure_note("figure2") == ""
