"""Group credit for programs: grants, rules, alerts, limits and the rules of accounts as JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounting.accounts import group_account, user_account
from accounting.credit.grant_rules import run_rules
from accounting.credit.grants import issue_due
from accounting.models import Account, Grant
from accounting.selectors import cap_of
from common.clock import now
from tests.factories import CREDIT, give_credit, make_group, make_user

pytestmark = pytest.mark.django_db


class Desk:
    """A group with 100 credits; its administrator, a member and an operator call the API."""

    def __init__(self) -> None:
        self.users = {
            "operator": make_user(is_staff=True),
            "admin": make_user(),
            "member": make_user("ada"),
        }
        self.group = make_group(admin=self.users["admin"], members=(self.users["member"],))
        self.account, self.own = group_account(self.group), user_account(self.users["member"])
        give_credit(self.account, 100)
        self.base = f"/api/accounts/{self.account.pk}/"

    def call(self, who: str, method: str, address: str, body: Any = None, key: str = "") -> Any:
        client = Client()
        client.force_login(self.users[who])
        headers = {"Sec-Fetch-Site": "same-origin"} | ({"Idempotency-Key": key} if key else {})
        address = address if address.startswith("/") else self.base + address
        send = getattr(client, method)
        if method == "get":
            return send(address, headers=headers)
        return send(address, body, content_type="application/json", headers=headers)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_grant_travels_from_the_portal_to_a_member(desk: Desk) -> None:
    end = (now() + timedelta(days=9)).replace(microsecond=0)
    body = {"amount": "40", "reason": "yearly", "expires_at": end.isoformat()}
    first = desk.call("operator", "post", "grants/", body, key="a")
    assert first.status_code == 201
    assert desk.call("operator", "post", "grants/", body, key="a").json() == first.json()
    assert first.json() | {"amount": "40.00", "state": "ISSUED", "giver": None} == first.json()
    other = desk.call("operator", "post", "grants/", {**body, "amount": "41"}, key="a")
    assert other.status_code == 409
    desk.call("admin", "post", "grants/", {"amount": "15", "reason": "trip", "member": "ada"})
    told = desk.call("member", "get", f"/api/accounts/{desk.own.pk}/balance/").json()
    assert (told["balance"], told["held"], told["available"]) == ("15.00", "0.00", "15.00")
    assert [(one["amount"], one["expires_at"][:19]) for one in told["expiring"]] == [
        ("15.00", end.isoformat()[:19])
    ]
    group = desk.call("admin", "get", "balance/").json()
    assert (group["balance"], group["expiring"][0]["amount"]) == ("125.00", "25.00")
    listed = desk.call("admin", "get", "grants/").json()
    assert [grant["giver"] for grant in listed["results"]] == [desk.account.code, None]
    short = desk.call(
        "admin", "post", "grants/", {"amount": "1000", "reason": "x", "member": "ada"}
    )
    assert (short.status_code, short.json()["code"]) == (402, "insufficient_credit")


def test_a_scheduled_grant_is_cancelled_and_a_rule_turned(desk: Desk) -> None:
    start = (now() + timedelta(days=1)).isoformat()
    later = {"amount": "1", "reason": "x", "member": "ada", "starts_at": start}
    made = desk.call("admin", "post", "grants/", later).json()
    cancel = f"/api/grants/{made['id']}/cancellation/"
    assert desk.call("member", "post", cancel).status_code == 403
    assert desk.call("admin", "post", cancel).json()["state"] == "CANCELLED"
    assert desk.call("admin", "post", cancel).status_code == 409
    body = {"amount": "2", "reason": "x", "member": "ada", "every": "MONTH", "lifetime_days": 5}
    rule = desk.call("admin", "post", "rules/", body, key="r").json()
    assert desk.call("admin", "post", "rules/", body, key="r").json()["id"] == rule["id"]
    run_rules(now())
    issue_due(now())
    assert user_account(desk.users["member"]).posted == 2 * CREDIT
    turn = f"/api/rules/{rule['id']}/"
    ended = desk.call("admin", "patch", turn, {"action": "end", "reason": "done"}).json()
    assert ended["active"] is False
    assert desk.call("admin", "patch", turn, {"action": "resume", "reason": "x"}).status_code == 409
    assert desk.call("admin", "get", "changes/").json()["results"][0]["reason"] == "done"


def test_alerts_limits_and_rules_of_the_account(desk: Desk) -> None:
    made = desk.call("admin", "post", "alerts/", {"percent": 20}).json()
    assert (made["threshold"], made["available"]) == ("20.00", "100.00")
    assert desk.call("admin", "post", "alerts/", {"percent": 20}).status_code == 409
    assert desk.call("admin", "delete", f"alerts/{made['id']}/").status_code == 204
    assert desk.call("admin", "get", "alerts/").json() == []
    caps = f"/api/groups/{desk.group.slug}/caps/"
    everybody = {"limit": "5", "period": "MONTH"}
    assert desk.call("admin", "put", caps, everybody).json() == {"members": 2}
    cap = cap_of(desk.account, desk.users["member"].pk)
    assert cap is not None
    assert (cap.limit_amount, cap.period) == (5 * CREDIT, "MONTH")
    told = desk.call("member", "get", f"{caps}ada/").json()
    assert (told["limit"], told["period"], told["used"]) == ("5.00", "MONTH", "0.00")
    freeze = {"status": "FROZEN", "reason": "audit"}
    assert desk.call("admin", "put", "status/", freeze).json()["status"] == "FROZEN"
    assert desk.call("admin", "put", "status/", {**freeze, "status": "OPEN"}).status_code == 200
    limit = desk.call("operator", "put", "credit-limit/", {"limit": "7", "reason": "x"}).json()
    assert limit["credit_limit"] == "7.00"
    policy = {"policy": "DEBT", "reason": "x"}
    assert desk.call("admin", "put", "overrun-policy/", policy).status_code == 403
    assert desk.call("operator", "put", "overrun-policy/", policy).status_code == 200
    assert Account.objects.get(pk=desk.account.pk).overrun_policy == "DEBT"


@pytest.mark.parametrize(
    ("address", "method", "body"),
    [
        ("grants/", "post", {}),
        ("grants/", "post", {"amount": "0", "reason": "x"}),
        ("grants/", "post", {"amount": 1e300, "reason": "x"}),
        ("grants/", "post", {"amount": "1", "reason": "\x00"}),
        ("grants/", "post", {"amount": "1", "reason": "x", "expires_at": "2020-01-01T00:00Z"}),
        ("grants/", "post", {"amount": "1", "reason": "x", "starts_at": "9999-12-31T23:59Z"}),
        ("grants/", "post", {"amount": "1", "reason": "x", "starts_at": "soon"}),
        ("rules/", "post", {"amount": "1", "reason": "x", "every": "DAY"}),
        ("rules/", "post", {"amount": "1", "reason": "x", "every": "WEEK", "lifetime_days": 0}),
        ("alerts/", "post", {}),
        ("alerts/", "post", {"percent": 5, "amount": "5"}),
        ("alerts/", "post", {"percent": 101}),
        ("status/", "put", {"status": "OPEN"}),
        ("status/", "put", {"status": "MOLTEN", "reason": "x"}),
        ("credit-limit/", "put", {"limit": "-1", "reason": "x"}),
        ("overrun-policy/", "put", {"policy": "", "reason": "x"}),
        ("grants/", "post", []),
    ],
)
def test_what_is_wrong_is_refused(desk: Desk, address: str, method: str, body: Any) -> None:
    answer = desk.call("operator", method, address, body)
    assert answer.status_code == 400, answer.content
    assert Grant.objects.count() == 0
