"""What workers do about providers: reading, probing, telling their owners."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common import clock
from common.errors import Conflict
from jobs import provider_work
from jobs.lifecycle import submit
from jobs.models import Due, Job
from jobs.states import State
from jobs.worker import run_one
from people.models import Mail
from providers import health, maintenance, notices, services
from providers.models import HealthDay, Provider, ProviderState
from tests.factories import World, make_provider, make_user
from tests.fakes.wps_server import FakeWps, Reply

pytestmark = pytest.mark.django_db
Later = Callable[..., datetime]


@pytest.fixture
def wps() -> Iterator[FakeWps]:
    with FakeWps() as server:
        yield server


@pytest.fixture
def provider(wps: FakeWps) -> Provider:
    return make_provider(make_user(), url=wps.url)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Go on in time, for what looks at providers."""
    passed = timedelta()

    def go(**span: float) -> datetime:
        nonlocal passed
        passed += timedelta(**span)
        moment = clock.now() + passed
        for module in (health, notices, services, maintenance, provider_work):
            monkeypatch.setattr(module, "now", lambda: clock.now() + passed)
        return moment

    return go


def change(provider: Provider, **fields: object) -> None:
    Provider.objects.filter(pk=provider.pk).update(**fields)


def due(provider: Provider, kind: str) -> Due:
    return Due(kind=kind, subject=str(provider.pk))


def probe(provider: Provider) -> datetime | None:
    return provider_work.probe(due(provider, provider_work.PROBE))


def tell() -> list[str]:
    """The subjects of the mails that are new."""
    known = set(Mail.objects.values_list("pk", flat=True))
    provider_work.tell(Due(kind=provider_work.TELL, subject="all"))
    return list(Mail.objects.exclude(pk__in=known).order_by("pk").values_list("subject", flat=True))


# --- schedules -----------------------------------------------------------------------------


def planned(kind: str) -> dict[str, datetime]:
    rows = Due.objects.filter(kind=kind, done_at=None)
    return dict(rows.values_list("subject", "due_at"))


def test_every_approved_provider_is_read_and_asked_within_its_intervals(
    provider: Provider,
) -> None:
    pending = make_provider(make_user(), state=ProviderState.PENDING)
    silent = make_provider(make_user(), probe_seconds=0, discovery_seconds=3600)
    provider_work.ensure()
    asked, read = planned(provider_work.PROBE), planned(provider_work.READ)
    assert set(asked) == {str(provider.pk)}
    assert set(read) == {str(provider.pk), str(silent.pk)}
    assert asked[str(provider.pk)] <= clock.now() + timedelta(seconds=300)
    assert read[str(silent.pk)] <= clock.now() + timedelta(seconds=3600)
    assert str(pending.pk) not in read
    provider_work.ensure()
    assert planned(provider_work.PROBE) == asked
    Due.objects.filter(kind=provider_work.PROBE).update(due_at=clock.now() + timedelta(days=3))
    provider_work.ensure()
    assert planned(provider_work.PROBE)[str(provider.pk)] < clock.now() + timedelta(minutes=6)


def test_looking_after_the_schedules_of_many_takes_the_same_queries(provider: Provider) -> None:
    def queries() -> int:
        provider_work.ensure()
        with CaptureQueriesContext(connection) as asked:
            provider_work.ensure()
        return len(asked)

    few = queries()
    for _ in range(20):
        make_provider(provider.owner)
    assert queries() == few


def test_a_reading_is_asked_for_and_done_once(provider: Provider) -> None:
    assert provider_work.reading(provider) == ""
    provider_work.read_soon(provider)
    provider_work.read_soon(provider)
    assert provider_work.reading(provider) == "waiting"
    row = Due.objects.get(kind=provider_work.READ, done_at=None)
    row.lease_until = clock.now() + timedelta(minutes=1)
    row.save()
    assert provider_work.reading(provider) == "running"
    Due.objects.update(lease_until=None)
    while run_one(owner="test"):
        pass
    assert provider_work.reading(provider) == ""
    assert provider.discovery_runs.count() == 1
    (again,) = planned(provider_work.READ).values()
    assert again > clock.now() + timedelta(hours=20)


def test_a_waiting_provider_is_read_only_when_asked_and_a_suspended_one_never(
    provider: Provider,
) -> None:
    change(provider, state=ProviderState.PENDING)
    assert provider_work.read(due(provider, provider_work.READ)) is None
    assert provider.discovery_runs.count() == 1
    change(provider, state=ProviderState.SUSPENDED)
    assert provider_work.read(due(provider, provider_work.READ)) is None
    assert probe(provider) is None
    assert provider.discovery_runs.count() == 1
    provider.refresh_from_db()
    with pytest.raises(Conflict):
        provider_work.read_soon(provider)


# --- health --------------------------------------------------------------------------------


