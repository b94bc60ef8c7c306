"""Sources are asked by the worker, through the table of due work."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dirq.queue import Queue

from accounting.models import UsageRecord, UsageSource
from accounting.usage.apel import write
from common.clock import now
from common.errors import InvalidInput
from jobs import due, usage_work
from jobs.models import Due
from jobs.usage_senders import provider_by_site
from jobs.worker import run_one
from providers.models import ProviderState
from providers.services import update_provider
from tests.accounting.scene import usage
from tests.factories import make_provider, make_user

pytestmark = pytest.mark.django_db
SSM = {"body": "string", "signer": "string", "empaid": "string?"}


def make_source(address: str, **fields: object) -> UsageSource:
    return UsageSource.objects.create(name="s", **{"kind": "dirq", "address": address, **fields})


def opened(source: UsageSource) -> Due:
    return Due.objects.get(kind=usage_work.SOURCE, subject=str(source.pk), done_at=None)


def add(folder: Path, *sites: str) -> None:
    queue = Queue(str(folder), schema=SSM)
    for number, site in enumerate(sites):
        body = write([usage(f"job-{number}", 1, Site=site)]).decode()
        queue.add({"body": body, "signer": "/CN=a", "empaid": "1"})


def test_a_source_is_asked_again_and_again(tmp_path: Path) -> None:
    provider = make_provider(make_user(), usage_site="SITE-A")
    add(tmp_path / "in", "SITE-A", "SITE-B")
    source = make_source(str(tmp_path / "in"), every_seconds=300)
    off = make_source(str(tmp_path / "in"), enabled=False)
    usage_work.ensure()
    usage_work.ensure()
    assert not Due.objects.filter(subject=str(off.pk), kind=usage_work.SOURCE).exists()
    assert run_one(owner="w", due_id=opened(source).pk)
    # Nobody is named as the sender: the site says whose record it is.
    assert dict(UsageRecord.objects.values_list("site", "provider_id")) == {
        "SITE-A": provider.pk,
        "SITE-B": None,
    }
    wait = opened(source).due_at - now()
    assert timedelta(seconds=290) < wait <= timedelta(seconds=300)
    usage_work.ensure()
    assert opened(source).due_at - now() > timedelta(seconds=290)  # the pause is not cut short
    usage_work.look_now(source.pk)
    assert opened(source).due_at <= now()


def test_nobody_takes_the_site_of_another_provider(tmp_path: Path) -> None:
    provider, stranger = make_provider(make_user(), usage_site="SITE-A"), make_user()
    # Whoever registers a provider names its site.
    make_provider(stranger, usage_site="SITE-A", state=ProviderState.PENDING)
    make_provider(stranger, usage_site="SITE-B", state=ProviderState.PENDING)
    approved = make_provider(stranger)
    with pytest.raises(InvalidInput):
        update_provider(actor=stranger, provider=approved, usage_site="SITE-A")
    update_provider(actor=stranger, provider=approved, usage_site="SITE-C")
    assert provider_by_site()["SITE-A"] == provider.pk
    assert provider_by_site()["SITE-C"] == approved.pk
    assert "SITE-B" not in provider_by_site()


def test_a_source_that_fails_is_never_given_up_and_asked_less_often() -> None:
    source = make_source("127.0.0.1:9", kind="stomp", destination="/queue/q", every_seconds=60)
    usage_work.ensure()
    waits = []
    for _ in range(4):
        usage_work.look_now(source.pk)
        assert run_one(owner="w", due_id=opened(source).pk)
        waits.append((opened(source).due_at - now()).total_seconds())
    assert 90 < waits[0] <= 120
    assert 700 < waits[3] <= 960
    row = opened(source)
    assert (row.failures, row.parked_at) == (0, None)
    source.refresh_from_db()
    assert (source.failures, source.last_error) == (4, "The broker cannot be reached.")


def test_a_source_that_is_gone_or_off_is_asked_no_more(tmp_path: Path) -> None:
    source = make_source(str(tmp_path))
    usage_work.ensure()
    row = opened(source)
    source.delete()
    assert run_one(owner="w", due_id=row.pk)
    row.refresh_from_db()
    assert row.done_at


def test_a_long_queue_is_taken_in_turns(tmp_path: Path, settings: Any) -> None:
    settings.DUE_LEASE_SECONDS = 0.0001
    add(tmp_path / "in", *["SITE"] * 3)
    source = make_source(str(tmp_path / "in"), every_seconds=300)
    usage_work.ensure()
    row = due.claim(owner="w", due_id=opened(source).pk)
    assert row is not None
    again = usage_work.source(row)
    assert again is not None
    assert again <= now()
    assert Queue(str(tmp_path / "in"), schema=SSM).count() == 3


def test_who_lost_the_lease_takes_nothing_more(tmp_path: Path) -> None:
    add(tmp_path / "in", *["SITE"] * 3)
    source = make_source(str(tmp_path / "in"))
    usage_work.ensure()
    row = due.claim(owner="w", due_id=opened(source).pk)
    assert row is not None
    Due.objects.filter(pk=row.pk).update(lease_owner="another", attempts=7)
    usage_work.source(row)
    assert not UsageRecord.objects.exists()
    assert Queue(str(tmp_path / "in"), schema=SSM).count() == 3


def test_looking_for_sources_takes_few_queries(
    tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        make_source(str(tmp_path))
    usage_work.ensure()
    with django_assert_max_num_queries(6):
        usage_work.ensure()
