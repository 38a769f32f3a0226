"""Tables as CSV, Markdown, LaTeX and HTML."""

import csv
import io
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwsd.artifacts.formatting import Column, Table, latex

TABLE = Table(
    (
        {"method": "full", "label": "Full & whole", "mae_cm": 1.23456789012345, "sd": 0.5, "hours": 1.5, "ok": True},
        {"method": "none", "label": "A | B_1", "mae_cm": None, "sd": None, "hours": None, "ok": None, "data": "paper"},
    ),
    (
        Column("Method", "label", text=True),
        Column("MAE (cm)", "mae_cm", digits=2, spread="sd"),
        Column("Fine", "ok", text=True, group="reported by the paper"),
        Column("Time (h)", "hours", digits=1, visible=False),
    ),
    ("See `full_model`: 5 % of λ².",),
    "synthetic: twin Earth",
)


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_keeps_all_digits_and_the_origin_of_each_row():
    first, second = read(TABLE.csv())
    assert float(first["mae_cm"]) == 1.23456789012345
    assert (first["ok"], first["hours"], first["data"]) == ("yes", "1.5", "synthetic: twin Earth")
    assert second["mae_cm"] == second["ok"] == ""
    assert second["data"] == "paper"
    assert TABLE.csv().count("\n") == 3


def squeezed(text):
    """Text without the padding of aligned columns."""
    return re.sub(" +", " ", text)


def test_markdown_has_caption_data_label_values_and_notes():
    text = squeezed(TABLE.markdown("Table 9. A caption."))
    assert text.startswith("Table 9. A caption.\n\n**synthetic: twin Earth.**\n\n| Method | MAE (cm) | Fine (reported")
    assert "| Full & whole | 1.23 ± 0.50 | Yes |" in text
    assert "| A \\| B_1 | – | – |" in text
    assert text.endswith("|\n\n- See `full_model`: 5 % of λ².\n")


def test_latex_is_escaped_and_complete():
    text = squeezed(TABLE.latex("Caption with 100 % & `code_x`.", "tab:nine"))
    assert r"Full \& whole & 1.23 $\pm$ 0.50 & Yes \\" in text
    assert r"\caption{Caption with 100 \% \& \texttt{code\_x}. \textbf{synthetic: twin Earth.}}" in text
    assert r"\label{tab:nine}" in text
    assert r"Method & MAE (cm) & Fine (reported by the paper) \\" in text
    assert r"\item See \texttt{full\_model}: 5 \% of $\lambda$$^2$." in text
    for name in ("table", "tabular", "itemize"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") == 1
    assert all(latex(character) != character for character in "\\&%$#_{}~^<>")


def test_html_is_escaped_and_complete():
    text = squeezed(TABLE.html("A <caption>."))
    assert "<p>A &lt;caption&gt;. <strong>synthetic: twin Earth.</strong></p>" in text
    assert "<td>Full &amp; whole</td>" in text
    assert "<li>See <code>full_model</code>: 5 % of λ².</li>" in text


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
def test_cells_are_printed_for_readers(column, value, expected):
    assert column.cell({"x": value}) == expected
