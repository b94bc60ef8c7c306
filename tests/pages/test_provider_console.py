"""The provider's console as its owner and operators use it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core import mail as outbox

from common.clock import now
from jobs.worker import run_one
from people.mail import send_due
from providers.models import Provider
from tests.fakes.wps_server import ECHO, FakeWps
from tests.pages.conftest import client_of
from tests.pages.stage import Stage

pytestmark = pytest.mark.django_db


def work() -> None:
    """What is due, as a worker does it."""
    while run_one(owner="test"):
        pass


@pytest.fixture
def wps() -> Iterator[FakeWps]:
    with FakeWps() as server:
        server.credentials = ("portal", "hush")
        yield server


def form(wps: FakeWps, **more: str) -> dict[str, str]:
    url = f"{wps.url}?service=WPS&request=GetCapabilities"
    return {"url": url, "username": "portal", "password": "hush", **more}


def test_an_address_is_tried_and_nothing_is_kept(stage: Stage, wps: FakeWps) -> None:
    client = client_of(stage.stranger)
    wrong = client.post("/providers/", form(wps, password="", action="test")).content.decode()
    assert "user name and password" in wrong
    headers = {"HX-Request": "true"}
    tried = client.post("/providers/", form(wps, action="test"), headers=headers).content.decode()
    assert "1 process" in tried
    assert "<html" not in tried
    assert wps.base not in tried
    inside = form(wps, url="http://169.254.169.254/latest", action="test")
    assert "may not be called" in client.post("/providers/", inside).content.decode()
    assert not Provider.objects.filter(owner=stage.stranger).exists()
    for _ in range(20):
        answer = client.post("/providers/", {"action": "test", "url": "nonsense"})
    assert "very often" in answer.content.decode()


def test_a_provider_is_registered_by_its_address_and_read_by_a_worker(
    stage: Stage, wps: FakeWps
) -> None:
    client = client_of(stage.stranger)
    made = client.post("/providers/", form(wps))
    address = made.headers["Location"]
    found = Provider.objects.get(owner=stage.stranger)
    assert address == f"/providers/{found.slug}/"
    assert (found.protocol, found.username) == ("wps-1.0", "portal")
    assert "as soon as a worker is free" in client.get(address).content.decode()
    assert "as soon as a worker" in client.get(f"{address}reading").content.decode()
    assert not found.services.exists()
    work()
    assert client.get(f"{address}reading").headers["HX-Refresh"] == "true"
    page = client.get(address).content.decode()
    assert ECHO.title in page
    assert "hush" not in page
    again = client.post("/providers/", form(wps, slug=found.slug)).content.decode()
    assert "already in use" in again


def test_approval_with_a_note_is_told_and_kept(stage: Stage, wps: FakeWps) -> None:
    owner, operator = client_of(stage.stranger), client_of(stage.operator)
    owner.post("/providers/", form(wps, slug="centre-x"))
    work()
    service = Provider.objects.get(slug="centre-x").services.get()
    owner.post(f"/providers/centre-x/services/{service.pk}/switch", {"enabled": "true"})
    decision = {"action": "approve", "note": "Welcome aboard."}
    assert owner.post("/providers/centre-x/act", decision).status_code == 403
    operator.post("/providers/centre-x/act", decision)
    service.refresh_from_db()
    assert service.available
    history = owner.get("/providers/centre-x/history/").content.decode()
    for text in ("Registered", "Service switched on", "Approved", "Welcome aboard.", "New:"):
        assert text in history
    send_due(now())
    told = {mail.to[0]: mail for mail in outbox.outbox}
    assert "waits for approval" in told[stage.operator.email].subject
    assert "is approved" in told[stage.stranger.email].subject
    assert "Welcome aboard." in told[stage.stranger.email].body


def test_users_see_how_a_provider_is(stage: Stage) -> None:
    client = client_of(stage.researcher)
    address = f"/apps/{stage.app.slug}/services/{stage.service.public_identifier}/"
    stage.provider.properties = {"Country": "Finland <b>"}
    stage.provider.failing_since = now()
    stage.provider.save()
    page = client.get(address).content.decode()
    assert "has not answered since" in page
    assert "Finland &lt;b&gt;" in page
    begin, end = f"{now() - timedelta(minutes=5):%Y-%m-%dT%H:%M}", "2100-01-01T00:00"
    owner = client_of(stage.provider_owner)
    console = f"/providers/{stage.provider.slug}/maintenance/"
    plan = {"starts_at": begin, "ends_at": end, "note": "New disks"}
    assert "at most 90 days" in owner.post(console, plan).content.decode()
    plan["ends_at"] = f"{now() + timedelta(hours=5):%Y-%m-%dT%H:%M}"
    assert owner.post(console, plan).status_code == 302
    page = client.get(address).content.decode()
    assert "under maintenance until" in page
    assert "New disks" in page
    assert "has not answered" not in page
    window = stage.provider.maintenance_windows.get()
    owner.post(f"{console}{window.pk}/end")
    assert "under maintenance" not in client.get(address).content.decode()


def test_settings_in_sections_and_secrets_by_name_only(stage: Stage) -> None:
    owner = client_of(stage.provider_owner)
    address = f"/providers/{stage.provider.slug}/settings/?section="
    found = stage.provider

    def connection(**more: str) -> dict[str, str]:
        found.refresh_from_db()
        kept = {"url": found.url, "protocol": found.protocol, "reference_header": "X-Remote-Ref"}
        return {**kept, "username": found.username, "lookup_url": found.lookup_url, **more}

    headers = "X-Api-Key: topsecret\nAuthorization: Bearer abcdef"
    answer = owner.post(
        f"{address}connection",
        connection(username="portal", password="hushhush", secret_headers=headers),
    )
    assert answer.status_code == 302, answer.content
    found.refresh_from_db()
    assert dict(found.endpoint().headers) == {
        "X-Api-Key": "topsecret",
        "Authorization": "Bearer abcdef",
    }
    assert found.endpoint().password == "hushhush"
    shown = owner.get(f"{address}connection").content.decode()
    shown += owner.get(f"/providers/{found.slug}/history/").content.decode()
    shown += client_of(stage.provider_owner).get(f"/api/providers/{found.slug}/").content.decode()
    assert "X-Api-Key" in shown
    for secret in ("topsecret", "abcdef", "hushhush"):
        assert secret not in shown
    owner.post(f"{address}connection", connection(forget="X-Api-Key"))
    found.refresh_from_db()
    assert dict(found.endpoint().headers) == {"Authorization": "Bearer abcdef"}
    assert found.endpoint().password == "hushhush"
    bad = owner.post(f"{address}connection", connection(secret_headers="Host: evil"))
    assert "portal&#x27;s to send" in bad.content.decode()
    for wrong in ("no colon here", "X-A: \x01"):
        bad = owner.post(f"{address}connection", connection(secret_headers=wrong))
        assert bad.status_code == 200
        assert "errorlist" in bad.content.decode()


def test_trust_is_for_operators(stage: Stage) -> None:
    owner, operator = client_of(stage.provider_owner), client_of(stage.operator)
    address = f"/providers/{stage.provider.slug}/settings/?section="
    found = stage.provider
    trust = {
        "identity_header_prefix": "X-Remote-",
        "extra_hosts": "a.example.org\nb.example.org:8080",
    }
    assert "Trust" not in owner.get(f"{address}trust").content.decode()
    operator.post(f"{address}trust", {**trust, "trusted": "on"})
    found.refresh_from_db()
    assert (found.trusted, found.extra_hosts) == (True, ["a.example.org", "b.example.org:8080"])


def test_limits_are_saved_and_what_they_cannot_be_is_said(stage: Stage) -> None:
    owner = client_of(stage.provider_owner)
    address = f"/providers/{stage.provider.slug}/settings/?section=limits"
    limits = {
        "max_running_jobs": "5", "max_running_jobs_per_user": "2", "max_connections": "0",
        "retry_attempts": "3", "retry_wait_seconds": "60", "copy_results": "always",
        "results_kept_days": "30",
    }  # fmt: skip
    assert "from 1 to 64" in owner.post(address, limits).content.decode()
    assert owner.post(address, {**limits, "max_connections": "4"}).status_code == 302
    stage.provider.refresh_from_db()
    assert stage.provider.max_running_jobs_per_user == 2
    history = owner.get(f"/providers/{stage.provider.slug}/history/").content.decode()
    assert "Running jobs of one user at most:</span> 0 → 2" in history
