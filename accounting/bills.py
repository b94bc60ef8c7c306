"""The bill of a job: opened with its hold, told what becomes of the job, settled from its usage."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounting import ledger
from accounting.accounts import provider_account
from accounting.booking import transfer_key
from accounting.deferred import apart, settle_deferred
from accounting.models import Account, BillState, JobBill, Phase, Quote, TransferKind
from accounting.prices.pricing import rates_for
from accounting.settlement import UNSETTLED, release, settle_jobs
from accounting.usage import jobless, matching
from accounting.usage.rating import MEASURED, PRODUCT_OUT
from common import clock
from common.errors import Conflict, NotFound
from common.money import show
from common.prepared import Prepared, execute
from common.rows import insert, new, update

SWEEPER = "sweeper"


@transaction.atomic(savepoint=False)
def open_bill(
    *,
    job_id: UUID,
    quote: Quote,
    charge_unsuccessful: bool,
    actor: str,
    provider_name: str = "",
    payee: Account | None = None,
    ceiling: int | None = None,
) -> JobBill:
    """Hold the quoted price on the account that pays, for this job.

    Nothing is held for a job whose quote comes to 0. It is free when nothing that it can use has a
    price; else what it uses is charged as far as the account's overrun policy lets it.

    `ceiling` (micro-credits) is the most that the user would pay: it is held in place of the quote,
    so that a run that uses more than was estimated is covered. `provider_name` is what statements
    call the provider; `payee` is its account, where that is known. Belongs into the transaction
    that submits the job, which every refusal ends. The same call again gives the same bill. Raises
    InsufficientCredit, MemberLimitReached; Conflict when the account is not open, the quote is
    above the ceiling, or the job has another quote already.
    """
    if ceiling is not None and ceiling < quote.total:
        if earlier := _opened(job_id, quote):
            return earlier
        raise Conflict(
            _("This would cost %(price)s credits; you would pay at most %(ceiling)s.")
            % {"price": show(quote.total), "ceiling": show(ceiling)},
            required=show(quote.total),
            max_cost=show(ceiling),
        )
    held = to_hold(quote, ceiling)
    hold_id = UUID(transfer_key("hold", str(job_id))) if held else None
    state = BillState.OPEN if hold_id or _may_cost(quote) else BillState.FREE
    moment = clock.now()
    # Before the hold: the account, which others wait for, is locked as late as can be.
    bill = new(
        JobBill,
        job_id=job_id,
        quote=quote,
        account_id=quote.account_id,
        member_id=quote.member_id,
        provider_id=quote.provider_id,
        service_id=quote.service_id,
        price_list_id=quote.price_list_id,
        charge_unsuccessful=charge_unsuccessful,
        limit_amount=held,
        overrun_policy=quote.account.overrun_policy,
        hold_id=hold_id,
        state=state,
        created_at=moment,
    )
    if not insert(bill, unless="job_id"):
        return _opened(job_id, quote) or bill
    if state == BillState.FREE:
        return bill
    # A charge needs it, hold or not.
    payee = payee or provider_account(quote.provider_id, provider_name)
    if hold_id:
        ledger.post(
            id=hold_id,
            phase=Phase.PENDING,
            kind=TransferKind.HOLD,
            debit=quote.account,
            credit=payee,
            amount=held,
            member_id=quote.member_id,
            actor=actor,
            reference=str(job_id),
            expires_at=moment + timedelta(seconds=settings.USAGE_WAIT_SECONDS),
        )
    return bill


def _opened(job_id: UUID, quote: Quote) -> JobBill | None:
    """The bill that the job has already. Raises Conflict when that is for another quote."""
    bill = JobBill.objects.filter(pk=job_id).first()
    if bill is not None and bill.quote_id != quote.pk:
        raise Conflict(_("This job has another quote already."))
    return bill


def to_hold(quote: Quote, ceiling: int | None) -> int:
    """What is held for a job: the quote, or the higher ceiling where anything has a price."""
    return max(quote.total, ceiling or 0) if quote.lines else quote.total


def _may_cost(quote: Quote) -> bool:
    """Whether anything that the job was quoted for, or that usage may say of it, has a price."""
    rates = rates_for(quote.price_list, quote.service_id, provider_id=quote.provider_id)
    units = MEASURED | {PRODUCT_OUT} | {line["unit"] for line in quote.lines}
    return any(rate.unit in units and (rate.price or rate.minimum) for rate in rates)


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
        if jobless.take_up(bill):
            _settle(bill)
    return bill


def job_ended(job_id: UUID, *, successful: bool, products_out: int | None = None) -> JobBill:
    """Settle the bill of a job that is at its end; the first call counts.

    Usage is there: what was used is charged, as far above the hold as the account's overrun policy
    lets it, and the rest released. Not there: the hold waits for it. Not successful: all is
    released, unless the provider charges that too. `products_out` is how many results there are.
    Raises NotFound when the job has no bill.
    """
    with transaction.atomic(savepoint=False):
        bill = _LOCKED.one(job_id)
        if bill is not None and bill.ended_at is None:
            bill.ended_at = clock.now()
            bill.successful = successful
            bill.products_out = products_out
            if not _awaits_usage(bill):
                update(bill, _ENDED)
                jobless.take_up(bill)
                _settle(bill)
    return _known(bill)


_ENDED = ("ended_at", "successful", "products_out")


def _awaits_usage(bill: JobBill) -> bool:
    """Write the end of a locked bill for which nothing was reported yet, as nearly always, in one
    statement: settling would come to the same. False when something else is to be done."""
    if not (bill.successful or bill.charge_unsuccessful):
        return False
    values = [bill.ended_at, bill.successful, bill.products_out, bill.pk]
    if execute(_AWAIT, values).rowcount == 0:
        return False
    if bill.state == BillState.OPEN:
        bill.state = BillState.AWAITING_USAGE
    return True


_AWAIT = """
UPDATE acc_job_bill SET ended_at = %s, successful = %s, products_out = %s,
       state = CASE state WHEN 'OPEN' THEN 'AWAITING_USAGE' ELSE state END
 WHERE job_id = %s AND state IN ('OPEN', 'FREE') AND used = 0 AND uncharged = 0 AND deferred = 0
   AND NOT EXISTS (SELECT 1 FROM acc_usage_record r WHERE r.bill_id = acc_job_bill.job_id)
   AND (provider_job_id = '' OR NOT EXISTS (
     SELECT 1 FROM acc_usage_record r WHERE r.provider_id = acc_job_bill.provider_id
        AND r.local_job_id = acc_job_bill.provider_job_id AND r.bill_id IS NULL))
