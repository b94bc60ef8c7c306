"""Registering, approving and changing providers: who may, what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from common import clock
from common.errors import Forbidden, InvalidInput, NotFound
from people.models import User
from providers import services
from providers.access import provider_for, service_of
from providers.models import Provider, ProviderState
from providers.selectors import manageable_providers, split_identifier, waiting_providers
from tests.factories import make_provider, make_service, make_user
from tests.fakes.wps_server import FakeWps

pytestmark = pytest.mark.django_db


def register(owner: User, url: str, **fields: Any) -> Provider:
    values = {"slug": "centre-a", "name": "Centre A", **fields}
    return services.register_provider(owner=owner, url=url, **values)


# --- registering ---------------------------------------------------------------------------


def test_a_new_provider_waits_for_approval_with_its_services_known(
    wps: FakeWps, owner: User, operator: User
) -> None:
    wps.credentials = ("portal", "p:w")
    url = wps.url.replace("http://", "http://portal:p%3Aw@")
    provider = register(owner, f"{url}?service=WPS&request=GetCapabilities")
    provider.refresh_from_db()
    assert provider.state == ProviderState.PENDING
    assert provider.discovery_error == ""
    assert [one.enabled for one in provider.services.all()] == [False]
    assert "portal" not in provider.url
    assert "p:w" not in provider.secret
    assert provider.endpoint().password == "p:w"
    assert "p:w" not in repr(provider.endpoint())
    assert list(waiting_providers()) == [provider]
    services.approve_provider(actor=operator, provider=provider)
    assert not waiting_providers()
    services.suspend_provider(actor=operator, provider=provider)
    provider.refresh_from_db()
    assert provider.state == ProviderState.SUSPENDED


def test_a_provider_that_does_not_answer_is_entered_all_the_same(owner: User) -> None:
    provider = register(owner, "http://127.0.0.1:1/wps")
    stored = Provider.objects.get(pk=provider.pk)
    assert stored.discovery_error == provider.discovery_error != ""
    unknown = register(owner, "https://no-such-host.invalid/wps", slug="centre-b")
    assert "not known" in unknown.discovery_error


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"url": "http://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "http://10.0.0.1/wps"}, "url"),
        ({"url": "http://[::ffff:10.0.0.1]/wps"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "https://[::1/wps"}, "url"),
        ({"url": "wps.example.org"}, "url"),
        ({"url": ""}, "url"),
        ({"url": "https://wps.example.org/#x"}, "url"),
        ({"slug": "A"}, "slug"),
        ({"slug": "a.b"}, "slug"),
        ({"slug": "a b"}, "slug"),
        ({"slug": "-a"}, "slug"),
        ({"slug": "x" * 41}, "slug"),
        ({"slug": "taken"}, "slug"),
        ({"name": "x" * 201}, "name"),
        ({"protocol": "telepathy"}, "protocol"),
        ({"username": "a:b"}, "username"),
    ],
)
def test_what_cannot_be_registered(
    wps: FakeWps, owner: User, fields: dict[str, str], field: str
) -> None:
    make_provider(owner, slug="taken")
    before = set(Provider.objects.all())
    with pytest.raises(InvalidInput) as caught:
        register(owner, **{"url": wps.url, **fields})
    assert caught.value.locator == field
    assert field in caught.value.errors
    assert set(Provider.objects.all()) == before
    assert not wps.received


# --- changing ------------------------------------------------------------------------------


def test_an_owner_changes_what_is_the_owners(owner: User) -> None:
    provider = make_provider(owner)
    services.update_provider(
        actor=owner,
        provider=provider,
        name="New",
        reference_header="X-Job",
        lookup_url="https://wps.example.org/find?ref={reference}",
        password="hush",
        username="portal",
        max_running_jobs=3,
        charge_unsuccessful=True,
    )
    provider.refresh_from_db()
    assert (provider.name, provider.max_running_jobs) == ("New", 3)
    assert provider.charge_unsuccessful
    assert provider.endpoint().password == "hush"
    assert provider.endpoint().lookup_url.endswith("{reference}")
    assert provider.approved


def test_a_provider_that_moves_is_looked_at_again_and_takes_no_secrets_along(
    owner: User, operator: User
) -> None:
    provider = make_provider(owner, username="portal", secret="x", lookup_url="https://a/{r}")
    services.update_provider(actor=owner, provider=provider, url="https://wps.example.org/other")
    assert provider.approved
    assert provider.secret
    services.update_provider(actor=owner, provider=provider, url="https://wps.example.com/wps")
    provider.refresh_from_db()
    assert provider.state == ProviderState.PENDING
    assert (provider.username, provider.secret, provider.lookup_url) == ("", "", "")
    services.approve_provider(actor=operator, provider=provider)
    moved = "https://u:p@wps.example.net/wps"
    services.update_provider(actor=operator, provider=provider, url=moved)
    assert provider.approved
    assert (provider.url, provider.username) == ("https://wps.example.net/wps", "u")
    assert provider.endpoint().password == "p"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("url", "http://169.254.169.254/"),
        ("lookup_url", "https://evil.example.net/{reference}"),
        ("lookup_url", "https://wps.example.org/find"),
        ("reference_header", "Authorization"),
        ("reference_header", "X-Forwarded-For"),
        ("reference_header", "X-A: b"),
        ("max_running_jobs", -1),
        ("max_running_jobs", "many"),
        ("max_running_jobs", True),
        ("charge_unsuccessful", "yes"),
        ("extra_hosts", "store.example.net"),
        ("extra_hosts", ["https://store.example.net/"]),
        ("extra_hosts", ["a b"]),
        ("slug", "other"),
        ("owner_id", 1),
        ("state", "approved"),
        ("secret", "x"),
    ],
)
def test_settings_that_are_refused(operator: User, field: str, value: object) -> None:
    provider = make_provider(operator)
    before = Provider.objects.values().get(pk=provider.pk)
    with pytest.raises(InvalidInput) as caught:
        services.update_provider(actor=operator, provider=provider, **{field: value})
    assert caught.value.locator == field
    assert Provider.objects.values().get(pk=provider.pk) == before


def test_what_only_operators_may(owner: User, operator: User) -> None:
    provider = make_provider(owner)
    reserved: dict[str, object] = {"extra_hosts": ["Store.example.net"], "usage_queue": "/srv/q"}
    for field, value in reserved.items():
        with pytest.raises(Forbidden, match=field):
            services.update_provider(actor=owner, provider=provider, **{field: value})
    services.update_provider(actor=operator, provider=provider, **reserved)
    provider.refresh_from_db()
    assert provider.extra_hosts == ["store.example.net"]
    for verb in (services.approve_provider, services.suspend_provider):
        with pytest.raises(Forbidden):
            verb(actor=owner, provider=provider)


def test_a_stranger_may_nothing(owner: User) -> None:
    provider = make_provider(owner)
    service = make_service(provider, enabled=False)
    stranger = make_user()
    with pytest.raises(Forbidden):
        services.update_provider(actor=stranger, provider=provider, name="x")
    with pytest.raises(Forbidden):
        services.set_service_enabled(actor=stranger, service=service, enabled=True)
    with pytest.raises(Forbidden):
        services.set_expected_use(actor=stranger, service=service, wall_seconds=1, cpu_seconds=1)


def test_expected_use(owner: User) -> None:
    service = make_service(make_provider(owner))
    services.set_expected_use(actor=owner, service=service, wall_seconds=7, cpu_seconds=0)
    service.refresh_from_db()
    assert (service.expected_wall_seconds, service.expected_cpu_seconds) == (7, 0)
    for wall, cpu, field in ((-1, 0, "wall"), (0, 2**31, "cpu")):
        with pytest.raises(InvalidInput) as caught:
            services.set_expected_use(
                actor=owner, service=service, wall_seconds=wall, cpu_seconds=cpu
            )
        assert field in caught.value.locator


# --- health --------------------------------------------------------------------------------


def test_health(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = make_provider(owner)
    start = clock.now()
    for seconds, verb, answered, failing in (
        (0, services.note_answer, 0, None),
        (5, services.note_answer, 0, None),  # known well enough
        (10, services.note_failure, 0, 10),
        (20, services.note_failure, 0, 10),
        (21, services.note_answer, 21, None),
        (60, services.note_answer, 60, None),
    ):
        moment = start + timedelta(seconds=seconds)
        monkeypatch.setattr(services, "now", lambda moment=moment: moment)
        verb(provider=provider)
        fresh = Provider.objects.get(pk=provider.pk)
        for seen in (provider, fresh):
            assert seen.last_answer_at == start + timedelta(seconds=answered)
            failed = start + timedelta(seconds=failing) if failing is not None else None
            assert seen.failing_since == failed


# --- who sees what -------------------------------------------------------------------------


def test_a_provider_exists_for_its_owner_and_the_operators(owner: User, operator: User) -> None:
    provider = make_provider(owner)
    stranger = make_user()
    for user in (owner, operator):
        assert provider_for(user, provider.slug, "manage") == provider
        assert list(manageable_providers(user)) == [provider]
    for slug in (provider.slug, "no-such"):
        with pytest.raises(NotFound):
            provider_for(stranger, slug, "view")
    assert not manageable_providers(stranger)


def test_identifiers(owner: User) -> None:
    provider = make_provider(owner, slug="centre-a")
    service = make_service(provider)
    assert service_of(provider, "echo") == service
    with pytest.raises(NotFound):
        service_of(provider, "Echo")
    assert split_identifier("centre-a.org.n52.Buffer") == ("centre-a", "org.n52.Buffer")
    for bad in ("echo", ".echo", "centre-a.", ""):
        with pytest.raises(NotFound):
            split_identifier(bad)
