"""Disputing a charge, giving some back, correcting an account: whole stories on pages."""

from __future__ import annotations

from typing import Any

from accounting.accounts import group_account
from accounting.check import findings
from accounting.models import (
    Account,
    Adjustment,
    Dispute,
    DisputeState,
    JobBill,
    Transfer,
    TransferKind,
)
from accounting.usage.importer import import_message
from jobs.models import Job
from jobs.usage_senders import sender_of
from tests.factories import CREDIT, make_user
from tests.pages.conftest import client_of
from tests.pages.people import (
    available,
    charge_of,
    follow,
    key_in,
    letters,
    open_page,
    post,
)
from tests.pages.stage import Stage


def test_a_dispute_is_opened_from_the_statement_and_seen_by_all_sides(stage: Stage) -> None:
    job = stage.succeeded()
    charge, member, owner = charge_of(job), stage.researcher, stage.provider_owner
    page = f"/credit/charges/{charge.pk}/"
    assert page in open_page(member, f"/credit/{stage.account.pk}/")
    assert page in open_page(member, f"/jobs/{job.pk}/?tab=cost")
    assert "Is this charge wrong?" in open_page(member, page)
    post(member, page, action="dispute", text="The raster is <b>empty</b>.")
    assert "disputed already" in post(stage.admin, page, action="dispute", text="Yes, empty.")
    told = letters()
    assert set(told) == {owner.email}
    assert "The raster is &lt;b&gt;empty&lt;/b&gt;." in follow(owner, told[owner.email][0])
    for user, list_of in (
        (member, f"/credit/{stage.account.pk}/requests/?tab=disputes"),
        (stage.admin, f"/groups/{stage.group.slug}/credit/requests/?tab=disputes"),
        (owner, f"/providers/{stage.provider.slug}/requests/"),
        (stage.operator, "/operator/requests/?tab=disputes"),
    ):
        html = open_page(user, list_of)
        assert page in html, list_of
        assert "1 open" in html, list_of


def test_a_dispute_is_answered_once_with_a_part_of_the_charge(stage: Stage) -> None:
    job = stage.succeeded()
    charge, owner = charge_of(job), stage.provider_owner
    page, half = f"/credit/charges/{charge.pk}/", charge.amount // 2
    post(stage.researcher, page, action="dispute", text="Half of it is empty.")
    dispute = Dispute.objects.get()
    earned = Account.objects.get(pk=charge.credit_id).posted
    answer = {"action": "resolve", "dispute": str(dispute.pk), "answer": "So it is."}
    assert "At most" in post(owner, page, **answer, state="PARTLY", amount="1000")
    assert "Accept, accept in part" in post(owner, page, **answer, state="OPEN")
    post(owner, page, **answer, state="PARTLY", amount=f"{half / CREDIT:f}")
    assert "answered already" in post(stage.operator, page, **answer, state="REJECTED")
    dispute.refresh_from_db()
    assert dispute.state == DisputeState.PARTLY
    assert dispute.refund is not None
    assert dispute.refund.amount == half
    assert "accepted in part" in letters()[stage.researcher.email][0].subject
    assert Account.objects.get(pk=charge.credit_id).posted == earned - half
    bill = JobBill.objects.get(pk=job.pk)
    assert (bill.charged, bill.refunded) == (charge.amount, half)
    assert "were given back" in open_page(stage.researcher, f"/jobs/{job.pk}/?tab=cost")
    assert findings() == []


def test_an_accepted_dispute_comes_back_though_the_provider_has_spent_all(stage: Stage) -> None:
    charge = charge_of(stage.succeeded())
    provider = Account.objects.get(pk=charge.credit_id)
    code = provider.code
    data = {"account": code, "amount": f"-{provider.posted / CREDIT:f}", "reason": "paid out"}
    post(stage.operator, "/operator/adjust", **data, key="payout")
    provider.refresh_from_db()
    assert provider.posted == 0
    page = f"/credit/charges/{charge.pk}/"
    post(stage.admin, page, action="dispute", text="Nothing in it.")
    data = {"dispute": str(Dispute.objects.get().pk), "answer": "Sorry.", "state": "ACCEPTED"}
    post(stage.operator, page, action="resolve", **data)
    provider.refresh_from_db()
    assert provider.posted == -charge.amount
    told = letters()
    assert "was accepted" in told[stage.admin.email][-1].subject
    assert any("accepted" in m.subject for m in told[stage.provider_owner.email])
    assert "All of this charge" in post(stage.researcher, page, action="dispute", text="Again!")
    assert findings() == []


def test_who_sees_a_charge_and_who_may_do_what_about_it(stage: Stage) -> None:
    page = f"/credit/charges/{charge_of(stage.succeeded()).pk}/"
    other = make_user()
    stage.group.memberships.create(user=other)
    for person in (stage.stranger, other):
        assert client_of(person).get(page).status_code == 404
    refund = {"action": "refund", "amount": "0.01", "reason": "r", "key": "k"}
    assert client_of(stage.researcher).post(page, refund).status_code == 403
    dispute = {"action": "dispute", "text": "x"}
    assert client_of(stage.provider_owner).post(page, dispute).status_code == 403
    hold = Transfer.objects.filter(kind=TransferKind.HOLD).first()
    assert hold is not None
    assert client_of(stage.admin).get(f"/credit/charges/{hold.pk}/").status_code == 404


