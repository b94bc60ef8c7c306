"""Which list holds when: the own before the default one, from a day to come, withdrawn in time."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from accounting.bills import open_bill
from accounting.models import PriceList, Unit
from accounting.prices.price_lists import (
    RateSpec,
    publish_default,
    publish_rates,
    validity,
    version_of,
    versions,
    withdraw,
)
from accounting.prices.pricing import (
    ANY_PROVIDER,
    DEFAULT,
    WHOLE_PROVIDER,
    code_of,
    current_list,
    current_rates,
    list_in_force,
)
from common.clock import now
from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from people.models import User
from tests.accounting.scene import PROVIDER, SERVICE, Scene
from tests.factories import make_user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
JOB = {(7, Unit.JOB): RateSpec(1)}


@pytest.fixture
def operator() -> User:
    return make_user(is_staff=True)


def prices(provider_id: int, service_id: int) -> dict[str, int]:
    return {rate.unit: rate.price for rate in current_rates(provider_id, service_id)}


def test_the_default_list_holds_where_there_is_no_own_one(operator: User) -> None:
    publish_default(
        actor=operator,
        rates={
            (ANY_PROVIDER, WHOLE_PROVIDER, Unit.JOB): RateSpec(1),
            (ANY_PROVIDER, WHOLE_PROVIDER, Unit.WALL_HOUR): RateSpec(2),
            (3, WHOLE_PROVIDER, Unit.JOB): RateSpec(3),
            (3, 7, Unit.JOB): RateSpec(4),
        },
    )
    assert prices(3, 7) == {"JOB": 4, "WALL_HOUR": 2}
    assert prices(3, 8) == {"JOB": 3, "WALL_HOUR": 2}
    assert prices(4, 9) == {"JOB": 1, "WALL_HOUR": 2}
    publish_rates(actor="test", provider_id=3, rates={(7, Unit.JOB): RateSpec(9)})
    assert prices(3, 7) == {"JOB": 9}  # no gap is filled from the other list
    assert prices(3, 8) == {}
    publish_rates(actor="test", provider_id=3, rates={})
    assert prices(3, 7) == {"JOB": 4, "WALL_HOUR": 2}


def test_only_operators_publish_the_default_list(operator: User) -> None:
    del operator
    with pytest.raises(Forbidden):
        publish_default(actor=make_user(), rates={})
    with pytest.raises(InvalidInput):
        publish_default(
            actor=make_user(is_staff=True), rates={(ANY_PROVIDER, 7, Unit.JOB): RateSpec(1)}
        )


def test_prices_begin_when_they_say(operator: User) -> None:
    first = publish_rates(actor="test", provider_id=3, rates=JOB)
    later = publish_rates(
        actor="test",
        provider_id=3,
        rates={(7, Unit.JOB): RateSpec(2)},
        effective_from=now() + HOUR,
    )
    between = publish_rates(actor="test", provider_id=3, rates={(7, Unit.JOB): RateSpec(3)})
    assert prices(3, 7) == {"JOB": 3}
    assert list_in_force(code_of(3), now() + 2 * HOUR) == later
    assert current_list(3, now() - HOUR) is None
    states = {v.price_list.version: v for v in validity(code_of(3), list(versions(code_of(3))))}
    assert [(n, states[n].state) for n in (1, 2, 3)] == [
        (1, "past"),
        (2, "scheduled"),
        (3, "in force"),
    ]
    assert states[1].until == between.effective_from
    assert states[3].until == later.effective_from
    assert states[2].until is None
    for wrong in (now() - HOUR, now() + timedelta(days=9999)):
        with pytest.raises(InvalidInput):
            publish_rates(actor="test", provider_id=3, rates=JOB, effective_from=wrong)
    assert first.version == 1


def test_a_scheduled_list_is_withdrawn_once_and_a_begun_one_never(operator: User) -> None:
    publish_rates(actor="test", provider_id=3, rates=JOB)
    at = now() + HOUR
    dearer = {(7, Unit.JOB): RateSpec(2)}
    later = publish_rates(actor="test", provider_id=3, rates=dearer, effective_from=at)
    withdraw(actor=operator, price_list=later)
    assert (later.withdrawn_by, list_in_force(code_of(3), at + HOUR)) == (
        f"user:{operator.pk}",
        version_of(code_of(3), 1),
    )
    (state,) = validity(code_of(3), [version_of(code_of(3), 1)])
    assert (state.state, state.until) == ("in force", None)
    for version in (1, 2):
        with pytest.raises(Conflict):
            withdraw(actor=operator, price_list=version_of(code_of(3), version))
    with pytest.raises(NotFound):
        version_of(DEFAULT, 1)
    again = publish_rates(actor="test", provider_id=3, rates=dearer, effective_from=at)
    assert list_in_force(code_of(3), at + HOUR) == again
    for change in (
        lambda: PriceList.objects.filter(pk=later.pk).update(withdrawn_at=None),
        lambda: PriceList.objects.filter(pk=again.pk).update(effective_from=now()),
        lambda: PriceList.objects.filter(version=1).update(withdrawn_at=now()),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_a_quote_keeps_the_prices_of_its_moment() -> None:
    scene = Scene()
    quote = scene.quote()
    publish_rates(actor="x", provider_id=PROVIDER, rates={(SERVICE, Unit.JOB): RateSpec(7)})
    assert (quote.total, scene.quote().total) == (6_000, 7)
    bill = open_bill(job_id=uuid.uuid4(), quote=quote, charge_unsuccessful=False, actor="test")
    assert bill.price_list == quote.price_list


# --- the most that one would pay ------------------------------------------------------------


def test_a_ceiling_is_held_in_place_of_the_quote() -> None:
    scene = Scene()
    given = {"charge_unsuccessful": False, "actor": "test"}
    bill = open_bill(job_id=uuid.uuid4(), quote=scene.quote(), ceiling=10_000, **given)
    assert (bill.limit_amount, scene.balances()[1]) == (10_000, 10_000)
    exact = open_bill(job_id=uuid.uuid4(), quote=scene.quote(), ceiling=6_000, **given)
    assert exact.limit_amount == 6_000
    with pytest.raises(Conflict) as caught, transaction.atomic():
        open_bill(job_id=uuid.uuid4(), quote=scene.quote(), ceiling=5_999, **given)
    assert caught.value.data["required"] == "0.006"
    free = open_bill(
        job_id=uuid.uuid4(), quote=scene.quote(service_id=SERVICE + 1), ceiling=500, **given
    )
    assert (free.state, free.limit_amount) == ("FREE", 0)
    assert scene.balances()[1] == 16_000
