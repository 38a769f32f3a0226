"""Checks of `gwsd doctor`: software, memory, disk, GPU, raw files and credentials of a scenario."""

import os
import platform
import shutil
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from snakemake.utils import update_config  # type: ignore[import-untyped]

from gwsd.config import PROJECT_FILE, Config, Settings, read_config
from gwsd.data.credentials import find_credentials
from gwsd.data.era5_land_download import area_of, check_account, file_name
from gwsd.errors import ConfigError, DataError

MEMORY_BYTES = 4.0e9  # peak of the largest jobs together with Snakemake
YEAR_BYTES = 1.2e9  # of ERA5-Land: the globe, all variables
G3P_BYTES = 1.0e9
RESULTS_BYTES = 3.0e9  # of a scenario of the paper's size
LONG_SECONDS = 6 * 3600.0  # of all trainings together: longer is a warning


class Check(NamedTuple):
    """Result of a check, printed as one line."""

    name: str
    status: Literal["ok", "warn", "FAIL"]
    text: str

    def __str__(self) -> str:
        return " ".join(f"{self.status:<4}  {self.name}: {self.text}".split("\n"))


def read_documents(folder: Path, more: Sequence[Path] = ()) -> Config:
    """Read config.yaml (of `folder`, else of the project), local.yaml and further files over it, as the workflow does.

    Raises `ConfigError` if a file is missing or a setting is wrong.
    """
    base, local = folder / "config.yaml", folder / "local.yaml"
    document: dict[str, Any] = {}
    for path in (base if base.is_file() else PROJECT_FILE, *([local] if local.is_file() else []), *more):
        try:
            update_config(document, yaml.safe_load(path.read_text(encoding="utf-8")) or {})
        except FileNotFoundError:
            raise ConfigError(f"{path}: no such file; --config takes files to merge over config.yaml") from None
        except yaml.YAMLError as error:
            raise ConfigError(f"{path}: not a YAML file ({' '.join(str(error).split())})") from None
    return read_config(document)


def examine(config: Config, scenario: str, *, offline: bool = False) -> Iterator[Check]:
    """Run all checks of a scenario, the quick ones first; `offline` skips those that ask a server."""
    settings = config.settings(scenario)
    missing = missing_files(config, settings)
    yield from check_packages()
    yield check_memory()
    yield from check_disk(config, scenario, settings, missing)
    yield check_gpu(settings)
    found = f"{len(missing)} will be downloaded to {config.raw_dir}" if missing else "no download is needed"
    yield Check("raw files", "ok", found)
    if any(path.parent.name == "era5_land" for path in missing):
        yield check_credentials(offline)


def check_packages() -> Iterator[Check]:
    """Compare Python and the installed packages, torch among them, with the project's requirements."""
    try:
        needed = str(metadata.metadata("gwsd").json.get("requires_python", ">=3.11"))
        requirements = list(map(Requirement, metadata.requires("gwsd") or []))
    except metadata.PackageNotFoundError:
        yield Check("packages", "FAIL", "gwsd is not installed as a package. Run make, or pip install --editable .")
        return
    python = platform.python_version()
    fits = SpecifierSet(needed).contains(python, prereleases=True)
    yield Check("Python", "ok" if fits else "FAIL", f"{python} (needs {needed})")
    wrong = []
    for requirement in requirements:
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            try:
                version = metadata.version(requirement.name)
            except metadata.PackageNotFoundError:
                wrong.append(f"{requirement.name} is missing")
            else:
                if not requirement.specifier.contains(version, prereleases=True):
                    wrong.append(f"{requirement.name} {version} (needs {requirement.specifier})")
    if wrong:
        yield Check("packages", "FAIL", f"{', '.join(wrong)}. Install the lock: make, or envs/gwsd.yaml with conda.")
    else:
        yield Check("packages", "ok", f"all as required, torch {metadata.version('torch')}")


