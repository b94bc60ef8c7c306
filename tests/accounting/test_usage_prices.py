"""Prices that change while a month is measured: what is charged already keeps its price."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest

from accounting.models import Unit
from accounting.prices.price_lists import RateSpec, publish_rates
from tests.accounting.scene import PROVIDER, Scene
from tests.accounting.test_usage_jobless import (
    FEBRUARY,
    JANUARY,
    LONG_AGO,
    RATES,
    cloud,
    known_as,
    machine,
    sound_books,
    spent,
    summary,
)

pytestmark = pytest.mark.django_db
__all__ = ["sound_books"]
DAY = 86_400


@pytest.fixture
def scene() -> Scene:
    with mock.patch("common.clock.timezone.now", return_value=LONG_AGO):
        scene = Scene(rates=RATES)
    known_as(scene.account, "group", "tep.urban")
    return scene


def published(price: int, at: int) -> None:
    """A new price of a CPU core hour from a moment on."""
    with mock.patch("common.clock.timezone.now", return_value=datetime.fromtimestamp(at, tz=UTC)):
        rates: dict[tuple[int, str], Any] = {(0, Unit.CPU_CORE_HOUR): RateSpec(price=price)}
        publish_rates(actor="test", provider_id=PROVIDER, rates=rates)


@pytest.mark.parametrize("price", [3_600_000, 36_000])
def test_a_months_newer_measurement_costs_what_the_first_cost(scene: Scene, price: int) -> None:
    cloud(machine(100, JANUARY))
    published(price, JANUARY + DAY)
    cloud(machine(100, JANUARY + 2 * DAY))
    assert spent(scene) == 10_000  # the same usage, measured later
    cloud(machine(150, JANUARY + 3 * DAY))
    assert spent(scene) == 15_000
    cloud(machine(250, FEBRUARY))  # another month has the price of its own time
    assert spent(scene) == 15_000 + 100 * price // 3_600
    cloud(machine(160, JANUARY + 4 * DAY))  # and keeps it, whatever changes before it
    assert spent(scene) == 16_000 + 90 * price // 3_600


@pytest.mark.parametrize("price", [3_600_000, 36_000])
def test_so_does_a_summary(scene: Scene, price: int) -> None:
    summary(50, LatestEndTime=JANUARY)
    published(price, JANUARY + DAY)
    summary(60, LatestEndTime=JANUARY + 2 * DAY)
    assert spent(scene) == 6_000
