"""What a job's bill comes to: its usage priced, and the ledger brought to what is owed.

Everything here works on bills that the caller has locked, so that a usage record and the end of a
job that arrive together, or two workers with the same news, have their effect once. Settling is a
function of what is stored, not of the order in which it came: settling again changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from uuid import UUID

from django.utils.translation import gettext as _

from accounting import booking, ledger
from accounting.booking import ACTOR, Deal, transfer_key
from accounting.cases import NOBODY, Case, lock_cases, reported, save_cases
from accounting.ledger import Posting
from accounting.models import Account, BillState, JobBill, Phase, TransferKind
from accounting.usage import rows as usage_rows
from accounting.usage.rating import NO_PRICES, Rates, counts, rate_usage
from accounting.usage.rows import Row
from common.clock import now

# As plain text: comparing and storing members of an enumeration is slow.
OPEN, AWAITING_USAGE, CHARGED, RELEASED, FREE = (
    *(BillState.OPEN.value, BillState.AWAITING_USAGE.value),
    *(BillState.CHARGED.value, BillState.RELEASED.value, BillState.FREE.value),
)
UNSETTLED = (OPEN, AWAITING_USAGE)
_POST, _VOID = Phase.POST.value, Phase.VOID.value
_CHARGE, _RELEASE = TransferKind.CHARGE.value, TransferKind.RELEASE.value


def lock_bills(job_ids: Iterable[UUID]) -> list[JobBill]:
    """The bills, locked in the order that cannot deadlock.

    Call it before inserting anything that refers to a bill, inside the transaction that settles.
    """
    rows = JobBill.objects.select_for_update(no_key=True).order_by("pk")
    return list(rows.filter(pk__among=set(job_ids)))


def settle_jobs(*job_ids: UUID) -> None:
    """Settle the bills of these jobs from what is stored, in the transaction of the caller."""
    settle(lock_cases(map(str, job_ids)))


def settle(cases: Sequence[Case], arriving: Sequence[Row] = ()) -> None:
    """Price the present usage of locked bills, and charge, refund or release what follows.

    `arriving` are records of these bills that are not stored yet. Writes bills, records and
    transfers, in as many statements for many bills as for one; only charges beyond a hold and
    corrections are booked one by one. Idempotent.
    """
    if not cases:
        return
    _complete(cases, arriving)
    rates = Rates()
    for case in cases:
        rate_usage(case, rates)
    resolutions: list[Posting] = []
    off: list[Case] = []
    right: list[Case] = []
    for case in cases:
        posting = _resolve(case)
        if posting is not None and case.hold_id:
            resolutions.append(posting)
        case.deferred = 0
        (off if case.is_off else right).append(case)
    _store(right)
    if off:
        ledger.lock(*{a.pk: a for case in cases for a in (case.payer, case.payee)}.values())
    # Now, and not before: from here on everybody else waits who spends from these accounts.
    ledger.post_many(resolutions)
    for case in off:
        _correct(case)
    _store(off)


def release(bill: JobBill, *, reason: str, actor: str) -> None:
    """Give a locked, unsettled bill's hold back whole. The caller saves the bill."""
    cases = lock_cases([str(bill.pk)])
    _complete(cases, ())
    ledger.post_many([_resolution(case, 0, reason, actor) for case in cases if case.hold_id])
    bill.settled_at = now()


def _complete(cases: Sequence[Case], arriving: Sequence[Row]) -> None:
    """Add who pays whom, and the newest revisions of the usage, by key."""
    rows: dict[str | None, list[Row]] = defaultdict(list)
    if with_rows := reported([case.pk for case in cases]):
        for row in usage_rows.current_rows(bill_id__among=with_rows):
            rows[row.bill_id].append(row)
    mixed = {row.bill_id for row in arriving if row.bill_id in rows}
    for row in arriving:
        rows[row.bill_id].append(row)
    for bill_id in mixed:
        rows[bill_id].sort(key=lambda row: row.natural_key)
    # Only the ids of the accounts are needed, and many bills have the same.
    payer = cache(lambda pk: Account(pk=pk))
    codes = {case.provider_id: f"provider:{case.provider_id}" for case in cases}
    known = Account.objects.filter(code__in=list(codes.values())).values_list("code", "pk")
    payees = {code: Account(pk=pk) for code, pk in known}
    payee = {provider: payees.get(code, NOBODY) for provider, code in codes.items()}
    for case in cases:
        case.payer, case.payee = payer(case.account_id), payee[case.provider_id]
        case.rows = rows[case.pk]


