"""Typesetting with Typst: the same sources give the same bytes, with Typst's own fonts only."""

import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typst

from gwsd.errors import DataError

MAIN = "paper.typ"
"""The source that includes the others."""


def typeset(
    sources: Sequence[Path], content: Mapping[str, Any], images: Mapping[str, Path]
) -> tuple[bytes, list[dict[str, Any]], list[str]]:
    """Typeset the article.

    Parameters
    ----------
    sources : sequence of Path
        Typst sources and the bibliography, `paper.typ` among them.
    content : mapping
        See `article.article_content`; the sources read it as `data.json`.
    images : mapping of str to Path
        Pictures, by the name that the content has for them.

    Returns
    -------
    pdf : bytes
        The article.
    placed : list of dict
        Id, text and page of each number in it, by page.
    warnings : list of str
        Messages of Typst.

    Raises
    ------
    DataError
        If a source has an error or names an unknown number.
    """
    with tempfile.TemporaryDirectory(prefix="gwsd-paper-") as name:
        folder = Path(name)
        for target, path in {**{path.name: path for path in sources}, **images}.items():
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / target)
        (folder / "data.json").write_text(json.dumps(content, ensure_ascii=False, allow_nan=False))
        try:
            compiler = typst.Compiler(folder / MAIN, root=folder, font_paths=[], ignore_system_fonts=True)
            pdf, warnings = compiler.compile_with_warnings(format="pdf", timestamp=0)
            placed = json.loads(compiler.query("<number>", field="value"))
        except typst.TypstError as error:
            raise DataError(_message(error, content)) from None
    assert isinstance(pdf, bytes)
    return pdf, sorted(placed, key=lambda number: number["page"]), [warning.message for warning in warnings]


def _message(error: typst.TypstError, content: Mapping[str, Any]) -> str:
    places = re.findall(r"┌─ (\S+?):(\d+):\d+", error.diagnostic)
    listed = "; from ".join(f"paper/{Path(name).name}, line {line}" for name, line in places) or "paper/"
    parts = [error.message, *error.hints]
    unknown = re.search(r"no number has the id (\S+)", error.message)
    if unknown is not None:
        near = get_close_matches(unknown[1], content["numbers"], 3, 0.5)
        parts.append(f"similar ids: {', '.join(near) or 'none'}; correct the id, or guard it with known(...)")
    return f"Typst refuses the article ({listed}): {'; '.join(parts)}"
