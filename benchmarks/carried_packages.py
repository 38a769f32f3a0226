"""Packages that a bare GPU image lacks: which jobs need them, and how they are brought along as wheels."""

import importlib.metadata
import importlib.util
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from frozen_plan import PlannedJob

from gwsd.provenance.closure import ROOT, import_closure

BASE = ("numpy", "xarray", "pandas", "netCDF4")
"""What every job that opens a file needs, by the names that are imported."""

DRAWING = ("matplotlib", "seaborn", "cmocean", "cartopy")
"""What draws figures: that can be done later, elsewhere, from the small files that come back."""

NEEDED_BY = {
    "land_fraction": (*BASE, "global_land_mask"),
    "twin_earth": (*BASE, "scipy"),
    "climate": (*BASE, "dask", "xarray_regrid"),
    "quality_control": (*BASE, "scipy"),
    "twin_check": BASE,
    "patches": BASE,
    "train": (*BASE, "torch", "safetensors", "tqdm"),
    "evaluate": (*BASE, "torch", "safetensors", "tqdm", "scipy"),
    "table": (*BASE, "torch", "scipy"),
    "figure_data": (*BASE, "torch", "scipy"),
    "draw_figure": (*BASE, *DRAWING),
}
"""Packages by program."""

DRAWS = {Path("gwsd/figures/maps.py"), Path("gwsd/figures/style.py")}
"""Modules that need what draws; a figure's data may be computed with them too."""

DISTRIBUTIONS = {
    "netCDF4": ("netCDF4", "cftime", "certifi"),
    "dask": ("dask", "click", "cloudpickle", "fsspec", "packaging", "partd", "locket", "pyyaml", "toolz"),
    "xarray_regrid": ("xarray-regrid", "flox", "numpy-groupies"),
    "global_land_mask": ("global-land-mask",),
    "tqdm": ("tqdm",),
    "safetensors": ("safetensors",),
    "seaborn": ("seaborn",),
    "cmocean": ("cmocean",),
    "cartopy": ("cartopy", "pyproj", "shapely", "pyshp", "certifi", "packaging"),
}
"""Wheels of each package that an image may lack, with those that it needs itself."""


def needed_by(job: PlannedJob) -> tuple[str, ...]:
    """Return the packages that a job imports."""
    packages = NEEDED_BY.get(job.kind, ())
    draws = any(DRAWS & set(import_closure(ROOT / path)) for path in job.option("--computing"))
    return (*packages, *DRAWING) if draws else packages


def missing(packages: Iterable[str]) -> list[str]:
    """Return the packages that this interpreter does not find."""
    return [name for name in packages if importlib.util.find_spec(name) is None]


def advice(packages: Iterable[str]) -> str:
    """Say what to do about missing packages."""
    names = dict.fromkeys(one for name in packages for one in DISTRIBUTIONS.get(name, (name,)))
    return (
        f"this Python ({sys.executable}) lacks {', '.join(packages)}. With a network: pip install {' '.join(names)}. "
        "Without one: run `python benchmarks/paper_scale.py --prepare wheels` where there is a network, carry the "
        "folder `wheels` along and give --wheels wheels"
    )


def download(folder: Path, python: str) -> None:
    """Download wheels of all packages that an image may lack, for Linux on x86-64 and a version of Python.

    Raises
    ------
    SystemExit
        If pip fails.
    """
    names = dict.fromkeys(one for needs in DISTRIBUTIONS.values() for one in needs)
    platforms = [f"manylinux_2_{minor}_x86_64" for minor in (28, 27, 24, 17)] + ["manylinux2014_x86_64"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--implementation", "cp", "--python-version", python, "--dest", str(folder)]
    command += [word for platform in platforms for word in ("--platform", platform)]
    if subprocess.run([*command, *names]).returncode:
        raise SystemExit(f"{folder}: not all wheels could be downloaded; see pip's message above")
    wheels = list(folder.glob("*.whl"))
    size = sum(path.stat().st_size for path in wheels)
    print(f"{folder}: {len(wheels)} wheels for Python {python}, {size / 1e6:.0f} MB")


def install(wheels: Path, target: Path) -> Path | None:
    """Unpack those wheels whose distributions are not installed; return where to, None where there are none.

    Raises
    ------
    SystemExit
        If pip fails, such as for another version of Python.
    """
    chosen = [path for path in sorted(wheels.glob("*.whl")) if not _is_installed(path.name.split("-")[0])]
    if not chosen:
        return None
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile"]
    if subprocess.run([*command, "--upgrade", "--target", str(target), *map(str, chosen)]).returncode:
        raise SystemExit(f"{wheels}: the wheels do not fit this Python; see pip's message above")
    sys.path.append(str(target))
    importlib.invalidate_caches()
    return target


def _is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
