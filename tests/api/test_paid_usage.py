"""What an account paid for: usage without a job on its charge, in lists and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounting.accounts import user_account
from accounting.models import Transfer, TransferKind, Unit, UsageName
from accounting.prices.price_lists import RateSpec, publish_rates
from accounting.usage.importer import import_message
from accounting.usage.records import Sender
from common.clock import now
from people.models import User
from tests.factories import World
from tests.pages.conftest import client_of

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
Api = Callable[..., APIClient]


def machines(world: World, number: int, first: int = 0, user: str = "ada") -> None:
    at = int(now().timestamp()) - 60
    records = [
        f"VMUUID: =vm-{first + n}\nSiteName: SITE\nFQAN: team\nLocalUserId: {user}\n"
        f"Status: started\nStartTime: {at - 100}\nRecordCreateTime: {at}\n"
        "WallDuration: 60\nCpuDuration: 60\n"
        for n in range(number)
    ]
    body = "APEL-cloud-message: v0.4\n" + "%%\n".join(records)
    sender = Sender(world.provider.pk, without_jobs=True)
    assert import_message(body.encode(), source="rest", sender=sender).state == "LOADED"


@pytest.fixture
def used(world: World) -> World:
    rates = {(0, Unit.CPU_CORE_HOUR.value): RateSpec(price=360_000)}
    with mock.patch("common.clock.timezone.now", return_value=LONG_AGO):
        publish_rates(actor="test", provider_id=world.provider.pk, rates=rates)
    for kind, name, account in (
        ("group", "team", world.account),
        ("user", "ada", user_account(world.researcher)),
        ("user", "bob", user_account(world.admin)),
    ):
        UsageName.objects.create(
            provider_id=world.provider.pk,
            kind=kind,
            name=name,
            account=account,
            created_by="test",
            created_at=now(),
        )
    machines(world, 1)
    machines(world, 1, first=50, user="bob")
    return world


def download(client: Any, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


def charge_of(user: User) -> Transfer:
    return Transfer.objects.get(kind=TransferKind.CHARGE, member_id=user.pk)


def test_a_charge_says_what_was_used(used: World, api: Api) -> None:
    charge = charge_of(used.researcher)
    told = api(used.researcher).get(f"/api/charges/{charge.pk}/").json()
    (record,) = told["usage"]
    assert (record["type"], record["site"], record["counter_of"]) == ("cloud", "SITE", "=vm-0")
    cpu = next(q for q in record["quantities"] if q["unit"] == "CPU_CORE_HOUR")
    assert (cpu["quantity"], record["cost"]) == ("60", told["amount"])
    assert [line["unit"] for line in record["lines"]] == ["CPU_CORE_HOUR"]
    html = client_of(used.researcher).get(f"/credit/charges/{charge.pk}/").content.decode()
    for text in ("What was used", "Virtual machine", "SITE", "=vm-0", "60 s of"):
        assert text in html
    assert client_of(used.stranger).get(f"/credit/charges/{charge.pk}/").status_code == 404


def test_members_see_their_own_usage_and_administrators_all(used: World, api: Api) -> None:
    address, page = f"/api/accounts/{used.account.pk}/usage/", f"/credit/{used.account.pk}/usage"
    assert api(used.stranger).get(address).status_code == 404
    seen = api(used.admin).get(address).json()
    assert [one["counter_of"] for one in seen["results"]] == ["=vm-50", "=vm-0"]
    own = api(used.researcher).get(address).json()
    assert [(one["counter_of"], one["member"]) for one in own["results"]] == [
        ("=vm-0", used.researcher.pk)
    ]
    rows = download(api(used.researcher), f"{address}csv/")
    assert {row["name"] for row in rows} == {"'=vm-0"}
    assert {row["name"] for row in download(client_of(used.admin), f"{page}.csv")} == {
        "'=vm-0",
        "'=vm-50",
    }
    cpu = next(row for row in rows if row["unit"] == "CPU_CORE_HOUR")
    assert (cpu["quantity"], cpu["counted in"] != "", cpu["user"]) == ("60", True, "ada")
    html = client_of(used.researcher).get(f"{page}/").content.decode()
    assert "=vm-0" in html
    assert "=vm-50" not in html
    assert "Only your own usage" in html


def test_lists_take_the_same_queries_whatever_their_length(used: World, api: Api) -> None:
    def counts() -> list[int]:
        found = []
        for client, address in (
            (api(used.admin), f"/api/accounts/{used.account.pk}/usage/"),
            (client_of(used.admin), f"/credit/{used.account.pk}/usage/"),
        ):
            with CaptureQueriesContext(connection) as log:
                assert client.get(address).status_code == 200
            found.append(len(log))
        return found

    counts()  # what every page's head keeps for a while
    few = counts()
    machines(used, 12, first=100)
    assert counts() == few
