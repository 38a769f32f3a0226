import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwsd.tables.formatting import Column, Table, latex, without_measured

ROWS = (
    {"method": "full", "label": "Full & whole", "mae_cm": 1.23456789012345, "sd": 0.5, "measured_h": 1.5, "ok": True},
    {"method": "none", "label": "A | B_1", "mae_cm": None, "sd": None, "measured_h": None, "ok": None, "data": "paper"},
)
COLUMNS = (
    Column("Method", "label", text=True),
    Column("MAE (cm)", "mae_cm", digits=2, spread="sd"),
    Column("Measured time (h)", "measured_h", digits=1),
    Column("Fine", "ok", text=True, group="reported by the paper"),
)
TABLE = Table(ROWS, COLUMNS, ("See `full_model`: 5 % of λ².",), "Synthetic: computed on the twin Earth")


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_keeps_every_digit_and_says_which_earth():
    first, second = read(TABLE.csv())
    assert float(first["mae_cm"]) == 1.23456789012345
    assert first["ok"] == "yes"
    assert first["data"] == "Synthetic: computed on the twin Earth"
    assert second["mae_cm"] == second["ok"] == ""
    assert second["data"] == "paper"
    assert TABLE.csv().count("\n") == 3
    assert "\r" not in TABLE.csv()


def test_markdown_shows_caption_data_values_and_notes():
    text = TABLE.markdown("Table 9. A caption.")
    assert text.startswith("Table 9. A caption.\n\n**Synthetic: computed on the twin Earth.**\n\n| Method |")
    assert "| Full & whole | 1.23 ± 0.50 | 1.5 | Yes |" in text
    assert "| A \\| B_1 | – | – | – |" in text
    assert "Fine (reported by the paper)" in text
    assert text.endswith("- See `full_model`: 5 % of λ².\n")


def test_latex_is_escaped_and_complete():
    text = TABLE.latex("Caption with 100 % & `code_x`.", "tab:nine")
    assert r"Full \& whole & 1.23 $\pm$ 0.50 & \measured{1.5} & Yes \\" in text
    assert r"\caption{Caption with 100 \% \& \texttt{code\_x}. \textbf{Synthetic: computed on the twin Earth.}}" in text
    assert r"\label{tab:nine}" in text
    assert r"& &  & \multicolumn{1}{c}{reported by the paper} \\" in text
    assert r"\cmidrule(lr){4-4}" in text
    assert r"\item See \texttt{full\_model}: 5 \% of $\lambda$$^2$." in text
    for name in ("table", "tabular", "itemize"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") == 1
    body = [line for line in text.split("\n") if line.endswith(r"\\")]
    assert {line.replace(r"\&", "").count("&") for line in body} == {3}


@pytest.mark.parametrize("character", list("\\&%$#_{}~^<>"))
def test_every_special_character_is_escaped(character):
    assert latex(f"a{character}b") != f"a{character}b"
    assert latex(latex("plain words 1.0")) == "plain words 1.0"


def test_a_lone_backtick_is_no_code():
    assert latex("a`b_c") == r"a`b\_c"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_survives_the_csv(value):
    table = Table(({"x": value},), (Column("x", "x"),), (), "")
    assert float(read(table.csv())[0]["x"]) == value


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        (Column("x", "x", digits=1), -2.26, "−2.3"),
        (Column("x", "x", digits=1, signed=True), 2.26, "+2.3"),
        (Column("x", "x"), 57503, "57,503"),
        (Column("x", "x"), 1e-5, "1e−05"),
        (Column("x", "x"), "240+", "240+"),
        (Column("x", "x", digits=2), math.nan, "–"),
        (Column("x", "x"), False, "No"),
    ],
)
def test_cells_are_printed_for_people(column, value, expected):
    assert column.cell({"x": value}) == expected


@pytest.mark.parametrize("suffix", ["csv", "md", "tex", "html"])
def test_two_runs_are_equal_without_what_a_clock_measured(suffix):
    def written(hours, mae):
        rows = ({**ROWS[0], "measured_h": hours, "mae_cm": mae}, ROWS[1])
        table = Table(rows, COLUMNS, TABLE.notes, TABLE.provenance_note)
        return {"csv": table.csv(), "md": table.markdown("C"), "tex": table.latex("C", "l"), "html": table.html("C")}[
            suffix
        ]

    assert written(1.5, 1.0) != written(123.4, 1.0)
    assert without_measured(written(1.5, 1.0), suffix) == without_measured(written(123.4, 1.0), suffix)
    assert without_measured(written(1.5, 1.0), suffix) != without_measured(written(1.5, 2.0), suffix)


def test_a_table_of_unequal_rows_or_absent_values_is_refused():
    with pytest.raises(ValueError, match="at least one row"):
        Table((), COLUMNS, (), "")
    with pytest.raises(ValueError, match="differ in their keys"):
        Table(({"a": 1}, {"b": 1}), (), (), "")
    with pytest.raises(ValueError, match=r"Columns show \['b', 'c'\], which the rows do not hold"):
        Table(({"a": 1},), (Column("B", "b", spread="c"),), (), "")
