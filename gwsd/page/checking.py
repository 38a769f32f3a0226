"""What `gwsd verify` finds while the page is made."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from gwsd.provenance.verifying import INTACT, NOT_HERE, STATUSES, Report

PRINTED_LATER = ("audit/index.html", "paper.pdf", "paper.numbers.json")
"""What may still be that of the run before, or be half made, at this moment: its numbers are not judged here."""


@dataclass(frozen=True)
class Check:
    """What was found of the files behind the page.

    Parameters
    ----------
    counts : dict of str to int
        Files by status; all statuses.
    problems : tuple of str
        Whatever is not as the records say, in words.
    numbers : int
        Published values that were compared with their sources.
    root : str
        Root hash of the records.
    """

    counts: dict[str, int]
    problems: tuple[str, ...]
    numbers: int
    root: str

    @property
    def ok(self) -> bool:
        """Whether there is no problem."""
        return not self.problems


def summarised(report: Report, behind: Collection[str]) -> Check:
    """Say what was found of the files that the page rests on.

    Parameters
    ----------
    report : Report
        Of the whole folder, in which other jobs may be writing while the page is made.
    behind : collection of str
        Paths of the page's lineage, records included, from the project's root.
    """
    files = [file for file in report.files if file.path in behind]
    counts = Counter(file.status for file in files)
    faults = [file for file in files if file.status not in (INTACT, NOT_HERE)]
    later = tuple(f"{report.name}/{path}" for path in PRINTED_LATER)
    return Check(
        counts={status: counts[status] for status in STATUSES},
        problems=(
            *(f"{file.path}: {file.status}, {file.reason}" for file in faults),
            *(problem for problem in report.records if problem.split(": ")[0] in behind),
            *(problem for problem in report.numbers if not problem.startswith(later)),
        ),
        numbers=report.checked.get("numbers.json", 0),
        root=report.root,
    )
