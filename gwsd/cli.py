"""The command line: `gwsd …`."""

import argparse
import os
import sys
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import gwsd.commands
from gwsd.errors import ConfigError, GwsdError


def main(arguments: list[str] | None = None) -> None:
    """Run a command; a person's mistake ends it with one message and status 1."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
        sys.stdout.flush()
    except GwsdError as error:
        sys.exit(f"error: {error}")
    except BrokenPipeError:
        # Whoever reads the output, such as `head`, has had enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gwsd", description="Groundwater storage downscaling.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    draw = commands.add_parser("draw", help="redraw a figure from its data file alone")
    draw.add_argument("figure", help="its name, such as figure4")
    draw.add_argument("--data", type=Path, required=True, metavar="FILE", help="the figure's data file")
    draw.add_argument("--out", type=Path, required=True, metavar="FILE", help="ends in .pdf, .png or .svg")
    draw.add_argument("--config", type=Path, metavar="FILE", help="a config.yaml whose `plot` settings to use")
    draw.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a `plot` setting, such as width_mm=120"
    )
    draw.set_defaults(command=_draw)
    settings = commands.add_parser("settings", help="print the reference of all settings")
    settings.set_defaults(command=_settings)
    doctor = commands.add_parser("doctor", help="check this machine, the key and the hosts before hours are spent")
    doctor.add_argument("--scenario", metavar="NAME", help="the one to check for; that of config.yaml unless given")
    doctor.add_argument(
        "--config", type=Path, nargs="+", default=[], metavar="FILE", help="settings to lay over config.yaml"
    )
    doctor.add_argument("--offline", action="store_true", help="ask no server")
    doctor.set_defaults(command=_doctor)
    export = commands.add_parser("export", help="write a month of the product as GeoTIFF")
    export.add_argument("product", type=Path, metavar="FILE", help="a file of the product, such as gwsa_0p125_2010.nc")
    export.add_argument("--month", required=True, metavar="YYYY-MM", help="such as 2010-07")
    export.add_argument("--out", type=Path, required=True, metavar="FILE", help="the GeoTIFF")
    export.set_defaults(command=_export)
    basins = commands.add_parser("basins", help="average the product over basins or aquifers, month by month")
    basins.add_argument("--product", type=Path, nargs="+", required=True, metavar="FILE", help="files of the product")
    basins.add_argument("--polygons", type=Path, required=True, metavar="FILE", help="GeoJSON, GeoPackage or shapefile")
    basins.add_argument("--name", metavar="COLUMN", help="column that names the polygons; `name` unless given")
    basins.add_argument("--out", type=Path, required=True, metavar="FILE", help="the series, CSV")
    basins.set_defaults(command=_basins)
    for one in iter_modules(gwsd.commands.__path__):
        import_module(f"gwsd.commands.{one.name}").add_parser(commands)
    return parser


def _draw(options: argparse.Namespace) -> None:
    from gwsd.config import Plot, validate_section
    from gwsd.figures.drawing import draw_figure
    from gwsd.figures.style import PlotStyle

    plot = validate_section(Plot, _plot_settings(options), "plot")
    draw_figure(options.figure, options.data, options.out, PlotStyle(**plot.model_dump()))
    print(options.out)


def _plot_settings(options: argparse.Namespace) -> dict[str, Any]:
    import yaml

    path = options.config or Path(str(files("gwsd"))).parent / "config.yaml"
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; --config takes a config.yaml with a `settings.plot` section")
    plot = dict(yaml.safe_load(path.read_text())["settings"]["plot"])
    for assignment in options.set:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise ConfigError(f"--set {assignment}: expected KEY=VALUE, such as width_mm=120")
        plot[key] = yaml.safe_load(value)
    return plot


def _settings(_: argparse.Namespace) -> None:
    from gwsd.config import settings_reference

    print(settings_reference(), end="")


def _doctor(options: argparse.Namespace) -> None:
    from gwsd.checks import FAIL
    from gwsd.doctor import examine, read_documents

    config = read_documents(Path.cwd(), options.config)
    failed = False
    for check in examine(config, options.scenario or config.scenario, offline=options.offline):
        print(check, flush=True)
        failed = failed or check.status == FAIL
    if failed:
        sys.exit(1)


def _export(options: argparse.Namespace) -> None:
    from gwsd.product.export import export_month

    export_month(options.product, options.month, options.out)
    print(options.out)


def _basins(options: argparse.Namespace) -> None:
    from gwsd.product.basins import basin_series
    from gwsd.product.reading import whole_or_nothing

    series = basin_series(
        options.product, options.polygons, name=options.name, report=lambda line: print(line, file=sys.stderr)
    )
    with whole_or_nothing(options.out) as temporary:
        series.to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")
    print(options.out)


if __name__ == "__main__":
    main()
