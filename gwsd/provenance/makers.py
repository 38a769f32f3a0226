"""Which job made the inputs of a job, as their records say while it runs."""

from functools import cache
from pathlib import Path
from typing import Any

from gwsd.errors import DataError
from gwsd.provenance.records import RECORD_SUFFIX, Record, parse_record, read_document, record_files


def describe_maker(path: Path, sha256: str) -> dict[str, Any]:
    """Say which job made a file, and where a downloaded one came from.

    Parameters
    ----------
    path : Path
        An input, as the command line names it.
    sha256 : str
        Of its content.

    Returns
    -------
    dict
        `made_by` with `record` and `key`; `url` and `doi` of a download. Empty where no record names the content.
    """
    scenario = _scenario_folder(path)
    records = _all_records(scenario) if scenario else _records_beside(path.parent)
    made = [record for record in records if any(file.sha256 == sha256 for file in record.outputs)]
    made.sort(key=lambda record: all(file.path != str(path) for file in record.outputs))
    if not made:
        return {}
    facts = made[0].notes.get("raw") or {}
    return {
        "made_by": {"record": made[0].path, "key": made[0].key},
        **{name: facts[name] for name in ("url", "doi") if facts.get(name)},
    }


def forget() -> None:
    """Forget the records that were read: a program that runs several jobs calls this between them."""
    _all_records.cache_clear()
    _records_beside.cache_clear()


def _scenario_folder(path: Path) -> Path | None:
    parts = path.parts
    if "results" not in parts[:-2]:
        return None
    return Path(*parts[: parts.index("results") + 2])


@cache
def _all_records(folder: Path) -> tuple[Record, ...]:
    return _readable(record_files(folder))


@cache
def _records_beside(folder: Path) -> tuple[Record, ...]:
    return _readable(sorted(path for path in folder.glob(f"[!.]*{RECORD_SUFFIX}") if path.is_file()))


def _readable(paths: list[Path]) -> tuple[Record, ...]:
    records = []
    for path in paths:
        try:
            records.append(parse_record(read_document(path), path.as_posix()))
        except DataError:  # a damaged neighbour is no reason to stop a job; `gwsd verify` reports it
            continue
    return tuple(records)
