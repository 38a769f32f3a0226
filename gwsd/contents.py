"""What a file of the project holds, told from the file itself: its kind, and a few lines about what is in it."""

import csv
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gwsd.errors import DataError

Lines = list[tuple[str, str]]
"""What is said: a word and its text."""


@dataclass(frozen=True)
class Contents:
    """A file, described.

    Parameters
    ----------
    kind : str
        What it is, in words.
    lines : list of (str, str)
        What it holds.
    data_label : str
        What the data are; empty where the file does not say.
    job_key : str
        Of the job that made it, by the file's own word; empty where it does not say.
    """

    kind: str
    lines: Lines = field(default_factory=list)
    data_label: str = ""
    job_key: str = ""


TABLES: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(columns.split()), kind)
    for columns, kind in (
        ("epoch learning_rate train_total", "history of a training, epoch by epoch"),
        ("variant epoch train_total", "data of a figure"),
        ("role level channels", "data of a figure"),
        ("patch month row col mae_mm", "scores of the test patches"),
        ("patch month row col valid_share", "patches of a split"),
        ("split cell_months shared_cell_months", "overlap of the splits"),
        ("reason cells meaning", "cells by the reason why they are in or out"),
        ("month present", "months, and which the storage has"),
        ("comparison quantity mean_abs_mm", "check of the product: ways of making it compared"),
        ("place here_mm elsewhere_mm", "check of the product: roughness at seams"),
        ("reference error_correlation removed", "check of the product: what the correction removes"),
        ("reference method rmse_over_bicubic", "check of the product: errors"),
        ("id place claim verdict", "the paper's claims, each with its verdict"),
        ("statistic twin real", "realism of the twin Earth"),
        ("row column kind value_in_sd", "faults put into the twin Earth's storage on purpose"),
        ("count value", "counts of the twin Earth's quality control"),
        ("polygon name month", "series of basins or aquifers"),
    )
)
"""Columns that a CSV file has, and what it then is; the first that fits."""

STORAGE_NAMES = ("gwsa", "twsa", "lwe_thickness", "gws", "tws", "lwe")
"""What files of others call their storage."""

DATASETS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(names.split()), kind)
    for names, kind in (
        ("gwsa time_bnds crs", "product: fine fields of storage, month by month"),
        ("mean target storage patch", "predictions of the test patches"),
        ("valid reason", "mask of quality control"),
        ("valid fault", "validity that the twin Earth knows of"),
        ("storage cell", "fine truth of the twin Earth"),
        ("runoff drainage net_pumping", "water balance of sample cells of the twin Earth"),
        ("land_share time", "climate on the storage's grid"),
        ("land_fraction lat lon", "share of land in fine cells"),
        ("storage time lat lon", "coarse storage of the cells that passed quality control"),
        *((f"{name} time lat lon", "coarse storage, as it came") for name in STORAGE_NAMES),
        ("valid_time", "climate, as the Climate Data Store delivers it"),
        ("t2m", "climate, as the Climate Data Store delivers it"),
        ("tp", "climate, as the Climate Data Store delivers it"),
        ("precipitation temperature", "climate"),
    )
)
"""Variables that a NetCDF file has (in small letters), and what it then is; the first that fits."""


def describe(path: Path) -> Contents:
    """Describe a file.

    Raises
    ------
    DataError
        If there is no such file, it is damaged, or it is none that the project makes or reads.
    """
    if path.is_dir():
        raise DataError(f"{path}: a folder; expected a file in it")
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path")
    name = path.name.lower()
    for suffix, reader in READERS.items():
        if name.endswith(suffix):
            return reader(path)
    raise _unknown(path)


def _unknown(path: Path) -> DataError:
    with path.open("rb") as file:
        start = file.read(8)
    return DataError(
        f"{path}: no file that this project makes or reads (it begins with {start!r}). Expected one of results/, a "
        "file of storage or climate, or what `gwsd downscale` makes"
    )


