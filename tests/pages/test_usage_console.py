"""The usage console: every figure is counted anew, and what waits can be put right there."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client
from django.urls import reverse

from accounting.accounts import name_of, provider_account
from accounting.check import findings
from accounting.models import JobBill, QuarantinedRecord, UsageMessage, UsageRecord
from accounting.usage.overview import overview
from common.clock import now
from providers.ports import RemoteState
from tests.pages.stage import Stage

pytestmark = pytest.mark.django_db

GOOD = "WallDuration: 30\nCpuDuration: 20\nProcessors: 1\nStartTime: 1767225600\n"


def apel(*records: str) -> str:
    return "APEL-individual-job-message: v0.3\n" + "".join(f"{text}%%\n" for text in records)


def record(job: object, rest: str = GOOD, end: int = 1767225630) -> str:
    return f"Site: SITE-A\nSubmitHost: wps\nLocalJobId: {job}\n{rest}EndTime: {end}\n"


@pytest.fixture
def stage() -> Stage:
    found = Stage()
    found.provider.usage_keep_good = True
    found.provider.save()
    return found


def ended(stage: Stage, title: str) -> str:
    job = stage.job(title, threshold=f"0.{len(title)}")
    stage.sent(job)
    stage.told(job, RemoteState.SUCCEEDED, percent=100)
    return str(job.pk)


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user)
    return client


def push(stage: Stage, body: str) -> int:
    client = signed_in(stage.provider_owner)
    answer = client.post("/api/usage-records/", body, content_type="text/plain")
    return answer.status_code


def row(client: Client, stage: Stage) -> list[str]:
    """The cells of the provider's line on the overview."""
    page = client.get(reverse("pages:usage")).content.decode()
    line = next(
        part for part in page.split("<tr>") if stage.provider.name in part and "<td" in part
    )
    cells = re.findall(r"<td[^>]*>(.*?)</td>", line, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in cells]


def test_what_waits_is_counted_and_put_right_by_an_operator(stage: Stage) -> None:
    operator = signed_in(stage.operator)
    known, lost, silent = (ended(stage, title) for title in ("a", "bb", "ccc"))
    bad = record(lost, GOOD.replace("WallDuration: 30", "WallDuration: -1"))
    assert push(stage, apel(record(known), bad, record("of-nobody"))) == 201
    assert push(stage, apel(bad)) == 201  # its own message: nothing good in it

    messages, records, matched, _cost, unmatched, held, quarantined, _refused, missing = row(
        operator, stage
    )
    assert (messages, records, matched, unmatched, held) == ("2", "2", "1", "1", "0")
    assert (quarantined, missing) == ("2", "2")  # `lost` and `silent` wait for their usage

    # The bad record is mended on the page; its copy is dropped.
    page = operator.get(reverse("pages:usage_quarantine")).content.decode()
    assert "WallDuration" in page
    first, second = QuarantinedRecord.objects.order_by("pk")
    mended = first.text.replace("WallDuration: -1", "WallDuration: 40")
    address = reverse("pages:usage_quarantined", kwargs={"row_id": first.pk})
    operator.post(address, {"action": "load", "text": mended}, follow=True)
    address = reverse("pages:usage_quarantined", kwargs={"row_id": second.pk})
    operator.post(address, {"action": "drop"})
    assert JobBill.objects.get(pk=lost).state == "CHARGED"

    # A record that names no job is given to the one that it is of.
    orphan = UsageRecord.objects.get(local_job_id="of-nobody")
    address = reverse("pages:usage_record", kwargs={"record_id": orphan.pk})
    answer = operator.post(address, {"action": "assign", "job": "no job"}, follow=True)
    assert "not the identifier of a job" in answer.content.decode()
    operator.post(address, {"action": "assign", "job": silent})
    assert JobBill.objects.get(pk=silent).state == "CHARGED"

    assert row(operator, stage)[4:] == ["0", "0", "0", "0", "0"]
    assert findings() == []


def test_a_refused_message_is_taken_in_when_the_rules_have_changed(stage: Stage) -> None:
    stage.provider.usage_keep_good = False
    stage.provider.save()
    job = ended(stage, "a")
    assert push(stage, apel(record(job), record("x", "WallDuration: 1\n"))) == 400
    operator = signed_in(stage.operator)
    page = operator.get(f"{reverse('pages:usage_messages')}?state=REJECTED").content.decode()
    address = re.search(r'href="(/usage/messages/[0-9a-f]{64}/)"', page)
    assert address is not None
    shown = operator.get(address[1]).content.decode()
    assert "CpuDuration" in shown
    assert "LocalJobId: x" in shown

    stage.provider.usage_keep_good = True
    stage.provider.save()
    assert [line.rejected for line in overview(None, since=now())] == [1]
    operator.post(f"{address[1]}act", {"action": "drop"})
    assert [line.rejected for line in overview(None, since=now())] == [0]
    assert UsageMessage.objects.get().dropped_by == name_of(stage.operator)
    operator.post(f"{address[1]}act", {"action": "retry"})
    assert UsageMessage.objects.get().dropped_by == ""
    operator.post(f"{address[1]}act", {"action": "drop"})
    assert "was loaded" in operator.get(address[1]).content.decode()
    assert JobBill.objects.get(pk=job).state == "CHARGED"
    assert "taken in" not in operator.get(address[1]).content.decode()
    assert QuarantinedRecord.objects.filter(state="WAITING").count() == 1


def test_owners_see_their_own_usage_and_decide_no_job(stage: Stage) -> None:
    push(stage, apel(record("of-nobody")))
    owner, stranger = signed_in(stage.provider_owner), signed_in(stage.stranger)
    assert "of-nobody" in owner.get(reverse("pages:usage_records")).content.decode()
    assert stranger.get(reverse("pages:usage")).status_code == 404
    orphan = UsageRecord.objects.get(local_job_id="of-nobody")
    address = reverse("pages:usage_record", kwargs={"record_id": orphan.pk})
    assert owner.post(address, {"action": "assign", "job": ended(stage, "a")}).status_code == 403


def test_revenue_adds_up_to_the_ledger(stage: Stage) -> None:
    stage.succeeded()
    stage.report_usage(stage.running("other"), seconds=60)
    owner = signed_in(stage.provider_owner)
    address = f"/api/providers/{stage.provider.slug}/revenue/"
    document = owner.get(address).json()
    earned = provider_account(stage.provider.pk).posted
    assert earned > 0
    assert sum(int(m["total"].replace(".", "")) for m in document["months"]) == int(
        document["balance"].replace(".", "")
    )
    assert sum(int(s["amount"].replace(".", "")) for s in document["services"]) == int(
        document["balance"].replace(".", "")
    )
    page = owner.get(reverse("pages:revenue", kwargs={"slug": stage.provider.slug}))
    assert document["balance"] in page.content.decode()


@pytest.mark.parametrize(
    "name", ["usage", "usage_records", "usage_quarantine", "usage_messages", "usage_missing"]
)
def test_a_page_takes_as_many_queries_for_many_rows(stage: Stage, name: str) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    operator = signed_in(stage.operator)
    address = reverse(f"pages:{name}") + ("?state=all" if name == "usage_records" else "")

    def queries() -> int:
        operator.get(address)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert operator.get(address).status_code == 200
        return len(asked)

    bad = record("bad", "WallDuration: x\n")
    push(stage, apel(record("one"), bad))
    ended(stage, "a")
    before = queries()
    for number in range(2, 8):
        push(stage, apel(record(f"r{number}"), record(f"b{number}", "WallDuration: x\n")))
        ended(stage, "a" * number)
    assert queries() <= before
