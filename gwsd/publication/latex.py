r"""LaTeX files for authors: each published number as `\gwsdnumber{table3:full:mae_cm}`, and the tables and figures."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gwsd.artifacts.formatting import latex
from gwsd.errors import DataError

_HEAD = r"""% Published numbers of results/{scenario} ({label}), one macro each.
% Root of the records: {root}
% Use: \input{{numbers.tex}} in the preamble, then \gwsdnumber{{table3:full:mae_cm}}. An unknown name is an error.
\providecommand{{\gwsdnumber}}[1]{{%
  \ifcsname gwsd@#1\endcsname\csname gwsd@#1\endcsname
  \else\errmessage{{gwsd: no number has the name #1}}\fi}}
"""


def numbers_tex(numbers: Mapping[str, Any], root: str) -> str:
    """Write a macro for each value of `numbers.json`, with its file as a comment."""
    head = _HEAD.format(scenario=numbers["scenario"], label=numbers["data_label"], root=root)
    return head + "\n".join(_macro(entry) for entry in numbers["values"]) + "\n"


def _macro(entry: Mapping[str, Any]) -> str:
    name = entry["id"]
    if re.fullmatch(r"[\w:.+-]+", name, re.ASCII) is None:
        raise DataError(f"numbers.json: the id {name!r} has characters that a macro's name cannot have")
    unit = f", {entry['unit']}" if entry["unit"] else ""
    origin = re.sub(r"\s+", " ", f"{entry['origin']}{unit}; {entry['file']}")
    return rf"\expandafter\def\csname gwsd@{name}\endcsname{{{latex(entry['text'])}}}% {origin}"


def tables_tex(tables: Sequence[str], figures: Mapping[str, str], scenario: str, label: str) -> str:
    """Write a document that inputs the tables and the figures (captions by name), for the results folder."""
    pictures = [
        rf"\begin{{figure}}\centering\includegraphics[width=\linewidth]{{figures/{name}.pdf}}"
        rf"\caption{{{latex(caption)} \textbf{{{latex(label)}.}}}}\label{{fig:{name}}}\end{{figure}}"
        for name, caption in figures.items()
    ]
    return "\n".join(
        [
            f"% Tables and figures of results/{scenario}; typeset it in that folder, or input its files one by one.",
            r"\documentclass{article}",
            r"\usepackage{graphicx}",
            r"\input{numbers.tex}",
            r"\begin{document}",
            *(rf"\input{{tables/{name}.tex}}" for name in tables),
            *pictures,
            r"\end{document}",
            "",
        ]
    )
