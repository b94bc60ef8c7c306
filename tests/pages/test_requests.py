"""Releasing holds; lists of what people ask for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounting.check import findings
from accounting.models import (
    Account,
    JobBill,
)
from common.clock import now
from jobs.models import Job
from people.models import User
from tests.factories import make_user
from tests.pages.conftest import client_of
from tests.pages.people import (
    charge_of,
    letters,
    open_page,
    post,
    unreported,
)
from tests.pages.stage import Stage


def late(job: Job, days: int) -> None:
    JobBill.objects.filter(pk=job.pk).update(ended_at=now() - timedelta(days=days))


def test_who_may_release_which_hold(stage: Stage, settings: Any) -> None:
    settings.HOLD_RELEASE_DAYS = 7
    running, waiting = stage.running(), unreported(stage)

    def release(user: User, job: Job, reason: str = "gone") -> tuple[int, str]:
        data = {"reason": reason, "back": "//evil.example.org/"}
        answer: Any = client_of(user).post(f"/credit/holds/{job.pk}/release", data, follow=True)
        assert "evil" not in str(answer.redirect_chain)
        return answer.status_code, answer.content.decode()

    for person in (stage.stranger, None):
        client = client_of(person) if person else Client()
        answer = client.post(f"/credit/holds/{waiting.pk}/release", {"reason": "x"})
        assert answer.status_code in {302, 404}
    assert release(stage.researcher, waiting)[0] == 403
    for person in (stage.operator, stage.provider_owner, stage.admin):
        assert "still on its way" in release(person, running)[1]
    late(waiting, days=6)
    assert "7 days after" in release(stage.admin, waiting)[1]
    assert "Say why." in release(stage.operator, waiting, " ")[1]
    late(waiting, days=8)
    held = Account.objects.get(pk=stage.account.pk).held
    html = open_page(stage.admin, f"/groups/{stage.group.slug}/credit/requests/?tab=holds")
    assert html.count("/release") == 1
    assert "is released" in release(stage.admin, waiting, "No record in a week")[1]
    assert "is released" in release(stage.operator, waiting)[1]  # again: no effect
    bill = JobBill.objects.get(pk=waiting.pk)
    assert Account.objects.get(pk=stage.account.pk).held == held - bill.limit_amount
    told = letters()[stage.researcher.email]
    assert len(told) == 1
    assert "No record in a week" in told[0].body
    stage.report_usage(waiting)
    assert "not charged" in open_page(stage.researcher, f"/jobs/{waiting.pk}/?tab=cost")
    assert findings() == []


def test_a_charged_job_has_nothing_to_release(stage: Stage) -> None:
    job = stage.succeeded()
    html = post(stage.operator, f"/credit/holds/{job.pk}/release", reason="x")
    assert "charged already" in html


@pytest.mark.parametrize("tab", ["credit", "disputes", "refunds", "approvals", "holds"])
def test_lists_cost_the_same_however_long_they_are(stage: Stage, tab: str) -> None:
    pages = [
        (stage.researcher, f"/credit/{stage.account.pk}/requests/"),
        (stage.admin, f"/groups/{stage.group.slug}/credit/requests/"),
        (stage.provider_owner, f"/providers/{stage.provider.slug}/requests/"),
        (stage.operator, "/operator/requests/"),
    ]

    def grow(count: int) -> None:
        for number in range(count):
            user = make_user()
            stage.group.memberships.create(user=user)
            data = {"amount": "1", "reason": "r", "key": f"{user.pk}"}
            post(user, f"/credit/{stage.account.pk}/requests/ask", **data)
            charge = charge_of(stage.succeeded(f"Job {number}"))
            page = f"/credit/charges/{charge.pk}/"
            post(stage.researcher, page, action="dispute", text="wrong")
            post(stage.operator, page, action="refund", amount="0.001", reason="r", key=f"{user}")
            unreported(stage)

    def cost() -> list[int]:
        counts = []
        for user, page in pages:
            client = client_of(user)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(page, {"tab": tab}).status_code == 200
            counts.append(len(queries))
        return counts

    grow(1)
    few = cost()
    grow(4)
    assert cost() == few
    assert max(few) < 30