def _weights(path: Path) -> Contents:
    from gwsd.product.trained import Trained, read_header

    trained = Trained.read(path)
    _, tensors = read_header(path)
    numbers = sum(_product(one["shape"]) for one in tensors.values())
    scales = ", ".join(f"{name} {one['mean']:.4g} ± {one['std']:.4g}" for name, one in trained.normalisation.items())
    model = ", ".join(f"{name} {_plain(value)}" for name, value in trained.model.items())
    lines = [
        ("variant", trained.variant),
        ("tensors", f"{len(tensors)} of {numbers:,} numbers"),
        ("model", model),
        ("normalised by", scales),
    ]
    return Contents("weights of a trained network", lines, trained.data_label, trained.job_key)


def _dataset(path: Path) -> Contents:
    import netCDF4

    try:
        file = netCDF4.Dataset(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read as NetCDF ({error}): truncated or damaged; copy it again") from None
    with file:
        attributes = {name: str(file.getncattr(name)) for name in file.ncattrs()}
        kind = _first_fit(DATASETS, {name.lower() for name in file.variables})
        if path.parent.name == "figures":
            kind = "data of a figure"
        if kind is None:
            found = ", ".join(file.variables) or "no variable"
            raise DataError(f"{path}: no file that this project makes or reads: a NetCDF file that holds {found}")
        synthetic = "synthetic" in " ".join(attributes.get(name, "") for name in ("title", "comment")).lower()
        lines = [("title", attributes["title"])] if "title" in attributes else []
        said = {name: attributes[name] for name in ("method", "source") if name in attributes}
        # Data of figures give the key of their job as source.
        lines += [one for one in said.items() if not re.fullmatch(r"[0-9a-f]{64}", one[1])]
        lines.append(("dimensions", ", ".join(f"{name} {one.size}" for name, one in file.dimensions.items())))
        axes = [name for name in file.variables if name in file.dimensions or name.endswith("_bnds")]
        for name, variable in file.variables.items():
            if name not in axes:
                about = getattr(variable, "long_name", ""), getattr(variable, "units", "")
                where = f"({', '.join(variable.dimensions)})"
                lines.append(
                    ("variable", " ".join(filter(None, (name, where, about[0], f"[{about[1]}]" * bool(about[1])))))
                )
        lines += _times(file)
    label = attributes.get("data_label") or ("synthetic: it says so itself" if synthetic else "")
    return Contents(kind, lines, label, attributes.get("job_key", ""))


def _times(file: Any) -> Lines:
    import netCDF4

    for name in ("time", "valid_time"):
        if name in file.variables and name in file.dimensions and "since" in getattr(file[name], "units", ""):
            if not file[name].size:
                return [("months", "none")]
            calendar = getattr(file[name], "calendar", "standard")
            stamps = list(netCDF4.num2date(file[name][:], file[name].units, calendar))  # type: ignore[arg-type]
            first, last = (f"{stamps[end]:%Y-%m}" for end in (0, -1))
            return [("months", f"{len(stamps)}, {first} to {last}")]
    return []


def _table(path: Path) -> Contents:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        columns = next(reader, [])
        rows = [row for row in reader if len(row) == len(columns)]
    number = re.fullmatch(r"table(\d+)\.csv", path.name)
    kind = f"table {number[1]}" if number else _first_fit(TABLES, set(columns))
    if path.parent.name == "figures":
        kind = "data of a figure"
    if kind is None:
        raise DataError(f"{path}: no file that this project makes: a CSV file with the columns {', '.join(columns)}")
    lines = [("rows", f"{len(rows):,}"), ("columns", ", ".join(columns))]
    if rows and "month" in columns:
        months = sorted({row[columns.index("month")] for row in rows})
        lines.append(("months", f"{len(months)}, {months[0]} to {months[-1]}"))
    if rows and "val_mae_mm" in columns:
        best = min(rows, key=lambda row: float(row[columns.index("val_mae_mm")] or "inf"))
        lines.append(
            ("smallest", f"validation MAE {float(best[columns.index('val_mae_mm')]):.3f} mm in epoch {best[0]}")
        )
    labels = [column for column in ("data_label", "data") if column in columns]
    label = rows[0][columns.index(labels[0])] if rows and labels else ""
    return Contents(kind, lines, label)


def _json(path: Path) -> Contents:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path}: no JSON ({error}); make it again") from None
    if not isinstance(document, dict):
        raise _unknown(path)
    if path.name.endswith(".record.json"):
        outputs = ", ".join(Path(file["path"]).name for file in document.get("outputs", []))
        lines = [("of the job", str(document.get("job"))), ("outputs", outputs)]
        return Contents("record of a job", lines, job_key=str(document.get("key", "")))
    label = str(document.get("data_label", ""))
    values = document.get("values")
    if isinstance(values, list):
        kind = "every published value" if "scenario" in document else f"values of {document.get('artifact', path.stem)}"
        caption = [("caption", str(document["caption"]))] if "caption" in document else []
        return Contents(kind, [("values", f"{len(values):,}"), *caption], label)
    if "@graph" in document:
        return Contents("RO-Crate of the results", [("entities", f"{len(document['@graph']):,}")], label)
    kinds = {"summary.json": "scores of a method over all test patches", "timing.json": "times of a job"}
    if "storage" in document and all(isinstance(one, dict) and "std" in one for one in document.values()):
        lines = [(name, f"{one['mean']:.4g} ± {one['std']:.4g}") for name, one in document.items()]
        return Contents("normalisation of the training patches", lines)
    if path.name not in kinds:
        raise _unknown(path)
    lines = [(name, _plain(value)) for name, value in document.items() if not isinstance(value, dict | list)]
    return Contents(kinds[path.name], lines, label)


