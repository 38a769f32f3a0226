"""What someone could do to a results folder, by accident or on purpose."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gwsd.provenance.hashing import key_of, sha256_of
from gwsd.provenance.records import RECORD_SUFFIX, record_text

Document = dict[str, Any]


def flip(path: Path, place: float = 0.5) -> None:
    """Flip the lowest bit of one byte."""
    content = bytearray(path.read_bytes())
    content[int(place * (len(content) - 1))] ^= 1
    path.write_bytes(bytes(content))


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{old} is not in {path.name}"
    path.write_text(text.replace(old, new, 1))


def replace_in_pdf(path: Path, old: str, new: str) -> None:
    content = path.read_bytes()
    assert old.encode() in content
    path.write_bytes(content.replace(old.encode(), new.encode(), 1))


def swap(one: Path, other: Path) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def record_of(path: Path) -> Path:
    """The record in which a file is an output."""
    for record in sorted(path.parent.glob(f"*{RECORD_SUFFIX}")):
        if any(one["path"].endswith(f"/{path.name}") for one in json.loads(record.read_text())["outputs"]):
            return record
    raise AssertionError(f"no record of {path}")


def edit(record: Path, change: Callable[[Document], None], *, seal: bool = True, key: bool = True) -> None:
    """Change a record; with a key and a seal that fit again."""
    document = json.loads(record.read_text())
    change(document)
    if key:
        document["key"] = key_of(
            {
                "inputs": {name: [one["sha256"] for one in files] for name, files in document["inputs"].items()},
                **{name: document[name] for name in ("code", "settings", "seed")},
            }
        )
    record.write_text(record_text(document) if seal else json.dumps(document, indent=1) + "\n")


def sign_again(path: Path) -> None:
    """Let the record of a file say that this is what was made."""

    def change(document: Document) -> None:
        for one in document["outputs"]:
            if one["path"].endswith(f"/{path.name}"):
                one.update(sha256=sha256_of(path), bytes=path.stat().st_size)

    edit(record_of(path), change)


def sign_all_again(results: Path, name: str = "results/toy") -> None:
    """Make all records agree with the files and with each other, as if the jobs had run so."""
    records = sorted(results.rglob(f"*{RECORD_SUFFIX}"))
    for _ in records:  # as often as the longest chain may ask for
        made = {}
        for record in records:
            document = json.loads(record.read_text())
            for one in document["outputs"]:
                path = results / one["path"].removeprefix(f"{name}/")
                if path.is_file():
                    one.update(sha256=sha256_of(path), bytes=path.stat().st_size)
                made[one["path"]] = (one, document["key"])
            record.write_text(record_text(document))
        for record in records:

            def follow(document: Document, made: dict[str, Any] = made) -> None:
                for files in document["inputs"].values():
                    for one in files:
                        if one["path"] in made:
                            entry, key = made[one["path"]]
                            one.update(sha256=entry["sha256"], bytes=entry["bytes"])
                            one["made_by"]["key"] = key

            edit(record, follow)


def print_root_again(results: Path, old: str, new: str) -> None:
    """Let the article and the page print another root hash."""
    replace_in_pdf(results / "paper.pdf", old, new)
    replace(results / "audit/index.html", old, new)
    for path in (results / "paper.pdf", results / "audit/index.html"):
        sign_again(path)
