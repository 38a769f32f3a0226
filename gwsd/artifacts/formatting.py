"""Tables: rows of values, and how they are written as CSV, Markdown, LaTeX and HTML."""

import html
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

DASH = "–"
"""Text of a cell without a value."""


def format_number(value: float | int | None, form: str) -> str:
    """Format a number by a specification such as `+,.2f`, with a true minus sign; None and NaN give a dash."""
    return DASH if value is None or math.isnan(value) else format(value, form).replace("-", "−")


@dataclass(frozen=True)
class Statistic:
    """Mean over seeds, its standard deviation, and the numbers that it can be recomputed from.

    `mean` is None where there is no value, `sd` for a single seed. `source` has one entry per seed: `file`, `key`
    (JSON key or CSV column), `where` (row of a CSV file) and `factor`.
    """

    mean: float | int | None
    sd: float | None = None
    seeds: int = 0
    source: tuple[Mapping[str, Any], ...] = ()


Value = float | int | str | bool | None

Row = Mapping[str, Value | Statistic]

CLOCK = ("measured_", "hardware")
"""Prefixes of keys whose values differ between runs: clock readings and the machine's name."""

DATA = "data"
"""CSV column with the origin of each row's data; a row sets it where it differs from the table's."""

UNIT = "unit"
"""A row sets it where its values have a unit of their own; not written to the CSV file."""

_LATEX = str.maketrans(
    {
        **{character: f"\\{character}" for character in "&%$#_{}"},
        "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
        ">": r"\textgreater{}", "±": r"$\pm$", "×": r"$\times$", "−": r"$-$", "°": r"$^\circ$", "²": r"$^2$",
        "³": r"$^3$", "λ": r"$\lambda$", "Δ": r"$\Delta$", "σ": r"$\sigma$", "→": r"$\rightarrow$", "≤": r"$\le$",
        "≥": r"$\ge$", "–": "--", "½": r"$\frac{1}{2}$", "\u202f": r"\,", "\u00a0": "~", "α": r"$\alpha$",
        "θ": r"$\theta$", "·": r"$\cdot$", "ρ": r"$\rho$", "≠": r"$\ne$", "≈": r"$\approx$",
    }
)  # fmt: skip

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><style>
body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem;max-width:75rem}table{border-collapse:collapse}
th,td{padding:.25rem .7rem}th{border-bottom:1px solid #888}
ul{color:#444;font-size:13px}
</style></head><body>
"""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    `heading` ends with the unit in parentheses; `key` is that of its value in a row, `spread` that of the value after
    ±. Without `digits`, integers are printed in full and other numbers in short. `group` is a heading over neighbouring
    columns. Columns of words (`text`) are aligned to the left; columns that are not `visible` are in the CSV file only.
    """

    heading: str
    key: str
    digits: int | None = None
    spread: str | None = None
    group: str = ""
    text: bool = False
    signed: bool = False
    visible: bool = True

    @property
    def unit(self) -> str:
        """Unit in parentheses at the end of the heading, or an empty string."""
        found = re.search(r" \(([^()]+)\)$", self.heading)
        return "" if found is None else found.group(1)

    @property
    def title(self) -> str:
        """Heading with its group."""
        return f"{self.heading} ({self.group})" if self.group else self.heading

    def format_of(self, value: Value) -> str:
        """Return the format specification of a number; empty for words and absent values."""
        if value is None or isinstance(value, bool | str):
            return ""
        number = f",.{self.digits}f" if self.digits is not None else ",d" if isinstance(value, int) else "g"
        return f"+{number}" if self.signed else number

    def printed(self, value: Value) -> str:
        """Print one value."""
        if isinstance(value, bool):
            return "Yes" if value else "No"
        return value if isinstance(value, str) else format_number(value, self.format_of(value))

    def cell(self, row: Row) -> str:
        """Print the cell of a row, with its spread."""
        text = self.printed(plain(row[self.key]))
        spread = None if self.spread is None else plain(row[self.spread])
        return text if spread is None or text == DASH else f"{text} ± {self.printed(spread).lstrip('+')}"


@dataclass(frozen=True)
class Table:
    """Values of a table and how they are printed.

    Rows have the same keys, the columns of the CSV file, and optionally `data` and `unit`; the first value of a row
    is its key. Notes are printed below the table. `data_label` is the origin of the data.
    """

    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    notes: tuple[str, ...]
    data_label: str

    @property
    def visible(self) -> list[Column]:
        """Columns that are printed."""
        return [column for column in self.columns if column.visible]

    @property
    def cells(self) -> list[list[str]]:
        """Printed cells of the visible columns, by row."""
        return [[column.cell(row) for column in self.visible] for row in self.rows]

    def csv(self) -> str:
        """Write CSV: full precision, empty where there is no value."""
        import pandas as pd  # not needed to trace a number

        keys = [key for key in self.rows[0] if key not in (DATA, UNIT)]
        words = {True: "yes", False: "no"}
        values = [[plain(row[key]) for key in keys] for row in self.rows]
        values = [[words[value] if isinstance(value, bool) else value for value in line] for line in values]
        frame = pd.DataFrame(values, columns=keys, dtype=object)
        frame[DATA] = [str(row.get(DATA, self.data_label)) for row in self.rows]
        return frame.to_csv(index=False, lineterminator="\n")

    def markdown(self, caption: str) -> str:
        """Write a Markdown table between its caption and its notes."""
        label = f"**{self.data_label}.**\n\n" if self.data_label else ""
        table = self._tabulate("pipe", lambda text: text.replace("|", r"\|"))
        notes = "".join(f"\n- {note}" for note in self.notes)
        return f"{caption}\n\n{label}{table}\n{notes}" + ("\n" if notes else "")

    def latex(self, caption: str, label: str) -> str:
        """Write a LaTeX `table` environment; needs the package `graphicx`."""
        data = f" \\textbf{{{latex(self.data_label)}.}}" if self.data_label else ""
        notes = ["\\begin{itemize}\\footnotesize", *(rf"\item {latex(note)}" for note in self.notes), "\\end{itemize}"]
        lines = [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{latex(caption)}{data}}}",
            rf"\label{{{label}}}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            self._tabulate("latex_raw", latex) + "}",
            *(notes if self.notes else []),
            r"\end{table}",
        ]
        return "\n".join(lines) + "\n"

    def html(self, caption: str) -> str:
        """Write a web page: the table between its caption and its notes."""
        data = f" <strong>{html.escape(self.data_label)}.</strong>" if self.data_label else ""
        notes = "".join(f"<li>{_html(note)}</li>" for note in self.notes)
        table = self._tabulate("unsafehtml", _html)
        return f"{_PAGE}<p>{_html(caption)}{data}</p>\n{table}\n<ul>{notes}</ul>\n</body></html>\n"

    def _tabulate(self, layout: str, escape: Callable[[str], str]) -> str:
        from tabulate import tabulate

        return tabulate(
            [[escape(cell) for cell in cells] for cells in self.cells],
            headers=[escape(column.title) for column in self.visible],
            tablefmt=layout,
            colalign=["left" if column.text else "right" for column in self.visible],
            disable_numparse=True,
        )


def plain(value: Value | Statistic) -> Value:
    """Return a value as a number, words or None: the mean of a statistic, None for NaN."""
    value = value.mean if isinstance(value, Statistic) else value
    return None if isinstance(value, float) and value != value else value


def latex(text: str) -> str:
    r"""Escape text for LaTeX; a phrase between backticks becomes `\texttt`."""
    return re.sub(r"`([^`]*)`", r"\\texttt{\1}", text.translate(_LATEX))


def _html(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text))
