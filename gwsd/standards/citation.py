"""Who made the workflow, under which licence, after which paper: read from CITATION.cff."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from gwsd.errors import DataError


@dataclass(frozen=True)
class Citation:
    """What a description of a run takes from CITATION.cff.

    Attributes
    ----------
    title, version, license : str
        Of the workflow.
    maker : str
        The organisation that made it.
    url : str or None
        Where it is published.
    paper, paper_authors : str
        Of the paper that it reproduces.
    """

    title: str
    version: str
    license: str
    maker: str
    url: str | None
    paper: str
    paper_authors: str


def read_citation(path: Path) -> Citation:
    """Read CITATION.cff.

    Raises
    ------
    DataError
        If it has not what is needed.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        paper = document["references"][0]
        return Citation(
            title=document["title"],
            version=str(document["version"]),
            license=document["license"],
            maker=document["authors"][0]["name"],
            url=document.get("repository-code") or document.get("url"),
            paper=paper["title"],
            paper_authors="; ".join(f"{one['family-names']}, {one['given-names']}" for one in paper["authors"]),
        )
    except (OSError, yaml.YAMLError, KeyError, IndexError, TypeError) as error:
        raise DataError(
            f"{path}: cannot read {error}; expected title, version, license, an organisation as author and the paper "
            "under references; `gwsd standards` writes the file"
        ) from None
