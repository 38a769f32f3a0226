"""Tables: rows of values, and how they are written as CSV, Markdown, LaTeX and HTML."""

import csv
import html
import io
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gwsd.artifacts.numbers import DASH, Statistic, format_number

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
        "≥": r"$\ge$", "–": "--", "½": r"$\frac{1}{2}$",
    }
)  # fmt: skip

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><style>
body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem;max-width:75rem}table{border-collapse:collapse}
caption{text-align:left;padding-bottom:.7rem}th,td{padding:.25rem .7rem;text-align:right}td{white-space:nowrap}
.text{text-align:left;white-space:normal}th{border-bottom:1px solid #888}th[colspan]{text-align:center}
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

    def csv(self) -> str:
        """Write CSV: full precision, empty where there is no value."""
        keys = [key for key in self.rows[0] if key not in (DATA, UNIT)]
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*keys, DATA])
        for row in self.rows:
            values = [plain(row[key]) for key in keys]
            words = [("yes" if value else "no") if isinstance(value, bool) else value for value in values]
            writer.writerow([*words, row.get(DATA, self.data_label)])
        return stream.getvalue()

    def markdown(self, caption: str) -> str:
        """Write a Markdown table between its caption and its notes."""
        headings = [f"{column.heading} ({column.group})" if column.group else column.heading for column in self.visible]
        rules = [":---" if column.text else "---:" for column in self.visible]
        body = [[column.cell(row) for column in self.visible] for row in self.rows]
        table = ["| " + " | ".join(c.replace("|", r"\|") for c in cells) + " |" for cells in [headings, rules, *body]]
        label = f"**{self.data_label}.**\n\n" if self.data_label else ""
        notes = "".join(f"\n- {note}" for note in self.notes)
        return f"{caption}\n\n{label}" + "\n".join(table) + "\n" + notes + ("\n" if notes else "")

    def latex(self, caption: str, label: str) -> str:
        """Write a LaTeX `table` environment; needs the packages `booktabs` and `graphicx`."""
        data = f" \\textbf{{{latex(self.data_label)}.}}" if self.data_label else ""
        groups = [
            rf"\multicolumn{{{last - first + 1}}}{{c}}{{{latex(group)}}}" if group else "& " * (last - first)
            for group, first, last in self._groups()
        ]
        rules = [rf"\cmidrule(lr){{{first}-{last}}}" for group, first, last in self._groups() if group]
        notes = ["\\begin{itemize}\\footnotesize", *(rf"\item {latex(note)}" for note in self.notes), "\\end{itemize}"]
        lines = [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{latex(caption)}{data}}}",
            rf"\label{{{label}}}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{''.join('l' if column.text else 'r' for column in self.visible)}}}",
            r"\toprule",
            *([" & ".join(groups) + r" \\", "".join(rules)] if rules else []),
            " & ".join(latex(column.heading) for column in self.visible) + r" \\",
            r"\midrule",
            *(" & ".join(latex(column.cell(row)) for column in self.visible) + r" \\" for row in self.rows),
            r"\bottomrule",
            r"\end{tabular}}",
            *(notes if self.notes else []),
            r"\end{table}",
        ]
        return "\n".join(lines) + "\n"

    def html(self, caption: str) -> str:
        """Write a web page: the table between its caption and its notes."""
        data = f" <strong>{html.escape(self.data_label)}.</strong>" if self.data_label else ""
        groups = [
            f'<th colspan="{last - first + 1}">{html.escape(group)}</th>' for group, first, last in self._groups()
        ]
        kinds = [' class="text"' if column.text else "" for column in self.visible]
        cells = [[column.heading for column in self.visible]]
        cells += [[column.cell(row) for column in self.visible] for row in self.rows]
        lines = [
            "".join(f"<{tag}{kind}>{_html(text)}</{tag}>" for kind, text in zip(kinds, row, strict=True))
            for tag, row in zip(["th", *["td"] * len(self.rows)], cells, strict=True)
        ]
        table = "\n".join(f"<tr>{line}</tr>" for line in ["".join(groups), *lines])
        notes = "".join(f"<li>{_html(note)}</li>" for note in self.notes)
        return (
            f"{_PAGE}<table>\n<caption>{_html(caption)}{data}</caption>\n{table}\n</table>\n<ul>{notes}</ul>\n"
            "</body></html>\n"
        )

    def _groups(self) -> Iterator[tuple[str, int, int]]:
        """Yield runs of columns of one group: its name, first and last column, counted from 1."""
        numbered = enumerate(self.visible, start=1)
        for group, run in itertools.groupby(numbered, key=lambda pair: pair[1].group):
            numbers = [number for number, _ in run]
            yield group, numbers[0], numbers[-1]


def plain(value: Value | Statistic) -> Value:
    """Return a value as a number, words or None: the mean of a statistic, None for NaN."""
    value = value.mean if isinstance(value, Statistic) else value
    return None if isinstance(value, float) and value != value else value


def latex(text: str) -> str:
    r"""Escape text for LaTeX; a phrase between backticks becomes `\texttt`."""
    return re.sub(r"`([^`]*)`", r"\\texttt{\1}", text.translate(_LATEX))


def _html(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text))
