"""What a job's bill comes to: its usage priced, and the ledger brought to what is owed.

Everything here works on bills that the caller has locked, so that a usage record and the end of a
job that arrive together, or two workers with the same news, have their effect once. Settling is a
function of what is stored, not of the order in which it came: settling again changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounting import ledger
from accounting.matching import chunks
from accounting.models import (
    BillState,
    JobBill,
    Phase,
    RecordState,
    Transfer,
    TransferKind,
    UsageRecord,
)
from accounting.rating import Rates, counts, rate_usage
from common.clock import now
from common.errors import Conflict, PaymentRequired

log = structlog.get_logger(__name__)

ACTOR = "settlement"
UNSETTLED = (BillState.OPEN, BillState.AWAITING_USAGE)
_NAMESPACE = uuid5(NAMESPACE_URL, "accounting.job_bill")


def transfer_id(name: str) -> UUID:
    """The id of the transfer of that name: the same act again has the same id."""
    return uuid5(_NAMESPACE, name)


def lock_bills(job_ids: Iterable[UUID]) -> list[JobBill]:
    """The bills with what settling needs, locked in the order that cannot deadlock.

    Call it before inserting anything that refers to a bill, inside the transaction that settles.
    """
    rows = JobBill.objects.select_for_update(no_key=True, of=("self",)).order_by("pk")
    rows = rows.select_related("quote", "price_list", "account", "hold", "hold__credit")
    return [bill for some in chunks(sorted(set(job_ids))) for bill in rows.filter(pk__in=some)]


def settle(bills: Sequence[JobBill]) -> None:
    """Price the present usage of locked bills, and charge, refund or release what follows.

    Writes bills, records and transfers. Idempotent.
    """
    rates = Rates()
    records = _current_records(bills)
    for bill in bills:
        rate_usage(bill, records[bill.pk], rates)
    _lock_accounts(bills)
    for bill in bills:
        _advance(bill, has_usage=any(map(counts, records[bill.pk])))
        _label(bill, records[bill.pk])
    changed = [record for bill in bills for record in records[bill.pk]]
    UsageRecord.objects.bulk_update(changed, ("state", "note", "lines", "cost"), 200)
    JobBill.objects.bulk_update(
        bills,
        ("state", "used", "charged", "uncharged", "charge", "corrections", "settled_at"),
        200,
    )


def release(bill: JobBill, *, reason: str, actor: str) -> None:
    """Give a locked, unsettled bill's hold back whole. The caller saves the bill."""
    hold = _hold(bill)
    ledger.post(
        id=transfer_id(f"release:{hold.pk}"),
        phase=Phase.VOID,
        kind=TransferKind.RELEASE,
        debit=bill.account,
        credit=hold.credit,
        amount=hold.amount,
        pending=hold,
        actor=actor,
        reason=reason,
        reference=str(bill.pk),
    )
    bill.settled_at = now()


def _hold(bill: JobBill) -> Transfer:
    assert bill.hold is not None  # noqa: S101 (by constraint, only a free bill has none)
    return bill.hold


def _current_records(bills: Sequence[JobBill]) -> dict[UUID, list[UsageRecord]]:
    """The newest revisions per bill, in the order in which the records first came."""
    found: dict[UUID, list[UsageRecord]] = defaultdict(list)
    for some in chunks([bill.pk for bill in bills]):
        rows = UsageRecord.objects.filter(bill__in=some, superseded_by__isnull=True)
        for record in rows.order_by("natural_key"):
            if record.bill_id is not None:
                found[record.bill_id].append(record)
    return found


def _lock_accounts(bills: Sequence[JobBill]) -> None:
    """Lock what the transfers to come will touch, in one order, when there may be several."""
    moving = [b for b in bills if b.ended_at is not None and b.state in (*UNSETTLED, "CHARGED")]
    if len(moving) > 1:
        ledger.lock(*(_hold(b).credit for b in moving), *(b.account for b in moving))


