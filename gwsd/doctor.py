"""What can stop a scenario, looked at before hours are spent: `gwsd doctor` collects the facts here."""

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from gwsd.checks import (
    OK,
    Check,
    check_cores,
    check_credentials,
    check_disk,
    check_g3p,
    check_gpu,
    check_memory,
    check_packages,
    check_python,
    check_store,
)
from gwsd.config import Config, Settings, read_config
from gwsd.errors import ConfigError
from gwsd.sources.era5_land_request import area_of, file_name
from gwsd.sources.g3p_download import NAME

LEAST_PYTHON = ">=3.11"
"""Where the project's own metadata are not installed."""

YEAR_BYTES = 1.2e9
"""A year of ERA5-Land: the globe, four variables."""

CLIMATE_STEP = 0.1
"""Spacing of ERA5-Land's nodes, degrees."""

G3P_BYTES = 1.0e9
RESULTS_BYTES = 3.0e9
"""What a scenario at the paper's scale leaves under results/."""


@dataclass(frozen=True)
class Downloads:
    """What a scenario has still to download.

    Attributes
    ----------
    years : list of int
        Years of ERA5-Land that are not there yet.
    years_there : int
        Those that are.
    g3p : bool
        Whether the zip of G3P is not there yet.
    year_bytes : float
        Size of a year, of the scenario's variables and region.
    """

    years: list[int]
    years_there: int
    g3p: bool
    year_bytes: float


def read_documents(folder: Path, more: Sequence[Path] = ()) -> Config:
    """Read the settings as the workflow does: config.yaml, local.yaml over it, then further files.

    Parameters
    ----------
    folder : Path
        The working directory; where it has no config.yaml, the project's is taken.
    more : sequence of Path
        Laid over, in this order.

    Raises
    ------
    ConfigError
        If a file is missing or a setting is wrong.
    """
    base = folder / "config.yaml"
    if not base.is_file():
        base = Path(str(files("gwsd"))).parent / "config.yaml"
    local = folder / "local.yaml"
    document: dict[str, Any] = {}
    for path in (base, *([local] if local.is_file() else []), *more):
        if not path.is_file():
            raise ConfigError(f"{path}: no such file; --config takes files of settings to lay over config.yaml")
        try:
            layer = yaml.safe_load(path.read_text())
        except yaml.YAMLError as error:
            raise ConfigError(f"{path}: it is no YAML ({' '.join(str(error).split())})") from None
        document = _laid_over(document, layer or {})
    return read_config(document)


def examine(config: Config, scenario: str, *, offline: bool = False) -> Iterator[Check]:
    """Check what a scenario needs, the quick looks first.

    Parameters
    ----------
    config : Config
        All settings.
    scenario : str
        The one to check for.
    offline : bool
        Ask no server.

    Yields
    ------
    Check

    Raises
    ------
    ConfigError
        If there is no such scenario.
    """
    settings = config.settings(scenario)
    least, requirements = _requirements()
    yield check_python(platform.python_version(), least)
    yield check_packages(requirements, _version)
    downloads = downloads_of(config, settings)
    yield from check_disk(disk_needs(config, scenario, settings, downloads))
    yield check_memory(_memory_bytes())
    yield check_cores(_cores())
    yield check_gpu(settings, _gpus(), training_seconds)
    if downloads.years:
        found, credentials = check_credentials(os.environ, Path.home())
        yield found
        if credentials is not None and not offline:
            yield from check_store(credentials)
    elif downloads.years_there:
        yield Check("ERA5-Land", OK, f"all {downloads.years_there} years are in {config.raw_dir}")
    if downloads.g3p and not offline:
        yield check_g3p(settings.downloads.g3p_urls)


def downloads_of(config: Config, settings: Settings) -> Downloads:
    """Find out what is still to be downloaded for a scenario: nothing for a twin, or files of the user's own."""
    raw = Path(config.raw_dir)
    years: list[int] = []
    if settings.sources.climate == "era5_land" and config.climate_path is None:
        years = list(range(int(settings.period.climate_start[:4]), int(settings.period.end[:4]) + 1))
    area = area_of(settings.region)
    missing = [year for year in years if not (raw / "era5_land" / file_name(year, area)).is_file()]
    needs_zip = settings.sources.storage == "g3p" and config.storage_path is None
    west, south, east, north = settings.region
    share = (east - west) * (north - south) / (360 * 180) * len(settings.climate_variables) / 4
    return Downloads(
        years=missing,
        years_there=len(years) - len(missing),
        g3p=needs_zip and not (raw / "g3p" / NAME).is_file(),
        year_bytes=YEAR_BYTES * share,
    )


def disk_needs(
    config: Config, scenario: str, settings: Settings, downloads: Downloads
) -> dict[Path, tuple[float, str]]:
    """Return what will be written, by folder: bytes, and how they come about."""
    raw, results = Path(config.raw_dir), Path("results") / scenario
    years, size = len(downloads.years), downloads.year_bytes / 1e9
    words = [f"ERA5-Land {size:.2g} GB × {years} years, and one to unpack"] if years else []
    words += [f"G3P {G3P_BYTES / 1e9:.0f} GB"] if downloads.g3p else []
    bytes_raw = downloads.year_bytes * (years + 1) * bool(years) + G3P_BYTES * downloads.g3p
    bytes_results, more = RESULTS_BYTES, ""
    if settings.sources.climate == "twin":
        span = int(settings.period.end[:4]) - int(settings.period.climate_start[:4]) + 1
        twin = YEAR_BYTES * (CLIMATE_STEP / settings.twin.climate_step) ** 2 * span
        bytes_results, more = bytes_results + twin, f", twin's climate {twin / 1e9:.1f} GB"
    there = sum(path.stat().st_size for path in results.rglob("*") if path.is_file()) if results.is_dir() else 0
    less = f", {there / 1e9:.1f} GB of it there" if there > 1e8 else ""
    needs = {results: (max(0.0, bytes_results - there), f"results {RESULTS_BYTES / 1e9:.0f} GB{more}{less}")}
    return ({raw: (bytes_raw, " + ".join(words))} if words else {}) | needs


def training_seconds(settings: Settings) -> float:
    """Measure how long the training of the paper's variant would take on this CPU, s."""
    from gwsd.training.duration import cpu_seconds
    from gwsd.training.settings import TrainingSettings

    variant = settings.variant("full")
    return cpu_seconds(
        variant["model"],
        TrainingSettings(**variant["training"]),
        train_patches=settings.patches.train,
        size=settings.patches.size,
    )


def _gpus() -> list[str]:
    import torch

    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


def _cores() -> int:
    """Processor cores that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_bytes() -> float:
    """Memory of the machine, or of the container where that has less."""
    total = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else ""
    return min(total, float(text)) if text.isdigit() else total


def _requirements() -> tuple[str, list[str]]:
    """Return which Python and which packages the project asks for, as it was installed."""
    try:
        own = metadata.metadata("gwsd")
    except metadata.PackageNotFoundError:
        return LEAST_PYTHON, []
    return str(own.json.get("requires_python", LEAST_PYTHON)), metadata.requires("gwsd") or []


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _laid_over(base: Mapping[str, Any], layer: Any) -> dict[str, Any]:
    result = dict(base)
    for key, value in dict(layer).items():
        below = result.get(key)
        result[key] = _laid_over(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result
