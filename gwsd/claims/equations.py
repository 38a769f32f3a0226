"""Properties of the paper's equations, computed from their symbols or by evaluating them as printed."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict

Grid = Sequence[Sequence[float]] | np.ndarray


@dataclass(frozen=True)
class Property:
    """Whether an equation has a property that it should have, and how that was found.

    Attributes
    ----------
    holds : bool
        Whether it has it.
    evidence : str
        What was computed.
    """

    holds: bool
    evidence: str


class Symbol(BaseModel):
    """A symbol that the text explains, once for each meaning that it gives it.

    Attributes
    ----------
    symbol : str
        In plain letters.
    means : str
        What it stands for.
    place : str
        Where it is explained or used so.
    shape : str
        Its shape, where the paper gives one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    symbol: str
    means: str
    place: str
    shape: str = ""


class Equation(BaseModel):
    """The symbols of a numbered equation.

    Attributes
    ----------
    number : int
        Its number.
    defines : str
        The symbol on its left side.
    uses : tuple of str
        The symbols on its right side.
    gate : str
        The letter that the subscripts of its weights should end with; empty where it has none.
    unit : str
        The unit of what it defines, as follows from its symbols; 1 where it has none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    number: int
    defines: str
    uses: tuple[str, ...]
    gate: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Written:
    """What the properties are computed from: all equations, and all symbols that the text explains."""

    equations: tuple[Equation, ...]
    symbols: tuple[Symbol, ...]

    def equation(self, number: int | str | None) -> Equation:
        """Return the equation of a number."""
        return next(one for one in self.equations if one.number == number)


def gate_letters(written: Written, of: int | str | None) -> Property:
    """Check that weights and biases of a gate carry the gate's letter in their subscripts."""
    equation = written.equation(of)
    wrong = [name for name in equation.uses if name[:2] in ("W_", "b_") and not name.endswith(equation.gate)]
    found = f"carry the letter of another gate: {', '.join(wrong)}" if wrong else "all carry it"
    return Property(not wrong, f"weights of equation ({of}) should end in {equation.gate!r}; {found}")


def defined(written: Written, of: int | str | None) -> Property:
    """Check that every symbol of an equation is defined by an equation or explained in the text."""
    equation = written.equation(of)
    explained = {one.symbol for one in written.symbols} | {one.defines for one in written.equations}
    missing = [name for name in equation.uses if name not in explained and not name.startswith(("W_", "b_"))]
    found = f"neither defined nor explained anywhere: {', '.join(missing)}" if missing else "all are explained"
    return Property(not missing, f"equation ({of}) uses {', '.join(equation.uses)}; {found}")


def defined_once(written: Written, of: int | str | None) -> Property:
    """Check that the symbol that an equation defines is defined by no other."""
    symbol = written.equation(of).defines
    numbers = [one.number for one in written.equations if one.defines == symbol]
    where = ", ".join(f"({number})" for number in numbers)
    return Property(len(numbers) == 1, f"{symbol} is defined by equations {where}")


def one_meaning(written: Written, of: int | str | None) -> Property:
    """Check that a symbol means one thing."""
    meanings = [f"{one.means} ({one.place})" for one in written.symbols if one.symbol == of]
    return Property(len(meanings) == 1, f"{of} means {'; '.join(meanings)}")


def same_shapes(written: Written, of: int | str | None) -> Property:
    """Check that fields have one shape where one is subtracted from the other; `of` names them with a minus between."""
    names = [name.strip() for name in str(of).split(" - ")]
    shapes = {name: next(one.shape for one in written.symbols if one.symbol == name and one.shape) for name in names}
    listed = ", ".join(f"{name} is {shape}" for name, shape in shapes.items())
    return Property(len(set(shapes.values())) == 1, listed)


def sign_loss(change: Grid, net_water: Grid) -> float:
    """Equation (12) as printed."""
    return float(np.mean(np.maximum(0, -np.sign(change) * np.sign(net_water))))


def magnitude_loss(change: Grid, net_water: Grid) -> float:
    """Equation (13) as printed: no mean is removed."""
    a, b = np.asarray(change), np.asarray(net_water)
    return float(np.mean((a / a.std() - b / b.std()) ** 2))


