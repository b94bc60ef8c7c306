"""The rules of an account: alerts, freezing, overrun, credit limit; who changed what and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounting.access import account_for
from accounting.accounts import (
    group_account,
    set_credit_limit,
    set_overrun_policy,
    set_status,
)
from accounting.credit import alerts
from accounting.models import Account, AccountStatus, AlertRule, OverrunPolicy
from common.errors import InvalidInput, NotFound
from people.access import group_for, is_operator
from portal.pages.account_place import place_of
from portal.pages.feedback import told
from portal.pages.paging import page_of
from portal.pages.references import names_of_members
from portal.pages.typed import credits_in
from portal.templatetags.changes import number_of

if TYPE_CHECKING:
    from people.models import User


@login_required
@require_safe
def group_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """The rules of a group's account."""
    group = group_for(cast("User", request.user), slug, "manage")
    return _settings(request, group_account(group))


@login_required
@require_safe
def account_settings(request: HttpRequest, account_id: int) -> HttpResponse:
    """The rules of one's own account; operators: of any."""
    account = account_for(cast("User", request.user), account_id, "configure")
    if account.group is not None:
        return redirect(place_of(account, "settings"))
    return _settings(request, account)


@login_required
@require_POST
def change(request: HttpRequest, account_id: int, what: str) -> HttpResponse:
    """Change one of the rules: `what` is alert, no-alert, status, policy or limit."""
    actor = cast("User", request.user)
    account = account_for(actor, account_id, "configure")
    if what not in _CHANGES:
        raise NotFound
    act, done = _CHANGES[what]
    with told(request, str(done)):
        act(actor, account, request.POST)
    return redirect(place_of(account, "settings"))


def _add_alert(actor: User, account: Account, posted: Any) -> None:
    text = posted.get("value", "").strip()
    if posted.get("unit") == "percent":
        if not (text.isascii() and text.isdigit()) or len(text) > len("100"):
            raise InvalidInput(_("Give a percentage from 1 to 100."))
        alerts.add_rule(actor=actor, account=account, percent=int(text))
    else:
        alerts.add_rule(actor=actor, account=account, amount=credits_in(text))


def _remove_alert(actor: User, account: Account, posted: Any) -> None:
    number = posted.get("alert", "")
    if not (number.isascii() and number.isdigit()) or len(number) > len(str(2**62)) - 1:
        raise NotFound
    rule = AlertRule.objects.filter(account=account, pk=int(number)).first()
    if rule is None:
        raise NotFound
    alerts.remove_rule(actor=actor, rule=rule)


def _set_status(actor: User, account: Account, posted: Any) -> None:
    set_status(
        actor=actor,
        account=account,
        status=posted.get("status", ""),
        reason=posted.get("reason", ""),
    )


def _set_policy(actor: User, account: Account, posted: Any) -> None:
    set_overrun_policy(
        actor=actor,
        account=account,
        policy=posted.get("policy", ""),
        reason=posted.get("reason", ""),
    )


def _set_limit(actor: User, account: Account, posted: Any) -> None:
    limit = credits_in(posted.get("limit", ""))
    set_credit_limit(actor=actor, account=account, limit=limit, reason=posted.get("reason", ""))


_CHANGES: dict[str, tuple[Any, Any]] = {
    "alert": (_add_alert, _("The alert is set.")),
    "no-alert": (_remove_alert, _("The alert is removed.")),
    "status": (_set_status, _("The account's state is changed.")),
    "policy": (_set_policy, _("The overrun policy is changed.")),
    "limit": (_set_limit, _("The credit limit is changed.")),
}

_POLICIES = {
    OverrunPolicy.CAP_AT_HOLD: _("A job never costs more than was held for it."),
    OverrunPolicy.UP_TO_BALANCE: _(
        "What a job used beyond its hold is charged as far as there is credit."
    ),
    OverrunPolicy.DEBT: _("Everything that a job used is charged, below zero if need be."),
}


def _settings(request: HttpRequest, account: Account) -> HttpResponse:
    user = cast("User", request.user)
    operator = is_operator(user)
    page = page_of(request, account.changes.all())
    named = [number_of(change.actor) for change in page]
    named += [change.after["member"] for change in page if change.what == "cap"]
    rules = alerts.with_thresholds(AlertRule.objects.filter(account=account)).order_by("pk")
    context = {
        "account": account,
        "alerts": list(rules.prefetch_related("alerts")),
        "may_freeze": account.group is not None or operator,
        "frozen": account.status == AccountStatus.FROZEN,
        "operator": operator,
        "policies": [
            (policy, policy.label, _POLICIES[policy])
            for policy in OverrunPolicy
            if operator or policy != OverrunPolicy.DEBT or policy == account.overrun_policy
        ],
        "limit": -(account.floor or 0),
        "page": page,
        "names": names_of_members(named),
    }
    return render(request, "credit/settings.html", context)
