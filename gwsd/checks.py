"""What `gwsd doctor` looks at: each check is a function of facts, and one line."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import requests
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from gwsd.config import Settings
from gwsd.errors import DataError
from gwsd.sources.climate_data_store import ClimateDataStore, UnreachableError
from gwsd.sources.credentials import Credentials, find_credentials
from gwsd.sources.era5_land_request import LICENCE_PAGE
from gwsd.sources.g3p import DOI
from gwsd.sources.transfer import shown
from gwsd.training.devices import spoken_duration

OK: Literal["ok"] = "ok"
WARN: Literal["warn"] = "warn"
FAIL: Literal["FAIL"] = "FAIL"
Status = Literal["ok", "warn", "FAIL"]

MEMORY_BYTES = 4.0e9
"""What the largest jobs and Snakemake take together."""

LONG_SECONDS = 6 * 3600.0
"""Trainings that take longer together are worth a warning."""

ONLINE_SECONDS = 10.0
"""How long a server may take to answer."""


@dataclass(frozen=True)
class Check:
    """What was looked at, how it stands, what was found and what to do; printed as one line."""

    name: str
    status: Status
    found: str
    advice: str = ""

    def __str__(self) -> str:
        advice = f" {self.advice}" if self.advice else ""
        return " ".join(f"{self.status:<4}  {self.name}: {self.found}{advice}".split("\n"))


def check_python(version: str, least: str) -> Check:
    """Compare Python's version with the least that the project asks for."""
    if SpecifierSet(least).contains(version, prereleases=True):
        return Check("Python", OK, f"{version} (needs {least})")
    return Check("Python", FAIL, f"{version}, but {least} is needed.", "Name another: make PYTHON=python3.12.")


def check_packages(requirements: Sequence[str] | None, version_of: Callable[[str], str | None]) -> Check:
    """Compare the packages that are installed with those that the project asks for."""
    if not requirements:
        return Check("packages", WARN, "gwsd is not installed as a package.", "Run make, or pip install --editable .")
    wrong, right = [], 0
    for requirement in map(Requirement, requirements):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = version_of(requirement.name)
        if version is None:
            wrong.append(f"{requirement.name} is missing")
        elif not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} {version} (needs {requirement.specifier})")
        else:
            right += 1
    if wrong:
        return Check("packages", FAIL, f"{', '.join(wrong)}.", "Install the lock: make, or envs/gwsd.yaml with conda.")
    return Check("packages", OK, f"all {right} as needed")


def _free(folder: Path) -> float:
    return float(shutil.disk_usage(folder).free)


def check_disk(needs: Mapping[Path, tuple[float, str]], free_of: Callable[[Path], float] = _free) -> Iterator[Check]:
    """Compare what will be written with the room there is, disk by disk.

    Parameters
    ----------
    needs : mapping of Path to (float, str)
        Folder (which may not be there yet) to bytes and how they come about.
    free_of : callable
        Returns the free bytes of a folder's disk.
    """
    disks: dict[int, list[Path]] = {}
    for folder in needs:
        disks.setdefault(_existing(folder).stat().st_dev, []).append(folder)
    for folders in disks.values():
        needed, free = sum(needs[folder][0] for folder in folders), free_of(_existing(folders[0]))
        how = " + ".join(words for folder in folders if (words := needs[folder][1])) or "nothing more"
        name = f"disk of {' and '.join(map(str, folders))}"
        found = f"{needed / 1e9:.1f} GB needed ({how}), {free / 1e9:.1f} GB free"
        if free < needed:
            advice = "Free some space, or set raw_dir in local.yaml to a folder on a larger disk."
            yield Check(name, FAIL, f"{found}.", advice)
        else:
            yield Check(name, OK, found)


def check_memory(total: float) -> Check:
    """Compare the memory with what the largest jobs take."""
    if total < MEMORY_BYTES:
        needed = f"{total / 1e9:.1f} GB, {MEMORY_BYTES / 1e9:.0f} GB are needed."
        return Check("memory", FAIL, needed, "Use a machine (or a job, or a container) with more.")
    return Check("memory", OK, f"{total / 1e9:.1f} GB (needs {MEMORY_BYTES / 1e9:.0f})")


