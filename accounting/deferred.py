"""What could not be charged or given back since an account was not open: done when it is.

Freezing an account puts off what its bills come to, and does not cancel it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from django.db import transaction
from django.db.models import Model, Q, QuerySet

from accounting.models import Account, AccountKind, AccountStatus, JobBill, UsageBill
from accounting.settlement import lock_bills, settle_jobs
from accounting.usage import jobless
from common.errors import PortalError

log = structlog.get_logger(__name__)

AT_ONCE = 500  # of each kind of bill
Bill = TypeVar("Bill", JobBill, UsageBill)
T = TypeVar("T")


def settle_deferred(account: Account | None = None) -> None:
    """Settle what waits for accounts that are open now: of one account, or of all (the sweep).

    At most AT_ONCE bills of each kind; the rest with the next sweep. Idempotent.
    """
    for job_id in _ripe(JobBill.objects.all(), account).values_list("pk", flat=True)[:AT_ONCE]:
        apart(_settle_job, job_id)
    for bill in _ripe(UsageBill.objects.all(), account)[:AT_ONCE]:
        apart(jobless.settle_deferred, bill)


def when_opened(sender: type[Model], account: Account, **given: Any) -> None:
    """Receiver of `accounts.opened`: nobody spends first what is owed."""
    del sender, given
    settle_deferred(account)


def apart(act: Callable[[T], bool | None], subject: T) -> bool:
    """In a transaction of its own: what cannot be settled does not stop the others."""
    try:
        with transaction.atomic():
            return bool(act(subject))
    except PortalError as error:
        log.exception("bill.sweep_failed", subject=str(subject), error=error.code)
        return False


def _ripe(bills: QuerySet[Bill], account: Account | None) -> QuerySet[Bill]:
    """The bills whose accounts let by now what they refused: payers to charge, providers to refund.

    A frozen account receives, a closed one does not.
    """
    shut = Account.objects.exclude(status=AccountStatus.OPEN)
    providers = shut.filter(kind=AccountKind.PROVIDER).values_list("code", "status")
    closed = [_provider_id(code) for code, status in providers if status == AccountStatus.CLOSED]
    charges = Q(deferred__gt=0, account__status=AccountStatus.OPEN) & ~Q(provider_id__in=closed)
    refunds = Q(deferred__lt=0) & ~Q(account__status=AccountStatus.CLOSED)
    refunds &= ~Q(provider_id__in=[_provider_id(code) for code, _status in providers])
    found = bills.exclude(deferred=0).filter(charges | refunds).order_by("pk")
    if account is None:
        return found
    if account.kind == AccountKind.PROVIDER:
        return found.filter(provider_id=_provider_id(account.code))
    return found.filter(account=account)


def _provider_id(code: str) -> int:
    return int(code.removeprefix("provider:"))


def _settle_job(job_id: Any) -> None:
    lock_bills([job_id])
    settle_jobs(job_id)
