"""On what terms a run is made is kept in memory: fewer queries, and never what was before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounting.accounts import provider_account
from accounting.models import Unit
from accounting.prices.formulas import set_formula
from accounting.prices.price_lists import RateSpec, publish_rates, withdraw
from common.clock import now
from common.crypto import encrypt
from jobs import terms
from jobs.estimates.counting import samples
from jobs.models import Job
from providers import maintenance
from providers.models import Provider
from tests.factories import CREDIT, World
from tests.fakes.wps_server import FakeWps
from tests.wps_proxy.conftest import ALL_KINDS, GEOJSON, GML, TIFF, Door
from wps_proxy import execute

pytestmark = pytest.mark.django_db(transaction=True)
MOST_QUERIES = (
    28  # with the begin and end of its transactions, of a run of which the terms are known
)


@pytest.fixture
def world(transactional_db: None, wps: FakeWps) -> World:
    secrets = {"username": "portal", "secret": encrypt("provider-secret")}
    process = replace(ALL_KINDS, store_supported=False, status_supported=False)
    wps.add(process, lambda _: {"mean": "41.7", "change": TIFF, "zones": GEOJSON, "shape": GML})
    return World(url=wps.url, description=process, provider_fields=secrets, credits=1000)


@pytest.fixture
def held(door: Door) -> Callable[[], int]:
    """Run it: how many credits were held."""

    def run() -> int:
        assert b"ProcessSucceeded" in door.execute().body
        return Job.objects.latest("created_at").quote.bill.limit_amount // CREDIT

    return run


def test_what_is_known_is_not_read_again(held: Callable[[], int]) -> None:
    counts = []
    for _ in range(4):
        with CaptureQueriesContext(connection) as queries:
            held()
        counts.append(len(queries))
    told = "".join(str(query["sql"]) for query in queries)
    for table in ("acc_rate", 'acc_price_list"', "acc_formula", "providers_maintenancewindow"):
        assert f'FROM "{table}' not in told
    assert counts[2] == counts[3] <= MOST_QUERIES


def test_another_price_or_formula_holds_for_the_next_run(
    held: Callable[[], int], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [held(), held()] == [2, 2]
    world.set_price(3 * CREDIT)
    assert [held(), held()] == [3, 3]
    begin = now() + timedelta(hours=1)
    later = {
        "provider_id": world.provider.pk,
        "rates": {(world.service.pk, Unit.JOB): RateSpec(price=5 * CREDIT)},
    }
    planned = publish_rates(actor="test", effective_from=begin, **later)
    assert [held(), held()] == [3, 3]
    with monkeypatch.context() as patch:  # its day has come, and nothing was written
        patch.setattr(terms, "now", lambda: begin + timedelta(seconds=1))
        assert [held(), held()] == [5, 5]
    withdraw(actor=world.operator, price_list=planned)
    with monkeypatch.context() as patch:
        patch.setattr(terms, "now", lambda: begin + timedelta(seconds=1))
        assert held() == 3
    world.set_price(4 * CREDIT)
    assert held() == 4
    assert world.service.current is not None
    known = samples(world.service.current.description)
    for expression, price in (("3", 12), ("2 + 3", 20), ("", 4)):
        set_formula(
            actor=world.operator,
            service_id=world.service.pk,
            unit=Unit.JOB,
            expression=expression,
            samples=known,
        )
        assert [held(), held()] == [price, price]


def test_maintenance_holds_the_next_run_back_and_its_end_does_not(
    held: Callable[[], int],
    door: Door,
    world: World,
    wps: FakeWps,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held()
    actor, provider, moment = world.provider_owner, world.provider, now()
    window = maintenance.plan(
        actor=actor, provider=provider, starts_at=moment, ends_at=moment + timedelta(hours=1)
    )
    sent = len(wps.executes)
    with monkeypatch.context() as patch:
        patch.setattr(execute, "monotonic", count(step=1000).__next__)
        assert b"ProcessAccepted" in door.execute().body
    assert len(wps.executes) == sent
    maintenance.end(actor=actor, provider=provider, window_id=window.pk)
    held()
    assert len(wps.executes) == sent + 1


def test_a_provider_of_another_name_has_its_account_called_so(
    held: Callable[[], int], world: World
) -> None:
    held()
    Provider.objects.filter(pk=world.provider.pk).update(name="Another name")
    held()
    assert provider_account(world.provider.pk).name == "Another name"
