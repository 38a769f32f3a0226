"""`gwsd info`: what a file of the project is, and where it came from."""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gwsd.errors import DataError

WIDTH = 16
"""Of the words on the left."""

LONGEST = 400
"""Letters of a summary of settings."""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = commands.add_parser("info", help="say what a file is, what it holds and where it came from")
    parser.add_argument("file", type=Path, nargs="+", metavar="FILE", help="any file of the project")
    parser.set_defaults(command=info)


def info(options: argparse.Namespace) -> None:
    """Print what is known of each file."""
    for number, path in enumerate(options.file):
        print("\n" * (number > 0) + "\n".join(_describe(path)))


def _describe(path: Path) -> Iterator[str]:
    from gwsd.contents import Contents, describe

    found = find_record(path)
    try:
        contents = describe(path)
    except DataError:
        # A file of a kind that no reader knows, which a record knows all the same.
        if found is None or not path.is_file():
            raise
        contents = Contents("output of a job")
    yield str(path)
    yield _line("kind", contents.kind)
    yield _line("size", f"{path.stat().st_size:,} bytes")
    for word, text in contents.lines:
        yield _line(word, text)
    if found is None and contents.job_key:
        found = _record_of_key(path, contents.job_key)
    record = None if found is None else found[1]
    label = contents.data_label or _label_in(record) or next(filter(None, map(_label_in, _documents_around(path))), "")
    yield _line("data", label or "the file does not say")
    key = contents.job_key or str((record or {}).get("key", ""))
    yield _line("job key", key or "none: the file was not made by a job")
    if found is None:
        yield _line("record", "none beside the file")
        return
    yield from _describe_job(path, *found)


def _describe_job(path: Path, record_path: Path, record: Mapping[str, Any]) -> Iterator[str]:
    environment = record.get("environment", {})
    here = Path.cwd()
    shown = record_path.relative_to(here) if record_path.is_relative_to(here) else record_path
    yield _line("record", f"{shown}{_seal(record)}")
    yield _line("job", str(record.get("job")))
    for name, files in record.get("inputs", {}).items():
        if files:
            more = f" and {len(files) - 1} more" if len(files) > 1 else ""
            yield _line("made from", f"{name}: {files[0]['path']}{more}")
    yield _line("settings", _summary(record.get("settings", {})))
    yield _line("seed", str(record.get("seed")))
    commit = environment.get("commit")
    yield _line("commit", f"{commit}{', with changes' * bool(environment.get('dirty'))}" if commit else "unknown")
    resumed = ", resumed" if record.get("resumed") else ""
    yield _line("run", f"{record.get('started')} to {record.get('ended')}{resumed}")
    if "device" in record:
        yield _line("device", str(record["device"]))
    if "processor" in environment:
        yield _line("processor", str(environment["processor"]))
    for remark in record.get("remarks", ()):
        yield _line("remark", str(remark))
    entry = _entry_of(path, record)
    if entry is not None:
        from gwsd.provenance.hashing import sha256_of

        found = sha256_of(path)
        same = found == entry["sha256"]
        yield _line("SHA-256", f"{found}, {'intact' if same else 'CHANGED: the record says ' + str(entry['sha256'])}")


def find_record(path: Path) -> tuple[Path, Mapping[str, Any]] | None:
    """Find the record of the job that wrote a file: beside it, in its folder, or in its scenario's results.

    Raises
    ------
    DataError
        If the record beside the file cannot be read.
    """
    from gwsd.provenance.records import RECORD_SUFFIX, read_document

    if path.name.endswith(RECORD_SUFFIX):
        return (path, read_document(path)) if path.is_file() else None
    beside = path.with_name(path.name + RECORD_SUFFIX)
    if beside.is_file():
        return beside, read_document(beside)
    return next((one for one in _records_around(path) if _entry_of(path, one[1]) is not None), None)


def _label_in(record: Mapping[str, Any] | None) -> str:
    return str((record or {}).get("settings", {}).get("data_label", ""))


def _documents_around(path: Path) -> Iterator[Mapping[str, Any]]:
    """Read the records of the file's scenario: its data are the same in all of them."""
    return (document for _, document in _records_around(path))


def _record_of_key(path: Path, key: str) -> tuple[Path, Mapping[str, Any]] | None:
    return next((one for one in _records_around(path) if one[1].get("key") == key), None)


def _records_around(path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Read the records of the file's folder, then those of the scenario's results that it lies in."""
    from gwsd.provenance.records import RECORD_SUFFIX, record_files

    folder = path.resolve().parent
    places = sorted(folder.glob(f"*{RECORD_SUFFIX}"))
    results = next((one for one in (folder, *folder.parents) if one.parent.name == "results"), None)
    if results is not None:
        places += [one for one in record_files(results) if one not in places]
    for place in places:
        try:
            document = json.loads(place.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(document, dict):
            yield place, document


def _entry_of(path: Path, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Find what a record says of a file: by its name and folders, wherever the results lie now."""
    here = path.resolve().parts
    for entry in record.get("outputs", ()):
        said = Path(entry["path"]).parts
        # results/<scenario>/... may have been copied elsewhere, or renamed.
        tail = said[2:] if said[:1] == ("results",) else said[-2:]
        if here[-len(tail) :] == tail:
            return entry
    return None


def _seal(record: Mapping[str, Any]) -> str:
    from gwsd.provenance.records import SEAL, seal_of

    if SEAL not in record:
        return ""
    return ", seal intact" if seal_of(record) == record[SEAL] else ", SEAL BROKEN: the record was changed"


def _summary(settings: Mapping[str, Any]) -> str:
    text = json.dumps(settings, sort_keys=True, ensure_ascii=False).replace('"', "")[1:-1]
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … (all of it is in the record)"


def _line(word: str, text: str) -> str:
    return f"  {word:<{WIDTH}} {text}"