def _checkpoint(path: Path) -> Contents:
    # As gwsd.training.checkpoints writes them: the SHA-256 of the rest, then the rest.
    with path.open("rb") as file:
        said, found = file.read(32), hashlib.file_digest(file, "sha256").digest()
    epoch = re.search(r"(\d+)\.ckpt$", path.name)
    lines = [("epoch", str(int(epoch[1])))] if epoch else []
    lines.append(("checksum", "intact" if said == found else "DAMAGED: training goes on from the one before it"))
    key = path.parent.name if re.fullmatch(r"[0-9a-f]{64}", path.parent.name) else ""
    return Contents("checkpoint of a training", lines, job_key=key)


def _picture(path: Path) -> Contents:
    with path.open("rb") as file:
        start = file.read(24)
    if not start.startswith((b"%PDF", b"\x89PNG", b"II*\0", b"MM\0*", b"II+\0")):
        raise _unknown(path)
    if start.startswith((b"II", b"MM")):
        return Contents("image of a month of the product, GeoTIFF")
    size = f"{int.from_bytes(start[16:20])} by {int.from_bytes(start[20:24])} pixels" if start[1:4] == b"PNG" else "PDF"
    number = re.fullmatch(r"figure(\d+)", path.stem)
    kind = (
        f"figure {path.stem}" if path.parent.name == "figures" else {"paper": "the article"}.get(path.stem, "document")
    )
    kind = f"figure {number[1]}" if number else kind
    return Contents(kind, [("format", size)])


def _text(path: Path) -> Contents:
    number = re.fullmatch(r"table(\d+)", path.stem)
    if number:
        return Contents(
            f"table {number[1]}", [("format", {".md": "Markdown", ".tex": "LaTeX"}.get(path.suffix, "HTML"))]
        )
    if path.stem in ("numbers", "index"):
        return Contents("every published value, for LaTeX" if path.stem == "numbers" else "the reviewer's page")
    raise _unknown(path)


def _archive(path: Path) -> Contents:
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            names = [one.filename for one in archive.infolist() if not one.is_dir()]
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: no whole zip file ({error}); download it again") from None
    return Contents("archive, as it was downloaded", [("files", ", ".join(names[:8]) + ", …" * (len(names) > 8))])


READERS: dict[str, Callable[[Path], Contents]] = {
    ".safetensors": _weights,
    ".nc": _dataset,
    ".nc4": _dataset,
    ".csv": _table,
    ".json": _json,
    ".ckpt": _checkpoint,
    ".pdf": _picture,
    ".png": _picture,
    ".tif": _picture,
    ".tex": _text,
    ".md": _text,
    ".html": _text,
    ".zip": _archive,
}
"""By the ends of names."""


def _first_fit(kinds: Sequence[tuple[frozenset[str], str]], names: set[str]) -> str | None:
    return next((kind for needed, kind in kinds if needed <= names), None)


def _product(shape: Sequence[int]) -> int:
    total = 1
    for length in shape:
        total *= length
    return total


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "/".join(map(_plain, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)
