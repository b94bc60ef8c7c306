"""Accounts and the books in the administration."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounting.models import Account, MemberCap, Transfer
from people.models import User
from tests.accounting.team import Team
from tests.factories import CREDIT

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return Team()


@pytest.fixture
def sign_in(client: Client) -> Callable[[User], Client]:
    def signed_in(user: User) -> Client:
        client.force_login(user)
        return client

    return signed_in


def test_operators_issue_and_limit_credit_in_the_administration(
    team: Team, sign_in: Callable[[User], Client]
) -> None:
    browser = sign_in(team.operator)
    page = reverse("admin:accounting_account_issue", args=[team.account.pk])
    key = browser.get(page).context["form"].initial["key"]
    form = {"amount": "2.5", "reason": "workshop", "key": key}
    for _press in range(2):
        assert browser.post(page, form).status_code == 302
    assert team.balance(team.account) == 102 * CREDIT + CREDIT // 2
    for wrong in ({"amount": "0"}, {"amount": "0.0000001"}, {"reason": ""}, {"amount": "1e99"}):
        answer = browser.post(page, {**form, "key": uuid.uuid4(), **wrong})
        assert answer.status_code == 200
        assert answer.context["form"].errors
    other = browser.post(page, {**form, "amount": "3"})  # the key stands for another amount
    assert "another transfer" in other.content.decode()
    limit = reverse("admin:accounting_account_limit", args=[team.account.pk])
    assert browser.get(limit).status_code == 200
    assert browser.post(limit, {"limit": "20"}).status_code == 302
    team.account.refresh_from_db()
    assert team.account.floor == -20 * CREDIT
    assert team.balance(team.account) == 102 * CREDIT + CREDIT // 2


def test_the_books_are_shown_to_operators_and_changed_by_nobody(
    team: Team, sign_in: Callable[[User], Client]
) -> None:
    team.spend(team.member, 2, 1)
    MemberCap.objects.create(account=team.account, member_id=team.member.pk, limit_amount=9)
    browser = sign_in(team.operator)
    tables = (
        *("account", "transfer", "entry", "membercap", "pricelist", "quote"),
        *("jobbill", "usagemessage", "usagerecord"),
    )
    for table in tables:
        listing = reverse(f"admin:accounting_{table}_changelist")
        assert browser.get(listing, {"q": "1"}).status_code == 200
        assert browser.get(reverse(f"admin:accounting_{table}_add")).status_code == 403
    account = reverse("admin:accounting_account_change", args=[team.account.pk])
    assert b"Issue credit" in browser.get(account).content
    assert browser.post(account, {"name": "mine"}).status_code == 403
    transfer = reverse("admin:accounting_transfer_change", args=[Transfer.objects.first().pk])
    assert browser.get(transfer).status_code == 200
    assert browser.post(transfer, {"amount": 1}).status_code == 403
    listing = reverse("admin:accounting_account_changelist")
    for action, status in (("freeze", "FROZEN"), ("reopen", "OPEN"), ("close", "OPEN")):
        answer = browser.post(
            listing, {"action": action, "_selected_action": [team.account.pk]}, follow=True
        )
        assert answer.status_code == 200
        assert Account.objects.get(pk=team.account.pk).status == status
    assert b"Only an empty account can be closed" in answer.content
    unknown = reverse("admin:accounting_account_issue", args=["nobody"])
    assert browser.get(unknown).status_code == 404
    for user in (team.admin, team.stranger):
        assert sign_in(user).get(account).status_code == 302
        assert sign_in(user).get(unknown).status_code == 302
