"""The provider's console for programs: trials, health, maintenance, certificates, versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from rest_framework.test import APIClient

from common.clock import now
from people.models import User
from providers import health, maintenance, services
from providers.models import Provider, ServiceVersion
from tests.common.servers import always, serve
from tests.common.test_pinned_certificate import Identity
from tests.factories import make_provider, make_service, make_user
from tests.fakes.wps_server import ECHO, FakeWps, Reply

pytestmark = pytest.mark.django_db

Api = Callable[..., APIClient]
FINGERPRINT = "ab" * 32


@pytest.fixture
def owner(db: None) -> User:
    return make_user()


@pytest.fixture
def wps() -> Iterator[FakeWps]:
    with FakeWps() as server:
        yield server


@pytest.fixture
def provider(owner: User, wps: FakeWps) -> Provider:
    return make_provider(owner, slug="centre", url=wps.url)


@pytest.fixture
def address(provider: Provider) -> str:
    return f"/api/providers/{provider.slug}/"


def test_a_connection_is_tried(owner: User, api: Api, wps: FakeWps, address: str) -> None:
    client = api(owner)
    seen = client.post("/api/provider-trials/", {"url": f"{wps.url}?request=GetCapabilities"})
    told = seen.json()
    assert (told["protocol"], told["processes"]) == ("wps-1.0", 1)
    assert wps.base not in seen.content.decode()
    assert client.post(f"{address}trial/").json()["processes"] == 1
    wps.reply("GetCapabilities", Reply(401, b"who?"), times=None)
    for path, body in (("/api/provider-trials/", {"url": wps.url}), (f"{address}trial/", {})):
        refused = client.post(path, body)
        assert refused.status_code == 502
        assert "user name and password" in refused.json()["detail"]
        assert wps.base not in refused.content.decode()
    inside = client.post("/api/provider-trials/", {"url": "http://169.254.169.254/"})
    assert (inside.status_code, inside.json()["code"]) == (502, "address_refused")
    assert client.post("/api/provider-trials/", {}).status_code == 400


def test_trials_are_counted_for_each_user(owner: User, api: Api, address: str) -> None:
    client = api(owner)
    body = {"url": "http://127.0.0.1:1/"}
    answers = [client.post("/api/provider-trials/", body) for _ in range(21)]
    assert [one.status_code for one in answers[-2:]] == [502, 429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert client.post(f"{address}trial/").status_code == 429
    assert api(make_user()).post("/api/provider-trials/", body).status_code == 502


def test_health(owner: User, api: Api, provider: Provider, address: str, wps: FakeWps) -> None:
    health.probe(provider)
    wps.reply("GetCapabilities", Reply(503, b""), times=None)
    health.probe(provider)
    told = api(owner).get(f"{address}health/").json()
    assert told["failing_since"]
    assert [(one["days"], one["percent"]) for one in told["uptime"]] == [
        (7, 50.0),
        (30, 50.0),
        (90, 50.0),
    ]
    (day,) = told["days"]
    assert (day["probes"], day["answered"]) == (2, 1)
    assert day["mean_milliseconds"] >= 0


def test_maintenance(owner: User, api: Api, provider: Provider, address: str) -> None:
    client = api(owner)
    at = now()

    def plan(begin: int, end: int, note: str = "") -> int:
        hours = (at + timedelta(hours=begin), at + timedelta(hours=end))
        body = {"starts_at": hours[0].isoformat(), "ends_at": hours[1].isoformat(), "note": note}
        return client.post(f"{address}maintenance/", body).status_code

    for begin, end in ((2, 1), (-3, -1), (0, 24 * 91), (24 * 800, 24 * 801)):
        assert plan(begin, end) == 400
    assert plan(0, 1, "x" * 301) == 400
    assert maintenance.open_window(provider) is None
    assert (plan(-1, 1, "now"), plan(5, 6)) == (201, 201)
    window = maintenance.open_window(provider)
    assert window is not None
    assert window.note == "now"
    listed = client.get(f"{address}maintenance/").json()["results"]
    assert [one["note"] for one in listed] == ["now", ""]
    for one in listed:
        assert client.delete(f"{address}maintenance/{one['id']}/").status_code == 204
    assert maintenance.open_window(provider) is None
    assert client.get(f"{address}maintenance/").json()["count"] == 0
    assert client.delete(f"{address}maintenance/{listed[0]['id']}/").status_code == 409
    assert client.delete(f"{address}maintenance/{listed[1]['id']}/").status_code == 404
    other = make_provider(owner)
    theirs = f"/api/providers/{other.slug}/maintenance/{listed[0]['id']}/"
    assert client.delete(theirs).status_code == 404


def test_a_certificate_is_pending_until_it_is_activated(
    owner: User, api: Api, provider: Provider, address: str
) -> None:
    Provider.objects.filter(pk=provider.pk).update(url="https://wps.example.org/wps")
    client, place = api(owner), f"{address}certificate/"
    for wrong in ("xyz", "ab" * 31, "-----BEGIN CERTIFICATE-----\nä\n-----END CERTIFICATE-----"):
        assert client.put(place, {"certificate": wrong}).status_code == 400
    colons = ":".join(["AB"] * 32)
    assert client.put(place, {"certificate": colons}).json() == {
        "pinned": "",
        "pending": FINGERPRINT,
    }
    assert provider_of(provider).endpoint().certificate == ""
    other = {"fingerprint": "cd" * 32}
    assert client.post(f"{place}activation/", other).status_code == 409
    done = client.post(f"{place}activation/", {"fingerprint": colons})
    assert done.json() == {"pinned": FINGERPRINT, "pending": ""}
    assert provider_of(provider).endpoint().certificate == FINGERPRINT
    assert client.post(f"{place}activation/", {"fingerprint": colons}).status_code == 409
    assert client.put(place, {"certificate": colons}).status_code == 409
    assert client.delete(place).status_code == 204
    assert client.get(place).json() == {"pinned": "", "pending": ""}
    whats = [one["what"] for one in client.get(f"{address}changes/").json()["results"]]
    assert whats == ["certificate removed", "certificate activated", "certificate given"]


def test_the_servers_own_certificate_is_seen_and_used(
    owner: User, api: Api, provider: Provider, address: str, tmp_path: Path
) -> None:
    own = Identity(tmp_path)
    client, place = api(owner), f"{address}certificate/"
    with serve(always(b"<html>hello</html>"), tls=own.tls) as server:
        Provider.objects.filter(pk=provider.pk).update(url=server.url)
        unsigned = client.post(f"{address}trial/").json()["detail"]
        assert client.put(place, {}).json() == {"pinned": "", "pending": own.fingerprint}
        assert server.requests == []  # nothing is said to an unknown server
        client.post(f"{place}activation/", {"fingerprint": own.fingerprint})
        understood = client.post(f"{address}trial/").json()["detail"]
    assert "web page" not in unsigned
    assert "web page" in understood


def test_secrets_are_written_and_never_read(
    owner: User, api: Api, provider: Provider, address: str
) -> None:
    client = api(owner)
    given = {
        "secret_headers": {"X-Api-Key": "topsecret", "Authorization": "Bearer abc"},
        "password": "hushhush",
        "username": "portal",
        "properties": {"Country": "Finland"},
    }
    answer = client.patch(address, given)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert told["secret_header_names"] == ["Authorization", "X-Api-Key"]
    assert (told["has_password"], told["properties"]) == (True, {"Country": "Finland"})
    client.patch(address, {"secret_headers": {"X-Api-Key": None}})
    assert provider_of(provider).endpoint().headers == (("Authorization", "Bearer abc"),)
    stored = Provider.objects.filter(pk=provider.pk).values_list("secret_headers", "secret").get()
    everything = answer.content.decode() + client.get(f"{address}changes/").content.decode()
    for secret in ("topsecret", "Bearer abc", "hushhush"):
        assert secret not in everything + "".join(stored)
    assert "X-Api-Key" in everything
    for name, value in (
        ("Host", "x"), ("Accept", "x"), ("X-Remote-Ref", "x"), ("X-Remote-User", "x"),
        ("X-Forwarded-For", "x"), ("a b", "x"), ("X-A", "line\r\nbreak"), ("X-A", "x" * 4001),
        ("Content-Length", "1"),
    ):  # fmt: skip
        bad = client.patch(address, {"secret_headers": {name: value}})
        assert bad.status_code == 400, name
        assert "secret_headers" in next(iter(bad.json()["errors"]))


def test_another_host_gets_none_of_it(
    owner: User, api: Api, provider: Provider, address: str
) -> None:
    services.update_provider(
        actor=make_user(is_staff=True),
        provider=provider,
        secret_headers={"X-Key": "s"},
        password="p",
        trusted=True,
    )
    Provider.objects.filter(pk=provider.pk).update(pinned_certificate=FINGERPRINT)
    moved = api(owner).patch(address, {"url": "https://other.example.org/wps"}).json()
    assert moved["state"] == "pending"
    assert (moved["has_password"], moved["secret_header_names"]) == (False, [])
    assert (moved["trusted"], moved["pinned_certificate"]) == (False, "")
    change = provider.changes.first()
    assert change is not None
    assert "state: approved → pending" in change.text


def test_what_operators_alone_set(owner: User, api: Api, address: str) -> None:
    reserved = {
        "trusted": True, "identity_header_prefix": "X-Tep-", "extra_hosts": ["a.example.org"],
        "public_hosts": ["b.example.org"],
    }  # fmt: skip
    for name, value in reserved.items():
        assert api(owner).patch(address, {name: value}).status_code == 403
    operator = api(make_user(is_staff=True))
    told = operator.patch(address, reserved).json()
    assert {name: told[name] for name in reserved} == reserved
    for prefix in ("X-Forwarded-", "Host", "X-A b-", "X-Tep"):
        assert operator.patch(address, {"identity_header_prefix": prefix}).status_code == 400


def test_limits(owner: User, api: Api, address: str) -> None:
    client = api(owner)
    limits = {
        "max_running_jobs_per_user": 2, "max_connections": 4, "copy_results": "always",
        "results_kept_days": 30, "discovery_seconds": 3600, "probe_seconds": 0,
        "failure_mails": False,
    }  # fmt: skip
    told = client.patch(address, limits).json()
    assert {name: told[name] for name in limits} == limits
    for name, value in (
        ("max_connections", 0), ("max_connections", 65), ("probe_seconds", 5),
        ("discovery_seconds", 60), ("copy_results", "perhaps"), ("results_kept_days", -1),
        ("max_running_jobs_per_user", 10**9), ("properties", {"a": "x" * 1001}),
        ("properties", {str(n): "x" for n in range(51)}), ("properties", {"": "x"}),
    ):  # fmt: skip
        assert client.patch(address, {name: value}).status_code == 400, name


def test_versions_of_a_service_and_what_changed(
    owner: User, api: Api, provider: Provider, address: str
) -> None:
    service = make_service(provider)
    better = replace(ECHO, title="Echo, better", inputs=())
    ServiceVersion.objects.create(
        service=service, number=2, fingerprint="2" * 64, version="2", document=better.to_json()
    )
    client, place = api(owner), f"{address}services/{service.pk}/versions/"
    assert [one["number"] for one in client.get(place).json()["results"]] == [2, 1]
    second = client.get(f"{place}2/").json()
    assert [(d["what"], d["before"], d["after"]) for d in second["differences"]] == [
        ("title", "Echo", "Echo, better"),
        ("inputs.message", "string: Message", ""),
    ]
    assert second["description"]["title"] == "Echo, better"
    assert client.get(f"{place}1/").json()["differences"] == []
    assert client.get(f"{place}3/").status_code == 404


def test_long_lists_take_the_same_queries(
    owner: User, api: Api, provider: Provider, address: str, django_assert_num_queries: Callable
) -> None:
    client = api(owner)
    operator = make_user(is_staff=True)
    for number in range(40):
        services.update_provider(actor=operator, provider=provider, max_running_jobs=number + 1)
        begin = now() + timedelta(hours=number)
        span = {"starts_at": begin, "ends_at": begin + timedelta(hours=1)}
        maintenance.plan(actor=operator, provider=provider, **span)
    for part in ("changes/", "maintenance/"):
        client.get(f"{address}{part}")
        with django_assert_num_queries(4):  # key, provider, count, page
            assert client.get(f"{address}{part}").json()["count"] >= 40


def provider_of(provider: Provider) -> Provider:
    return Provider.objects.get(pk=provider.pk)