def check_cores(cores: int) -> Check:
    """Say how many processor cores may be used."""
    if cores < 2:
        return Check("cores", WARN, "1.", "It works, a job at a time: everything takes longer.")
    return Check("cores", OK, str(cores))


def check_gpu(settings: Settings, gpus: Sequence[str], seconds_of: Callable[[Settings], float]) -> Check:
    """Say what the trainings run on, and how long they take where there is no GPU.

    Parameters
    ----------
    settings : Settings
        Of the scenario.
    gpus : sequence of str
        Names of the CUDA devices.
    seconds_of : callable
        Measures how long one training of a scenario would take on this CPU, s.
    """
    if gpus and settings.training.device != "cpu":
        return Check("GPU", OK, ", ".join(gpus))
    trainings, seconds = len(settings.variants) * len(settings.seeds), seconds_of(settings)
    took = f"each of the {trainings} trainings takes about {spoken_duration(seconds)} on this CPU"
    if settings.training.device == "cuda":
        return Check("GPU", FAIL, "none, but training.device is cuda.", f"Set it to auto: {took}.")
    if trainings * seconds < LONG_SECONDS:
        return Check("GPU", OK, f"{'not asked for' if gpus else 'none'}; {took}")
    advice = "Train where there is a CUDA device, or with fewer epochs, patches or variants."
    return Check("GPU", WARN, f"{'not asked for' if gpus else 'none'}; {took}.", advice)


def check_credentials(environ: Mapping[str, str], home: Path) -> tuple[Check, Credentials | None]:
    """Look for the key of the Climate Data Store."""
    name = "key of the Climate Data Store"
    try:
        credentials = find_credentials(environ, home)
    except DataError as error:
        return Check(name, FAIL, str(error)), None
    if credentials.readable_by_others:
        advice = f"chmod 600 {credentials.file}"
        return Check(name, WARN, f"found in {credentials.origin}, which others can read.", advice), credentials
    return Check(name, OK, f"found in {credentials.origin}"), credentials


def check_store(credentials: Credentials, timeout: float = ONLINE_SECONDS) -> Iterator[Check]:
    """Ask the Climate Data Store whether it takes the key, and whether the licence is accepted."""
    store = ClimateDataStore(credentials, attempts=1, wait_seconds=0.0, timeout=timeout)
    name = "Climate Data Store"
    try:
        store.check_key()
        yield Check(name, OK, f"{store.url} takes the key")
        if store.licence_accepted():
            yield Check("licence of ERA5-Land", OK, "accepted")
        else:
            advice = f"Log in and accept it, once, at {LICENCE_PAGE}."
            yield Check("licence of ERA5-Land", FAIL, "not accepted.", advice)
    except UnreachableError as error:
        yield Check(name, WARN, f"not reachable; key and licence are not checked. {error}")
    except DataError as error:
        yield Check(name, FAIL, str(error))


def check_g3p(urls: Sequence[str], timeout: float = ONLINE_SECONDS) -> Check:
    """Ask each host of G3P for the zip's size; one that has it is enough."""
    said, reached = [], False
    for url in urls:
        try:
            answer = requests.head(url, timeout=timeout, allow_redirects=True)
        except requests.RequestException:
            said.append(f"{shown(url)} is not reachable")
            continue
        reached = True
        if answer.ok:
            return Check("G3P", OK, f"{shown(url)} has it")
        said.append(f"{shown(url)} answers HTTP {answer.status_code}")
    if reached:
        advice = f"Look for its new address at https://doi.org/{DOI} and put it into downloads.g3p_urls."
        return Check("G3P", FAIL, f"{'; '.join(said)}.", advice)
    return Check("G3P", WARN, f"{'; '.join(said)}.", "Check the network (proxy, firewall) before the download.")


def _existing(folder: Path) -> Path:
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
