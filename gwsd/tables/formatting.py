"""A table as rows of values, and its three faces: csv for machines, Markdown and LaTeX for people."""

import csv
import html
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gwsd.tables.recomputing import Sources

Value = float | int | str | bool | None

MEASURED = "measured_"
"""Keys of values measured with a clock begin so: two runs differ in them and comparisons leave them out."""

DATA = "data"
"""Column of the csv that says which Earth a row was computed on."""

UNIT = "unit"
"""A row may set it where its values have a unit of their own; no column of the csv."""

ABOUT_A_ROW = (DATA, UNIT)
"""What a row may say of itself beside its values."""

DASH = "–"
"""What stands in a cell without a value."""

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "−": r"$-$",
    "°": r"$^\circ$",
    "²": r"$^2$",
    "³": r"$^3$",
    "λ": r"$\lambda$",
    "Δ": r"$\Delta$",
    "σ": r"$\sigma$",
    "→": r"$\rightarrow$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "–": "--",
    "½": r"$\frac{1}{2}$",
}


_TEXT = ' class="text"'
"""Attribute of cells that hold words."""

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem;max-width:75rem}table{border-collapse:collapse}"
    "caption{text-align:left;padding-bottom:.7rem}th,td{padding:.25rem .7rem;text-align:right}td{white-space:nowrap}"
    ".text{text-align:left;white-space:normal}th{border-bottom:1px solid #888}th[colspan]{text-align:center}"
    "ul{color:#444;font-size:13px}"
)


@dataclass(frozen=True)
class Column:
    """A column that people see.

    Parameters
    ----------
    heading : str
        With the unit.
    key : str
        Which value of a row.
    digits : int or None
        Decimals of a number; None prints integers with thousands separated and other numbers in short.
    spread : str or None
        Key of the value printed after ±.
    group : str
        Heading over several neighbouring columns of the same group; the mark of the paper's numbers.
    text : bool
        Whether the column holds words: set to the left.
    signed : bool
        Whether positive numbers carry their sign.
    machine : bool
        Whether it names the machine that measured: such words differ between runs as clock readings do.
    """

    heading: str
    key: str
    digits: int | None = None
    spread: str | None = None
    group: str = ""
    text: bool = False
    signed: bool = False
    machine: bool = False

    @property
    def measured(self) -> bool:
        """Whether it shows what a clock measured."""
        return self.key.startswith(MEASURED)

    @property
    def unit(self) -> str:
        """The unit that stands in brackets at the end of the heading; empty where there is none."""
        found = re.search(r" \(([^()]+)\)$", self.heading)
        return "" if found is None else found.group(1)

    def cell(self, row: Mapping[str, Value]) -> str:
        """Print the cell of a row."""
        text = self.printed(row[self.key])
        spread = None if self.spread is None else row[self.spread]
        if spread is None or text == DASH or absent(spread):
            return text
        return f"{text} ± {self.printed(spread).lstrip('+')}"

    def format_of(self, value: Value) -> str:
        """Return the format in which a number is printed, as Python's `format` reads it; empty for words."""
        if absent(value) or isinstance(value, bool | str):
            return ""
        sign = "+" if self.signed else ""
        if self.digits is not None:
            return f"{sign},.{self.digits}f"
        return f"{sign},d" if isinstance(value, int) else f"{sign}g"

    def printed(self, value: Value) -> str:
        """Print one value."""
        if absent(value):
            return DASH
        if isinstance(value, bool):
            return "Yes" if value else "No"
        if isinstance(value, str):
            return value
        return format(value, self.format_of(value)).replace("-", "−")


