"""Group credit: grants, rules, alerts and the rules of accounts, on pages and in the API."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from accounting.accounts import user_account
from accounting.credit.alerts import add_rule
from accounting.credit.grant_rules import Plan, make_rule
from accounting.credit.grants import give
from accounting.models import AlertRule
from common.clock import now
from tests.permissions.scene import (
    MEMBER,
    Row,
    Scene,
    door,
    for_admins,
    group,
    own_account,
    page,
    shared_account,
    transfer,
)


def grant(s: Scene) -> dict[str, Any]:
    """A grant that the group gives tomorrow."""
    made = give(
        actor=s.admin,
        account=user_account(s.member),
        source=s.account,
        amount=1,
        reason="test",
        key=uuid.uuid4().hex,
        starts_at=now() + timedelta(days=1),
    )
    return {"grant_id": made.pk}


def rule(s: Scene) -> dict[str, Any]:
    made = make_rule(
        actor=s.admin,
        account=user_account(s.member),
        source=s.account,
        plan=Plan(every="MONTH", amount=1),
        reason="test",
        key=uuid.uuid4().hex,
    )
    return {"rule_id": made.pk}


def alert(s: Scene) -> dict[str, Any]:
    known = AlertRule.objects.filter(account=s.account).first()
    made = known or add_rule(actor=s.admin, account=s.account, percent=9)
    return {**shared_account(s), "alert_id": made.pk}


def changing(what: str) -> Any:
    return lambda s: {**shared_account(s), "what": what}


def changing_own(what: str) -> Any:
    return lambda s: {**own_account(s), "what": what}


def because(**values: str) -> Any:
    return lambda _: {"reason": "test", **values}


OWNER_TOO = {"owner": 200, "operator": 200}

CREDIT = (
    Row(
        "pages:group_caps",
        page(404, **for_admins(302)),
        "POST",
        arguments=group,
        body=lambda _: {"limit": "1", "period": "MONTH"},
    ),
    Row("api:group-caps", door(404, **for_admins(200)), arguments=group),
    Row(
        "api:group-caps",
        door(404, **for_admins(200)),
        "PUT",
        arguments=group,
        body=lambda _: {"limit": "1", "period": "MONTH"},
    ),
    Row("pages:group_grants", page(404, **for_admins(200)), arguments=group),
    Row(
        "pages:group_grants",
        page(404, **for_admins(302)),
        "POST",
        arguments=group,
        body=lambda s: {**transfer(s), "key": "k", "give": "1"},
    ),
    Row("pages:account_grants", page(404, **OWNER_TOO), arguments=own_account),
    Row(
        "pages:account_grants",
        page(404, owner=403, operator=302),
        "POST",
        arguments=own_account,
        body=lambda _: {"amount": "1", "reason": "test", "key": "k", "give": "1"},
    ),
    Row("pages:account_grants", page(404, **for_admins(302)), arguments=shared_account),
    Row("pages:grant_cancel", page(404, **for_admins(302)), "POST", arguments=grant),
    Row(
        "pages:rule_turn",
        page(404, **for_admins(302)),
        "POST",
        arguments=rule,
        body=because(action="pause"),
    ),
    Row("pages:group_credit_settings", page(404, **for_admins(200)), arguments=group),
    Row("pages:account_settings", page(404, **OWNER_TOO), arguments=own_account),
    Row("pages:account_settings", page(404, **for_admins(302)), arguments=shared_account),
    Row(
        "pages:account_change",
        page(404, **for_admins(302)),
        "POST",
        arguments=changing("status"),
        body=because(status="FROZEN"),
    ),
    Row(
        "pages:account_change",
        page(404, owner=403, operator=302),
        "POST",
        arguments=changing_own("status"),
        body=because(status="FROZEN"),
    ),
    Row(
        "pages:account_change",
        page(404, **{**for_admins(403), "operator": 302}),
        "POST",
        arguments=changing("limit"),
        body=because(limit="1"),
    ),
    Row(
        "pages:account_change",
        page(404, owner=302, operator=302),
        "POST",
        arguments=changing_own("policy"),
        body=because(policy="UP_TO_BALANCE"),
    ),
    Row("pages:operator_accounts", page(404, operator=200)),
    Row("api:account-balance", door(404, **for_admins(200, 200)), arguments=shared_account),
    Row("api:account-balance", door(404, **OWNER_TOO), arguments=own_account),
    Row("api:account-grants", door(404, **for_admins(200)), arguments=shared_account),
    Row("api:account-grants", door(404, **OWNER_TOO), arguments=own_account),
    Row(
        "api:account-grants",
        door(404, **for_admins(201)),
        "POST",
        arguments=shared_account,
        body=transfer,
    ),
    Row(
        "api:account-grants",
        door(404, owner=403, operator=201),
        "POST",
        arguments=own_account,
        body=lambda _: {"amount": "1", "reason": "test"},
    ),
    # A member was given it; another member sees the group, not what it gives to others.
    Row("api:grant-detail", door(404, **{**for_admins(200), MEMBER: 200}), arguments=grant),
    Row("api:rule", door(404, **{**for_admins(200), MEMBER: 200}), arguments=rule),
    Row("api:grant", door(404, **for_admins(200)), "POST", arguments=grant),
    Row("api:account-rules", door(404, **for_admins(200)), arguments=shared_account),
    Row(
        "api:account-rules",
        door(404, **for_admins(201)),
        "POST",
        arguments=shared_account,
        body=lambda s: {**transfer(s), "every": "MONTH"},
    ),
    Row(
        "api:rule",
        door(404, **for_admins(200)),
        "PATCH",
        arguments=rule,
        body=because(action="pause"),
    ),
    Row("api:account-alerts", door(404, **for_admins(200)), arguments=shared_account),
    Row(
        "api:account-alerts",
        door(404, owner=201, operator=201),
        "POST",
        arguments=own_account,
        body=lambda _: {"percent": 10},
    ),
    Row("api:account-alert", door(404, **for_admins(204)), "DELETE", arguments=alert),
    Row(
        "api:account-status",
        door(404, **for_admins(200)),
        "PUT",
        arguments=shared_account,
        body=because(status="FROZEN"),
    ),
    Row(
        "api:account-credit-limit",
        door(404, **{**for_admins(403), "operator": 200}),
        "PUT",
        arguments=shared_account,
        body=because(limit="1"),
    ),
    Row(
        "api:account-overrun-policy",
        door(404, **OWNER_TOO),
        "PUT",
        arguments=own_account,
        body=because(policy="UP_TO_BALANCE"),
    ),
    Row("api:account-changes", door(404, **for_admins(200)), arguments=shared_account),
)
