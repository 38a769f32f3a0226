"""What is written for authors who submit in LaTeX."""

import re

import pytest

from gwsd.errors import DataError
from gwsd.manuscript.article import BuiltArticle
from gwsd.manuscript.latex import numbers_tex
from gwsd.tables.formatting import Column, Table
from tests.manuscript.example import column, entry
from tests.manuscript.latex_reader import problems


def numbers(**changes: object) -> dict[str, object]:
    of = entry("table3", "full", column("mae_cm", "MAE", digits=3, unit="cm"), 1.2381)
    return {"scenario": "demo", "data_label": "twin", "values": [{**of, **changes}]}


def test_each_number_is_a_macro_with_its_origin(built: BuiltArticle) -> None:
    line = next(line for line in built.numbers_tex.splitlines() if "@table3:full:mae_cm" in line)
    assert line.startswith(r"\expandafter\def\csname gwsd@table3:full:mae_cm\endcsname{1.238}%")
    assert line.endswith("% computed, cm; results/demo/tables/table3.csv")
    assert "% reported by the paper" in built.numbers_tex
    assert built.root in built.numbers_tex


def test_the_latex_is_well_formed(built: BuiltArticle) -> None:
    assert problems(built.numbers_tex) == []
    assert problems(built.tables_tex) == []


def test_special_characters_in_a_number_are_escaped() -> None:
    source = numbers_tex(numbers(text="50 % ± 3\u202f488 of a_b & c − d·α"), "0")
    assert r"{50 \% $\pm$ 3\,488 of a\_b \& c $-$ d$\cdot$$\alpha$}%" in source
    assert problems(source) == []


def test_an_id_that_no_macro_can_bear_is_refused() -> None:
    with pytest.raises(DataError, match="'table3:50 %:mae' has characters that LaTeX cannot hold"):
        numbers_tex(numbers(id="table3:50 %:mae"), "0")


def test_the_document_inputs_every_table_and_figure(built: BuiltArticle) -> None:
    assert re.findall(r"\\input\{(\S+?)\}", built.tables_tex) == [
        "numbers.tex",
        *(f"tables/table{number}.tex" for number in range(1, 9)),
    ]
    assert built.tables_tex.count(r"\includegraphics") == 7


def test_the_tables_that_it_inputs_are_well_formed() -> None:
    row = {"label": "`a_b` & 50 %", "x": -1.5, "y": 0.125}
    columns = (
        Column("Method", "label", text=True),
        Column("R² (°)", "x", digits=1),
        Column("λ", "y", group="by # the paper"),
    )
    source = Table((row,), columns, ("σ ≤ ΔG → ½",), "twin").latex("A caption of 5 %", "tab:table1")
    assert problems(source) == []


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (r"\textbf{a", "1 braces stay open"),
        (r"a}", "a brace too many"),
        (r"\begin{table}", "table is never closed"),
        ("a & b", "& outside a table"),
        ("a_b", "_ or ^ outside mathematics"),
        ("5 $m", "a $ without its fellow"),
        ("−5", "LaTeX knows no −"),
        ("\\begin{tabular}{lr}\na & b & c \\\\\n\\end{tabular}", "3 cells in a row of 2"),
    ],
)
def test_the_reader_of_latex_sees_what_is_wrong(source: str, problem: str) -> None:
    assert any(problem in one for one in problems(source))
