"""The portal's own process: what it gives back, what it refuses, and the row that it has."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.core.management import call_command

from common import clock
from common.errors import Forbidden, NotFound, ProviderNonsense, ProviderRefused
from people.models import User
from providers import own, registry
from providers.access import provider_for, service_of
from providers.drivers.echo import ECHO, MOST_BYTES, EchoDriver
from providers.models import Provider, Service, ServiceVersion
from providers.ports import Endpoint, Found, RemoteState, RemoteStatus
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    ExecuteRequest,
    Format,
    InputValue,
    LiteralValue,
    OutputRequest,
    ReferenceValue,
)
from providers.selectors import manageable_providers
from providers.services import discover, set_service_enabled, suspend_provider, update_provider
from tests.factories import make_user
from tests.fakes.http_server import Reply, ScriptedServer
from thematic_apps.access import can_use, usable_services

HERE = Endpoint("")
TEXT = LiteralValue("literal", "  <é>  ")
BOX = BoundingBoxValue("bbox", (1.5, 2.0), (3.0, 4.25), "urn:ogc:def:crs:EPSG::4326")
DOCUMENT = ComplexValue("complex", "<a>&amp;</a>", "text/xml")
BYTES = ComplexValue("complex", "AAEC", "application/octet-stream", "base64")


def run(*values: InputValue, outputs: tuple[OutputRequest, ...] = ()) -> RemoteStatus:
    request = ExecuteRequest("echo", values, outputs)
    return EchoDriver().submit(HERE, ECHO, request, "ref-1")


def refused(*values: InputValue, outputs: tuple[OutputRequest, ...] = ()) -> ProviderRefused:
    with pytest.raises(ProviderRefused) as caught:
        run(*values, outputs=outputs)
    return caught.value


def test_what_is_given_is_given_back() -> None:
    given = (TEXT, LiteralValue("literal", "two"), DOCUMENT, BYTES, BOX)
    status = run(*given)
    assert (status.state, status.handle, status.remote_id) == (RemoteState.SUCCEEDED, "", "ref-1")
    assert tuple(one.value for one in status.outputs) == given


def test_a_pause_ends_when_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    started = run(TEXT, BOX, LiteralValue("pause", "40"))
    assert (started.state, started.percent, started.outputs) == (RemoteState.RUNNING, 0, ())
    assert started.next_poll is not None
    driver, begin = EchoDriver(), clock.now()
    monkeypatch.setattr("providers.drivers.echo.now", lambda: begin + timedelta(seconds=30))
    half = driver.status(HERE, started.handle)
    assert (half.state, half.handle) == (RemoteState.RUNNING, started.handle)
    assert 70 <= (half.percent or 0) <= 75
    monkeypatch.setattr("providers.drivers.echo.now", lambda: begin + timedelta(seconds=41))
    ended = driver.status(HERE, started.handle)
    assert ended.state == RemoteState.SUCCEEDED
    assert tuple(one.value for one in ended.outputs) == (TEXT, BOX)
    assert driver.dismiss(HERE, started.handle)


@pytest.mark.parametrize("handle", ["", "{}", "[]", '{"begin": 1}', "null"])
def test_a_strange_handle_is_nonsense(handle: str) -> None:
    with pytest.raises(ProviderNonsense):
        EchoDriver().status(HERE, handle)


def test_what_cannot_be_given_back_is_refused() -> None:
    assert "nothing" in refused(LiteralValue("pause", "1")).detail
    everything = tuple(OutputRequest(one.identifier) for one in ECHO.outputs)
    assert [one.identifier for one in run(TEXT, outputs=everything).outputs] == ["literal"]
    missing = refused(TEXT, outputs=(OutputRequest("bbox"),))
    assert missing.data["locator"] == "bbox"
    other = OutputRequest("complex", format=Format("application/json"))
    assert refused(DOCUMENT, outputs=(other,)).data["locator"] == "complex"
    half = ComplexValue("complex", "é" * (MOST_BYTES // 4), "text/plain")
    assert run(half).state == RemoteState.SUCCEEDED
    assert "1 MB" in refused(half, half, TEXT).detail


def test_an_address_is_fetched_as_a_provider_would() -> None:
    with ScriptedServer() as server:
        address = f"http://127.0.0.1:{server.port}/x"
        server.reply("any", Reply(200, b"<b/>"))
        server.reply("any", Reply(200, b"\x00\x01"))
        server.reply("any", Reply(200, b"x" * (MOST_BYTES + 1)))
        server.reply("any", Reply(500))
        assert run(ReferenceValue("complex", address, "text/xml")).outputs[0].value == (
            ComplexValue("complex", "<b/>", "text/xml")
        )
        bytes_ = ReferenceValue("complex", address, "image/tiff")
        assert run(bytes_).outputs[0].value == ComplexValue(
            "complex", "AAE=", "image/tiff", "base64"
        )
        for _ in range(2):
            error = refused(bytes_)
            assert "127.0.0.1" not in error.detail
            assert error.data["locator"] == "complex"
    assert "127.0.0.1" not in refused(bytes_).detail  # nobody is there any more


def test_all_addresses_share_one_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.drivers.echo.MOST_FETCHING", 0.5)
    with ScriptedServer() as server:
        for _ in range(10):
            server.reply("any", Reply(200, b"<b/>", delay=0.4))
        address = f"http://127.0.0.1:{server.port}/x"
        begun = time.monotonic()
        refused(*[ReferenceValue("complex", address, "text/xml")] * 10)
        assert time.monotonic() - begun < 2


def test_nobody_registers_a_provider_with_it() -> None:
    assert "echo" not in registry.protocols()
    assert isinstance(registry.driver_of("echo"), EchoDriver)


def test_the_driver_describes_itself() -> None:
    driver = EchoDriver()
    assert [one.identifier for one in driver.capabilities(HERE).processes] == ["echo"]
    told = driver.describe(HERE, ["echo", "other"])
    assert (told.found, list(told.problems)) == ({"echo": ECHO}, ["other"])
    assert driver.find(HERE, "ref-1") == Found.NEVER_ARRIVED
    assert not driver.may_fetch(HERE, "https://example.org/x")


@pytest.mark.django_db
def test_every_installation_has_it_for_everybody() -> None:
    service = Service.objects.get(provider__slug="portal")
    assert can_use(make_user(), service)
    assert service.current is not None
    assert service.current.description == ECHO
    assert service.available
    owner = service.provider.owner
    assert not owner.is_active
    assert not owner.has_usable_password()
    suspended = usable_services(make_user()).filter(provider__slug="portal")
    assert [one.public_identifier for one in suspended] == ["portal.echo"]


@pytest.mark.django_db
def test_it_is_made_anew_and_kept_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(Provider.objects.values()), list(ServiceVersion.objects.values())
    call_command("migrate", verbosity=0)
    own.ensure()
    assert (list(Provider.objects.values()), list(ServiceVersion.objects.values())) == before
    from dataclasses import replace

    monkeypatch.setattr(own, "ECHO", replace(ECHO, title="Echo of tomorrow"))
    own.ensure()
    service = Service.objects.get(provider__slug="portal")
    assert service.current is not None
    assert (service.title, service.current.number) == ("Echo of tomorrow", 2)
    service.current = None
    service.save()
    ServiceVersion.objects.all().delete()
    Service.objects.all().delete()
    Provider.objects.all().delete()
    own.ensure()
    own.ensure()
    assert Provider.objects.get().slug == "portal"
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_nobody_manages_it() -> None:
    operator = make_user(is_staff=True, is_superuser=True)
    provider = Provider.objects.get(slug="portal")
    service = service_of(provider, "echo")
    assert not manageable_providers(operator).exists()
    with pytest.raises(NotFound):
        provider_for(operator, "portal", "manage")
    for act in (
        lambda: suspend_provider(actor=operator, provider=provider),
        lambda: update_provider(actor=operator, provider=provider, name="x"),
        lambda: set_service_enabled(actor=operator, service=service, enabled=False),
        lambda: discover(provider=provider, actor=operator),
    ):
        with pytest.raises(Forbidden):
            act()
    assert Provider.objects.get(slug="portal").approved


@pytest.mark.django_db
def test_a_provider_of_that_name_is_left_alone() -> None:
    Service.objects.update(current=None)
    ServiceVersion.objects.all().delete()
    Service.objects.all().delete()
    Provider.objects.all().delete()
    theirs = Provider.objects.create(slug="portal", name="Theirs", owner=make_user())
    own.ensure()
    assert Provider.objects.get() == theirs
