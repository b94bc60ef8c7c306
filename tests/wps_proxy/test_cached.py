"""What is kept of lists and descriptions: never stale, never another user's, and not for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from accounting.models import Formula, PriceList
from accounting.prices.price_lists import publish_rates, withdraw
from common.clock import now
from people.models import Membership, User
from people.services import create_api_key
from providers.models import Provider, Service
from tests.factories import ECHO, World, make_app, make_service, make_user
from thematic_apps.models import OfferStamp, Visibility
from thematic_apps.stamp import stamp
from wps_proxy import cached
from wps_proxy.offers import Offer

DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


def changes(world: World) -> dict[str, Callable[[], object]]:
    """Everything that decides who may use what, and how it is described."""
    provider, service, app = world.provider, world.service, world.app
    assert service.current is not None
    other = make_service(provider, replace(ECHO, identifier="other"))
    version = type(service.current).objects.filter(pk=service.current.pk)
    here = Service.objects.filter(pk=service.pk)
    coming: list[PriceList] = []
    mine = Membership.objects.filter(user=world.researcher)
    return {
        "a title": lambda: here.update(title="Other"),
        "a description": lambda: version.update(version="2"),
        "a new version": lambda: here.update(current=other.current),
        "switched off": lambda: here.update(enabled=False),
        "withdrawn": lambda: here.update(withdrawn_at=now()),
        "a provider's name": lambda: Provider.objects.filter(pk=provider.pk).update(name="Other"),
        "suspended": lambda: Provider.objects.filter(pk=provider.pk).update(state="suspended"),
        "its owner": lambda: Provider.objects.filter(pk=provider.pk).update(owner=world.admin),
        "one more in the application": lambda: app.services.add(other),
        "one less in the application": lambda: app.services.remove(other),
        "for everybody": lambda: (
            type(app).objects.filter(pk=app.pk).update(visibility=Visibility.PUBLIC)
        ),
        "without its group": app.groups.clear,
        "with its group": lambda: app.groups.add(world.group),
        "another application": lambda: make_app(world.operator, (other,)),
        "prices": lambda: world.set_price(3),
        "prices of a day to come": lambda: coming.append(
            publish_rates(
                actor="test", provider_id=provider.pk, rates={}, effective_from=now() + DAY
            )
        ),
        "withdrawn prices": lambda: withdraw(actor=world.operator, price_list=coming[0]),
        "a formula": lambda: Formula.objects.create(
            service_id=service.pk, unit="JOB", expression="2", created_by="x", created_at=now()
        ),
        "maintenance": lambda: provider.maintenance_windows.create(
            starts_at=now(), ends_at=now() + DAY, created_by=world.admin
        ),
        "its end": lambda: provider.maintenance_windows.update(ends_at=now() + DAY / 2),
        "no maintenance": lambda: provider.maintenance_windows.all().delete(),
        "a member less": mine.delete,
        "a member more": lambda: Membership.objects.create(group=world.group, user=world.stranger),
    }


def test_every_change_that_matters_changes_the_stamp(world: World) -> None:
    seen = {stamp()}
    for name, change in changes(world).items():
        change()
        assert stamp() not in seen, name
        seen.add(stamp())


def test_what_does_not_matter_leaves_the_stamp(world: World) -> None:
    before = stamp()
    Provider.objects.update(last_answer_at=now(), failing_since=now(), discovered_at=now())
    Service.objects.get(pk=world.service.pk).save()
    make_user()
    assert stamp() == before


def test_a_transaction_has_no_stamp_and_what_is_rolled_back_changes_none(world: World) -> None:
    before = stamp()
    with transaction.atomic():
        assert stamp() == ""
        Service.objects.update(title="Never")
        transaction.set_rollback(True)
    assert stamp() == before
    with transaction.atomic():
        Service.objects.update(title="Other")
        Provider.objects.update(name="Other")
    assert stamp() != before
    OfferStamp.objects.all().delete()
    assert stamp() == ""  # nothing is kept rather than something wrong


def ask(user: User, wanted: object, made: list[str], text: str = "x") -> bytes:
    request = RequestFactory().get("/wps")
    return cached.kept(request, Offer(user), wanted, lambda: (made.append(text), text.encode())[1])


def test_a_document_is_made_once_for_all_who_may_use_the_same(world: World) -> None:
    made: list[str] = []
    first = ask(world.researcher, "list", made)
    assert ask(world.researcher, "list", made) is first
    assert ask(world.admin, "list", made) is first  # of the same group
    assert made == ["x"]
    ask(world.stranger, "list", made)
    ask(world.researcher, "other", made)
    assert len(made) == 3
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert ask(world.researcher, "list", made) is first
    assert len(queries) == 1


def test_nothing_is_kept_of_before_a_change(world: World) -> None:
    for name, change in changes(world).items():
        made: list[str] = []
        ask(world.researcher, "list", made)
        made.clear()
        change()
        ask(world.researcher, "list", made)
        assert made, name


def test_an_error_is_not_kept(world: World) -> None:
    def fail() -> bytes:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        cached.kept(RequestFactory().get("/wps"), Offer(world.researcher), "list", fail)
    made: list[str] = []
    ask(world.researcher, "list", made)
    assert made


def test_memory_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached, "MOST_BYTES", 10_000)
    monkeypatch.setattr(cached, "MOST_ADDRESSES", 50)
    kept = cached._Kept()
    monkeypatch.setattr(cached, "_kept", kept)
    for number in range(200):
        ask(world.researcher, number, [], "x" * 1000)
    assert kept._bytes == sum(map(len, kept._documents.values())) <= 10_000
    assert len(kept._places) <= 50
    made: list[str] = []
    ask(world.researcher, 199, made)
    assert not made  # the latest is there
    ask(world.researcher, 0, made)
    assert made


def test_at_the_door_a_second_look_asks_two_things_and_renders_nothing(world: World) -> None:
    key = create_api_key(user=world.researcher, name="k", scopes=["read"])[1]
    client = Client(headers={"Authorization": f"Bearer {key}"})
    query = {"service": "WPS", "request": "GetCapabilities"}
    first = client.get("/wps", query)
    assert first.status_code == 200
    with CaptureQueriesContext(connection) as queries:
        again = client.get("/wps", query)
    assert again.content == first.content
    assert len(queries) == 2, [q["sql"] for q in queries]
    known = client.get("/wps", query, headers={"If-None-Match": first["ETag"]})
    assert (known.status_code, known.content) == (304, b"")
    Service.objects.filter(pk=world.service.pk).update(title="Something else")
    changed = client.get("/wps", query, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert b"Something else" in changed.content
    Membership.objects.filter(user=world.researcher).delete()
    assert b"Something else" not in client.get("/wps", query).content
