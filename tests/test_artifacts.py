"""The registry: complete, and in step with what draws."""

from gwsd.artifacts import ARTIFACTS, artifact
from gwsd.figures.drawing import DRAWN


def test_eight_tables_and_seven_figures() -> None:
    names = [one.name for one in ARTIFACTS]
    assert names == [f"table{n}" for n in range(1, 9)] + [f"figure{n}" for n in range(1, 8)]


def test_paths_lie_under_the_scenario() -> None:
    assert artifact("table3").paths("demo") == [
        f"results/demo/tables/table3.{suffix}" for suffix in ("csv", "tex", "md")
    ]
    assert artifact("figure4").paths("twin") == [f"results/twin/figures/figure4.{suffix}" for suffix in ("pdf", "png")]


def test_figures_are_drawn_from_the_data_files_that_the_registry_names() -> None:
    for one in ARTIFACTS:
        if one.kind == "figure":
            assert DRAWN[one.name] == f".{one.data_suffix}"
