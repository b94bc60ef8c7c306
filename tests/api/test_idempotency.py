"""A key that is sent again: 200 with the same resource, 409 for anything else, one effect."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from accounting import ledger
from accounting.accounts import provider_account, user_account
from accounting.check import findings
from accounting.models import Entry, Phase, TransferKind
from tests.factories import CREDIT, World

Api = Callable[..., APIClient]


def acts(world: World) -> dict[str, tuple[Any, str, dict[str, Any]]]:
    """Every address that takes a key: who asks, where, and what for."""
    charge, _new = ledger.post(
        id=uuid.uuid4(),
        phase=Phase.SINGLE,
        kind=TransferKind.CHARGE,
        debit=world.account,
        credit=provider_account(world.provider.pk),
        amount=3 * CREDIT,
        member_id=world.researcher.pk,
    )
    own = user_account(world.researcher)
    give = {"account": world.account, "amount": 3 * CREDIT}
    ledger.post(
        id=uuid.uuid4(),
        phase=Phase.SINGLE,
        kind=TransferKind.TRANSFER,
        debit=give["account"],
        credit=own,
        amount=3 * CREDIT,
    )
    account, group = f"/api/accounts/{world.account.pk}/", f"/api/groups/{world.group.slug}/"
    body = {"amount": "2", "reason": "field campaign"}
    to_member = {**body, "member": world.researcher.username}
    return {
        "issue": (world.operator, reverse("api:account-issues", args=[world.account.pk]), body),
        "grant": (world.operator, f"{account}grants/", body),
        "rule": (world.operator, f"{account}rules/", {**body, "every": "MONTH"}),
        "transfer": (world.admin, f"{group}grants/", to_member),
        "take back": (world.admin, f"{group}take-backs/", to_member),
        "top-up": (world.researcher, f"{account}top-ups/", body),
        "refund": (world.operator, f"/api/charges/{charge.pk}/refunds/", body),
        "adjustment": (
            world.operator,
            "/api/adjustments/",
            {**body, "account": world.account.pk},
        ),
    }


NAMES = ("issue", "grant", "rule", "transfer", "take back", "top-up", "refund", "adjustment")


@pytest.mark.parametrize("name", NAMES)
def test_a_repeated_key_answers_200_with_what_it_made(world: World, api: Api, name: str) -> None:
    who, address, body = acts(world)[name]
    client, key = api(who), {"Idempotency-Key": "march"}
    first = client.post(address, body, format="json", headers=key)
    entries = Entry.objects.count()
    again = client.post(address, body, format="json", headers=key)
    assert (first.status_code, again.status_code) == (201, 200), first.content
    assert again.json() == first.json()
    for change in ({"amount": "1"}, {"reason": "winter school"}):
        other = client.post(address, {**body, **change}, format="json", headers=key)
        assert other.status_code == 409, change
    assert Entry.objects.count() == entries
    if name not in ("rule", "top-up"):  # of which there is one at a time, or which is not booked
        assert client.post(address, {**body, "amount": "0.5"}, format="json").status_code == 201
    assert findings() == []


def test_the_description_of_the_api_says_both(world: World, api: Api) -> None:
    schema = api(world.operator).get("/api/schema/?format=json").json()
    with_key = [
        (path, operation)
        for path, methods in schema["paths"].items()
        for operation in methods.values()
        if any(one.get("name") == "Idempotency-Key" for one in operation.get("parameters", ()))
    ]
    assert len(with_key) == len(NAMES) + 2  # and to run a job, and to run it again
    for path, operation in with_key:
        assert {"200", "201"} <= operation["responses"].keys(), path
        same = [operation["responses"][code]["content"] for code in ("200", "201")]
        assert same[0] == same[1]
        assert "nothing is done" in operation["responses"]["200"]["description"]
