"""Command line `gwsd`: trace, verify, compare, info, doctor, draw, settings, downscale, basins and export."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from gwsd.errors import ConfigError, DataError, GwsdError

LISTED = 10
"""Numbers that `gwsd compare` lists of each part without `--all`, so that its output fits a terminal."""


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    Returns
    -------
    int
        Exit status: 0; 1 for an error in files or settings, printed as one message; 2 for a wrong command line.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = _parser().parse_args(argv)
        status = int(arguments.run(arguments) or 0)
        sys.stdout.flush()
    except GwsdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of the output, such as `head`, has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except SystemExit as end:  # of argparse
        return end.code if isinstance(end.code, int) else 0
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gwsd", description="Groundwater storage downscaling.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    trace = commands.add_parser("trace", help="trace a number or file back to its raw data")
    trace.add_argument("name", metavar="ID|FILE", help="such as table3:full:mae, table3 or results/demo/paper.pdf")
    trace.add_argument("--results", type=Path, metavar="FOLDER", help="results folder; default: that of the file")
    form = trace.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print files and jobs as JSON")
    form.add_argument("--mermaid", action="store_true", help="print a Mermaid flowchart")
    trace.set_defaults(run=_trace)

    verify = commands.add_parser("verify", help="verify a results folder against its provenance records")
    verify.add_argument("results", type=Path, metavar="FOLDER", help="such as results/demo")
    verify.add_argument("--root", type=_sha256, metavar="HASH", help="expected root hash, as printed in the article")
    verify.add_argument("--json", action="store_true", help="print the status of all files as JSON")
    verify.set_defaults(run=_verify)

    compare = commands.add_parser("compare", help="compare the published values of two runs")
    compare.add_argument("runs", type=Path, nargs="+", metavar="FOLDER", help="such as results/demo reference/demo")
    form = compare.add_mutually_exclusive_group()
    form.add_argument("--all", action="store_true", help="list all numbers that differ, not only the most distant")
    form.add_argument("--json", action="store_true", help="print every value as JSON")
    compare.add_argument("--check", action="store_true", help="exit with 1 if a deterministic number differs")
    compare.add_argument(
        "--make-reference",
        action="store_true",
        help="write the values of the first run, and the spread of several runs with different seeds, to --out",
    )
    compare.add_argument("--out", type=Path, metavar="FOLDER", help="folder of the reference")
    compare.set_defaults(run=_compare)

    info = commands.add_parser("info", help="print the record and attributes of files of the workflow")
    info.add_argument("files", type=Path, nargs="+", metavar="FILE", help="record, NetCDF, GeoTIFF, weights or other")
    info.set_defaults(run=_info)

    doctor = commands.add_parser("doctor", help="check this machine, the credentials and the servers")
    doctor.add_argument("--scenario", metavar="NAME", help="scenario to check; default: that of config.yaml")
    doctor.add_argument("--config", type=Path, nargs="+", default=[], metavar="FILE", help="further settings")
    doctor.add_argument("--offline", action="store_true", help="skip checks that need the network")
    doctor.set_defaults(run=_doctor)

    draw = commands.add_parser("draw", help="redraw a figure from its data file")
    draw.add_argument("figure", metavar="NAME", help="such as figure4")
    draw.add_argument("--data", type=Path, required=True, metavar="FILE", help="data file of the figure")
    draw.add_argument("--out", type=Path, required=True, metavar="FILE", help="ends in .pdf, .png or .svg")
    draw.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a `plot` setting")
    draw.set_defaults(run=_draw)

    settings = commands.add_parser("settings", help="print the reference of all settings")
    settings.set_defaults(run=_settings)

    from gwsd.product.commands import add_parsers

    add_parsers(commands, _base_settings)
    return parser


def _sha256(text: str) -> str:
    if len(text) != 64 or set(text.lower()) - set("0123456789abcdef"):
        raise argparse.ArgumentTypeError(f"{text}: expected a SHA-256, 64 hexadecimal digits")
    return text.lower()


def _base_settings() -> Any:
    from gwsd.config import read_project_config

    config = read_project_config()
    return config.settings(config.scenario)


def _trace(arguments: argparse.Namespace) -> None:
    from gwsd.provenance.lineage import open_lineage
    from gwsd.provenance.trace import trace_json, trace_mermaid, trace_text
    from gwsd.publication.numbers import find, read_numbers

    name, path = arguments.name, Path(arguments.name)
    results = arguments.results or _results_of(path)
    lineage = open_lineage(results)
    number = None
    if path.exists() and path.resolve().is_relative_to(results.resolve()):
        name = path.resolve().relative_to(results.resolve()).as_posix()
    elif "/" not in name and not (results / name).exists():
        if not (results / "numbers.json").is_file():
            raise DataError(f"{results}/numbers.json: no such file, so {name} cannot be looked up; give a file instead")
        found = read_numbers(results / "numbers.json").items()
        numbers = {key: entry for key, entry in found if {"artifact", "file", "text", "value"} <= entry.keys()}
        of_artifact = [entry for entry in numbers.values() if entry["artifact"] == name]
        number = None if of_artifact else find(numbers, name)
        name = str((number or of_artifact[0])["file"])
    node = lineage.tree(name)
    if arguments.json:
        print(json.dumps(trace_json(node, number), indent=1, ensure_ascii=False))
    else:
        print((trace_mermaid if arguments.mermaid else trace_text)(node, number))


def _results_of(path: Path) -> Path:
    """Return the results folder of a path, or the only one here, or that of the scenario of config.yaml."""
    above = [folder for folder in path.parents if folder.parent.name == "results"]
    if above:
        return above[0]
    found = [path.parent for path in Path("results").glob("*/lineage.json")]
    if len(found) == 1:
        return found[0]
    if not found:
        raise DataError(f"{path}: no results here; choose a folder, such as --results results/demo")
    from gwsd.config import read_project_config

    return Path("results", read_project_config().scenario)


def _verify(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from gwsd.provenance.verify import report_text, verify

    report = verify(arguments.results, arguments.root)
    if arguments.json:
        files = [file._asdict() for file in report.files]
        print(json.dumps({**asdict(report), "files": files, "ok": report.ok}, indent=1, ensure_ascii=False))
    else:
        print(report_text(report))
    return int(not report.ok)


def _compare(arguments: argparse.Namespace) -> int:
    from gwsd.provenance.compare import (
        compare,
        comparison_json,
        comparison_text,
        read_document,
        read_spread,
        write_reference,
    )

    if arguments.make_reference:
        if arguments.out is None:
            raise ConfigError("--make-reference needs --out FOLDER, such as --out reference/demo")
        print(*write_reference(arguments.out, arguments.runs), sep="\n")
        return 0
    if len(arguments.runs) != 2:
        raise ConfigError("gwsd compare takes two folders, such as results/demo reference/demo")
    first, second = arguments.runs
    spread = read_spread(second, first)
    differences = compare(read_document(first)["values"], read_document(second)["values"], spread)
    limit = None if arguments.all else LISTED
    if arguments.json:
        print(comparison_json(differences))
    else:
        print(comparison_text(differences, first, second, spread, limit))
    failed = any(item.kind == "deterministic" and not item.agrees for item in differences)
    return int(arguments.check and failed)


def _info(arguments: argparse.Namespace) -> None:
    from gwsd.provenance.trace import file_facts

    for path in arguments.files:
        if not path.is_file():
            raise DataError(f"{path}: no such file")
        print(f"{path}  ({path.stat().st_size:,} bytes)")
        for name, value in file_facts(path):
            print(f"  {name:<20} {value}")


def _doctor(arguments: argparse.Namespace) -> int:
    from gwsd.doctor import examine, read_documents

    config = read_documents(Path.cwd(), arguments.config)
    failed = False
    for check in examine(config, arguments.scenario or config.scenario, offline=arguments.offline):
        print(check, flush=True)
        failed = failed or check.status == "FAIL"
    return int(failed)


def _draw(arguments: argparse.Namespace) -> None:
    import yaml
    from pydantic import ValidationError

    from gwsd.artifacts.drawing import draw_figure

    plot = _base_settings().plot
    try:
        changes = {key: yaml.safe_load(value) for key, _, value in (text.partition("=") for text in arguments.set)}
        style = type(plot).model_validate({**plot.model_dump(), **changes})
    except yaml.YAMLError:
        raise ConfigError(f"--set {' '.join(arguments.set)}: expected KEY=VALUE, such as width_mm=120") from None
    except ValidationError as error:
        problem = error.errors()[0]
        raise ConfigError(f"--set plot.{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from None
    draw_figure(arguments.figure, arguments.data, arguments.out, style)
    print(arguments.out)


def _settings(_: argparse.Namespace) -> None:
    from gwsd.config import settings_reference

    print(settings_reference(), end="")


if __name__ == "__main__":
    sys.exit(main())
