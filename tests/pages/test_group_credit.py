"""The credit of a group on its pages: every figure is the ledger's, every act happens once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from lxml import html

from accounting.accounts import set_credit_limit, user_account
from accounting.credit.grant_rules import run_rules
from accounting.credit.grants import issue_due
from accounting.credit.lots import expire_due
from accounting.models import Account, AlertRule, Grant, GrantRule, MemberCap
from accounting.selectors import cap_of
from common.clock import now
from people.models import Membership, User
from tests.factories import CREDIT, make_user
from tests.pages.conftest import client_of
from tests.pages.stage import Stage


@pytest.fixture
def base(stage: Stage) -> str:
    return f"/groups/{stage.group.slug}/credit/"


def stats(client: Client, address: str) -> dict[str, str]:
    """What the page says in figures."""
    text = client.get(address).content.decode()
    found = re.findall(r'<div class="stat"><dt>([^<]+)</dt><dd>(?:<a[^>]*>)?([^<]+)', text)
    return dict(found)


def day(days: int) -> str:
    return f"{now() + timedelta(days=days):%Y-%m-%d}"


def give(client: Client, base: str, **values: str) -> str:
    posted = {"amount": "10", "reason": "field work", "key": "k", "give": "1", **values}
    return client.post(f"{base}grants/", posted, follow=True).content.decode()


def test_the_overview_shows_what_the_ledger_says(stage: Stage, base: str) -> None:
    stage.succeeded()  # costs 2.05
    stage.running()  # holds 2.10
    operator, admin = client_of(stage.operator), client_of(stage.admin)
    give(operator, base, amount="40", last_day=day(9))
    give(operator, base, amount="30", last_day=day(40), key="k2")
    give(admin, base, amount="5", member=stage.researcher.username)
    told = stats(admin, base)
    account = Account.objects.get(pk=stage.account.pk)
    assert account.posted == 162_950_000
    assert told == {
        "Available": "160.85",
        "Held for running jobs": "2.10",
        "Balance": "162.95",
        "Expires within 30 days": "35.00",
        "Lasts at the present rate": told["Lasts at the present rate"],
        "Open requests": "0",
        "Members": "2",
    }
    own = stats(client_of(stage.researcher), f"/credit/{user_account(stage.researcher).pk}/")
    assert (own["Balance"], own["Expires within 30 days"]) == ("5.00", "5.00")
    expire_due(now() + timedelta(days=11))
    assert stats(admin, base)["Balance"] == "127.95"


def test_a_grant_is_given_now_later_and_each_period(stage: Stage, base: str) -> None:
    client, member = client_of(stage.admin), stage.researcher.username
    for _twice in range(2):
        assert "The grant is made." in give(client, base, member=member)
    assert user_account(stage.researcher).posted == 10 * CREDIT
    later = give(client, base, member=member, starts_on=day(3), last_day=day(5), key="later")
    assert "scheduled" in later
    waiting = Grant.objects.get(state="SCHEDULED")
    assert f"{waiting.starts_at:%Y-%m-%d %H:%M}" == f"{day(3)} 00:00"
    assert f"{waiting.expires_at:%Y-%m-%d %H:%M}" == f"{day(6)} 00:00"
    client.post(f"/credit/grants/{waiting.pk}/cancel")
    assert Grant.objects.get(pk=waiting.pk).state == "CANCELLED"
    posted = {"member": member, "amount": "2,5", "reason": "course", "key": "r", "repeat": "1"}
    for _twice in range(2):
        made = client.post(
            f"{base}grants/", {**posted, "every": "WEEK", "lifetime_days": "7"}, follow=True
        )
    assert "The rule is there." in made.content.decode()
    run_rules(now())
    issue_due(now())
    assert user_account(stage.researcher).posted == 12_500_000
    rule = GrantRule.objects.get()
    turn = f"/credit/rules/{rule.pk}/turn"
    assert "Say why" in client.post(turn, {"action": "pause"}, follow=True).content.decode()
    client.post(turn, {"action": "pause", "reason": "holidays"})
    assert "paused" in client.get(f"{base}grants/?show=rules").content.decode()
    assert "holidays" in client.get(f"{base}settings/").content.decode()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"amount": "0"}, "must be positive"),
        ({"amount": "x"}, "not a number"),
        ({"amount": "1e99"}, "too large"),
        ({"amount": "100000"}, "does not cover"),
        ({"member": "nobody"}, "no user of this name"),
        ({"member": ""}, "required"),
        ({"reason": ""}, "required"),
        ({"last_day": "2020-01-01"}, "end before it starts"),
        ({"last_day": "9999-12-31"}, "too far"),
        ({"starts_on": "31.12."}, "valid date"),
        ({"key": "\x01"}, "key is needed"),
    ],
)
def test_a_wrong_grant_is_told_in_the_form(
    stage: Stage, base: str, wrong: dict[str, str], told: str
) -> None:
    html = give(client_of(stage.admin), base, **{"member": stage.researcher.username, **wrong})
    assert told in html
    assert "errorlist" in html
    assert 'value="field work"' in html or "reason" in wrong
    assert not Grant.objects.exists()


def test_limits_per_period_for_one_and_for_all(stage: Stage, base: str) -> None:
    client = client_of(stage.admin)
    others = [make_user(first_name="Zoe", last_name=f"Nr{n:02}") for n in range(30)]
    Membership.objects.bulk_create(Membership(group=stage.group, user=user) for user in others)
    client.post(f"{base}{stage.researcher.pk}/cap", {"limit": "40", "period": "MONTH"})
    stage.succeeded()
    assert "2.05 of 40.00 used or held, this month" in re.sub(
        r"\s+", " ", client.get(f"{base}members/").content.decode()
    )
    posted = {"limit": "7.5", "period": "YEAR", "page": "2"}
    answer = client.post(f"{base}caps", posted, follow=True)
    assert answer.redirect_chain[-1][0].endswith("/members/?page=2")
    assert "The limits of 32 members are set." in answer.content.decode()
    for user in (stage.researcher, stage.admin, *others):
        cap = cap_of(stage.account, user.pk)
        assert cap is not None
        assert (cap.limit_amount, cap.period) == (7_500_000, "YEAR")
    found = client.get(f"{base}members/", {"text": "nr07"}).context["rows"]
    assert [row.membership.user for row in found] == [others[7]]
    history = "".join(client.get(f"{base}settings/?page={n}").content.decode() for n in (1, 2))
    assert "Limit of Ada Meadow: 40.00 per month → 7.50 per year" in history
    client.post(f"{base}caps", {"limit": ""})
    assert not MemberCap.objects.exists()
    for wrong in ({"limit": "-1"}, {"limit": "1", "period": "DAY"}, {"limit": "x"}):
        assert "toast--error" in client.post(f"{base}caps", wrong, follow=True).content.decode()


def test_rules_of_the_account_are_set_with_a_reason_and_kept(stage: Stage, base: str) -> None:
    admin, operator = client_of(stage.admin), client_of(stage.operator)
    change = f"/credit/{stage.account.pk}/settings/"

    def post(client: Client, what: str, **values: str) -> str:
        return client.post(f"{change}{what}", values, follow=True).content.decode()

    assert "Say why" in post(admin, "status", status="FROZEN")
    assert "This account is frozen" in post(admin, "status", status="FROZEN", reason="audit")
    assert "This account is frozen" in admin.get(base).content.decode()
    post(operator, "status", status="FROZEN", reason="unpaid bill 12")
    assert admin.post(f"{change}status", {"status": "OPEN", "reason": "x"}).status_code == 403
    post(operator, "status", status="OPEN", reason="paid")
    assert "DEBT" not in admin.get(f"{base}settings/").content.decode()
    post(admin, "policy", policy="UP_TO_BALANCE", reason="long jobs")
    post(operator, "limit", limit="12,5", reason="contract")
    account = Account.objects.get(pk=stage.account.pk)
    assert (account.status, account.overrun_policy, account.floor) == (
        "OPEN", "UP_TO_BALANCE", -12_500_000,
    )  # fmt: skip
    html = admin.get(f"{base}settings/").content.decode()
    for words in ("unpaid bill 12", "Dan Lake", "Credit limit: 0.00 → 12.50", "long jobs"):
        assert words in html
    for what, values in (
        ("policy", {"policy": "NONE", "reason": "x"}),
        ("alert", {"value": "x"}),
        ("alert", {"value": "101", "unit": "percent"}),
        ("limit", {"limit": "-1", "reason": "x"}),
    ):
        assert "toast--error" in post(operator, what, **values)
    assert operator.post(f"{change}nonsense", {}).status_code == 404
    assert operator.post(f"{change}no-alert", {"alert": "9" * 30}).status_code == 404


def test_an_alert_is_shown_where_credit_is_low(stage: Stage, base: str) -> None:
    client = client_of(stage.admin)
    change = f"/credit/{stage.account.pk}/settings/"
    client.post(f"{change}alert", {"value": "150", "unit": "credits"})
    client.post(f"{change}alert", {"value": "50", "unit": "percent"})
    html = client.get(base).content.decode()
    assert "The credit is below 150.00" in html
    assert "below 50.00" not in html
    assert "50.00 credits now" in client.get(f"{base}settings/").content.decode()
    client.post(f"{change}no-alert", {"alert": AlertRule.objects.get(amount=150 * CREDIT).pk})
    assert "The credit is below" not in client.get(base).content.decode()


def test_operators_find_every_account(stage: Stage) -> None:
    client = client_of(stage.operator)
    for n in range(30):
        user_account(make_user(f"wetter{n}"))
    first = client.get("/operator/accounts/")
    assert first.context["page"].paginator.num_pages == 2

    def found(**query: str) -> list[str]:
        return [a.code for a in client.get("/operator/accounts/", query).context["page"]]

    assert found(text="wetland") == [stage.account.code]
    assert found(text="WETTER29") == [user_account(User.objects.get(username="wetter29")).code]
    assert found(kind="GROUP") == [stage.account.code]
    assert found(status="FROZEN", text="'%") == []
    set_credit_limit(actor=stage.operator, account=stage.account, limit=CREDIT, reason="x")
    row = client.get("/operator/accounts/", {"text": "wetland"}).content.decode()
    assert "101.00" in row
    own = user_account(stage.researcher)
    html = client.post(
        f"/credit/{own.pk}/grants/",
        {"amount": "3", "reason": "trial", "key": "k", "give": "1", "last_day": day(3)},
        follow=True,
    ).content.decode()
    assert "The grant is made." in html
    assert user_account(stage.researcher).posted == 3 * CREDIT


@pytest.mark.parametrize("page", ["", "members/", "grants/", "grants/?show=rules", "settings/"])
def test_the_number_of_queries_does_not_grow(stage: Stage, base: str, page: str) -> None:
    client, address = client_of(stage.admin), f"{base}{page}"
    member = stage.researcher.username

    def more(times: int, name: str) -> None:
        for number in range(times):
            key = f"{name}{number}"
            give(client_of(stage.operator), base, key=key, last_day=day(9 + number), amount="50")
            give(client, base, key=key, member=member, amount="1")
            rule = {"amount": "1", "reason": "r", "key": key, "repeat": "1", "every": "WEEK"}
            client.post(f"{base}grants/", {**rule, "member": member})
            client.post(f"{base}{stage.researcher.pk}/cap", {"limit": f"{number + 20}"})
            Membership.objects.create(group=stage.group, user=make_user())
            client.post(
                f"/credit/{stage.account.pk}/settings/alert",
                {"value": f"{times + number}", "unit": "percent"},
            )

    more(1, "a")
    client.get(address)
    few = queries(client, address)
    more(4, "b")
    client.get(address)
    assert queries(client, address) == few


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_statements_and_spending_of_a_group_lead_back_to_it(stage: Stage) -> None:
    """Under the same tabs as the group's other pages; members have the parts that are theirs."""
    own = f"/credit/{stage.account.pk}/"
    tabs = html.fromstring(
        client_of(stage.admin).get(f"/groups/{stage.group.slug}/credit/").content
    )
    parts = tabs.xpath("//nav[@aria-label='Parts of the credit']/a/@href")
    this_month = f"{own}statements/{now():%Y-%m}/"
    for reader in (stage.admin, stage.operator):
        client = client_of(reader)
        for address, shown in (
            (f"{own}statements/", f"{own}statements/"),
            (this_month, f"{own}statements/"),
            (f"{own}spending/", f"{own}spending/"),
        ):
            page = html.fromstring(client.get(address).content)
            assert page.xpath("//nav[@aria-label='Parts of the credit']/a/@href") == parts
            current = "//nav[@aria-label='Parts of the credit']/a[@aria-current='page']/@href"
            assert page.xpath(current) == [shown]
    for address in (f"{own}statements/", this_month, f"{own}spending/"):
        client = client_of(stage.researcher)
        page = html.fromstring(client.get(address).content)
        links = page.xpath("//nav[@aria-label='Parts of this account']/a/@href")
        assert links == [own, *(f"{own}{part}/" for part in ("statements", "spending", "usage"))]
        assert {client.get(link).status_code for link in links} == {200}