def check_memory() -> Check:
    """Compare the memory of the machine, or of its container, with the largest jobs."""
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return Check("memory", "warn", f"unknown on this system (needs {MEMORY_BYTES / 1e9:.0f} GB)")
    total = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    limit = Path("/sys/fs/cgroup/memory.max")  # of a Linux container
    text = limit.read_text().strip() if limit.is_file() else ""
    total = min(total, float(text)) if text.isdigit() else total
    found = f"{total / 1e9:.1f} GB (needs {MEMORY_BYTES / 1e9:.0f})"
    return Check("memory", "ok" if total >= MEMORY_BYTES else "FAIL", found)


def missing_files(config: Config, settings: Settings) -> list[Path]:
    """Return the raw files that are still to be downloaded; none for a twin Earth or user-supplied files."""
    files, raw = [], Path(config.raw_dir)
    if settings.sources.storage == "g3p" and config.storage_path is None:
        files.append(raw / "g3p" / "G3P_v1.12.zip")
    if settings.sources.climate == "era5_land" and config.climate_path is None:
        years = range(int(settings.period.climate_start[:4]), int(settings.period.end[:4]) + 1)
        files += [raw / "era5_land" / file_name(year, area_of(settings.region)) for year in years]
    return [path for path in files if not path.is_file()]


def check_disk(config: Config, scenario: str, settings: Settings, missing: Sequence[Path]) -> Iterator[Check]:
    """Compare the free space under raw_dir and results/ with what will be written, disk by disk."""
    west, south, east, north = settings.region
    year_bytes = YEAR_BYTES * (east - west) * (north - south) / (360 * 180)
    years = sum(path.parent.name == "era5_land" for path in missing)
    raw_bytes = year_bytes * (years + bool(years)) + G3P_BYTES * (len(missing) - years)  # one more year to unpack
    needs: dict[int, float] = {}
    folders: dict[int, Path] = {}
    for folder, needed in ((Path(config.raw_dir), raw_bytes), (Path("results") / scenario, RESULTS_BYTES)):
        existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        disk = existing.stat().st_dev
        needs[disk] = needs.get(disk, 0.0) + needed
        folders.setdefault(disk, existing)
    for disk, folder in folders.items():
        free = shutil.disk_usage(folder).free
        text = f"{needs[disk] / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free"
        advice = ". Free some space, or set raw_dir in local.yaml to a folder on a larger disk."
        yield Check(f"disk of {folder}", *(("ok", text) if free >= needs[disk] else ("FAIL", text + advice)))


def check_gpu(settings: Settings) -> Check:
    """Report the GPUs, or how long the trainings take on the CPU."""
    import torch

    from gwsd.devices import format_duration

    gpus = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    if gpus and settings.training.device != "cpu":
        return Check("GPU", "ok", ", ".join(gpus))
    if settings.training.device == "cuda":
        return Check("GPU", "FAIL", "no CUDA device is found, but training.device is cuda. Set it to auto.")
    trainings, seconds = len(settings.variants) * len(settings.seeds), training_seconds(settings)
    text = f"not used; each of the {trainings} trainings takes about {format_duration(seconds)} on this CPU"
    return Check("GPU", "ok" if trainings * seconds < LONG_SECONDS else "warn", text)


def training_seconds(settings: Settings) -> float:
    """Measure a training step of the paper's variant on this CPU and extrapolate it to a training, s."""
    from gwsd.training.duration import cpu_seconds

    size, patches = settings.patches.size, settings.patches.train
    return cpu_seconds(settings.model, settings.climate_variables, settings.training, train_patches=patches, size=size)


def check_credentials(offline: bool = False) -> Check:
    """Find the key of the Climate Data Store; unless offline, ask whether it is valid and the licence accepted."""
    try:
        credentials = find_credentials()
        if not offline:
            check_account(credentials)
    except DataError as error:
        return Check("Climate Data Store", "FAIL", str(error))
    valid = "" if offline else "; key and licence are accepted"
    return Check("Climate Data Store", "ok", f"key found in {credentials.origin}{valid}")
