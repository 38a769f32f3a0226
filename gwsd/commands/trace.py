"""`gwsd trace`: from a number or a file back to the raw data."""

import argparse
import json
from pathlib import Path
from typing import Any

from gwsd.errors import DataError


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add `gwsd trace` to the commands."""
    parser = commands.add_parser("trace", help="show where a number or a file comes from, back to the raw data")
    parser.add_argument(
        "name", metavar="ID|FILE", help="such as table3:full:mae, table3, or results/demo/tables/table3.csv"
    )
    parser.add_argument("--results", type=Path, metavar="DIR", help="the results folder; found unless given")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print files and jobs as JSON")
    form.add_argument("--dot", action="store_true", help="print a graph for Graphviz")
    form.add_argument("--mermaid", action="store_true", help="print a graph for Mermaid")
    parser.set_defaults(command=_trace)


def _trace(options: argparse.Namespace) -> None:
    from gwsd.provenance.lineage import Lineage
    from gwsd.provenance.records import read_records
    from gwsd.provenance.tracing import trace_dot, trace_json, trace_mermaid, trace_text

    results = options.results or _results_of(options.name)
    lineage = Lineage(read_records(results))
    name = _file_of_artifact(options.name, results) or options.name
    number = None if _is_file(name, results) else _number(name, results)
    node = lineage.tree(_name_in_records(name, results) if number is None else str(number["file"]))
    if options.json:
        print(json.dumps(trace_json(node, number), indent=1, ensure_ascii=False))
    else:
        print((trace_dot if options.dot else trace_mermaid if options.mermaid else trace_text)(node, number))


def _file_of_artifact(name: str, results: Path) -> str | None:
    """Name the file behind an artifact, such as table3 or claims: the article's marks say `gwsd trace table3`."""
    from gwsd.numbers.published import read_numbers

    if not name.isidentifier() or not (results / "numbers.json").is_file():
        return None
    numbers = read_numbers(results / "numbers.json").values()
    return next((str(one["file"]) for one in numbers if one["artifact"] == name), None)


def _is_file(name: str, results: Path) -> bool:
    return "/" in name or Path(name).exists() or (results / name).exists()


def _name_in_records(name: str, results: Path) -> str:
    """Name a file that lies in the results folder by its path within, whatever the folder is called now."""
    path = Path(name)
    if path.exists() and path.resolve().is_relative_to(results.resolve()):
        return path.resolve().relative_to(results.resolve()).as_posix()
    return name.removeprefix("./")


def _number(name: str, results: Path) -> dict[str, Any]:
    from gwsd.numbers.published import find, read_numbers

    path = results / "numbers.json"
    if not path.is_file():
        raise DataError(
            f"{name}: neither a file here nor a number that can be looked up, for there is no {path}; "
            "make it with `snakemake --cores all`, or give the path of a file"
        )
    return dict(find(read_numbers(path), name))


def _results_of(name: str) -> Path:
    """Choose the results folder: that of the path, that of config.yaml's scenario, or the only one."""
    parts = Path(name).parts
    if "results" in parts[:-2]:
        return Path(*parts[: parts.index("results") + 2])
    there = [path for path in sorted(Path("results").glob("*")) if any(path.rglob("*.record.json"))]
    chosen = [path for path in there if path.name == _scenario()]
    if len(chosen or there) == 1:
        return (chosen or there)[0]
    found = f"found {', '.join(map(str, there))}" if there else "there is none under results/"
    raise DataError(f"{name}: which results folder? {found}; give it: --results results/demo")


def _scenario() -> str | None:
    """Read the scenario that config.yaml names, as one line of it says."""
    config = Path("config.yaml")
    for line in config.read_text(encoding="utf-8").splitlines() if config.is_file() else ():
        key, colon, value = line.partition(":")
        if key == "scenario" and colon:
            return value.partition("#")[0].strip().strip("'\"")
    return None
