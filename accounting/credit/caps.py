"""The limits of members: one row per period, of which the newest is the rule.

The database counts (migrations/limit_triggers), and begins the row of a later period.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import F, Value
from django.db.models.functions import Greatest

from accounting.credit.periods import start_of
from accounting.models import Account, MemberCap
from common.clock import now

ALWAYS = date(1970, 1, 1)  # begins the period of a limit that has none


def period_start(period: str, moment: datetime) -> date:
    """The first day, in UTC, of the period ("", MONTH, QUARTER, YEAR) that the moment lies in."""
    return start_of(period, moment).date() if period else ALWAYS


def cap_of(account: Account, member_id: int, at: datetime | None = None) -> MemberCap | None:
    """The member's limit on the account and what counts in the period of `at` (now).

    None if there is none. Not saved where nothing was spent in that period yet.
    """
    rows = MemberCap.objects.filter(account=account, member_id=member_id).order_by("-pk")
    rule = rows.first()
    if rule is None:
        return None
    start = period_start(rule.period, at or now())
    if start >= rule.period_start:
        return _in_period(rule, start)
    return rows.filter(period=rule.period, period_start=start).first()


def caps_of(account: Account) -> dict[int, MemberCap]:
    """The limits on the account by member id, with what counts in the present period."""
    at = now()
    newest = {cap.member_id: cap for cap in account.caps.order_by("pk")}
    return {
        member_id: _in_period(rule, period_start(rule.period, at))
        for member_id, rule in newest.items()
    }


def begin(account: Account, member_id: int, limit: int, period: str) -> MemberCap:
    """Make this the rule from the present period on; the caller has locked the account.

    Rows of other periods, and of earlier rules, stay and go on counting.
    """
    rows = MemberCap.objects.filter(account=account, member_id=member_id)
    # A clock may be behind the one that dated the latest transfer.
    latest = account.debits.order_by("-created_at").values_list("created_at", flat=True).first()
    start = period_start(period, max(now(), latest or now()))
    rule = rows.order_by("-pk").first()
    if rule is not None and (rule.period, rule.period_start) == (period, start):
        above = Greatest(Value(0), F("used") + F("held") - Value(limit))
        rows.filter(pk=rule.pk).update(limit_amount=limit, overrun=above)
    else:
        rows.filter(period=period, period_start=start).delete()
        rule = rows.create(
            account=account,
            member_id=member_id,
            period=period,
            period_start=start,
            limit_amount=limit,
        )
    return rows.get(pk=rule.pk)


def _in_period(rule: MemberCap, start: date) -> MemberCap:
    if start <= rule.period_start:
        return rule
    return MemberCap(
        account_id=rule.account_id,
        member_id=rule.member_id,
        period=rule.period,
        period_start=start,
        limit_amount=rule.limit_amount,
    )
