"""`gwsd standards`: the documents that the registry of artifacts makes."""

import argparse
from pathlib import Path

from gwsd.errors import DataError


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "standards", help="write codecheck.yml, CITATION.cff and README's table from the registry of artifacts"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where a document is not as it should be"
    )
    parser.add_argument(
        "--minutes",
        type=Path,
        metavar="RESULTS",
        help="first measure each artifact's minutes in a finished run's records",
    )
    parser.set_defaults(command=write_standards)


def write_standards(options: argparse.Namespace) -> None:
    """Write the documents, or check them."""
    from gwsd.artifacts import ARTIFACTS, DOCUMENTS
    from gwsd.provenance.closure import ROOT
    from gwsd.standards.documents import MINUTES, documents
    from gwsd.standards.minutes import measure, write_minutes

    if options.minutes is not None:
        files = {one.name: f"{one.kind}s/{one.name}.{one.suffixes[0]}" for one in ARTIFACTS}
        measured = measure(options.minutes, {**files, **{one.name: one.file for one in DOCUMENTS}})
        write_minutes(measured, ROOT / MINUTES)
        print(MINUTES)
    for name, text in documents(ROOT).items():
        path = ROOT / name
        same = path.is_file() and path.read_text(encoding="utf-8") == text
        if options.check and not same:
            raise DataError(f"{name}: not what gwsd/artifacts.py says; run `gwsd standards`, which writes it")
        if not same:
            path.write_text(text, encoding="utf-8")
        print(f"{name}: {'as it was' if same else 'written'}")