def _resolve(case: Case) -> Posting | None:
    """Take a bill to the state that its job and its usage call for; what resolves its hold."""
    if case.state not in UNSETTLED or not case.has_ended:
        return None
    if not (case.successful or case.charge_unsuccessful):
        case.state, case.settled_now = RELEASED, True
        return _resolution(case, 0, _("the job was not successful"))
    if not any(map(counts, case.rows)):
        case.state = AWAITING_USAGE
        return None
    case.state, case.settled_now = CHARGED, True
    # At most what is held; the rest of the hold is released with it.
    case.charged = min(case.used, case.limit_amount)
    if case.charged == 0:
        return _resolution(case, 0, _("nothing was used that has a price"))
    posting = _resolution(case, case.charged)
    case.charge_id = str(posting.id)
    return posting


def _resolution(case: Case, amount: int, reason: str = "", actor: str = ACTOR) -> Posting:
    """What resolves the hold: a charge of `amount`, or with 0 its release."""
    return Posting(
        id=transfer_key("charge" if amount else "release", case.pk),
        phase=_POST if amount else _VOID,
        kind=_CHARGE if amount else _RELEASE,
        debit=case.payer,
        credit=case.payee,
        amount=amount or case.limit_amount,
        pending=case.hold_id,
        member_id=case.member_id if amount else None,
        actor=actor,
        reason=reason,
        reference=case.pk,
    )


def _correct(case: Case) -> None:
    """Charge or give back what the present usage differs from what is charged.

    What the account does not cover stays in `uncharged`, and is tried again when the usage changes
    again; what it refuses because it is not open, when it is (`accounting.deferred`). What people
    gave back by hand counts first, and is never taken back.
    """
    deal = Deal(
        name=case.pk,
        payer=case.payer,
        payee=case.payee,
        member_id=case.member_id,
        policy=case.overrun_policy,
        reference=case.pk,
    )
    more = case.target - case.charged
    if more < 0:
        less = case.charged - case.refunded - case.target
        booking.give_back(case, deal, less, reason=_("the usage was corrected"))
        return
    reason = _("used beyond what was held, or reported after the settlement")
    booked = booking.charge(case, deal, more, reason=reason)
    if booked is not None:
        case.charge_id = case.charge_id or str(booked.pk)


def _store(cases: Sequence[Case]) -> None:
    """Say on the bills and records what came of them, and save both."""
    for case in cases:
        case.uncharged = 0 if case.state in UNSETTLED else max(0, case.used - case.charged)
        state, note = _RECORD_STATES[case.state], _note(case)
        for row in case.rows:
            if counts(row):
                row.state, row.note = state, note
    usage_rows.save(row for case in cases for row in case.rows)
    save_cases(cases, now())


_RECORD_STATES = {
    OPEN: usage_rows.MATCHED,
    AWAITING_USAGE: usage_rows.MATCHED,
    CHARGED: usage_rows.CHARGED,
    RELEASED: usage_rows.FREE,
    FREE: usage_rows.FREE,
}


def _note(case: Case) -> str:
    """What is to be said on the records about what became of the bill."""
    if case.state == RELEASED:
        if not (case.successful or case.successful is None or case.charge_unsuccessful):
            return _("The job was not successful: not charged.")
        return _("Reported after the hold was released: not charged.")
    if case.deferred:
        return booking.why_deferred(case)
    if case.state == CHARGED and case.charged < case.target:
        return _("The account did not cover all that was used.")
    return _(NO_PRICES) if case.price_list_id is None else ""