# --- refunds and corrections ---------------------------------------------------------------


def report(stage: Stage, job: Job, seconds: int) -> None:
    """A new revision of the usage record that `Stage.report_usage` sends."""
    body = (
        "APEL-individual-job-message: v0.3\n"
        f"Site: {stage.provider.usage_site}\nSubmitHost: wps\nLocalJobId: {job.pk}\n"
        f"WallDuration: {seconds}\nCpuDuration: 20\nProcessors: 1\n"
        "StartTime: 1767225600\nEndTime: 1767225630\n%%\n"
    )
    import_message(body.encode(), source="test", sender=sender_of(stage.provider))


def test_a_refund_is_not_taken_back_when_the_usage_is_corrected(stage: Stage) -> None:
    job = stage.succeeded()
    charge = charge_of(job)
    page = f"/credit/charges/{charge.pk}/"
    key = key_in(open_page(stage.provider_owner, page))
    back = {"action": "refund", "amount": "0.04", "reason": "Slow queue", "key": key}
    for _twice in range(2):
        assert "Booked." in post(stage.provider_owner, page, **back)
    told = letters()
    assert {stage.admin.email, stage.researcher.email} <= set(told)
    bill = JobBill.objects.get(pk=job.pk)
    assert bill.refunded == 40_000
    paid = 100 * CREDIT - Account.objects.get(pk=stage.account.pk).posted
    assert paid == charge.amount - 40_000

    def correct(seconds: int) -> int:
        report(stage, job, seconds)
        assert findings() == []
        return 100 * CREDIT - Account.objects.get(pk=stage.account.pk).posted - paid

    assert correct(24) == 0  # 0.01 less than was charged: the refund covers that
    assert correct(36) == 10_000  # what was used more is charged, and the refund is not
    assert correct(0) == -10_000  # 0.05 less than first, of which 0.04 are back already
    too_much = post(stage.operator, page, **{**back, "amount": "90", "key": "x"})
    assert "at most what is left" in too_much


def test_a_large_correction_needs_a_second_operator(stage: Stage, settings: Any) -> None:
    settings.ADJUSTMENT_APPROVAL_LIMIT = "100"
    first, second = stage.operator, make_user(is_staff=True)
    account, before = group_account(stage.group), available(stage.account)

    def adjust(amount: str, key: str) -> str:
        data = {"account": account.code, "amount": amount, "reason": "Outage in May", "key": key}
        return post(first, "/operator/adjust", **data)

    assert "Booked." in adjust("60", "a")
    assert "Booked." in adjust("60", "a")
    assert available(account) == before + 60
    assert "waits for a second" in adjust("60", "b")  # 120 within a day
    assert "waits for a second" in adjust("-101", "c")
    assert available(account) == before + 60
    told = letters()
    assert [m.subject for m in told[stage.admin.email]] == [f"60.00 credits came back to {account}"]
    assert len(told[second.email]) == 2
    assert first.email not in told
    assert "2 open" in follow(second, told[second.email][0])
    more = Adjustment.objects.get(amount=60 * CREDIT, state="PENDING")
    less = Adjustment.objects.get(amount=-101 * CREDIT)
    for person, status in ((first, 403), (stage.admin, 404), (stage.provider_owner, 404)):
        answer = client_of(person).post(f"/operator/adjustments/{more.pk}/", {"action": "approve"})
        assert answer.status_code == status
    assert "Approved" in post(second, f"/operator/adjustments/{more.pk}/", action="approve")
    assert "decided already" in post(second, f"/operator/adjustments/{more.pk}/", action="approve")
    post(second, f"/operator/adjustments/{less.pk}/", action="refuse", reason="No.")
    assert available(account) == before + 120
    subjects = [m.subject for m in letters()[first.email]]
    assert subjects == ["Approved: 60.00 credits", "Not approved: 101.00 credits"]
    assert findings() == []


def test_what_cannot_be_adjusted(stage: Stage) -> None:
    good = {"account": stage.account.code, "amount": "1", "reason": "x", "key": "s"}
    for change, said in (
        ({"amount": "0"}, "must be positive"),
        ({"amount": ""}, "not a number"),
        ({"amount": "NaN"}, "too large"),
        ({"amount": "0.0000001"}, "six decimals"),
        ({"reason": ""}, "Say why."),
        ({"account": "system:issue"}, "not adjusted"),
        ({"account": "group:0\x00"}, "no account"),
        ({"amount": "-99"}, "does not cover"),
    ):
        stage.account.refresh_from_db()
        if change == {"amount": "-99"}:
            stage.job()
            stage.job("second")
        assert said in post(stage.operator, "/operator/adjust", **{**good, **change}), change
    assert not Adjustment.objects.exists()
