"""Relations between claims, such as `self == 100 * (nearest - full) / nearest`, over rounding intervals."""

import ast
import itertools
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gwsd.claims.equations import largest_sign_loss
from gwsd.claims.network import conv_lstm_parameters, multiplications_per_sample, u_net_parameters
from gwsd.claims.printed import Interval, number_text

FUNCTIONS: dict[str, Callable[..., float]] = {
    "abs": abs,
    "min": min,
    "max": max,
    "sqrt": math.sqrt,
    "log": math.log,
    "floor": math.floor,
    "ceil": math.ceil,
    "largest_sign_loss": largest_sign_loss,
    "conv_lstm_parameters": conv_lstm_parameters,
    "u_net_parameters": u_net_parameters,
    "multiplications": multiplications_per_sample,
}
"""What a formula may call."""

_BINARY: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_RELATIONS: dict[type, str] = {ast.Eq: "=", ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥"}
_MOST_NAMES = 10
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class NoValueError(ArithmeticError):
    """A formula has no value for the numbers given, such as a root of a negative one."""


@dataclass(frozen=True)
class Outcome:
    """Whether a relation can hold, and the relation with its numbers in place.

    Attributes
    ----------
    holds : bool
        Whether some values within the rounding fulfil it.
    evidence : str
        The relation with numbers.
    sides : tuple of (frozenset of str, Interval)
        The names and the values of each side, from left to right.
    """

    holds: bool
    evidence: str
    sides: tuple[tuple[frozenset[str], Interval], ...]


def names_in(relation: str) -> set[str]:
    """Return the names that a relation uses, functions left out."""
    return _names(_parsed(relation))


def evaluate(relation: str, values: Mapping[str, Interval]) -> Outcome:
    """Say whether a relation can hold for values that are known to a rounding.

    Each side is evaluated at every corner of the box of its values; what lies between the smallest and the largest
    result is possible. This is exact where a side is monotone in each of its values, as the ledger's are.

    Parameters
    ----------
    relation : str
        A Python comparison of formulas; `==` means that both sides can be the same number.
    values : mapping of str to Interval
        The value of each name.

    Returns
    -------
    Outcome

    Raises
    ------
    ValueError
        Where the relation is none, or uses what formulas may not.
    NoValueError
        Where a side has no value.
    """
    comparison = _parsed(relation)
    nodes = [comparison.left, *comparison.comparators]
    sides = tuple(_side(node, values) for node in nodes)
    holds = all(
        _can_hold(type(kind), left, right)
        for kind, left, right in zip(comparison.ops, sides[:-1], sides[1:], strict=True)
    )
    signs = [_RELATIONS[type(kind)] for kind in comparison.ops]
    texts = [_text(node, values, side) for node, side in zip(nodes, sides, strict=True)]
    evidence = texts[0] + "".join(f" {sign} {text}" for sign, text in zip(signs, texts[1:], strict=True))
    names = [frozenset(_names(node)) for node in nodes]
    return Outcome(holds, evidence, tuple(zip(names, sides, strict=True)))


def _names(tree: ast.expr) -> set[str]:
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - called


def _parsed(relation: str) -> ast.Compare:
    try:
        tree = ast.parse(relation, mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"{relation!r} is no relation: {error.msg}") from error
    if not isinstance(tree, ast.Compare) or not all(type(kind) in _RELATIONS for kind in tree.ops):
        raise ValueError(f"{relation!r} is no relation; expected formulas joined by ==, <, <=, > or >=")
    return tree


def _can_hold(relation: type, left: Interval, right: Interval) -> bool:
    if relation is ast.Eq:
        return left.meets(right)
    if relation is ast.Lt:
        return left.low < right.high
    if relation is ast.LtE:
        return left.low <= right.high
    return _can_hold(ast.Lt if relation is ast.Gt else ast.LtE, right, left)


def _side(node: ast.expr, values: Mapping[str, Interval]) -> Interval:
    names = sorted(_names(node))
    unknown = [name for name in names if name not in values]
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: no value is given for it")
    if len(names) > _MOST_NAMES:
        raise ValueError(f"a formula of {len(names)} names; at most {_MOST_NAMES}")
    corners = itertools.product(*({values[name].low, values[name].high} for name in names))
    try:
        found = [_number(node, dict(zip(names, corner, strict=True))) for corner in corners]
    except (ZeroDivisionError, OverflowError) as error:
        raise NoValueError(str(error)) from error
    if any(math.isnan(value) for value in found):
        raise NoValueError("a bound without end stands where it gives no number")
    return Interval(min(found), max(found))


def _number(node: ast.expr, values: Mapping[str, float]) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_number(node.operand, values)
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _BINARY[type(node.op)](_number(node.left, values), _number(node.right, values))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        if node.func.id not in FUNCTIONS:
            raise ValueError(f"{node.func.id}: no such function; known: {', '.join(FUNCTIONS)}")
        arguments = [_number(one, values) for one in node.args]
        try:
            return float(FUNCTIONS[node.func.id](*arguments))
        except ValueError as error:
            raise NoValueError(f"{node.func.id} of {', '.join(map(number_text, arguments))}") from error
    raise ValueError(f"{ast.unparse(node)!r} is more than a formula may be")


def _text(node: ast.expr, values: Mapping[str, Interval], side: Interval) -> str:
    """Write a formula with the printed numbers in the places of names, and what it comes to."""
    if isinstance(node, ast.Name):
        return str(side)
    if isinstance(node, ast.Constant):
        return number_text(side.low)
    numbers = {name: number_text(interval.middle) for name, interval in values.items()}
    filled = ast.unparse(_Filled(numbers).visit(ast.parse(ast.unparse(node), mode="eval").body))
    filled = re.sub(r" \*\* (\d+)", lambda power: power[1].translate(_SUPERSCRIPTS), filled)
    filled = filled.replace(" * ", " × ").replace(" - ", " − ")
    result = number_text(_number(node, {name: interval.middle for name, interval in values.items()}))
    spread = "" if side.exact else f" ({number_text(side.low)} to {number_text(side.high)})"
    return f"[{filled} = {result}{spread}]"


class _Filled(ast.NodeTransformer):
    def __init__(self, numbers: Mapping[str, str]):
        self.numbers = numbers

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.numbers.get(node.id, node.id))
