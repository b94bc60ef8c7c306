"""The page on which operators say who pays for usage without a job."""

from __future__ import annotations

import json
import re
import time

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounting.accounts import user_account
from accounting.check import findings
from accounting.credit.transfers import issue_credit
from accounting.models import Account, Unit, UsageName, UsageRecord
from accounting.prices.price_lists import RateSpec, publish_rates
from tests.factories import CREDIT, make_user
from tests.pages.conftest import client_of
from tests.pages.stage import Stage

pytestmark = pytest.mark.django_db

PAGE = "/usage/names/"


@pytest.fixture
def operator(stage: Stage) -> Client:
    """The provider may charge for usage without a job, and has reported two machines."""
    stage.provider.usage_without_jobs = True
    stage.provider.save()
    rates = {(0, Unit.WALL_HOUR): RateSpec(6 * CREDIT)}
    publish_rates(actor=stage.provider_owner, provider_id=stage.provider.pk, rates=rates)
    at = int(time.time())  # the rates hold from now on
    body = "APEL-cloud-message: v0.4\n" + "%%\n".join(
        f"VMUUID: vm-{n}\nSiteName: {stage.provider.usage_site}\nGlobalUserName: CN=Ada, Öko\n"
        f"FQAN: reed\nStatus: completed\nStartTime: {at}\nEndTime: {at + 3600 * n}\n"
        f"WallDuration: {3600 * n}\nCpuDuration: {3600 * n}\nCpuCount: 1\n"
        for n in (1, 2)
    )
    sent = client_of(stage.provider_owner).post("/api/usage-records/", body, "text/plain")
    assert sent.status_code == 201, sent.content
    return client_of(stage.operator)


def add(stage: Stage, client: Client, **changes: str) -> str:
    given = {
        "provider": str(stage.provider.pk),
        "kind": "user",
        "name": "CN=Ada, Öko",
        "payer_kind": "user",
        "payer": stage.researcher.username,
    }
    return client.post(PAGE, given | changes, follow=True).content.decode()


def waiting(client: Client) -> list[str]:
    page = client.get(PAGE).content.decode()
    return re.findall(r'data-label="Waiting" class="end">(\d+)<', page)


def test_a_name_is_given_to_an_account_and_what_waited_is_charged(
    stage: Stage, operator: Client
) -> None:
    records = operator.get(reverse("pages:usage_records")).content.decode()
    link = re.search(r'href="(/usage/names/\?[^"#]+)', records)
    assert link is not None
    suggested = operator.get(link[1].replace("&amp;", "&")).content.decode()
    assert 'name="name" value="reed"' in suggested

    own = user_account(stage.researcher)
    credit = {"account": own, "amount": 100 * CREDIT, "reason": "r", "key": "k"}
    issue_credit(actor=stage.operator, **credit)
    said = add(stage, operator)
    assert "pays for CN=Ada, Öko now. Records wait for it" in said
    assert waiting(operator) == ["2"]

    operator.post(reverse("pages:usage_rematch"), {"next": PAGE})
    assert waiting(operator) == ["0"]
    states = set(UsageRecord.objects.values_list("state", flat=True))
    assert states == {"CHARGED"}
    own.refresh_from_db()
    assert own.posted == 100 * CREDIT - 3 * 6 * CREDIT  # three hours at the provider's rate
    assert findings() == []


def test_a_name_is_changed_and_removed(stage: Stage, operator: Client) -> None:
    add(stage, operator)
    row = UsageName.objects.get()
    act = reverse("pages:usage_name", args=[row.pk])
    change = {"action": "change", "payer_kind": "group", "payer": stage.group.slug}
    assert "Another account pays" in operator.post(act, change, follow=True).content.decode()
    row = UsageName.objects.get()
    assert row.account == stage.account
    assert row.created_by == f"user:{stage.operator.pk}"

    act = reverse("pages:usage_name", args=[row.pk])
    change["payer"] = "nowhere"
    said = operator.post(act, change, follow=True).content.decode()
    assert "There is no group of this short name." in said
    assert UsageName.objects.get().account == stage.account

    operator.post(act, {"action": "remove"})
    assert not UsageName.objects.exists()
    assert operator.post(act, {"action": "remove"}).status_code == 404


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"payer": "nobody-of-this-name"}, "There is no user of this name."),
        ({"payer_kind": "group"}, "There is no group of this short name."),
        ({"name": "a\nb\x07"}, "This must be text of 1 to 255 characters."),
        ({"kind": "machine"}, "Select a valid choice"),
        ({"provider": "999999"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(
    stage: Stage, operator: Client, changes: dict[str, str], text: str
) -> None:
    assert text in add(stage, operator, **changes)
    assert not UsageName.objects.exists()


def test_a_name_has_one_account(stage: Stage, operator: Client) -> None:
    add(stage, operator)
    assert "This name has an account already" in add(stage, operator, payer=stage.admin.username)
    assert UsageName.objects.get().account.user == stage.researcher


def test_the_page_is_for_operators(stage: Stage, operator: Client) -> None:
    add(stage, operator)
    act = reverse("pages:usage_name", args=[UsageName.objects.get().pk])
    for user in (stage.provider_owner, stage.admin, stage.stranger):
        client = client_of(user)
        assert client.get(PAGE).status_code == 404
        assert client.post(act, {"action": "remove"}).status_code == 404
    owner = client_of(stage.provider_owner)
    assert "/usage/names/" not in owner.get("/usage/").content.decode()
    assert "/usage/names/" in operator.get("/usage/").content.decode()


def test_many_names_are_paged_and_found_with_as_many_queries(
    stage: Stage, operator: Client
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert operator.get(PAGE).status_code == 200
        return len(seen)

    add(stage, operator)
    add(stage, operator, kind="group", name="reed")
    operator.get(PAGE)
    few = queries()
    for n in range(30):
        account = user_account(make_user(first_name=f"Person{n}"))
        kind = "user" if n % 2 else "group"
        place = {"provider_id": stage.provider.pk, "kind": kind, "name": f"vo-{n:02}"}
        UsageName.objects.create(account=account, created_by="user:1", **place)
    assert queries() == few
    page = operator.get(PAGE).content.decode()
    assert page.count('data-label="Waiting"') == 25
    found = operator.get(f"{PAGE}?text=person29").content.decode()
    assert found.count('data-label="Waiting"') == 1
    other = operator.get(f"{PAGE}?provider={stage.provider.slug}&page=2").content.decode()
    assert other.count('data-label="Waiting"') == 7


def test_the_rest_api_shows_what_the_page_did(stage: Stage, operator: Client) -> None:
    add(stage, operator, payer_kind="group", payer=stage.group.slug)
    shown = json.loads(operator.get("/api/usage-names/").content)["results"]
    assert [(row["name"], row["account"]) for row in shown] == [("CN=Ada, Öko", stage.account.pk)]
    assert Account.objects.get(pk=shown[0]["account"]).group == stage.group
