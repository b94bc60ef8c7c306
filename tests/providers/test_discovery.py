"""What a provider offers over time: new, changed, gone, back; and when it fails."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from common.errors import Conflict, Forbidden
from providers import discovery, services
from providers.models import DiscoveryRun, Provider, ProviderState, Service
from providers.process import InputDescription, LiteralDomain
from providers.selectors import discovery_runs, services_of
from tests.factories import make_provider, make_user
from tests.fakes.wps_server import ECHO, FakeWps, Reply, refusal, xml
from tests.providers.documents import capabilities, listed

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(wps: FakeWps) -> Provider:
    return make_provider(make_user(), url=wps.url)


def read(provider: Provider) -> DiscoveryRun:
    run = services.discover(provider=provider, actor="test")
    provider.refresh_from_db()
    return run


def counts(run: DiscoveryRun) -> tuple[int, int, int, int]:
    return run.added, run.changed, run.withdrawn, run.restored


def service(provider: Provider, identifier: str = "echo") -> Service:
    return Service.objects.select_related("provider", "current").get(
        provider=provider, identifier=identifier
    )


def test_a_new_service_is_off_and_stays_as_it_is(wps: FakeWps, provider: Provider) -> None:
    assert counts(read(provider)) == (1, 0, 0, 0)
    echo = service(provider)
    assert (echo.title, echo.enabled, echo.available) == ("Echo", False, False)
    assert echo.current is not None
    assert echo.current.description == ECHO
    assert echo.public_identifier == f"{provider.slug}.echo"
    assert provider.discovered_at is not None

    services.set_service_enabled(actor=provider.owner, service=echo, enabled=True)
    assert service(provider).available
    assert counts(read(provider)) == (0, 0, 0, 0)
    assert service(provider).versions.count() == 1
    assert len(wps.requests("GetCapabilities")) == 2


def test_a_service_changes_goes_and_comes_back(wps: FakeWps, provider: Provider) -> None:
    read(provider)
    echo = service(provider)
    services.set_service_enabled(actor=provider.owner, service=echo, enabled=True)
    more = (*ECHO.inputs, InputDescription("times", LiteralDomain("integer"), min_occurs=0))
    wps.processes.clear()
    wps.add(replace(ECHO, identifier="other", title="Other"))
    wps.add(replace(ECHO, title="Echo, better", inputs=more))
    assert counts(read(provider)) == (1, 1, 0, 0)
    changed = service(provider)
    assert changed.current is not None
    assert (changed.title, changed.current.number) == ("Echo, better", 2)
    assert changed.enabled
    assert echo.current is not None
    assert echo.current.description == ECHO  # a job submitted with it keeps it
    assert not service(provider, "other").enabled

    del wps.processes["echo"]
    assert counts(read(provider)) == (0, 0, 1, 0)
    gone = service(provider)
    assert gone.withdrawn_at is not None
    assert not gone.available
    assert counts(read(provider)) == (0, 0, 0, 0)
    with pytest.raises(Conflict):
        services.set_service_enabled(actor=provider.owner, service=gone, enabled=True)
    assert [one.identifier for one in services_of(provider)] == ["other", "echo"]

    wps.add(replace(ECHO, title="Echo, better", inputs=more))
    assert counts(read(provider)) == (0, 0, 0, 1)
    assert service(provider).available


def test_one_bad_description_is_a_warning(wps: FakeWps, provider: Provider) -> None:
    names = ("echo", "bad", "echo")
    wps.reply("GetCapabilities", xml(capabilities(*(listed(one) for one in names))))
    run = read(provider)
    assert counts(run) == (2, 0, 0, 0)
    assert not run.error
    twice, undescribed = run.warnings
    assert "listed twice" in twice
    assert undescribed == "“bad”: No such process"
    assert service(provider).current is not None
    bad = service(provider, "bad")
    assert bad.current is None
    with pytest.raises(Conflict, match="not described"):
        services.set_service_enabled(actor=provider.owner, service=bad, enabled=True)


def test_a_service_that_cannot_be_described_for_once_keeps_what_it_had(
    wps: FakeWps, provider: Provider
) -> None:
    read(provider)
    wps.reply("DescribeProcess", Reply(500, b"oops"), times=None)
    run = read(provider)
    assert counts(run) == (0, 0, 0, 0)
    assert run.warnings
    assert service(provider).current is not None


def test_a_document_with_holes_withdraws_nothing(wps: FakeWps, provider: Provider) -> None:
    wps.add(replace(ECHO, identifier="zonal"))
    read(provider)
    whole = capabilities(listed("echo", "a < b"), listed("zonal"))
    wps.reply("GetCapabilities", xml(whole[: whole.index(b"zonal")]))
    run = read(provider)
    assert counts(run) == (0, 0, 0, 0)
    assert "repaired" in run.warnings[0]
    assert service(provider, "zonal").withdrawn_at is None


@pytest.mark.parametrize(
    ("reply", "words", "away"),
    [
        (Reply(200, b"<html>Welcome</html>"), "web page", False),
        (Reply(200, b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"), "DOCTYPE", False),
        (Reply(302, b"", {"Location": "http://169.254.169.254/"}), "may not be called", False),
        (Reply(401, b""), "user name and password", False),
        (refusal("NoApplicableCode", "Closed for 127.0.0.1 today"), "Closed for … today", False),
        (Reply(503, b""), "HTTP 503", True),
        (Reply(hang_up=True), "did not answer", True),
    ],
)
def test_a_failure_is_kept_in_words(
    wps: FakeWps, provider: Provider, reply: Reply, words: str, away: bool
) -> None:
    read(provider)
    before = provider.discovered_at
    wps.reply("GetCapabilities", reply, reply)  # the way out asks a lost question twice
    run = read(provider)
    assert words in run.error
    assert provider.discovery_error == run.error
    assert "127.0.0.1" not in run.error
    assert (provider.failing_since is not None) is away
    assert provider.discovered_at == before
    assert service(provider).withdrawn_at is None
    wps.restore()
    read(provider)
    assert provider.discovery_error == ""
    assert provider.failing_since is None
    assert [bool(one.error) for one in discovery_runs(provider)] == [False, True, False]


def test_a_provider_without_a_driver_is_told_so(provider: Provider) -> None:
    provider.protocol = "telepathy"
    provider.save()
    assert "telepathy" in read(provider).error


def test_long_texts_and_odd_names_fit(wps: FakeWps, provider: Provider) -> None:
    odd = "urn:a b/c::ä." + "x" * 240
    wps.add(replace(ECHO, identifier=odd, title="T" * 400, version="9" * 300))
    read(provider)
    found = service(provider, odd)
    assert len(found.title) == 255
    assert found.current is not None
    assert len(found.current.version) == 100


def test_old_readings_are_forgotten(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MOST_RUNS", 3)
    last = [read(provider) for _ in range(5)][-3:]
    assert discovery_runs(provider) == last[::-1]


def test_strangers_may_not_read(provider: Provider) -> None:
    with pytest.raises(Forbidden):
        services.discover(provider=provider, actor=make_user())
    assert not provider.discovery_runs.exists()


# --- the command --------------------------------------------------------------------------


def command(*slugs: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("sync_providers", *slugs, stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), f"{err.getvalue()}\nfailed: {error}"
    return out.getvalue(), err.getvalue()


def test_the_command_reads_all_that_are_not_suspended(wps: FakeWps, provider: Provider) -> None:
    suspended = make_provider(make_user(), url=wps.url, state=ProviderState.SUSPENDED)
    out, err = command()
    assert out == f"{provider.slug}: 1 new, 0 changed, 0 withdrawn, 0 back\n"
    assert not err
    assert not suspended.discovery_runs.exists()


def test_the_command_names_what_failed(wps: FakeWps, provider: Provider) -> None:
    away = make_provider(make_user(), url="http://127.0.0.1:1/wps")
    out, err = command(provider.slug, away.slug)
    assert provider.slug in out
    assert err.endswith(f"failed: Not read: {away.slug}")
    assert away.slug in err.splitlines()[0]
    assert "no-such" in command("no-such")[1]
