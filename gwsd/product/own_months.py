"""What a user asks for of own months, found possible before anything is computed."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gwsd.errors import ConfigError, DataError
from gwsd.grid import Region
from gwsd.inputs.calendar import format_months
from gwsd.product import own_inputs
from gwsd.product.months import Correction
from gwsd.product.own_choices import Months, select_months, select_region
from gwsd.product.own_inputs import Storage
from gwsd.product.own_origin import Input, warning_of
from gwsd.product.trained import Trained
from gwsd.resample import Kernel
from gwsd.sources.products import CLIMATE, STORAGE, labels

PATCH_SIZE = 32
"""Coarse cells along a tile's side where nothing else is said: the paper's patches."""

CORRECTED = Correction(True)

INTERPOLATIONS = tuple(kernel.value for kernel in Kernel)

Report = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What a user asks for.

    Parameters
    ----------
    storage : sequence of Path
        Files of storage.
    climate : sequence of Path
        Files of climate; an interpolation needs none.
    out : Path
        NetCDF file to make.
    weights : Path or None
        Of a trained network; None for an interpolation.
    method : str or None
        An interpolation; None for the network.
    months : str or None
        YYYY-MM or YYYY-MM:YYYY-MM; all that the storage has where None.
    region : sequence of float or None
        West, south, east, north; where the storage lies where None.
    way : str
        auto, tiles or field.
    correction : Correction
        Of the half-degree means.
    precision : str
        float32 or bfloat16.
    storage_format, climate_format : str
        Modules of `gwsd.sources`.
    storage_variable, storage_units : str or None
        For files that do not say.
    patch_size : int or None
        Coarse cells along a tile's side; that of the training, where the weights say it, or `PATCH_SIZE`, where None.
    threads : int
        Of the processor.
    """

    storage: Sequence[Path]
    climate: Sequence[Path]
    out: Path
    weights: Path | None = None
    method: str | None = None
    months: str | None = None
    region: Sequence[float] | None = None
    way: str = "auto"
    correction: Correction = CORRECTED
    precision: str = "float32"
    storage_format: str = "local"
    climate_format: str = "era5_land"
    storage_variable: str | None = None
    storage_units: str | None = None
    patch_size: int | None = None
    threads: int = 1

    @property
    def files(self) -> dict[str, Sequence[Path]]:
        """What is read: storage, climate, weights."""
        weights = [] if self.weights is None else [self.weights]
        return {"storage": self.storage, "climate": self.climate, "weights": weights}


@dataclass(frozen=True)
class Plan:
    """A request that was found possible, before anything is computed.

    Parameters
    ----------
    request : Request
        As asked, its climate cut down to the files that are needed.
    storage : Storage
        Opened.
    months : ndarray of datetime64[M]
        To make.
    region : tuple of float
        Of the product.
    trained : Trained or None
        The network's weights.
    """

    request: Request
    storage: Storage
    months: Months
    region: Region
    trained: Trained | None

    @property
    def patch_size(self) -> int:
        """Coarse cells along a tile's side."""
        return self.request.patch_size or (self.trained.patch_size if self.trained else None) or PATCH_SIZE

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Storage and climate, as they say of themselves."""
        request = self.request
        found = [("storage", request.storage_format, STORAGE, (self.storage.title, self.storage.synthetic))]
        if request.climate:
            found.append(("climate", request.climate_format, CLIMATE, own_inputs.said(request.climate[0])))
        return tuple(Input(kind, name, labels(function)[name], *said) for kind, name, function, said in found)

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the values: hashes of the files and the settings, without any path."""
        request = self.request
        return {
            "inputs": {name: [_sha256(path) for path in paths] for name, paths in request.files.items()},
            "settings": {
                **{name: getattr(request, name) for name in ("method", "way", "precision")},
                "patch_size": self.patch_size,
                **{name: getattr(request, name) for name in ("storage_format", "climate_format")},
                **{name: getattr(request, name) for name in ("storage_variable", "storage_units")},
                "correction": request.correction.__dict__,
                "months": format_months(self.months),
                "region": list(self.region),
            },
        }


def plan(request: Request, *, report: Report) -> Plan:
    """Check what is asked for: weights, months, region, climate and the place of the result.

    Raises
    ------
    ConfigError, DataError
        If something is wrong or missing: one message that says what and what to do.
    """
    if (request.weights is None) == (request.method is None):
        raise ConfigError(
            f"give either the weights of a trained network, or an interpolation ({', '.join(INTERPOLATIONS)}) as method"
        )
    if request.method is not None and request.method not in INTERPOLATIONS:
        raise ConfigError(f"{request.method!r} is no interpolation; expected one of {', '.join(INTERPOLATIONS)}")
    trained = None if request.weights is None else Trained.read(request.weights)
    storage = own_inputs.open_storage(
        request.storage, request.storage_format, variable=request.storage_variable, units=request.storage_units
    )
    source = ", ".join(map(str, request.storage))
    months, absent = select_months(storage.months, request.months, source)
    region = select_region(storage.raw, request.region)
    report(f"storage: {storage.months.size} months, {storage.months[0]} to {storage.months[-1]}; {months.size} to make")
    if absent:
        report(f"NOTE: the storage lacks {', '.join(absent)}; no month is made up")
    climate: Sequence[Path] = ()
    if trained is not None:
        if not request.climate:
            raise DataError(f"no climate was given, but the network was trained with {', '.join(trained.variables)}")
        climate = own_inputs.check_climate(
            request.climate, request.climate_format, trained.variables, months, trained.memory
        )
        report(f"network: {trained.variant}, trained on {trained.data_label}, job {trained.job_key[:12] or 'unknown'}")
    planned = Plan(replace(request, climate=climate), storage, months, region, trained)
    if warning := warning_of(planned.inputs, trained):
        report(f"NOTE: real months {warning}; the file's title says so")
    return planned


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
