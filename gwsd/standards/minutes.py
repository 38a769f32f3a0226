"""How long each artifact takes from nothing, measured in the records of a run."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gwsd.errors import DataError
from gwsd.provenance.lineage import Lineage, walk
from gwsd.provenance.records import Record, name_of, read_records


@dataclass(frozen=True)
class Minutes:
    """A measurement of one run.

    Attributes
    ----------
    scenario : str
        What ran.
    processor : str
        What it ran on.
    minutes : dict of str to float
        By artifact: computing time of all jobs that it needs, one after the other.
    """

    scenario: str
    processor: str
    minutes: dict[str, float]


def measure(results: Path, files: Mapping[str, str]) -> Minutes:
    """Add up the jobs behind each artifact.

    Parameters
    ----------
    results : Path
        The folder of a scenario whose run is finished.
    files : mapping of str to str
        For each artifact one of its files, within that folder.

    Returns
    -------
    Minutes
        Without the artifacts that were not made.

    Raises
    ------
    DataError
        If none was.
    """
    records = read_records(results)
    base = name_of(results, {one.path.split("/", 2)[-1]: one.document for one in records})
    lineage = Lineage(records)
    found = {}
    for name, file in files.items():
        if lineage.maker_of_path(f"{base}/{file}") is not None:
            nodes = walk(lineage.tree(f"{base}/{file}"))
            jobs = {node.record.path: node.record for node in nodes if node.record is not None}
            found[name] = round(sum(_seconds(job) for job in jobs.values()) / 60, 1)
    if not found:
        raise DataError(
            f"{results}: no table or figure with its record; expected a finished run; run the workflow first"
        )
    return Minutes(Path(base).name, _processor(records), found)


def _seconds(record: Record) -> float:
    return (datetime.fromisoformat(record.ended) - datetime.fromisoformat(record.started)).total_seconds()


def _processor(records: Iterable[Record]) -> str:
    return " and ".join(sorted({str(record.environment.get("processor", "an unknown machine")) for record in records}))


def write_minutes(minutes: Minutes, path: Path) -> None:
    """Write a measurement."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"scenario": minutes.scenario, "processor": minutes.processor, "minutes": minutes.minutes}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def read_minutes(path: Path) -> Minutes:
    """Read a measurement.

    Raises
    ------
    DataError
        If there is none.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Minutes(document["scenario"], document["processor"], dict(document["minutes"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: no measurement ({error}); expected what `gwsd standards --minutes results/demo` writes; "
            "run the workflow, then that"
        ) from None