@dataclass(frozen=True)
class Table:
    """Values, how to print them, and what must be said with them.

    Parameters
    ----------
    rows : tuple of mappings
        All with the same keys: the columns of the csv. A row may set `data`, where it was not computed here.
    columns : tuple of Column
        What people see.
    notes : tuple of str
        Printed below the table; `code` between backticks.
    provenance_note : str
        Which Earth the numbers speak of, such as "Synthetic: computed on the twin Earth".
    csv_only : tuple of Column
        How to name and print what only the csv holds.
    sources : mapping
        Where cells can be recomputed, by row key (the row's first value) and column.
    """

    rows: tuple[Mapping[str, Value], ...]
    columns: tuple[Column, ...]
    notes: tuple[str, ...]
    provenance_note: str
    csv_only: tuple[Column, ...] = ()
    sources: Sources = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that every row has the same keys and every column its values."""
        if not self.rows:
            raise ValueError("A table needs at least one row.")
        keys = self._keys()
        for row in self.rows:
            if [key for key in row if key not in ABOUT_A_ROW] != keys:
                msg = f"The rows of a table differ in their keys: {list(row)} against {keys}."
                raise ValueError(msg)
        described = (*self.columns, *self.csv_only)
        needed = {column.key for column in described}
        needed |= {column.spread for column in described if column.spread is not None}
        if missing := needed - set(keys):
            msg = f"Columns show {sorted(missing)}, which the rows do not hold; they hold {keys}."
            raise ValueError(msg)

    def _keys(self) -> list[str]:
        return [key for key in self.rows[0] if key not in ABOUT_A_ROW]

    def csv(self) -> str:
        """Write one header row and one row a line: full precision, empty where there is no value."""
        keys = self._keys()
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*keys, DATA])
        for row in self.rows:
            writer.writerow([*(plain(row[key]) for key in keys), row.get(DATA, self.provenance_note)])
        return stream.getvalue()

    def markdown(self, caption: str) -> str:
        """Write a Markdown table under its caption, with what must be said about its data, and notes below."""
        headings = [f"{column.heading} ({column.group})" if column.group else column.heading for column in self.columns]
        rules = [":---" if column.text else "---:" for column in self.columns]
        body = [[column.cell(row) for column in self.columns] for row in self.rows]
        lines = [
            "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |" for cells in [headings, rules, *body]
        ]
        notes = [f"- {note}" for note in self.notes]
        above = [caption, *([f"**{self.provenance_note}.**"] if self.provenance_note else [])]
        parts = [*above, "\n".join(lines), *(["\n".join(notes)] if notes else [])]
        return "\n\n".join(parts) + "\n"

    def latex(self, caption: str, label: str) -> str:
        r"""Write a `table` environment (needs `booktabs` and `graphicx`); clock readings stand in `\measured{}`."""
        body = [" & ".join(self._latex_cell(column, row) for column in self.columns) for row in self.rows]
        data = f" \\textbf{{{latex(self.provenance_note)}.}}" if self.provenance_note else ""
        lines = [
            r"\providecommand{\measured}[1]{#1}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{latex(caption)}{data}}}",
            rf"\label{{{label}}}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{''.join('l' if column.text else 'r' for column in self.columns)}}}",
            r"\toprule",
            *self._latex_groups(),
            " & ".join(latex(column.heading) for column in self.columns) + r" \\",
            r"\midrule",
            *(line + r" \\" for line in body),
            r"\bottomrule",
            r"\end{tabular}}",
        ]
        if self.notes:
            notes = [rf"\item {latex(note)}" for note in self.notes]
            lines += [r"\begin{itemize}\footnotesize", *notes, r"\end{itemize}"]
        return "\n".join([*lines, r"\end{table}"]) + "\n"

    def html(self, caption: str) -> str:
        """Write a page of its own, for a browser: the table under its caption, notes below."""
        data = f" <strong>{html.escape(self.provenance_note)}.</strong>" if self.provenance_note else ""
        groups = "".join(
            f'<th colspan="{last - first + 1}">{html.escape(group)}</th>' for group, first, last in self._spans()
        )
        headings = "".join(
            f"<th{_TEXT if column.text else ''}>{html.escape(column.heading)}</th>" for column in self.columns
        )
        body = "\n".join(
            "<tr>" + "".join(_html_cell(column, row) for column in self.columns) + "</tr>" for row in self.rows
        )
        notes = "".join(f"<li>{_html(note)}</li>" for note in self.notes)
        return (
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><style>{_STYLE}</style></head><body>\n'
            f"<table>\n<caption>{_html(caption)}{data}</caption>\n<thead>\n"
            f"<tr>{groups}</tr>\n<tr>{headings}</tr>\n</thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"
            f"<ul>{notes}</ul>\n</body></html>\n"
        )

    def _latex_cell(self, column: Column, row: Mapping[str, Value]) -> str:
        text = latex(column.cell(row))
        return rf"\measured{{{text}}}" if column.measured else text

    def _spans(self) -> list[tuple[str, int, int]]:
        """List runs of neighbouring columns of one group: its name, its first and last column, counted from 1."""
        spans: list[tuple[str, int, int]] = []
        for number, column in enumerate(self.columns, start=1):
            if spans and spans[-1][0] == column.group:
                spans[-1] = (column.group, spans[-1][1], number)
            else:
                spans.append((column.group, number, number))
        return spans

    def _latex_groups(self) -> list[str]:
        """Print the spanning headings and the rules beneath them; nothing where no column has a group."""
        spans = self._spans()
        if all(not group for group, _, _ in spans):
            return []
        cells = [
            rf"\multicolumn{{{last - first + 1}}}{{c}}{{{latex(group)}}}" if group else "& " * (last - first)
            for group, first, last in spans
        ]
        rules = "".join(rf"\cmidrule(lr){{{first}-{last}}}" for group, first, last in spans if group)
        return [" & ".join(cells) + r" \\", rules]


def _html_cell(column: Column, row: Mapping[str, Value]) -> str:
    kind = ' class="measured"' if column.measured else _TEXT if column.text else ""
    return f"<td{kind}>{_html(column.cell(row))}</td>"


def _html(text: str) -> str:
    """Escape a text for HTML; what stands between backticks becomes code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text))