"""


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
        bill.save(update_fields=("state", "settled_at"))
        _settle(bill)
    return bill


def expire_bills(now: datetime) -> int:
    """Release the holds whose usage did not come within USAGE_WAIT_SECONDS of the job's end.

    Before that, usage is taken up that arrived while its job was being handed over, and what waits
    for accounts that are open by now is settled. Returns how many bills were released.
    """
    late = JobBill.objects.filter(
        state=BillState.AWAITING_USAGE,
        ended_at__lte=now - timedelta(seconds=settings.USAGE_WAIT_SECONDS),
    )
    for job_id in matching.overlooked():
        apart(_take_up, job_id)
    settle_deferred()
    return sum(apart(_expire, job_id) for job_id in list(late.values_list("pk", flat=True)))


def _take_up(job_id: UUID) -> bool:
    jobless.reserve(
        JobBill.objects.filter(pk=job_id).values_list("provider_id", flat=True), alone=True
    )
    bill = _locked(job_id)
    found = jobless.take_up(bill) > 0
    if found:
        _settle(bill)
    return found


def _expire(job_id: UUID) -> bool:
    if _locked(job_id).state != BillState.AWAITING_USAGE:
        return False  # its usage came just now
    release_bill(job_id, reason=_("no usage was reported in time"), actor=SWEEPER)
    return True


def _locked(job_id: UUID) -> JobBill:
    return _known(_LOCKED.one(job_id))


def _known(bill: JobBill | None) -> JobBill:
    if bill is None:
        raise NotFound(_("This job has no bill."))
    return bill


_LOCKED = Prepared(lambda pk: JobBill.objects.select_for_update(no_key=True).filter(pk=pk), UUID)


def _settle(bill: JobBill) -> None:
    settle_jobs(bill.pk)
    bill.refresh_from_db()
