"""Formulas: how much of a unit a run uses, as an expression over its inputs.

`count(products) * 0.5 + area_km2(box) / 100`: numbers, + - * / // %, comparisons, `x if y else z`,
and the functions below. An input stands for its number; an input that is no number for how many
values it was given. All arithmetic is exact (fractions): what is written as 0.1 is one tenth.
"""

from __future__ import annotations

import ast
import keyword
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil, floor
from typing import Any

from django.utils.translation import gettext as _
from simpleeval import InvalidExpression, SimpleEval

from accounting.models import Formula, Unit
from accounting.models.ledger import MOST
from accounting.models.pricing import SMALLEST
from common.clock import now
from common.errors import InvalidInput
from common.prepared import Prepared
from people.models import User

LONGEST = 500  # characters
MOST_NODES = 200
DEEPEST = 40
MOST_BITS = 4096  # of a numerator or denominator on the way

_NODES = (ast.Name, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call)
_PARTS = (*_NODES, ast.Constant, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context)


@dataclass(frozen=True, slots=True)
class Operand:
    """One input as formulas see it.

    `number` is what its bare name stands for, `area` the km² of its boxes (None: not known), `days`
    its values that are dates, `dates` how many acquisition dates its products have, `text` its only
    plain value.
    """

    number: Fraction
    count: int = 0
    area: Fraction | None = Fraction(0)
    days: tuple[date, ...] = ()
    dates: int = 0
    text: str = ""


def name_of(identifier: str) -> str:
    """The name of an input in formulas: `minimum-area` is minimum_area."""
    name = re.sub(r"\W", "_", identifier)
    return f"_{name}" if name[:1].isdigit() or keyword.iskeyword(name) else name


def evaluate(expression: str, operands: Mapping[str, Operand]) -> Fraction:
    """The exact value of a formula for these inputs (by `name_of` their identifiers).

    Raises InvalidInput for anything that is not a number of at least 0 within bounds: nothing else
    is ever raised, whatever the expression.
    """
    tree = _parsed(expression)
    evaluator = SimpleEval(operators=_OPERATORS, functions=_FUNCTIONS, names=dict(operands))
    evaluator.nodes = {kind: evaluator.nodes[kind] for kind in (*_NODES, ast.Constant)}
    try:
        value = _exact(evaluator.eval(expression, previously_parsed=tree))
    except ZeroDivisionError:
        raise InvalidInput(_("The formula divides by zero here.")) from None
    except (InvalidExpression, TypeError, KeyError, RecursionError) as error:
        raise InvalidInput(
            _("The formula cannot be evaluated: %(why)s.") % {"why": str(error)[:200]}
        ) from None
    if not 0 <= value <= MOST:
        raise InvalidInput(_("The formula gives a quantity that cannot be."))
    return value


def smallest(unit: str, value: Fraction) -> int:
    """A formula's result, which is in the priced unit, in whole smallest units, rounded up."""
    return ceil(value * SMALLEST[unit])


def names_in(expression: str) -> set[str]:
    """The inputs that a formula looks at. Raises InvalidInput for what is no formula."""
    tree = _parsed(expression)
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called}


def current_formulas(service_id: int) -> dict[str, Formula]:
    """The formulas of a service by unit."""
    newest = {one.unit: one for one in _FORMULAS.all(service_id)}
    return {unit: one for unit, one in newest.items() if one.expression}


_FORMULAS = Prepared(lambda service: Formula.objects.filter(service_id=service).order_by("pk"), int)


def set_formula(
    *, actor: User, service_id: int, unit: str, expression: str, samples: Mapping[str, Operand]
) -> Formula | None:
    """Keep a new formula of a service and unit; an empty one takes the present one back.

    `samples` are example values of the service's inputs: what cannot be evaluated for them is
    refused (but for a division by zero, which other values may not have). The caller has checked
    that the actor may. None: nothing changes. Raises InvalidInput.
    """
    if unit not in Unit.values:
        raise InvalidInput(_("There is no such unit."), locator="unit")
    expression = " ".join(expression.split())
    if expression:
        _check(expression, samples)
    present = current_formulas(service_id).get(unit)
    if (present.expression if present else "") == expression:
        return None
    return Formula.objects.create(
        service_id=service_id,
        unit=unit,
        expression=expression,
        created_by=f"user:{actor.pk}",
        created_at=now(),
    )


