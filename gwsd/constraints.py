"""Note for readers about physical constraints that cannot be computed because climate variables are absent."""

from collections.abc import Sequence

from gwsd.physics import CONSTRAINTS, EVAPOTRANSPIRATION_NEEDS, constraints_of


def left_out_note(climate_variables: Sequence[str]) -> tuple[str, ...]:
    """Return one note that names the constraints left out and the absent variables; empty if none is left out."""
    kept = constraints_of(climate_variables)
    out = [constraint for constraint in CONSTRAINTS if constraint.term not in kept]
    if not out:
        return ()
    needed = {name for constraint in out for name in constraint.forcing} | set(EVAPOTRANSPIRATION_NEEDS)
    absent = sorted(needed - {*climate_variables, "evapotranspiration"})
    reason = f"{_joined([name.replace('_', ' ') for name in absent])} {'is' if len(absent) == 1 else 'are'}"
    named = (
        f"{_joined([str(constraint) for constraint in out])} {'constraint is' if len(out) == 1 else 'constraints are'}"
    )
    if kept:
        rest = f"The physics loss is the {_joined(kept)} term alone and does not compare with the paper's."
    else:
        rest = "Without P − ET there is no physics loss, and `full` and `no_physics` are trained alike."
    return (
        f"Because {reason} not among the climate variables, the {named} left out, in training and in scores. {rest}",
    )


def _joined(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
