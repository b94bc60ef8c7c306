"""Credits: exact in both directions, or refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidInput
from common.money import MICRO, MOST, credits, micro, show

amounts = st.integers(-MOST, MOST)


@given(amounts)
def test_the_round_trip_is_exact(amount):
    assert micro(credits(amount)) == amount
    assert micro(str(credits(amount))) == amount
    assert micro(show(amount)) == amount
    assert credits(amount) * MICRO == amount


@given(amounts)
def test_people_see_two_to_six_decimals(amount):
    whole, point, decimals = show(amount).partition(".")
    assert point == "."
    assert 2 <= len(decimals) <= 6
    assert len(decimals) == 2 or not decimals.endswith("0")
    assert whole.lstrip("-").isdigit()


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_any_decimal_is_exact_or_refused(value):
    try:
        amount = micro(value)
    except InvalidInput:
        return
    assert Decimal(amount).scaleb(-6) == value


@pytest.mark.parametrize(
    "value",
    [
        *("", "x", "NaN", "sNaN", "Infinity", "-inf", "1,5", "0x10"),
        *("0.0000001", "1." + "0" * 40 + "1", "1e-999999"),
        *("1e30", "1e999999999", "-1e999999999", str(credits(MOST + 1)), "9" * 5000),
    ],
)
def test_what_is_no_amount_is_refused(value):
    with pytest.raises(InvalidInput):
        micro(value)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0.00"), (12_500_000, "12.50"), (1, "0.000001"), (-1_500_000, "-1.50"), (-1, "-0.000001")],
)
def test_examples(amount, text):
    assert show(amount) == text