def _check(expression: str, samples: Mapping[str, Operand]) -> None:
    try:
        unknown = sorted(names_in(expression) - samples.keys())
        if not unknown:
            evaluate(expression, samples)
    except InvalidInput as error:
        if isinstance(error.__context__, ZeroDivisionError):
            return
        raise InvalidInput(error.detail, locator="expression") from None
    if unknown:
        raise InvalidInput(
            _("The service has no input “%(name)s”. Its inputs are: %(known)s.")
            % {"name": unknown[0][:100], "known": ", ".join(sorted(samples)) or "–"},
            locator="expression",
        )


def _parsed(expression: str) -> ast.expr:
    if len(expression) > LONGEST:
        raise InvalidInput(_("A formula has at most %(n)s characters.") % {"n": LONGEST})
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise InvalidInput(_("This is not a formula.")) from None
    nodes = list(ast.walk(tree))
    if len(nodes) > MOST_NODES or _depth(tree) > DEEPEST:
        raise InvalidInput(_("The formula is too complicated."))
    for node in nodes:
        if not isinstance(node, _PARTS) or (isinstance(node, ast.Call) and node.keywords):
            raise InvalidInput(_("This cannot be part of a formula: %s.") % type(node).__name__)
    return tree


def _depth(tree: ast.AST) -> int:
    deepest, level = 0, [tree]
    while level:
        deepest += 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return deepest


# --- exact arithmetic ------------------------------------------------------------------------


def _exact(value: object) -> Fraction:
    """A number of a formula; a decimal fraction is what it is written as."""
    if isinstance(value, Operand):
        return value.number
    if isinstance(value, Fraction):
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS:
            raise TypeError(_("the numbers become too large"))
        return value
    if isinstance(value, bool | int):
        return Fraction(int(value))
    if isinstance(value, float):
        return Fraction(repr(value)) if value == value and abs(value) < 1e300 else _no_number()  # noqa: PLR0124, PLR2004
    return _no_number()


def _no_number() -> Fraction:
    raise TypeError(_("a number is needed"))


def _exactly(act: Callable[..., Any]) -> Callable[..., Any]:
    """The same on exact numbers."""

    def done(*values: object) -> Any:
        if not values:
            raise TypeError(_("a number is needed"))
        result = act(*map(_exact, values))
        return result if isinstance(result, bool) else _exact(result)

    return done


def _same(one: object, other: object) -> bool:
    """Equal as numbers, or as texts where one side is a text."""
    texts = [v.text if isinstance(v, Operand) else v for v in (one, other)]
    if any(isinstance(v, str) and not isinstance(v, Operand) for v in (one, other)):
        return texts[0] == texts[1]
    return _exact(one) == _exact(other)


_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: _exactly(operator.add),
    ast.Sub: _exactly(operator.sub),
    ast.Mult: _exactly(operator.mul),
    ast.Div: _exactly(operator.truediv),
    ast.FloorDiv: _exactly(operator.floordiv),
    ast.Mod: _exactly(operator.mod),
    ast.UAdd: _exactly(operator.pos),
    ast.USub: _exactly(operator.neg),
    ast.Not: _exactly(operator.not_),
    ast.Lt: _exactly(operator.lt),
    ast.LtE: _exactly(operator.le),
    ast.Gt: _exactly(operator.gt),
    ast.GtE: _exactly(operator.ge),
    ast.Eq: _same,
    ast.NotEq: lambda one, other: not _same(one, other),
}


# --- functions -------------------------------------------------------------------------------


def _input(value: object) -> Operand:
    if not isinstance(value, Operand):
        raise TypeError(_("the function takes the name of an input"))
    return value


def _area(given: object) -> Fraction:
    area = _input(given).area
    if area is None:
        raise TypeError(_("the area of the box is not known in its reference system"))
    return area


def _days(start: object, end: object) -> int:
    """Whole days from the first date to the second; 0 when it is not later."""
    given = [_input(one).days for one in (start, end)]
    if not all(given):
        return 0
    return max(0, (max(given[1]) - min(given[0])).days)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "count": lambda given: _input(given).count,
    "area_km2": _area,
    "days": _days,
    "dates": lambda given: _input(given).dates,
    "pairs": lambda given: Fraction(_input(given).count, 2),
    "min": _exactly(lambda *values: min(values)),
    "max": _exactly(lambda *values: max(values)),
    "ceil": _exactly(ceil),
    "floor": _exactly(floor),
}


def function_names() -> Iterable[str]:
    """What formulas may call."""
    return _FUNCTIONS.keys()
