"""The credit of a group from asking to the statement, by REST against the running stack.

A member asks and is granted, runs a service with a ceiling, is charged from the provider's record,
disputes the charge and gets a part back; another provider record revises it; every figure is
compared with what the steps before must have made of it, and the ledger is checked at the end.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from decimal import Decimal
from typing import Any

import pytest

from tests.stack import RunningStack, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


class Person:
    """Somebody with an API key."""

    def __init__(self, stack: RunningStack, name: str) -> None:
        self.stack, self.name = stack, name
        self.username = stack.demo["users"][name]["username"]

    def ask(self, method: str, path: str, body: Any = None, *, kind: str = "") -> tuple[int, Any]:
        data = None
        headers = {"Authorization": f"Bearer {self.stack.key(self.name)}"}
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers["Content-Type"] = kind or "application/json"
        request = urllib.request.Request(
            self.stack.base + path, data=data, headers=headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    def get(self, path: str) -> Any:
        status, document = self.ask("GET", path)
        assert status == 200, document
        return document

    def post(self, path: str, body: Any, *, status: int = 201, kind: str = "") -> Any:
        got, document = self.ask("POST", path, body, kind=kind)
        assert got == status, document
        return document

    def account(self, kind: str) -> dict[str, Any]:
        return next(a for a in self.get("/api/accounts/")["results"] if a["kind"] == kind)


def run_hello(who: Person, account: int, **more: Any) -> tuple[int, Any]:
    services = who.get("/api/services/")["results"]
    hello = next(one for one in services if one["identifier"].endswith("hello"))
    body = {"service": hello["id"], "account": account, "inputs": {"name": "Ada"}, **more}
    return who.ask("POST", "/api/jobs/", body)


def settled(who: Person, job: str) -> dict[str, Any]:
    def done() -> Any:
        cost = who.get(f"/api/jobs/{job}/cost/")
        return cost if cost["bill"] and cost["bill"]["state"] == "CHARGED" else None

    return dict(wait_until(done, seconds=120, what="the charge"))


def ask_and_be_granted(member: Person, admin: Person) -> int:
    """5 credits are asked of the group and 3 given, once; the id of the member's own account."""
    group = admin.account("GROUP")
    asked = member.post(
        f"/api/accounts/{group['id']}/top-ups/", {"amount": "5", "reason": "reed belt"}
    )
    address = f"/api/top-ups/{asked['id']}/decision/"
    decision = {"decision": "grant", "amount": "3"}
    assert member.ask("POST", address, decision)[0] in (403, 404)
    admin.post(address, decision, status=200)
    assert admin.ask("POST", address, decision)[0] == 409
    own = member.account("USER")
    assert Decimal(own["available"]) == 3
    assert Decimal(admin.account("GROUP")["balance"]) == Decimal(group["balance"]) - 3
    return int(own["id"])


def run_within_a_ceiling(member: Person, account: int) -> tuple[str, Decimal]:
    """A ceiling below the price refuses; one above it is what is held. The job and its charge."""
    status, problem = run_hello(member, account, max_cost="0.000001")
    assert status in (402, 409), problem
    status, job = run_hello(member, account, max_cost="2")
    assert status == 201, job
    charged = Decimal(settled(member, job["id"])["bill"]["charged"])
    assert 0 < charged <= 2
    own = member.account("USER")
    assert (Decimal(own["balance"]), Decimal(own["held"])) == (3 - charged, 0)
    return str(job["id"]), charged


def dispute(member: Person, provider: Person, account: int, job: str, charged: Decimal) -> Decimal:
    """The provider gives half of the charge back, once; what came back."""
    lines = member.get(f"/api/accounts/{account}/statement/")["lines"]
    charge = next(line for line in lines if line["kind"] == "CHARGE")
    assert charge["reference"] == job
    address = f"/api/charges/{charge['transfer']}/disputes/"
    opened = member.post(address, {"text": "too much"})
    assert member.ask("POST", address, {"text": "again"})[0] == 409
    half = (charged / 2).quantize(Decimal("0.000001"))
    resolution = {"state": "PARTLY", "amount": str(half), "answer": "half of it"}
    address = f"/api/disputes/{opened['id']}/resolution/"
    provider.post(address, resolution, status=200)
    assert provider.ask("POST", address, resolution)[0] == 409
    assert Decimal(member.account("USER")["balance"]) == 3 - charged + half
    return half


def test_from_asking_for_credit_to_the_statement(stack: RunningStack) -> None:
    member, admin = Person(stack, "researcher"), Person(stack, "group-admin")
    provider, operator = Person(stack, "provider"), Person(stack, "operator")
    account = ask_and_be_granted(member, admin)
    job, charged = run_within_a_ceiling(member, account)
    given_back = dispute(member, provider, account, job, charged)

    # A usage message with a fault names it and changes nothing.
    bad = b"APEL-individual-job-message: v0.3\nSite: X\nLocalJobId: a\nWallDuration: x\n%%\n"
    status, problem = provider.ask("POST", "/api/usage-records/", bad, kind="text/plain")
    assert status == 400
    assert any(fault["field"] == "WallDuration" for fault in problem["faults"])

    # Every other figure about it says the same.
    spending = member.get(f"/api/accounts/{account}/spending/")
    rows = spending["results"] if isinstance(spending, dict) else spending
    assert sum(Decimal(row["amount"]) for row in rows) == charged - given_back
    assert any(line["rejected"] for line in operator.get("/api/usage-overview/"))
    (slug,) = [one["slug"] for one in provider.get("/api/providers/")["results"]]
    revenue = provider.get(f"/api/providers/{slug}/revenue/")
    assert sum(Decimal(m["total"]) for m in revenue["months"]) == Decimal(revenue["balance"])
    stack.check_ledger()