def latex(text: str) -> str:
    r"""Escape a text for LaTeX; what stands between backticks becomes `\texttt`."""
    parts = text.split("`")
    escaped = ["".join(_LATEX.get(character, character) for character in part) for part in parts]
    if len(parts) % 2 == 0:  # a lone backtick is no code
        return "`".join(escaped)
    return "".join(rf"\texttt{{{part}}}" if index % 2 else part for index, part in enumerate(escaped))


def without_measured(text: str, suffix: str) -> str:
    r"""Leave the clock readings out of a written table, so that two runs can be compared byte for byte.

    Parameters
    ----------
    text : str
        What `Table.csv`, `Table.markdown`, `Table.latex` or `Table.html` wrote.
    suffix : {'csv', 'md', 'tex', 'html'}
        Which of them.

    Returns
    -------
    str
        Columns whose heading begins with "measured" blanked (csv, md); the contents of `\measured{}` (tex) and of
        cells of the class `measured` (html) blanked.
    """
    if suffix == "tex":
        return re.sub(r"\\measured\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}", r"\\measured{}", text)
    if suffix == "md":
        return "\n".join(_blank_markdown(text.split("\n")))
    if suffix == "html":
        return re.sub(r'(<td class="measured">)[^<]*', r"\1", text)
    rows = list(csv.reader(io.StringIO(text)))
    blank = {index for index, key in enumerate(rows[0]) if key.startswith(MEASURED)}
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(rows[0])
    for row in rows[1:]:
        writer.writerow(["" if index in blank else cell for index, cell in enumerate(row)])
    return stream.getvalue()


def _blank_markdown(lines: list[str]) -> list[str]:
    blank: set[int] = set()
    result = []
    for line in lines:
        cells = line.split(" | ") if line.startswith("| ") else []
        if cells and not blank:
            blank = {index for index, cell in enumerate(cells) if cell.lower().lstrip("| ").startswith("measured")}
        elif cells:
            cells = ["" if index in blank else cell for index, cell in enumerate(cells)]
        result.append(" | ".join(cells) if cells else line)
    return result


def absent(value: Value) -> bool:
    """Tell whether there is no value."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def plain(value: Value) -> str:
    """Print a value for machines: `repr` of a float keeps every digit."""
    if absent(value):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return repr(float(value)) if isinstance(value, float) else str(value)
