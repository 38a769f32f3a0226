"""What is said of a run beside its records: its scenario, its data, its rules."""

import re
from dataclasses import dataclass

from gwsd.provenance.records import Record


@dataclass(frozen=True)
class Step:
    """A rule of the workflow: its name, and the pattern of its first output with wildcards in braces."""

    name: str
    output: str

    def made(self, record: Record) -> bool:
        """Tell whether a job of this rule left a record."""
        return any(self._expression.fullmatch(file.path) for file in record.outputs)

    @property
    def literal_length(self) -> int:
        """How many characters of the pattern are no wildcard: the more, the more it says."""
        return len(re.sub(r"\{\w+\}", "", self.output))

    @property
    def _expression(self) -> re.Pattern[str]:
        parts = re.split(r"\{\w+\}", self.output)
        return re.compile("[^/]*".join(re.escape(part) for part in parts))


@dataclass(frozen=True)
class Run:
    """A run of the workflow.

    Attributes
    ----------
    scenario, title : str
        Its name, and what it is in words.
    data_label : str
        What its data are, such as `synthetic: twin Earth, not observations`.
    steps : tuple of Step
        The rules in the order of the workflow.
    """

    scenario: str
    title: str
    data_label: str
    steps: tuple[Step, ...] = ()

    def step(self, record: Record) -> tuple[str, int]:
        """Return the rule that left a record, and its position from 1; the program's name after all rules if none."""
        made = [(step.literal_length, index) for index, step in enumerate(self.steps) if step.made(record)]
        if not made:
            return record.job, 1 + len(self.steps)
        _, index = max(made)
        return self.steps[index].name, 1 + index
