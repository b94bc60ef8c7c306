"""Mail when the credit of an account gets low: once, and again after it was above.

A threshold is an amount, or a percentage of what was available after the latest credit came in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, Case, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounting.accounts import must_configure, record
from accounting.ledger import lock
from accounting.models import Account, AccountKind, Alert, AlertRule, Entry, Transfer, TransferKind
from accounting.models.ledger import MOST
from accounting.requests.letters import answerable_for, tell
from common import money
from common.clock import now
from common.errors import Conflict, InvalidInput
from people.models import User

MOST_RULES = 5
BATCH = 500
_LOW = gettext_lazy(
    "%(available)s credits are available on the account %(account)s. That is below %(threshold)s,"
    " of which you asked to be told."
)
WHOLE = 100


def add_rule(
    *, actor: User, account: Account, amount: int | None = None, percent: int | None = None
) -> AlertRule:
    """Tell who manages the account when its available credit falls below a threshold.

    One of `amount` (micro-credits) and `percent`. Below it already: tells with the next watch.
    Raises Forbidden, InvalidInput, Conflict for a threshold that is there and for too many.
    """
    must_configure(actor, account)
    _check(amount, percent)
    if account.kind not in (AccountKind.USER, AccountKind.GROUP):
        raise InvalidInput(_("Nobody would be told."), locator="account")
    rule = AlertRule(
        account=account, amount=amount, percent=percent, created_by=actor, created_at=now()
    )
    try:
        with transaction.atomic():
            lock(account)  # so that the count below stays true
            if AlertRule.objects.filter(account=account).count() >= MOST_RULES:
                raise Conflict(_("Remove an alert first; %(n)s are enough.") % {"n": MOST_RULES})
            rule.save()
            told = {"amount": amount, "percent": percent}
            record(account, actor, "alert", None, told, _("added"))
    except IntegrityError as error:
        raise Conflict(_("This alert is there already.")) from error
    return rule


def remove_rule(*, actor: User, rule: AlertRule) -> None:
    """No longer tell. Raises Forbidden."""
    must_configure(actor, rule.account)
    with transaction.atomic():
        lock(rule.account)
        told = {"amount": rule.amount, "percent": rule.percent}
        record(rule.account, actor, "alert", told, None, _("removed"))
        rule.delete()


def with_thresholds(rules: QuerySet[AlertRule]) -> QuerySet[AlertRule]:
    """The rules with `threshold` and `available`, in micro-credits, as they are now.

    `threshold` is None for a percentage of an account that no credit ever came to.
    """
    into = Transfer.objects.filter(credit=OuterRef("account")).exclude(kind=TransferKind.REFUND)
    latest = into.order_by("-created_at", "-id").values("pk")[:1]
    entry = Entry.objects.filter(account=OuterRef("account"), transfer=Subquery(latest))
    floor = Coalesce(F("account__floor"), Value(0), output_field=BigIntegerField())
    base = Subquery(entry.values("balance_after")[:1], output_field=BigIntegerField()) - floor
    return rules.annotate(
        threshold=Case(
            When(percent=None, then=F("amount")),
            default=base * F("percent") / WHOLE,
            output_field=BigIntegerField(),
        ),
        available=F("account__posted") - F("account__held") - floor,
    )


def watch(at: datetime) -> int:
    """Fire the alerts whose account is below the threshold, re-arm those above; returns how many
    fired."""
    changed = Q(armed=True, available__lt=F("threshold"))
    changed |= Q(armed=False, available__gte=F("threshold"))
    fired = 0
    while rules := list(with_thresholds(AlertRule.objects.all()).filter(changed)[:BATCH]):
        fired += _turn(rules, at)
    return fired


def _turn(rules: Sequence[AlertRule], at: datetime) -> int:
    """Turn each rule over, if nobody else did meanwhile; fire those that were armed."""
    fired = 0
    with transaction.atomic():
        for rule in rules:
            mine = AlertRule.objects.filter(pk=rule.pk, armed=rule.armed)
            if mine.update(armed=not rule.armed) and rule.armed:
                _fire(rule, at)
                fired += 1
    return fired


def _fire(rule: AlertRule, at: datetime) -> None:
    available: int = rule.available  # type: ignore[attr-defined]
    threshold: int = rule.threshold  # type: ignore[attr-defined]
    alert = Alert.objects.create(rule=rule, fired_at=at, available=available, threshold=threshold)
    account = Account.objects.get(pk=rule.account_id)
    facts = {
        "account": account,
        "available": money.show(available),
        "threshold": money.show(threshold),
    }
    tell(
        answerable_for(account),
        f"alert:{alert.pk}",
        subject=lambda: _("Credit of %(account)s is low") % facts,
        says=[lambda: _LOW % facts],
        path=f"/credit/{account.pk}/",
    )


def _check(amount: int | None, percent: int | None) -> None:
    if (amount is None) == (percent is None):
        raise InvalidInput(_("Give an amount or a percentage."), locator="amount")
    if amount is not None and not 0 < amount <= MOST:
        raise InvalidInput(_("The amount must be positive."), locator="amount")
    if percent is not None and not 0 < percent <= WHOLE:
        raise InvalidInput(_("Give a percentage from 1 to 100."), locator="percent")
