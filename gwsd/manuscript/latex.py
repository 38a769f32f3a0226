r"""For authors who submit in LaTeX: each published number as `\gwsdnumber{table3:full:mae_cm}`, and the tables."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gwsd.errors import DataError
from gwsd.tables.formatting import latex as escaped

_MORE = {
    "\u202f": r"\,",
    "\u2009": r"\,",
    "\u00a0": "~",
    "α": r"$\alpha$",
    "θ": r"$\theta$",
    "·": r"$\cdot$",
    "ρ": r"$\rho$",
    "≠": r"$\ne$",
    "≈": r"$\approx$",
}
"""What figures and claims print beyond the characters of tables."""

_NAME = re.compile(r"[\w:.+-]+", re.ASCII)

_HEAD = r"""% Published numbers of results/{scenario} ({label}), one macro each.
% Root of the records: {root}
% Use: \input{{numbers.tex}} in the preamble, then \gwsdnumber{{table3:full:mae_cm}}.
% An unknown name is an error, never an empty place.
\providecommand{{\gwsdnumber}}[1]{{%
  \ifcsname gwsd@#1\endcsname\csname gwsd@#1\endcsname
  \else\errmessage{{gwsd: no number has the name #1}}\fi}}
"""


def numbers_tex(numbers: Mapping[str, Any], root: str) -> str:
    """Write a macro for each published number, with the file that it comes from.

    Parameters
    ----------
    numbers : mapping
        `numbers.json`.
    root : str
        Root hash of the records.

    Returns
    -------
    str

    Raises
    ------
    DataError
        Where an id cannot be part of a macro's name.
    """
    head = _HEAD.format(scenario=numbers["scenario"], label=numbers["data_label"], root=root)
    return head + "\n".join(_macro(entry) for entry in numbers["values"]) + "\n"


def latex(text: str) -> str:
    """Escape a text for LaTeX, with code between backticks in typewriter."""
    return "".join(_MORE.get(char, char) for char in escaped(text))


def tables_tex(tables: Sequence[str], figures: Mapping[str, str], scenario: str, label: str) -> str:
    r"""Write a document that inputs the tables and figures, to be typeset in the results folder.

    Parameters
    ----------
    tables : sequence of str
        Names, such as table3.
    figures : mapping of str to str
        Captions by name.
    scenario, label : str
        Which one, and what its data are.
    """
    return "\n".join(
        [
            f"% Tables and figures of results/{scenario}; typeset it in that folder, or input its files one by one.",
            r"\documentclass{article}",
            r"\usepackage{booktabs,graphicx}",
            r"\input{numbers.tex}",
            r"\begin{document}",
            *(rf"\input{{tables/{name}.tex}}" for name in tables),
            *(
                rf"\begin{{figure}}\centering\includegraphics[width=\linewidth]{{figures/{name}.pdf}}"
                rf"\caption{{{latex(caption)} \textbf{{{latex(label)}.}}}}\label{{fig:{name}}}\end{{figure}}"
                for name, caption in figures.items()
            ),
            r"\end{document}",
            "",
        ]
    )


def _macro(entry: Mapping[str, Any]) -> str:
    name = entry["id"]
    if _NAME.fullmatch(name) is None:
        raise DataError(f"numbers.json: the id {name!r} has characters that LaTeX cannot hold in a macro's name")
    unit = f", {entry['unit']}" if entry["unit"] else ""
    origin = _one_line([entry["origin"] + unit, entry["file"]])
    return rf"\expandafter\def\csname gwsd@{name}\endcsname{{{latex(entry['text'])}}}% {origin}"


def _one_line(parts: Iterable[str]) -> str:
    return re.sub(r"\s+", " ", "; ".join(parts))
