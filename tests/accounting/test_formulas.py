"""Formulas: exact numbers, strict limits, and nothing that escapes."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounting.models import Formula, Unit
from accounting.prices.formulas import (
    Operand,
    current_formulas,
    evaluate,
    name_of,
    names_in,
    set_formula,
    smallest,
)
from common.errors import InvalidInput
from people.models import User
from tests.factories import make_user

GIVEN = {
    "products": Operand(Fraction(3), count=3, dates=2),
    "box": Operand(Fraction(1), count=1, area=Fraction(25, 2)),
    "start": Operand(Fraction(1), count=1, days=(date(2026, 1, 30),), text="2026-01-30"),
    "end": Operand(Fraction(1), count=1, days=(date(2026, 3, 1),), text="2026-03-01"),
    "threshold": Operand(Fraction(1, 10), count=1),
    "quality": Operand(Fraction(1), count=1, text="thorough"),
    "nothing": Operand(Fraction(0)),
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1", Fraction(1)),
        ("0.1 + 0.2", Fraction(3, 10)),
        ("0.1 * 3", Fraction(3, 10)),
        ("1 / 3 * 3", Fraction(1)),
        ("threshold * 10", Fraction(1)),
        ("count(products) * 2", Fraction(6)),
        ("pairs(products)", Fraction(3, 2)),
        ("dates(products)", Fraction(2)),
        ("area_km2(box) / 10", Fraction(5, 4)),
        ("days(start, end)", Fraction(30)),
        ("days(end, start)", Fraction(0)),
        ("days(nothing, end)", Fraction(0)),
        ("ceil(area_km2(box))", Fraction(13)),
        ("floor(12.9) + 7 // 2 + 7 % 4", Fraction(18)),
        ("max(1, products, 2)", Fraction(3)),
        ("min(threshold, 5)", Fraction(1, 10)),
        ("2 if quality == 'thorough' else 1", Fraction(2)),
        ("2 if quality != 'thorough' and products > 1 else 1", Fraction(1)),
        ("-threshold + 1", Fraction(9, 10)),
        ("1e3", Fraction(1000)),
        ("nothing", Fraction(0)),
    ],
)
def test_a_formula_is_exact(expression: str, value: Fraction) -> None:
    assert evaluate(expression, GIVEN) == value


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "1 +",
        "unknown",
        "-1",
        "1 / 0",
        "products ** 2",
        "2 << 9",
        "'a' * 9",
        "'text'",
        "None",
        "1j",
        "b'x'",
        "...",
        "[1]",
        "(1, 2)",
        "{1: 2}",
        "[x for x in (1, 2)]",
        "lambda: 1",
        "products.number",
        "products.__class__",
        "''.__class__.__mro__",
        "products[0]",
        "f'{products}'",
        "__import__('os')",
        "open('/etc/passwd')",
        "count",
        "count()",
        "count(1)",
        "count(products, box)",
        "min()",
        "max(count)",
        "days(1, 2)",
        "count(given=products)",
        "count(*products)",
        "(x := 5)",
        "1; 2",
        "1e999",
        "9" * 400,
        "9" * 499 + "9" * 9,
        "-" * 499 + "1",
        "(" * 250 + "1" + ")" * 250,
        "not " * 100 + "1",
        "1" + "+1" * 240,
        "*".join(["9" * 95] * 5),
        "threshold < ",
        "\x00",
        "\ud800",
        "products\n+ 1\n2",
    ],
)
def test_whatever_is_written_is_a_number_or_refused(expression: str) -> None:
    with pytest.raises(InvalidInput):
        evaluate(expression, GIVEN)


@given(st.text(alphabet="()+-*/%<>=.,019eE'\" abcintmxdufrsl_[]{}:~^&|@", max_size=60))
def test_no_text_makes_it_raise_anything_else(text: str) -> None:
    try:
        value = evaluate(text, GIVEN)
    except InvalidInput:
        return
    assert isinstance(value, Fraction)
    assert value >= 0


@given(
    st.fractions(0, 10**6, max_denominator=10**6),
    st.sampled_from([Unit.WALL_HOUR, Unit.AREA_KM2, Unit.PRODUCT_PAIR, Unit.JOB]),
)
def test_smallest_units_are_rounded_up_once(value: Fraction, unit: Unit) -> None:
    per = {Unit.WALL_HOUR: 3600, Unit.AREA_KM2: 10**6, Unit.PRODUCT_PAIR: 2, Unit.JOB: 1}[unit]
    quantity = smallest(unit, value)
    assert isinstance(quantity, int)
    assert 0 <= quantity - value * per < 1


def test_names_of_inputs() -> None:
    assert name_of("minimum-area") == "minimum_area"
    assert name_of("2nd date") == "_2nd_date"
    assert name_of("from") == "_from"
    assert names_in("count(a) + b * max(a, c)") == {"a", "b", "c"}


# --- stored formulas ------------------------------------------------------------------------


@pytest.fixture
def owner(db: None) -> User:
    return make_user()


def keep(owner: User, expression: str, unit: str = Unit.WALL_HOUR) -> Formula | None:
    return set_formula(actor=owner, service_id=7, unit=unit, expression=expression, samples=GIVEN)


def test_the_newest_counts_and_an_empty_one_takes_it_back(owner: User) -> None:
    keep(owner, "count(products)")
    keep(owner, "1 / (threshold - 0.1)")  # divides by zero for these values only
    newest = keep(owner, "2 * count(products)")
    assert keep(owner, "2  *  count(products)") is None
    assert current_formulas(7) == {Unit.WALL_HOUR: newest}
    assert current_formulas(8) == {}
    keep(owner, "")
    assert current_formulas(7) == {}
    assert Formula.objects.count() == 4
    for change in (
        lambda: Formula.objects.update(expression="9"),
        lambda: Formula.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


@pytest.mark.parametrize("wrong", ["no formula at all", "count(mistake)", "-5", "open('x')"])
def test_what_cannot_be_evaluated_is_not_kept(owner: User, wrong: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        keep(owner, wrong)
    assert caught.value.locator == "expression"
    with pytest.raises(InvalidInput):
        keep(owner, "1", unit="MOON")
    assert not Formula.objects.exists()
