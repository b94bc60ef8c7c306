"""The bill of a job: opened with its hold, told what becomes of the job, settled from its usage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounting import ledger, matching
from accounting.accounts import provider_account
from accounting.models import BillState, JobBill, Phase, Quote, TransferKind
from accounting.settlement import UNSETTLED, lock_bills, release, settle, transfer_id
from common import clock
from common.errors import Conflict, NotFound, PortalError

log = structlog.get_logger(__name__)

SWEEPER = "sweeper"


@transaction.atomic
def open_bill(
    *,
    job_id: UUID,
    quote: Quote,
    charge_unsuccessful: bool,
    actor: str,
    provider_name: str = "",
) -> JobBill:
    """Hold the quoted price on the account that pays, for this job; a free job holds nothing.

    `provider_name` is what statements call the provider. Belongs into the transaction that submits
    the job. The same call again gives the same bill.
    Raises InsufficientCredit, MemberLimitReached; Conflict when the account is not open, or the job
    has another quote already.
    """
    earlier = JobBill.objects.filter(pk=job_id).first()
    if earlier is not None:
        if earlier.quote_id != quote.pk:
            raise Conflict(_("This job has another quote already."))
        return earlier
    hold_id = transfer_id(f"hold:{job_id}") if quote.total else None
    moment = clock.now()
    # Before the hold: the account, which others wait for, is locked as late as can be.
    bill = JobBill.objects.create(
        job_id=job_id,
        quote=quote,
        account_id=quote.account_id,
        member_id=quote.member_id,
        provider_id=quote.provider_id,
        service_id=quote.service_id,
        price_list_id=quote.price_list_id,
        charge_unsuccessful=charge_unsuccessful,
        hold_id=hold_id,
        state=BillState.OPEN if hold_id else BillState.FREE,
        created_at=moment,
    )
    if hold_id:
        ledger.post(
            id=hold_id,
            phase=Phase.PENDING,
            kind=TransferKind.HOLD,
            debit=quote.account,
            credit=provider_account(quote.provider_id, provider_name),
            amount=quote.total,
            member_id=quote.member_id,
            actor=actor,
            reference=str(job_id),
            expires_at=moment + timedelta(seconds=settings.USAGE_WAIT_SECONDS),
        )
    return bill


@transaction.atomic
def job_dispatched(job_id: UUID, provider_job_id: str) -> JobBill:
    """Note the provider's own identifier of the job; usage that named it before is taken up now.

    Raises NotFound when the job has no bill.
    """
    bill = _locked(job_id)
    provider_job_id = provider_job_id[:255]
    if provider_job_id and bill.provider_job_id != provider_job_id:
        bill.provider_job_id = provider_job_id
        bill.save(update_fields=("provider_job_id",))
        if matching.take_up(bill):
            settle([bill])
    return bill


@transaction.atomic
def job_ended(job_id: UUID, *, successful: bool) -> JobBill:
    """Settle the bill of a job that is at its end; the first call counts.

    Usage is there: min(used, hold) is charged and the rest released. Not there: the hold waits for
    it. Not successful: all is released, unless the provider charges that too.
    Raises NotFound when the job has no bill.
    """
    bill = _locked(job_id)
    if bill.ended_at is None:
        bill.ended_at = clock.now()
        bill.successful = successful
        bill.save(update_fields=("ended_at", "successful"))
        matching.take_up(bill)
        settle([bill])
    return bill


@transaction.atomic
def release_bill(job_id: UUID, *, reason: str, actor: str) -> JobBill:
    """Give the hold back; usage that is or will be reported for the job is not charged.

    Nothing is held (free, or released already): no effect. Raises NotFound when the job has no
    bill, Conflict when it is charged.
    """
    bill = _locked(job_id)
    if bill.state == BillState.CHARGED:
        raise Conflict(_("This job is charged already; a refund gives back what was charged."))
    if bill.state in UNSETTLED:
        release(bill, reason=reason, actor=actor)
        bill.state = BillState.RELEASED
        settle([bill])
    return bill


def expire_bills(now: datetime) -> int:
    """Release the holds whose usage did not come within USAGE_WAIT_SECONDS of the job's end.

    Before that, usage is taken up that arrived while its job was being handed over. Returns how
    many holds were released.
    """
    late = JobBill.objects.filter(
        state=BillState.AWAITING_USAGE,
        ended_at__lte=now - timedelta(seconds=settings.USAGE_WAIT_SECONDS),
    )
    for job_id in matching.overlooked():
        _apart(_take_up, job_id)
    return sum(_apart(_expire, job_id) for job_id in list(late.values_list("pk", flat=True)))


def _apart(act: Callable[[UUID], bool], job_id: UUID) -> bool:
    """In a transaction of its own: a bill that cannot be settled does not stop the others."""
    try:
        with transaction.atomic():
            return act(job_id)
    except PortalError as error:
        log.exception("bill.sweep_failed", job_id=str(job_id), error=error.code)
        return False


def _take_up(job_id: UUID) -> bool:
    bill = _locked(job_id)
    found = matching.take_up(bill) > 0
    if found:
        settle([bill])
    return found


def _expire(job_id: UUID) -> bool:
    if _locked(job_id).state != BillState.AWAITING_USAGE:
        return False  # its usage came just now
    release_bill(job_id, reason=_("no usage was reported in time"), actor=SWEEPER)
    return True


def _locked(job_id: UUID) -> JobBill:
    found = lock_bills([job_id])
    if not found:
        raise NotFound(_("This job has no bill."))
    return found[0]
