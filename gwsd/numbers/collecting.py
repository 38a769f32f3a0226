"""Collects what all artifacts publish into one `numbers.json`. Standard library only."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from gwsd.errors import DataError
from gwsd.numbers.entry import Entry, write_json
from gwsd.numbers.published import SCHEMA, read_document


def collect(path: Path, lists: Sequence[Path], *, scenario: str, data_label: str, sha256: Mapping[str, str]) -> None:
    """Write every published value of a scenario, in the order of the lists.

    Parameters
    ----------
    path : Path
        Where to.
    lists : sequence of Path
        What each artifact publishes: `tables/table1.json` …
    scenario, data_label : str
        Which one, and which Earth it speaks of.
    sha256 : mapping
        SHA-256 of the files in which the values stand, by their path.

    Raises
    ------
    DataError
        Where an id occurs twice, or a list speaks of a file that is not among these.
    """
    values: dict[str, Entry] = {}
    for one in lists:
        for entry in read_document(one)["values"]:
            if entry["id"] in values:
                raise DataError(f"{one}: {entry['id']} is also published by another artifact; ids are unique.")
            if entry["file"] not in sha256:
                raise DataError(
                    f"{one}: {entry['id']} stands in {entry['file']}, which this job was not given; "
                    "add it to the inputs of the rule `numbers_file`."
                )
            record = f"{entry['file']}.record.json"
            values[entry["id"]] = {**entry, "sha256": sha256[entry["file"]], "record": record}
    document = {"schema": SCHEMA, "scenario": scenario, "data_label": data_label, "values": list(values.values())}
    write_json(path, document)
