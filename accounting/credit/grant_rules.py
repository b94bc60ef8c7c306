"""Credit that comes again each period: rules, and the grant of each period.

Each period of a rule has one grant, whose key is made of both, however often and however late the
rules are run. Only the present period is given: what fell into a time in which the portal did not
run is not made up for. The first period is the one in which the rule begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounting.accounts import record
from accounting.credit.grants import FARTHEST, check_times, must_give, own_key
from accounting.credit.periods import start_of
from accounting.inputs import again, positive, reason_of
from accounting.ledger import lock
from accounting.models import Account, Grant, GrantRule, GrantState, Period
from common.clock import now
from common.errors import Conflict, InvalidInput
from people.models import User

BATCH = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """How often how much: micro-credits each period, from and until; `lifetime_days` of each."""

    every: str
    amount: int
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    lifetime_days: int | None = None


def make_rule(
    *,
    actor: User,
    account: Account,
    plan: Plan,
    reason: str,
    key: str,
    source: Account | None = None,
) -> GrantRule:
    """Give credit each period from the plan's start (now) on; the first comes with the next run.

    The same `key` of the same actor again has no second effect. Raises as `grants.give` does.
    """
    must_give(actor, account, source)
    if plan.every not in Period.values:
        raise InvalidInput(_("There is no such period."), locator="every")
    at = now()
    starts_at = plan.starts_at or at
    check_times(starts_at, plan.ends_at, end="ends_at")
    if plan.lifetime_days is not None and not 0 < plan.lifetime_days <= FARTHEST.days:
        raise InvalidInput(_("Give a number of days."), locator="lifetime_days")
    values = {
        "account": account,
        "source": source,
        "amount": positive(plan.amount),
        "every": plan.every,
        "ends_at": plan.ends_at,
        "lifetime_days": plan.lifetime_days,
        "reason": reason_of(reason),
    }
    rest = {"starts_at": starts_at, "created_by": actor, "created_at": at}
    with transaction.atomic():
        lock(account)
        rule, created = GrantRule.objects.get_or_create(
            key=own_key("rule", actor, key), defaults={**values, **rest}
        )
    if created:
        return rule
    # Without a start it began with its first request.
    values["starts_at"] = plan.starts_at or rule.created_at
    if any(getattr(rule, name) != value for name, value in values.items()):
        raise Conflict(_("This key stands for another rule already."))
    return again(rule)


def change_rule(
    *, actor: User, rule: GrantRule, action: Literal["pause", "resume", "end"], reason: str
) -> GrantRule:
    """Let a rule rest, go on, or end it for ever; what it gave stays.

    The period in which it goes on is given unless it was. Raises Forbidden, InvalidInput, and
    Conflict for a rule that has ended.
    """
    must_give(actor, rule.account, rule.source, member=False)
    at = now()
    with transaction.atomic():
        found = GrantRule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
        if found.ends_at is not None and found.ends_at <= at:
            raise Conflict(_("This rule has ended."))
        if action not in ("pause", "resume", "end"):
            raise InvalidInput(_("There is no such action."), locator="action")
        found.active = action == "resume"
        if action == "end":
            found.ends_at = at
        found.save(update_fields=["active", "ends_at"])
        if action != "resume":  # made anew when the rule goes on in the same period
            Grant.objects.filter(rule=found, state=GrantState.SCHEDULED).delete()
        concerned = found.source or found.account
        record(concerned, actor, "grant_rule", {"rule": found.pk}, {"action": action}, reason)
    return found


def run_rules(at: datetime) -> int:
    """Schedule the grant of the present period of each rule that has none; returns how many.

    `issue_due` books them.
    """
    alive = Q(ends_at=None) | Q(ends_at__gt=at)
    rules = GrantRule.objects.filter(alive, active=True, starts_at__lte=at).order_by("pk")
    rows = rules.iterator(chunk_size=BATCH)
    made = 0
    while batch := list(islice(rows, BATCH)):
        made += _schedule(batch, at)
    return made


def rules_of(account: Account) -> QuerySet[GrantRule]:
    """The rules that give to the account or from it, newest first."""
    rules = GrantRule.objects.filter(Q(account=account) | Q(source=account))
    return rules.select_related("account", "source", "created_by").order_by("-pk")


def period_key(rule: GrantRule, at: datetime) -> str:
    """What names the grant of the period that contains `at`."""
    return f"rule:{rule.pk}:{rule.every}:{start_of(rule.every, at):%Y-%m-%d}"


def _schedule(rules: list[GrantRule], at: datetime) -> int:
    by_key = {period_key(rule, at): rule for rule in rules}
    known = Grant.objects.filter(key__in=by_key).values_list("key", flat=True)
    for key in set(known):
        del by_key[key]
    # Another worker may run at the same moment: the key lets one of the two grants in.
    Grant.objects.bulk_create(
        [_grant(rule, key, at) for key, rule in by_key.items()], ignore_conflicts=True
    )
    return len(by_key)


def _grant(rule: GrantRule, key: str, at: datetime) -> Grant:
    starts_at = max(start_of(rule.every, at), rule.starts_at)
    days = rule.lifetime_days
    return Grant(
        account_id=rule.account_id,
        source_id=rule.source_id,
        rule=rule,
        key=key,
        amount=rule.amount,
        starts_at=starts_at,
        expires_at=None if days is None else starts_at + timedelta(days=days),
        reason=rule.reason,
        created_by_id=rule.created_by_id,
        created_at=now(),
    )
