"""`gwsd verify`: whether a results folder is what its records say."""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gwsd.errors import DataError

if TYPE_CHECKING:
    from gwsd.provenance.verifying import Report

SHOWN_OF_A_KIND = 40
"""Problems printed of each kind; --json has all."""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add `gwsd verify` to the commands."""
    parser = commands.add_parser("verify", help="check every file, record and number of a results folder")
    parser.add_argument("results", type=Path, metavar="RESULTS_DIR", help="such as results/demo, wherever it lies")
    parser.add_argument("--root", metavar="HASH", help="the root hash that it should have, as the article prints it")
    parser.add_argument("--json", action="store_true", help="print all that was found as JSON")
    parser.set_defaults(command=_verify)


def _verify(options: argparse.Namespace) -> None:
    from gwsd.provenance.verifying import verify

    if options.root is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", options.root):
        raise DataError(f"--root {options.root}: expected a SHA-256, 64 hexadecimal digits, as the article prints it")
    report = verify(options.results, root=None if options.root is None else options.root.lower())
    print(json.dumps(_as_json(report), indent=1, ensure_ascii=False) if options.json else _as_text(report))
    if not report.ok:
        sys.exit(1)


def _as_text(report: "Report") -> str:
    from gwsd.provenance.verifying import INTACT, NOT_HERE, RULE_OF_RAW

    at_fault = [
        f"{one.status:<10}{one.path}: {one.reason}" for one in report.files if one.status not in (INTACT, NOT_HERE)
    ]
    lines = _listed("files", at_fault) + _listed("records", report.records) + _listed("numbers", report.numbers)
    if not report.root_agrees:
        lines.append(f"root      {report.root} is not the {report.expected_root} that was asked for")
    lines += [f"note      {note}" for note in report.notes]
    if lines:
        lines.append("")
    lines += [f"{status:<18}{count:>7,d} files" for status, count in report.counts.items()]
    lines += [f"{'numbers in':<18}{count:>7,d} {where}" for where, count in _places(report.checked)]
    if NOT_HERE in report.counts:
        lines.append(RULE_OF_RAW)
    count = len(at_fault) + len(report.records) + len(report.numbers) + (not report.root_agrees)
    verdict = "everything agrees" if report.ok else f"{count:,d} problem{'s' if count > 1 else ''}"
    lines.append(f"{report.name}: {verdict}")
    return "\n".join([*lines, f"root {report.root}"])


def _places(checked: dict[str, int]) -> list[tuple[str, int]]:
    """Join the lists of the single artifacts into one line."""
    own = sum(count for where, count in checked.items() if where.endswith(".json") and "/" in where)
    places = [(where, count) for where, count in checked.items() if not (where.endswith(".json") and "/" in where)]
    return [*places, *([("lists of single artifacts", own)] if own else [])]


def _listed(kind: str, problems: "list[str] | tuple[str, ...]") -> list[str]:
    shown = [one if kind == "files" else f"{kind:<10}{one}" for one in problems[:SHOWN_OF_A_KIND]]
    more = len(problems) - len(shown)
    return [*shown, *([f"{kind:<10}… and {more} more; --json lists all"] if more else [])]


def _as_json(report: "Report") -> dict[str, Any]:
    return {
        "results": report.name,
        "ok": report.ok,
        "root": report.root,
        "expected_root": report.expected_root,
        "counts": report.counts,
        "files": [file._asdict() for file in report.files],
        "records": list(report.records),
        "numbers": list(report.numbers),
        "checked": report.checked,
        "notes": list(report.notes),
    }