def test_probes_add_up_to_days_and_uptime(wps: FakeWps, provider: Provider, later: Later) -> None:
    for _ in range(3):
        again = probe(provider)
    assert again is not None
    assert timedelta(seconds=250) < again - clock.now() < timedelta(seconds=350)
    wps.reply("GetCapabilities", Reply(503, b""), times=None)
    probe(provider)
    provider.refresh_from_db()
    assert provider.failing_since is not None
    day = HealthDay.objects.get()
    assert (day.probes, day.answered) == (4, 3)
    assert "503" in day.last_error
    wps.restore()
    later(days=8)
    probe(provider)
    provider.refresh_from_db()
    assert provider.failing_since is None
    week, month, _ = health.uptimes([provider])[provider.pk]
    assert (week.percent, month.percent) == (100.0, 80.0)
    other = make_provider(provider.owner)
    assert [one.percent for one in health.uptimes([other])[other.pk]] == [None] * 3


def test_uptime_of_many_is_one_query(
    provider: Provider, django_assert_num_queries: Callable[..., object]
) -> None:
    others = [make_provider(provider.owner) for _ in range(5)]
    with django_assert_num_queries(1):
        assert len(health.uptimes([provider, *others])) == 6


def test_maintenance_does_not_count(wps: FakeWps, provider: Provider, later: Later) -> None:
    at = clock.now()
    end = at + timedelta(hours=2)
    maintenance.plan(actor=provider.owner, provider=provider, starts_at=at, ends_at=end)
    wps.stop()
    assert probe(provider) is not None
    assert not HealthDay.objects.exists()
    assert not wps.received
    change(provider, failing_since=at - timedelta(hours=1))
    assert tell() == []
    later(hours=3)
    assert len(tell()) == 1
    wps.start()


# --- mails ---------------------------------------------------------------------------------


def test_the_owner_is_told_once_when_it_is_away_and_when_it_is_back(
    wps: FakeWps, provider: Provider, later: Later
) -> None:
    wps.reply("GetCapabilities", Reply(503, b""), times=None)
    probe(provider)
    assert tell() == []  # it may be back in a minute
    later(minutes=20)
    assert tell() == [f"{provider.name} does not answer"]
    assert tell() == []
    later(days=2)
    probe(provider)
    assert tell() == []  # said already
    wps.restore()
    probe(provider)
    assert tell() == [f"{provider.name} answers again"]
    assert tell() == []
    mail = Mail.objects.latest("pk")
    assert mail.user == provider.owner
    assert wps.base not in mail.body


def test_one_that_comes_and_goes_is_told_of_once_a_day(
    wps: FakeWps, provider: Provider, later: Later
) -> None:
    subjects = []
    for _ in range(3):
        change(provider, failing_since=later(minutes=1) - timedelta(hours=1))
        subjects += tell()
        change(provider, failing_since=None)
        subjects += tell()
    assert len(subjects) <= 4  # two; four when midnight was passed
    assert f"{provider.name} does not answer" in subjects
    change(provider, failing_since=later(days=1) - timedelta(hours=1))
    assert tell() == [f"{provider.name} does not answer"]


def test_no_mails_where_they_are_switched_off(wps: FakeWps, provider: Provider) -> None:
    change(
        provider,
        failure_mails=False,
        failing_since=clock.now() - timedelta(days=1),
        discovery_error="",
    )
    assert tell() == []
    wps.reply("GetCapabilities", Reply(200, b"<html/>"))
    provider_work.read(due(provider, provider_work.READ))
    assert not Mail.objects.exists()


def test_a_reading_that_fails_is_told_once(wps: FakeWps, provider: Provider) -> None:
    wps.reply("GetCapabilities", Reply(200, b"<html/>"), times=None)
    for _ in range(3):
        provider_work.read(due(provider, provider_work.READ))
    (mail,) = Mail.objects.all()
    assert "could not be read" in mail.subject
    assert "web page" in mail.body
    assert mail.user == provider.owner


def test_runs_that_fail_are_told_together(later: Later) -> None:
    world = World()
    jobs = [
        submit(
            actor=world.researcher,
            service=world.service,
            inputs=world.message(str(number)),
            account=world.account,
            application=world.app,
            door="web",
        )
        for number in range(3)
    ]
    at = clock.now()
    rows = Job.objects.filter(pk__in=[job.pk for job in jobs])
    rows.update(state=State.FAILED, finished_at=at, error="No data there.", remote_id="run-7")
    Job.objects.filter(pk=jobs[0].pk).update(state=State.COMPLETED)
    assert tell() == [f"Runs at {world.provider.name} have failed"]
    body = Mail.objects.latest("pk").body
    assert body.count("No data there.") == 2
    assert "run-7" in body
    assert world.researcher.username not in body
    assert tell() == []
    later(days=1)
    assert tell() == []  # told already
    Job.objects.filter(pk=jobs[1].pk).update(finished_at=provider_work.now())
    assert len(tell()) == 1


def test_operators_have_services_read_by_a_worker(
    client: Client, provider: Provider, wps: FakeWps
) -> None:
    """Not in the request: a provider may take longer to answer than a page."""
    client.force_login(make_user(is_staff=True, is_superuser=True))
    action = {"action": "read_again", "_selected_action": [provider.pk]}
    listing = reverse("admin:providers_provider_changelist")
    assert b"read soon" in client.post(listing, action, follow=True).content
    assert wps.received == []
    assert provider_work.reading(provider) == "waiting"
    change(provider, state=ProviderState.SUSPENDED)
    assert b"is not asked" in client.post(listing, action, follow=True).content
