"""Changes of an account's rules in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import gettext as _

from accounting.models import AccountChange, AccountStatus, OverrunPolicy
from common.money import show

register = template.Library()


def number_of(actor: str) -> int | None:
    """The id of the user whom the books name so; None for somebody else."""
    kind, _colon, number = actor.partition(":")
    return int(number) if kind == "user" and number.isdigit() else None


@register.filter
def person(actor: str, names: Mapping[int, str]) -> str:
    """The name of whom the books name so."""
    return names.get(number_of(actor) or 0, actor)


@register.filter
def change_words(change: AccountChange, names: Mapping[int, str]) -> str:
    """What was changed, from what to what; `names` are those of members."""
    if change.what == "cap":
        return _cap(change.before, change.after, names)
    words = _WORDS.get(change.what)
    if words is None:
        return change.what.replace("_", " ")
    return words(change.before, change.after)


def _status(before: Any, after: Any) -> str:
    labels = AccountStatus(before).label, AccountStatus(after["status"]).label
    return _("State: %(before)s → %(after)s") % {"before": labels[0], "after": labels[1]}


def _limit(before: Any, after: Any) -> str:
    facts = {"before": show(before), "after": show(after)}
    return _("Credit limit: %(before)s → %(after)s") % facts


def _policy(before: Any, after: Any) -> str:
    facts = {"before": OverrunPolicy(before).label, "after": OverrunPolicy(after).label}
    return _("Overrun: %(before)s → %(after)s") % facts


def _alert(before: Any, after: Any) -> str:
    told = before or after
    threshold = f"{told['percent']} %" if told["percent"] else show(told["amount"])
    text = _("Alert below %(threshold)s added") if after else _("Alert below %(threshold)s removed")
    return text % {"threshold": threshold}


def _rule(before: Any, after: Any) -> str:
    words = {"pause": _("paused"), "resume": _("resumed"), "end": _("ended")}
    facts = {"number": before["rule"], "what": words[after["action"]]}
    return _("Rule %(number)s %(what)s") % facts


def _cap(before: Any, after: Any, names: Mapping[int, str]) -> str:
    facts = {
        "member": names.get(after["member"], after["member"]),
        "before": _cap_words(before),
        "after": _cap_words(after),
    }
    return _("Limit of %(member)s: %(before)s → %(after)s") % facts


def _cap_words(cap: Any) -> str:
    if cap["limit"] is None:
        return _("none")
    periods = {"MONTH": _("per month"), "QUARTER": _("per quarter"), "YEAR": _("per year")}
    return f"{show(cap['limit'])} {periods.get(cap.get('period', ''), '')}".strip()


_WORDS = {
    "status": _status,
    "credit_limit": _limit,
    "overrun_policy": _policy,
    "alert": _alert,
    "grant_rule": _rule,
}
