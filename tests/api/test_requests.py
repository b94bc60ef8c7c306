"""Requests for credit, refunds, disputes and holds as programs use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core import mail
from rest_framework.test import APIClient

from accounting import ledger
from accounting.accounts import provider_account, user_account
from accounting.check import findings
from accounting.models import Account, Phase, Transfer, TransferKind
from common.clock import now
from people.mail import send_due
from tests.factories import CREDIT, World, make_user

Api = Callable[..., APIClient]


def charged(world: World, credits: int = 5) -> Transfer:
    transfer, _new = ledger.post(
        id=uuid4(),
        phase=Phase.SINGLE,
        kind=TransferKind.CHARGE,
        debit=world.account,
        credit=provider_account(world.provider.pk),
        amount=credits * CREDIT,
        member_id=world.researcher.pk,
    )
    return transfer


def posted(account: Account) -> int:
    return Account.objects.get(pk=account.pk).posted // CREDIT


def test_a_member_asks_is_asked_back_and_gets_less(world: World, api: Api) -> None:
    member, admin = api(world.researcher), api(world.admin)
    ask = f"/api/accounts/{world.account.pk}/top-ups/"
    body = {"amount": "4.5", "reason": "Tiles of May"}
    first = member.post(ask, body, headers={"Idempotency-Key": "1"})
    again = member.post(ask, body, headers={"Idempotency-Key": "1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = member.post(ask, {**body, "amount": "5"}, headers={"Idempotency-Key": "1"})
    assert other.status_code == 409
    made = first.json()
    assert (made["state"], made["amount"], made["source"]) == (
        "REQUESTED",
        "4.50",
        world.account.pk,
    )
    assert member.post(ask, body).status_code == 409
    address = f"/api/top-ups/{made['id']}/"
    assert admin.post(f"{address}answer/", {"text": "x"}).status_code == 403
    back = admin.post(f"{address}decision/", {"decision": "ask_back", "text": "All tiles?"})
    assert back.json()["state"] == "QUESTION"
    member.post(f"{address}answer/", {"text": "Half of them."})
    for wrong in ({"decision": "burn"}, {"decision": "grant", "amount": "-1"}, {}):
        assert admin.post(f"{address}decision/", wrong).status_code == 400
    assert admin.post(f"{address}decision/", {"decision": "refuse"}).status_code == 400
    done = admin.post(f"{address}decision/", {"decision": "grant", "amount": "2"}).json()
    assert (done["state"], done["granted"]) == ("GRANTED", "2.00")
    assert done["closed_by"] == world.admin.username
    assert [n["text"] for n in done["notes"]] == ["All tiles?", "Half of them."]
    assert posted(user_account(world.researcher)) == 2
    assert admin.post(f"{address}decision/", {"decision": "grant"}).status_code == 409
    assert member.post(f"{address}withdrawal/").status_code == 409
    counts = [api(u).get("/api/top-ups/").json()["count"] for u in (world.admin, world.stranger)]
    assert counts == [1, 0]
    send_due(now())
    assert [m.to[0] for m in mail.outbox].count(world.researcher.email) == 2


def test_the_quote_goes_with_the_request(world: World, api: Api, run: Callable[..., Any]) -> None:
    member = api(world.researcher)
    quote = member.post("/api/quotes/", run()).json()
    body = {"amount": "2", "reason": "this run", "quote": quote["id"]}
    made = member.post(f"/api/accounts/{world.account.pk}/top-ups/", body).json()
    assert (made["quote"], made["lines"][0]["amount"]) == (quote["id"], "2.00")
    other = make_user()
    world.group.memberships.create(user=other)
    ask = f"/api/accounts/{world.account.pk}/top-ups/"
    assert api(other).post(ask, body).status_code == 404  # not theirs
    assert api(other).post(ask, {**body, "quote": str(uuid4())}).status_code == 404


def test_a_dispute_is_answered_in_part(world: World, api: Api) -> None:
    charge = charged(world)
    member, owner = api(world.researcher), api(world.provider_owner)
    address = f"/api/charges/{charge.pk}/"
    assert member.get(address).json()["left"] == "5.00"
    opened = member.post(f"{address}disputes/", {"text": "Empty raster"})
    assert opened.status_code == 201
    assert member.post(f"{address}disputes/", {"text": "Again"}).status_code == 409
    answer = f"/api/disputes/{opened.json()['id']}/resolution/"
    assert member.post(answer, {"state": "ACCEPTED", "answer": "yes"}).status_code == 403
    for wrong in ({"state": "OPEN", "answer": "x"}, {"state": "PARTLY", "answer": "x"}, {}):
        assert owner.post(answer, wrong).status_code == 400, wrong
    too_much = owner.post(answer, {"state": "PARTLY", "amount": "5.01", "answer": "x"})
    assert too_much.status_code == 409
    done = owner.post(answer, {"state": "PARTLY", "amount": "1.25", "answer": "A quarter"}).json()
    assert (done["state"], done["refunded"], done["answer"]) == ("PARTLY", "1.25", "A quarter")
    assert member.get(address).json()["left"] == "3.75"
    assert owner.get("/api/disputes/").json()["count"] == 1
    assert api(world.stranger).get("/api/disputes/").json()["count"] == 0
    assert findings() == []


def test_refunds_and_adjustments_above_the_limit_wait(
    world: World, api: Api, settings: Any
) -> None:
    settings.ADJUSTMENT_APPROVAL_LIMIT = "3"
    charge, second = charged(world), api(make_user(is_staff=True))
    owner, operator = api(world.provider_owner), api(world.operator)
    refunds = f"/api/charges/{charge.pk}/refunds/"
    row = owner.post(refunds, {"amount": "4", "reason": "slow"}).json()
    assert (row["state"], row["transfer"]) == ("PENDING", None)
    assert owner.post(refunds, {"amount": "2", "reason": "more"}).status_code == 409
    approval = f"/api/adjustments/{row['id']}/approval/"
    assert owner.post(approval).status_code == 403
    assert operator.post(approval).json()["state"] == "BOOKED"
    assert second.post(approval).status_code == 409
    body = {"account": world.account.pk, "amount": "-3.5", "reason": "twice granted"}
    key = {"Idempotency-Key": "1"}
    row = operator.post("/api/adjustments/", body, headers=key).json()
    assert operator.post("/api/adjustments/", body, headers=key).json()["id"] == row["id"]
    changed = {**body, "amount": "-3.6"}
    assert operator.post("/api/adjustments/", changed, headers=key).status_code == 409
    address = f"/api/adjustments/{row['id']}/"
    assert operator.post(f"{address}approval/").status_code == 403
    refused = second.post(f"{address}refusal/", {"reason": "It was once."}).json()
    assert (refused["state"], refused["note"]) == ("REFUSED", "It was once.")
    for wrong in ({"amount": "0"}, {"amount": "x"}, {"reason": ""}, {"account": 10**12}):
        assert operator.post("/api/adjustments/", {**body, **wrong}).status_code in {400, 404}
    assert posted(world.account) == 9
    assert findings() == []


def test_a_correction_overtakes_a_refund_that_waits(world: World, api: Api, settings: Any) -> None:
    settings.ADJUSTMENT_APPROVAL_LIMIT = "3"
    charge, operator = charged(world), api(world.operator)
    address = f"/api/charges/{charge.pk}/"
    body = {"amount": "4", "reason": "slow"}
    row = api(world.provider_owner).post(f"{address}refunds/", body).json()
    ledger.post(
        id=uuid4(),
        phase=Phase.SINGLE,
        kind=TransferKind.REFUND,
        debit=charge.credit,
        credit=charge.debit,
        amount=3 * CREDIT,
        reverses=charge,
    )
    told = operator.get(address).json()
    assert (told["refunded"], told["waiting"], told["left"]) == ("3.00", "4.00", "0.00")
    refused = operator.post(f"/api/adjustments/{row['id']}/approval/")
    assert refused.status_code == 409
    assert "2.00" in refused.json()["detail"]
    closed = operator.post(f"/api/adjustments/{row['id']}/refusal/", {"reason": "Corrected."})
    assert closed.json()["state"] == "REFUSED"
    assert operator.get(address).json()["left"] == "2.00"
    assert findings() == []


def test_nobody_proposes_to_take_what_is_not_there(world: World, api: Api, settings: Any) -> None:
    settings.ADJUSTMENT_APPROVAL_LIMIT = "3"
    body = {"account": world.account.pk, "amount": "-10.5", "reason": "twice granted"}
    refused = api(world.operator).post("/api/adjustments/", body)
    assert refused.status_code == 402
    assert api(world.operator).get("/api/adjustments/").json()["count"] == 0


def test_only_a_hold_of_a_job_that_ended_is_released(
    world: World, api: Api, run: Callable[..., Any]
) -> None:
    member, operator = api(world.researcher), api(world.operator)
    job = member.post("/api/jobs/", run()).json()["id"]
    address, body = f"/api/holds/{job}/release/", {"reason": "lost"}
    held = operator.get("/api/holds/").json()["results"]
    assert [(h["job"], h["amount"], h["ended_at"]) for h in held] == [(job, "2.00", None)]
    assert operator.post(address, body).status_code == 409
    member.delete(f"/api/jobs/{job}/")
    assert operator.get("/api/holds/").json()["count"] == 0
    assert operator.post(address, body).json()["state"] == "RELEASED"  # again: no effect
    assert operator.post(f"/api/holds/{UUID(int=1)}/release/", body).status_code == 404
    assert operator.post(address, {"reason": "\x00"}).status_code == 400


@pytest.mark.parametrize("scope", ["read", "run", "usage"])
def test_a_key_that_may_not_manage_decides_nothing(world: World, api: Api, scope: str) -> None:
    charge = charged(world)
    weak = api(world.researcher, scope)
    assert weak.post(f"/api/charges/{charge.pk}/disputes/", {"text": "x"}).status_code == 403
