"""Which climate the physical constraints read, and what is said where some of it is absent. No arrays in here."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

FORCING = ("precipitation", "evapotranspiration", "soil_moisture")
"""Climate of the target month that the constraints read."""

EVAPOTRANSPIRATION_NEEDS = ("precipitation", "temperature")
"""Climate variables that evapotranspiration is estimated from."""


@dataclass(frozen=True)
class Constraint:
    """A physical constraint.

    Parameters
    ----------
    term : str
        Its name among the loss's terms.
    equation : int
        Its number in the paper.
    forcing : tuple of str
        What it reads of `FORCING`.
    """

    term: str
    equation: int
    forcing: tuple[str, ...]

    def __str__(self) -> str:
        """Name it to a reader."""
        return f"{self.term} (eq. {self.equation})"


CONSTRAINTS = (
    Constraint("sign", 12, ("precipitation", "evapotranspiration")),
    Constraint("magnitude", 13, FORCING),
    Constraint("regional", 14, FORCING),
)
"""The terms of the physics loss, in the order in which they are added."""


def forcing_of(climate_variables: Collection[str]) -> tuple[str, ...]:
    """Return the forcing that climate variables give: evapotranspiration where all that it needs is among them."""
    given = {*climate_variables}
    if given.issuperset(EVAPOTRANSPIRATION_NEEDS):
        given.add("evapotranspiration")
    return tuple(name for name in FORCING if name in given)


def possible(forcing: Collection[str]) -> tuple[str, ...]:
    """Return the terms of the constraints whose forcing is all there; empty where there is no physics loss."""
    return tuple(one.term for one in CONSTRAINTS if set(one.forcing) <= set(forcing))


def constraints_of(climate_variables: Collection[str]) -> tuple[str, ...]:
    """Return the terms of the constraints that climate variables allow."""
    return possible(forcing_of(climate_variables))


def left_out_note(climate_variables: Sequence[str]) -> tuple[str, ...]:
    """Say which constraints are left out because which variables are absent; nothing where none is.

    Parameters
    ----------
    climate_variables : sequence of str
        The scenario's.

    Returns
    -------
    tuple of str
        One note at most.
    """
    kept = constraints_of(climate_variables)
    out = [one for one in CONSTRAINTS if one.term not in kept]
    if not out:
        return ()
    needed = {name for one in out for name in one.forcing} | set(EVAPOTRANSPIRATION_NEEDS)
    absent = sorted(needed - {*climate_variables, "evapotranspiration"})
    reason = f"{_joined([name.replace('_', ' ') for name in absent])} {'is' if len(absent) == 1 else 'are'}"
    named = f"{_joined([str(one) for one in out])} {'constraint is' if len(out) == 1 else 'constraints are'}"
    if kept:
        rest = f"The physics loss is the {_joined(kept)} term alone and does not compare with the paper's."
    else:
        rest = "Without P − ET there is no physics loss, and `full` and `no_physics` are trained alike."
    return (
        f"Because {reason} not among the climate variables, the {named} left out, in training and in scores. {rest}",
    )


def _joined(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
