"""The article from the files of a results folder: checked, injected, typeset."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwsd.errors import DataError
from gwsd.manuscript.content import article_content, read_json
from gwsd.manuscript.identifiers import check_identifiers
from gwsd.manuscript.latex import numbers_tex, tables_tex
from gwsd.manuscript.numerals import check_numerals
from gwsd.manuscript.typesetting import typeset
from gwsd.provenance.records import read_records
from gwsd.provenance.root import root_hash


@dataclass(frozen=True)
class BuiltArticle:
    """Everything that the target `paper` writes.

    Attributes
    ----------
    pdf : bytes
        The article.
    placed : tuple of dict
        Each injected number as one reads: its id, its text and its page.
    numbers_tex, tables_tex : str
        For LaTeX.
    warnings : tuple of str
        Of Typst.
    root : str
        Root hash of the records, as printed.
    """

    pdf: bytes
    placed: tuple[dict[str, Any], ...]
    numbers_tex: str
    tables_tex: str
    warnings: tuple[str, ...]
    root: str


def build_article(
    *,
    numbers: Path,
    tables: Sequence[Path],
    figures: Sequence[Path],
    images: Sequence[Path],
    claims: Path,
    sources: Sequence[Path],
    settings: dict[str, Any],
    root: str | None = None,
) -> BuiltArticle:
    """Build the article of a results folder.

    Parameters
    ----------
    numbers : Path
        `numbers.json`, in the results folder.
    tables, figures : sequence of Path
        Sidecars of tables and figures, in the order of their numbers.
    images : sequence of Path
        The figures' pictures, one each, in the same order.
    claims : Path
        `audit/claims.json`.
    sources : sequence of Path
        `paper/*.typ` and the bibliography.
    settings : dict
        The scenario's settings that the article speaks of.
    root : str, optional
        Root hash of the records; computed from the records beside the results where it is not given.

    Returns
    -------
    BuiltArticle

    Raises
    ------
    DataError
        Where a source names an unknown number, holds a number typed by hand, or does not typeset.
    """
    published = read_json(numbers)
    sidecars = {"table": [read_json(path) for path in tables], "figure": [read_json(path) for path in figures]}
    names = {kind: [sidecar["artifact"] for sidecar in group] for kind, group in sidecars.items()}
    if len(images) != len(figures):
        raise DataError(
            f"The article needs one picture a figure; there are {len(figures)} figures, {len(images)} pictures"
        )
    texts = {path.name: path.read_text() for path in sources if path.suffix == ".typ"}
    check_identifiers(texts, {entry["id"] for entry in published["values"]}, {*names["table"], *names["figure"]})
    check_numerals(texts)
    pictures = {f"figures/{name}{path.suffix}": path for name, path in zip(names["figure"], images, strict=True)}
    hashed = root_hash(read_records(numbers.parent)) if root is None else root
    content = article_content(
        numbers=published,
        tables=sidecars["table"],
        figures=sidecars["figure"],
        images=dict(zip(names["figure"], pictures, strict=True)),
        claims=read_json(claims),
        settings=settings,
        root=hashed,
    )
    article = typeset(sources, content, pictures)
    return BuiltArticle(
        pdf=article.pdf,
        placed=article.placed,
        numbers_tex=numbers_tex(published, hashed),
        tables_tex=tables_tex(
            names["table"],
            {sidecar["artifact"]: sidecar["caption"] for sidecar in sidecars["figure"]},
            published["scenario"],
            published["data_label"],
        ),
        warnings=article.warnings,
        root=hashed,
    )
