"""Prices: exact arithmetic, which rate wins, and versions that do not change."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounting.models import PriceList, Rate, Unit
from accounting.models.ledger import MOST
from accounting.models.pricing import SMALLEST
from accounting.prices.price_lists import RateSpec, publish_rates
from accounting.prices.pricing import WHOLE_PROVIDER, current_list, current_rates, price_lines
from common.errors import Conflict, InvalidInput


def rate(unit: str = Unit.CPU_CORE_HOUR, price: int = 1, **fields: int) -> Rate:
    values = {"unit_size": 1, "minimum": 0, "free_quantity": 0}
    return Rate(unit=unit, price=price, **{**values, **fields})


# 360,000 micro-credits an hour: 100 a second.
@pytest.mark.parametrize(
    ("fields", "seconds", "expected"),
    [
        ({"price": 360_000}, 3600, 360_000),
        ({"price": 360_000}, 3599, 359_900),
        ({"price": 360_001}, 3600, 360_001),
        ({"price": 360_001}, 3599, 359_901),  # 359,900.99… goes up, once
        ({"price": 1}, 1, 1),
        ({"price": 1}, 0, 0),
        ({"price": 1}, 3600, 1),
        ({"price": 1}, 3601, 2),
        ({"price": 0}, 10**15, 0),
        ({"price": 360_000, "unit_size": 10}, 3600, 36_000),
        ({"price": 360_000, "free_quantity": 3600}, 3600, 0),
        ({"price": 360_000, "free_quantity": 3600}, 3601, 100),
        ({"price": 360_000, "free_quantity": 3600, "minimum": 7}, 3600, 7),
        ({"price": 360_000, "minimum": 100}, 1, 100),
        ({"price": 360_000, "minimum": 101}, 1, 101),
        ({"price": 360_000}, 10**15 + 1, 10**17 + 100),
        ({"price": MOST}, 10**15, MOST * 10**15 // 3600),
    ],
)
def test_one_line_is_exact_and_rounded_up(
    fields: dict[str, int], seconds: int, expected: int
) -> None:
    ((line,), total) = price_lines([rate(**fields)], {Unit.CPU_CORE_HOUR: seconds})
    assert total == line["amount"] == expected
    assert line["quantity"] == str(seconds)


AMOUNTS = st.integers(0, MOST)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Unit.values), AMOUNTS, st.integers(1, MOST), AMOUNTS, AMOUNTS, AMOUNTS
        ),
        unique_by=lambda line: line[0],
    )
)
def test_the_total_is_the_sum_of_lines_each_rounded_once(
    parts: list[tuple[str, int, int, int, int, int]],
) -> None:
    rates = [
        rate(unit, price, unit_size=size, minimum=least, free_quantity=free)
        for unit, price, size, least, free, _quantity in parts
    ]
    quantities = {unit: quantity for unit, *_rest, quantity in parts}
    lines, total = price_lines(rates, quantities)
    for line, (unit, price, size, least, free, quantity) in zip(lines, parts, strict=True):
        exact = Fraction(max(0, quantity - free) * price, size * SMALLEST[unit])
        assert line["amount"] == max(least, math.ceil(exact))
    assert total == sum(line["amount"] for line in lines)


@given(
    st.sampled_from(Unit.values),
    st.integers(1, 10**15),
    st.integers(1, 10**6),
    st.integers(1, 9**9),
)
def test_an_exact_multiple_is_not_rounded_and_one_more_is(
    unit: str, times: int, size: int, price: int
) -> None:
    """10^15 units and more, where floats would be wrong."""
    whole = times * size * SMALLEST[unit]
    amounts = [
        price_lines([rate(unit, price, unit_size=size)], {unit: quantity})[1]
        for quantity in (whole, whole + 1, whole - 1)
    ]
    step = -(-price // (size * SMALLEST[unit]))
    assert amounts[0] == times * price
    assert amounts[1] == times * price + step
    assert amounts[2] == times * price - price // (size * SMALLEST[unit])


def test_a_unit_without_quantity_has_no_line() -> None:
    lines, total = price_lines([rate(), rate(Unit.JOB, 5)], {Unit.JOB: 1})
    assert [line["unit"] for line in lines] == ["JOB"]
    assert total == 5


@pytest.mark.django_db
def test_the_most_specific_rate_wins_per_unit() -> None:
    publish_rates(
        actor="test",
        provider_id=3,
        rates={
            (WHOLE_PROVIDER, Unit.JOB): RateSpec(1),
            (WHOLE_PROVIDER, Unit.WALL_HOUR): RateSpec(2),
            (7, Unit.JOB): RateSpec(3),
            (8, Unit.AREA_KM2): RateSpec(4),
        },
    )
    assert {r.unit: r.price for r in current_rates(3, 7)} == {"JOB": 3, "WALL_HOUR": 2}
    assert {r.unit: r.price for r in current_rates(3, 8)} == {
        "JOB": 1,
        "WALL_HOUR": 2,
        "AREA_KM2": 4,
    }
    assert current_rates(4, 7) == []


@pytest.mark.django_db
def test_every_change_is_a_version_and_versions_stay() -> None:
    first = publish_rates(actor="test", provider_id=3, rates={(7, Unit.JOB): RateSpec(1)})
    assert publish_rates(actor="x", provider_id=3, rates={(7, "JOB"): RateSpec(1)}) == first
    second = publish_rates(actor="test", provider_id=3, rates={(7, Unit.JOB): RateSpec(2)})
    third = publish_rates(actor="test", provider_id=3, rates={})
    assert [first.version, second.version, third.version] == [1, 2, 3]
    assert first.effective_from < second.effective_from < third.effective_from
    assert current_list(3) == third
    assert current_rates(3, 7) == []
    assert [r.price for r in first.rates.all()] == [1]
    for change in (
        lambda: Rate.objects.update(price=9),
        lambda: Rate.objects.filter(price_list=first).delete(),
        lambda: Rate.objects.create(price_list=third, unit=Unit.JOB, price=1),
        lambda: PriceList.objects.update(version=9),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


@pytest.mark.django_db
def test_wrong_rates_are_all_named_and_nothing_is_published() -> None:
    rates = {
        (7, "MOON"): RateSpec(1),
        (7, Unit.JOB): RateSpec(-1),
        (8, Unit.JOB): RateSpec(1, unit_size=0),
        (9, Unit.JOB): RateSpec(MOST + 1),
        (-1, Unit.JOB): RateSpec(1),
        (10, Unit.JOB): RateSpec(1),
    }
    with pytest.raises(InvalidInput) as caught:
        publish_rates(actor="test", provider_id=3, rates=rates)
    assert set(caught.value.errors) == {"7/MOON", "7/JOB", "8/JOB", "9/JOB", "-1/JOB"}
    assert current_list(3) is None


@pytest.mark.django_db
def test_a_version_number_taken_meanwhile_is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    publish_rates(actor="test", provider_id=3, rates={(7, Unit.JOB): RateSpec(1)})
    monkeypatch.setattr("accounting.prices.price_lists._last_version", lambda code: 0)
    with pytest.raises(Conflict):
        publish_rates(actor="test", provider_id=3, rates={(7, Unit.JOB): RateSpec(2)})
    assert PriceList.objects.count() == 1
