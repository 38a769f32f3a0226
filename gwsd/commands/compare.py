"""`gwsd compare`: two folders of results, number by number."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gwsd.errors import ConfigError

if TYPE_CHECKING:
    from gwsd.numbers.comparing import Compared, Comparison


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = commands.add_parser("compare", help="compare two folders of results, number by number")
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="two folders, such as results/demo")
    parser.add_argument("--tolerances", type=Path, metavar="FILE", help="what may differ; tolerances.json of either")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print every value and its status as JSON")
    form.add_argument("--brief", action="store_true", help="print one line")
    form.add_argument(
        "--learn", action="store_true", help="compute tolerances from runs with different seeds, the reference first"
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where --learn writes the reference")
    parser.set_defaults(command=_compare)


def _compare(options: argparse.Namespace) -> None:
    from gwsd.numbers.comparing import compare, read_both
    from gwsd.numbers.tolerances import FILE, read_tolerances

    if options.learn:
        _learn(options)
        return
    if len(options.folders) != 2 or options.out is not None:
        raise ConfigError(
            "gwsd compare takes two folders (and --out with --learn alone), such as results/demo reference/demo"
        )
    first, second = options.folders
    beside = [folder / FILE for folder in (second, first) if (folder / FILE).is_file()]
    path = options.tolerances or (beside[0] if beside else None)
    comparison = compare(*read_both(first, second), None if path is None else read_tolerances(path))
    if options.json:
        print(_as_json(comparison, first, second, path))
    elif options.brief:
        print(_as_line(comparison, second))
    else:
        print(_as_text(comparison, first, second, path))
    if not comparison.agrees:
        sys.exit(1)


def _learn(options: argparse.Namespace) -> None:
    from gwsd.numbers.published import read_document, read_numbers
    from gwsd.numbers.tolerances import learn, write_reference

    if options.out is None:
        raise ConfigError("gwsd compare --learn needs --out FOLDER, such as --out reference/demo")
    files = [folder / "numbers.json" for folder in options.folders]
    tolerances = learn([read_numbers(file) for file in files])
    for path in write_reference(options.out, read_document(files[0]), tolerances):
        print(path)


def _as_line(comparison: "Comparison", second: Path) -> str:
    counts = comparison.counts
    missing = f"{counts['only in one']} only in one, " if counts["only in one"] else ""
    return (
        f"{second}: {counts['same']} same, {counts['within']} within tolerance, {counts['outside']} outside, "
        f"{missing}{counts['clock reading']} clock readings left out"
    )


def _as_text(comparison: "Comparison", first: Path, second: Path, tolerances: Path | None) -> str:
    counts = comparison.counts
    only = [one.where for one in comparison.values if one.status == "only in one"]
    lines = [
        f"{first} against {second}",
        f"{counts['same']:8d} same",
        f"{counts['within']:8d} within tolerance ({tolerances or 'no file of tolerances: only equality is tolerated'})",
        f"{counts['outside']:8d} outside",
        f"{only.count('first'):8d} only in {first}",
        f"{only.count('second'):8d} only in {second}",
        f"{counts['clock reading']:8d} clock readings left out",
    ]
    worse = [one for one in comparison.values if one.status in ("outside", "only in one")]
    if worse:
        heading = ("", str(first), str(second), "difference", "tolerance", "unit")
        rows = [heading, *(_row(one) for one in worse)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(heading))]
        lines += [
            "",
            *("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows),
        ]
    return "\n".join(lines)


def _row(one: "Compared") -> tuple[str, ...]:
    def text(value: float | int | str | None, absent: bool) -> str:
        if absent:
            return "absent"
        return "–" if value is None else value if isinstance(value, str) else f"{value:.9g}"

    difference = "" if one.difference is None else f"{one.difference:+.3g}"
    tolerance = "" if one.tolerance is None else f"{one.tolerance:.3g}"
    first, second = text(one.first, one.where == "second"), text(one.second, one.where == "first")
    return (one.id, first, second, difference, tolerance, one.unit)


def _as_json(comparison: "Comparison", first: Path, second: Path, tolerances: Path | None) -> str:
    values = [
        {
            "id": one.id,
            "status": one.status,
            "first": one.first,
            "second": one.second,
            "unit": one.unit,
            "tolerance": one.tolerance,
            "where": one.where or "both",
        }
        for one in comparison.values
    ]
    document = {
        "first": str(first),
        "second": str(second),
        "tolerances": None if tolerances is None else str(tolerances),
        "counts": comparison.counts,
        "agrees": comparison.agrees,
        "values": values,
    }
    return json.dumps(document, indent=1, ensure_ascii=False)