def smoothness_loss(field: Grid) -> float:
    """Equation (15) as printed."""
    values = np.asarray(field)
    return float((np.diff(values, axis=0) ** 2).sum() + (np.diff(values, axis=1) ** 2).sum()) / values.size


def sign_has_gradient(_: Written, of: int | str | None) -> Property:
    """Check that a loss that trains has a gradient somewhere."""
    rng = np.random.default_rng(12)
    change, water = rng.normal(size=(2, 64, 64))
    step = 1e-6
    slope = (sign_loss(change + step, water) - sign_loss(change - step, water)) / (2 * step)
    return Property(slope != 0, f"the central difference of equation ({of}) over 64×64 random cells is {slope:g}")


def largest_sign_loss() -> float:
    """Return the largest value that one cell of equation (12) takes, over all signs."""
    return max(sign_loss([[a]], [[b]]) for a, b in itertools.product((-1.0, 0.0, 1.0), repeat=2))


def variance_is_positive(_: Written, of: int | str | None) -> Property:
    """Check that what is called a variance is positive whatever its input."""
    lowest = min(weight * z + bias for weight, z, bias in itertools.product((-1.0, 1.0), repeat=3))
    softplus = math.log1p(math.exp(lowest))
    return Property(
        lowest > 0,
        f"equation ({of}) is linear in z and reaches {lowest:g} for weights, inputs and biases of ±1; the softplus "
        f"that the text names (it would give {softplus:.3f}) is not in it",
    )


def total_variation(_: Written, of: int | str | None) -> Property:
    """Check that a total variation doubles when the field doubles."""
    field = np.random.default_rng(15).normal(size=(16, 16))
    ratio = smoothness_loss(2 * field) / smoothness_loss(field)
    return Property(
        math.isclose(ratio, 2), f"doubling the field multiplies equation ({of}) by {ratio:g}; total variation by 2"
    )


def interpolation_is_infinite(_: Written, of: int | str | None) -> Property:
    """Check that the physics terms of a nearest-neighbour field are infinite."""
    rng = np.random.default_rng(14)
    change = np.kron(rng.normal(size=(8, 8)), np.ones((4, 4)))
    water = np.kron(rng.normal(size=(8, 8)), np.ones((4, 4)))
    terms = [sign_loss(change, water), magnitude_loss(change, water), float(abs(change.mean() - water.mean()))]
    finite = all(math.isfinite(term) for term in terms)
    listed = ", ".join(f"{term:.3g}" for term in terms)
    return Property(not finite, f"equations (12) to (14) of a nearest-neighbour field of random numbers give {listed}")


def no_lateral_term(written: Written, of: int | str | None) -> Property:
    """Check that the physics terms, equations (12) to (14), hold nothing but the vertical balance."""
    vertical = {"N", "M", "AvgPool", "ΔG", "P", "ET", "α"}
    used = {name for number in (12, 13, 14) for name in written.equation(number).uses}
    return Property(used <= vertical, f"equations (12) to (14) use {', '.join(sorted(used))}")


def same_unit(written: Written, of: int | str | None) -> Property:
    """Check that equations, whose results are added, have one unit; `of` names the first and the last."""
    first, last = (int(number) for number in str(of).split("-"))
    units = {number: written.equation(number).unit for number in range(first, last + 1)}
    listed = ", ".join(f"({number}): {unit}" for number, unit in units.items())
    return Property(len(set(units.values())) == 1, f"units of the equations are {listed}")


def error_equals_sd(_: Written, of: int | str | None) -> Property:
    """Check that the mean absolute error of a normal distribution equals its standard deviation."""
    ratio = math.sqrt(2 / math.pi)
    return Property(
        math.isclose(ratio, 1),
        f"for the Gaussian of equation ({of}) the mean absolute error is √(2/π) = {ratio:.3f} of the standard "
        "deviation, and single errors scatter from 0 upwards: a calibrated model does not lie on the 1:1 line",
    )


PROPERTIES: dict[str, Callable[[Written, int | str | None], Property]] = {
    one.__name__: one
    for one in (
        gate_letters,
        defined,
        defined_once,
        one_meaning,
        same_shapes,
        sign_has_gradient,
        variance_is_positive,
        total_variation,
        interpolation_is_infinite,
        no_lateral_term,
        same_unit,
        error_equals_sd,
    )
}
"""What the rule `equation` may name."""
