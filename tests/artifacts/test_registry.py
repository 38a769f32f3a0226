from importlib import import_module

import pytest

from gwsd.artifacts.registry import ARTIFACTS, FIGURES, INPUTS, RESULTS, TABLES, artifact
from gwsd.errors import ConfigError


def test_eight_tables_seven_figures_and_the_quality_map() -> None:
    names = [entry.name for entry in ARTIFACTS]
    assert names == [f"table{n}" for n in range(1, 9)] + [f"figure{n}" for n in range(1, 8)] + ["quality_map"]


def test_paths_are_below_the_scenario() -> None:
    assert artifact("table3").paths("demo") == [
        f"results/demo/tables/table3.{suffix}" for suffix in ("csv", "tex", "md")
    ]
    assert artifact("figure4").data_path("twin") == "results/twin/figures/figure4.nc"
    with pytest.raises(ConfigError, match="figure9: no such table or figure"):
        artifact("figure9")


def test_entries_name_known_files_and_existing_builders() -> None:
    for entry in ARTIFACTS:
        assert set(entry.files) <= set(INPUTS)
        assert set(entry.results) <= set(RESULTS)
    for names, entries in ((("build",), TABLES), (("compute", "draw", "values"), FIGURES)):
        for entry in entries:
            module = import_module(f"gwsd.artifacts.{entry.name}")
            assert all(callable(getattr(module, name)) for name in names)


def test_labels_carry_the_number() -> None:
    assert artifact("table3").label == "Table 3: Methods"
    assert artifact("quality_map").label == "Quality control"