def _advance(bill: JobBill, *, has_usage: bool) -> None:
    """Take a bill to the state that its job and its usage call for, with the transfers."""
    if bill.state in UNSETTLED and bill.ended_at is not None:
        if not (bill.successful or bill.charge_unsuccessful):
            release(bill, reason=_("the job was not successful"), actor=ACTOR)
            bill.state = BillState.RELEASED
        elif has_usage:
            _charge_hold(bill)
            bill.state = BillState.CHARGED
        else:
            bill.state = BillState.AWAITING_USAGE
    elif bill.state == BillState.CHARGED:
        _correct(bill)
    bill.uncharged = 0 if bill.state in UNSETTLED else max(0, bill.used - bill.charged)


def _charge_hold(bill: JobBill) -> None:
    """Charge what was used, at most what is held; the rest of the hold is released with it."""
    hold = _hold(bill)
    amount = min(bill.used, hold.amount)
    if amount == 0:
        release(bill, reason=_("nothing was used that has a price"), actor=ACTOR)
        return
    bill.charge, _created = ledger.post(
        id=transfer_id(f"charge:{bill.pk}"),
        phase=Phase.POST,
        kind=TransferKind.CHARGE,
        debit=bill.account,
        credit=hold.credit,
        amount=amount,
        pending=hold,
        member_id=bill.member_id,
        actor=ACTOR,
        reference=str(bill.pk),
    )
    bill.charged = amount
    bill.settled_at = now()


def _correct(bill: JobBill) -> None:
    """Charge or give back the difference when the usage of a settled bill has changed.

    Never more than the quote in all. What the ledger refuses (the account is empty or closed by
    now) stays in `uncharged`, and is tried again when the usage changes again.
    """
    difference = min(bill.used, bill.quote.total) - bill.charged
    try:
        if difference > 0:
            _charge_more(bill, difference)
        elif difference < 0:
            _give_back(bill, -difference)
    except (PaymentRequired, Conflict) as refusal:
        log.warning("bill.correction_refused", job_id=str(bill.pk), error=refusal.code)


def _charge_more(bill: JobBill, amount: int) -> None:
    charge, _created = ledger.post(
        id=transfer_id(f"charge:{bill.pk}:{bill.corrections + 1}"),
        phase=Phase.SINGLE,
        kind=TransferKind.CHARGE,
        debit=bill.account,
        credit=_hold(bill).credit,
        amount=amount,
        member_id=bill.member_id,
        actor=ACTOR,
        reason=_("usage reported after the settlement"),
        reference=str(bill.pk),
    )
    bill.charge_id = bill.charge_id or charge.pk
    bill.corrections += 1
    bill.charged += amount


def _give_back(bill: JobBill, amount: int) -> None:
    """Refund the newest charges first; each takes back at most what is left of it."""
    charges = Transfer.objects.filter(
        reference=str(bill.pk), kind=TransferKind.CHARGE, debit=bill.account
    )
    for charge in charges.annotate(back=Sum("refunds__amount")).order_by("-created_at", "-pk"):
        part = min(amount, charge.amount - (charge.back or 0))
        if part <= 0:
            continue
        ledger.post(
            id=transfer_id(f"refund:{bill.pk}:{bill.corrections + 1}"),
            phase=Phase.SINGLE,
            kind=TransferKind.REFUND,
            debit=_hold(bill).credit,
            credit=bill.account,
            amount=part,
            reverses=charge,
            # The provider gives back what it should not have had, also when it has spent it.
            overrun_ok=True,
            actor=ACTOR,
            reason=_("the usage was corrected"),
            reference=str(bill.pk),
        )
        bill.corrections += 1
        bill.charged -= part
        amount -= part


_RECORD_STATES = {
    BillState.OPEN: RecordState.MATCHED,
    BillState.AWAITING_USAGE: RecordState.MATCHED,
    BillState.CHARGED: RecordState.CHARGED,
    BillState.RELEASED: RecordState.FREE,
    BillState.FREE: RecordState.FREE,
}


def _label(bill: JobBill, records: Sequence[UsageRecord]) -> None:
    """Say on each record what became of it."""
    for record in filter(counts, records):
        record.state = _RECORD_STATES[BillState(bill.state)]
        record.note = ""
        if bill.state == BillState.RELEASED:
            record.note = (
                _("The job was not successful: not charged.")
                if bill.successful is False and not bill.charge_unsuccessful
                else _("Reported after the hold was released: not charged.")
            )
        elif bill.state == BillState.CHARGED and bill.charged < min(bill.used, bill.quote.total):
            record.note = _("The account did not cover all that was used.")
