"""Monthly statements: every finished month (UTC) of every account, closed once and for ever.

Which month an entry belongs to is decided by its version, never by looking at the clock again: a
month takes the entries after the month before, up to the first one that was created at or after
its end. So a posting lands in exactly one month, a month never changes, and the sums of all months
are the balance. A posting that was created in time, and came behind one of the next month or after
the closing, is in the next month with its own time. `effective_at` decides nothing.

The account's row is locked for the moment in which the booked version is read: whatever is being
booked then is waited for, and everything later is above that version. Sums and hashes are computed
without a lock, as committed entries never change.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Exists, Min, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from accounting.models import Account, Entry, MonthlyStatement, Seal
from accounting.statements.months import begin, month_of, shifted
from accounting.statements.seals import seal
from common.clock import now
from common.errors import NotFound

log = structlog.get_logger(__name__)

_BATCH = 50  # accounts that are locked together, for a moment


def close_due(at: datetime) -> int:
    """Close every month that ended at or before `at`, of every account that had an entry by then.

    The number of statements written. Any number of workers may do so at once, and after any
    downtime: each month is closed once, in order. An account whose books are damaged stops no
    other; its failure is logged.
    """
    running = month_of(at)
    written = 0
    for account in _locked_in_turn(_due(running)):
        try:
            written += _close_account(account, running)
        except Exception:
            log.exception("statement_not_closed", account=account.code)
    return written


def running(account: Account) -> MonthlyStatement:
    """The month that is not closed yet, as it stands: unsaved, without a seal.

    It begins after the last closed month, and so has also what waits for a closing that is late.
    """
    newest = _newest(account)
    booked = Account.objects.values_list("version", flat=True).get(pk=account.pk)
    return _summed(account, month_of(now()), newest, booked)


def statement_of(account: Account, month: date) -> MonthlyStatement:
    """The closed statement of a month, or the running one (unsaved).

    Raises NotFound for a month before the first entry, after the running one, or not closed yet.
    """
    closed = account.monthly_statements.select_related("seal").filter(month=month).first()
    if closed is not None:
        return closed
    if month != month_of(now()):
        raise NotFound(_("There is no statement of this month."))
    return running(account)


def _due(running: date) -> QuerySet[Account]:
    """The accounts with a finished month that is not closed. One statement, along indexes."""
    here = {"account": OuterRef("pk")}
    closed = MonthlyStatement.objects.filter(**here, month=shifted(running, -1))
    begun = Entry.objects.filter(**here, version=1, transfer__created_at__lt=begin(running))
    accounts = Account.objects.filter(version__gt=0)
    return accounts.filter(~Exists(closed), Exists(begun)).order_by("pk")


def _locked_in_turn(accounts: QuerySet[Account]) -> Iterator[Account]:
    """The accounts with the version that was booked when all that was on its way had arrived."""
    ids = list(accounts.values_list("pk", flat=True))
    for place in range(0, len(ids), _BATCH):
        with transaction.atomic():
            rows = Account.objects.select_for_update(no_key=True)
            rows = rows.filter(pk__in=ids[place : place + _BATCH])
            locked = list(rows.order_by("pk"))
        yield from locked


def _close_account(account: Account, running: date) -> int:
    """Close the account's finished months in order; how many were closed here."""
    newest, written = _newest(account), 0
    month = shifted(newest.month, 1) if newest else _first_month(account)
    while month < running:
        made = _close_month(account, month, newest)
        written += made
        newest = _newest(account)  # another worker's, where it was faster
        month = shifted(month, 1)
    return written


def _close_month(account: Account, month: date, newest: MonthlyStatement | None) -> bool:
    after = newest.last_version if newest else 0
    last = _last_version(account, after, begin(shifted(month, 1)))
    found = _summed(account, month, newest, last)
    found.seal = _seal_over(account, last)
    found.closed_at = now()
    try:
        with transaction.atomic():
            found.save(force_insert=True)
    except IntegrityError:
        if not account.monthly_statements.filter(month=month).exists():
            raise
        return False
    return True


def _newest(account: Account) -> MonthlyStatement | None:
    return account.monthly_statements.order_by("-month").first()


def _first_month(account: Account) -> date:
    first = Entry.objects.select_related("transfer").get(account=account, version=1)
    return month_of(first.transfer.created_at)


def _last_version(account: Account, after: int, end: datetime) -> int:
    """The last entry before the first one that was created at or after the end of the month."""
    if account.version <= after:
        return after
    later = _between(account, after, account.version).filter(transfer__created_at__gte=end)
    first: int | None = later.aggregate(first=Min("version"))["first"]
    return account.version if first is None else first - 1


def _summed(
    account: Account, month: date, before: MonthlyStatement | None, last: int
) -> MonthlyStatement:
    """The unsaved statement of what was booked after the one before, up to version `last`."""
    after, opening = (before.last_version, before.closing) if before else (0, 0)
    sums = _between(account, after, last).aggregate(
        credits=Sum("amount", filter=Q(amount__gt=0), default=0),
        debits=Sum("amount", filter=Q(amount__lt=0), default=0),
    )
    return MonthlyStatement(
        account=account,
        month=month,
        opening=opening,
        credits=sums["credits"],
        debits=-sums["debits"],
        closing=opening + sums["credits"] + sums["debits"],
        first_version=after + 1,
        last_version=last,
    )


def _between(account: Account, after: int, last: int) -> QuerySet[Entry, Any]:
    return Entry.objects.filter(account=account, version__gt=after, version__lte=last)


def _seal_over(account: Account, version: int) -> Seal:
    """The seal that covers an entry, made if there is none yet."""
    seal(account, up_to=version)
    return account.seals.get(from_version__lte=version, to_version__gte=version)
