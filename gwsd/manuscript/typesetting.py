"""Typst, called so that the same sources give the same bytes, with the fonts it carries and no others."""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typst

from gwsd.errors import DataError

MAIN = "paper.typ"
"""The source that includes the others."""

_PLACE = re.compile(r"┌─ (\S+?):(\d+):\d+")

LINE_POINTS = 7.0
"""Numbers on one line differ by less in height: the text's baseline and the top of a box; lines differ by more."""

EPOCH = 0
"""Time that Typst is told, seconds since 1970: no clock reaches the bytes."""


@dataclass(frozen=True)
class Article:
    """The typeset article.

    Attributes
    ----------
    pdf : bytes
        The file.
    placed : tuple of dict
        Each injected number as one reads, page by page and line by line: its id, its text and its page.
    warnings : tuple of str
        What Typst warned of.
    """

    pdf: bytes
    placed: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...]


def typeset(sources: Sequence[Path], content: Mapping[str, Any], images: Mapping[str, Path]) -> Article:
    """Typeset the article.

    Parameters
    ----------
    sources : sequence of Path
        Typst sources and the bibliography, `paper.typ` among them.
    content : mapping
        `content.article_content`.
    images : mapping of str to Path
        File of each picture, by the name under which the content refers to it.

    Returns
    -------
    Article

    Raises
    ------
    DataError
        Where Typst refuses a source.
    """
    with _laid_out(sources, content, images) as folder, _messages():
        compiler = _compiler(folder)
        pdf, warnings = compiler.compile_with_warnings(format="pdf", timestamp=EPOCH)
        assert isinstance(pdf, bytes)
        placed = json.loads(compiler.query("<number>", field="value"))
    return Article(pdf, _as_read(placed), tuple(warning.message for warning in warnings))


def typeset_without_numbers(sources: Sequence[Path], content: Mapping[str, Any], images: Mapping[str, Path]) -> bytes:
    """Typeset the article with everything injected left out: digits that remain were typed by hand.

    Parameters
    ----------
    sources, content, images
        As of `typeset`.

    Returns
    -------
    bytes
        The PDF.
    """
    with _laid_out(sources, content, images) as folder, _messages():
        pdf = _compiler(folder, hidden="yes").compile(format="pdf", timestamp=EPOCH)
        assert isinstance(pdf, bytes)
    return pdf


def _as_read(placed: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Sort by where numbers stand: floating tables stand elsewhere than in the source."""
    lines: list[list[Mapping[str, Any]]] = []
    for one in sorted(placed, key=lambda one: (one["page"], one["down"])):
        first = lines[-1][0] if lines else None
        if first is not None and first["page"] == one["page"] and one["down"] - first["down"] < LINE_POINTS:
            lines[-1].append(one)
        else:
            lines.append([one])
    ordered = [one for line in lines for one in sorted(line, key=lambda one: one["across"])]
    return tuple({"id": one["id"], "text": one["text"], "page": one["page"]} for one in ordered)


def _compiler(folder: Path, **inputs: str) -> typst.Compiler:
    return typst.Compiler(folder / MAIN, root=folder, font_paths=[], ignore_system_fonts=True, sys_inputs=inputs)


@contextmanager
def _laid_out(sources: Sequence[Path], content: Mapping[str, Any], images: Mapping[str, Path]) -> Iterator[Path]:
    """Copy everything into one folder: Typst reads nothing outside it."""
    if MAIN not in {path.name for path in sources}:
        raise DataError(f"The article's sources lack {MAIN}; there are: {', '.join(path.name for path in sources)}")
    with tempfile.TemporaryDirectory(prefix="gwsd-paper-") as name:
        folder = Path(name)
        for path in sources:
            shutil.copyfile(path, folder / path.name)
        for target, path in images.items():
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / target)
        (folder / "data.json").write_text(json.dumps(content, ensure_ascii=False, allow_nan=False))
        yield folder


@contextmanager
def _messages() -> Iterator[None]:
    """Say in one message what Typst refused."""
    try:
        yield
    except typst.TypstError as error:
        places = [f"paper/{Path(name).name}, line {line}" for name, line in _PLACE.findall(error.diagnostic)]
        said = [error.message, *error.hints]
        raise DataError(
            f"Typst refuses the article ({'; from '.join(places) or 'paper/'}): {'; '.join(said)}"
        ) from None
