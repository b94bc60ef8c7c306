"""Usage that no job of the portal caused: storage, machines, summaries, a provider's other jobs.

Every such record has a bill of its own, by its natural key. Who pays say the names in it, as far as
an operator said whom they mean. Only what was agreed with the provider is charged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from accounting import booking, ledger
from accounting.accounts import provider_account
from accounting.booking import Deal
from accounting.models import Account, JobBill, UsageBill, UsageRecord
from accounting.models.ledger import MOST
from accounting.prices.pricing import price_lines
from accounting.usage import rows as usage_rows
from accounting.usage.counters import other_months, used_in_month
from accounting.usage.matching import Match, claim_of, of_others
from accounting.usage.months import Place, eclipsed, summaries_in
from accounting.usage.payers import Payer, Payers
from accounting.usage.rating import NO_PRICES, PricesOverTime, hold_back_implausible
from accounting.usage.rows import CHARGED, FREE, HELD_BACK, MATCHED, UNMATCHED, Row
from common.bulk import update_rows
from common.clock import now

Bills = dict[str, UsageBill]  # by natural key
_SAVED = (
    *("account_id", "member_id", "price_list_id", "used", "charged", "uncharged"),
    *("deferred", "corrections", "settled_at"),
)
_LOCK = 0x75736167  # our name space among advisory locks


def reserve(providers: Iterable[int | None], *, alone: bool) -> None:
    """Let what hangs together at one provider be decided by one transaction after the other.

    A month's counter needs the month before, and a summary the records that make it void: whoever
    charges those is alone, whoever only brings job records is not. Call it before locking bills.
    (On SQLite a transaction has the whole database.)
    """
    if connection.vendor != "postgresql":
        return
    shared = "" if alone else "_shared"
    with connection.cursor() as cursor:
        for provider_id in sorted({p for p in providers if p is not None}):
            low = provider_id % 2**31  # two providers with one lock only wait
            cursor.execute(f"SELECT pg_advisory_xact_lock{shared}(%s, %s)", [_LOCK, low])


def _reserved_at_once(provider_id: int) -> bool:
    """As `reserve`, alone, never waiting: who is in the way may wait for bills locked here."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK, provider_id % 2**31])
        return bool(cursor.fetchone()[0])


def settle(rows: Sequence[Row], *, allowed: bool) -> None:
    """Find who pays for records without a job, price them, and charge or give back what follows.

    `allowed`: it was agreed with their sender that such usage is charged. Without that nothing
    more is charged, also on bills of the time when it was; what is less is given back.
    Saves the rows, and what changes with them: the later months of counters.
    The caller has reserved their providers alone. Idempotent.
    """
    everything = [*rows, *other_months(rows)]
    bills = _lock_bills(row.natural_key for row in everything)
    payers = Payers(rows)
    payable = {
        row.natural_key: payer
        for row in rows
        if (payer := _judge(row, bills, payers, allowed=allowed))
    }
    _open_bills([row for row in rows if row.natural_key in payable], bills, payable)
    billed = [row for row in everything if row.natural_key in bills]
    _price(everything, billed, bills)
    _book([bills[row.natural_key] for row in billed], charging=allowed)
    for row in billed:
        _tell(row, bills[row.natural_key], agreed=allowed)
    usage_rows.save(everything)
    _save_bills(bills.values())


def recheck(places: Collection[Place]) -> None:
    """Give back what was charged by summaries of places that have the records themselves now."""
    if places and (rows := summaries_in(places)):
        settle(rows, allowed=False)


def take_up(bill: JobBill) -> int:
    """Give a locked bill the usage that named its job before the job was known by that name.

    What was charged for it without the job is given back; what names another user than the job's is
    held back. Returns how many records came: none while somebody else decides about usage of that
    provider, the sweep looks again.
    """
    if not bill.provider_job_id:
        return 0
    waiting = UsageRecord.objects.filter(
        Q(state=UNMATCHED) | Q(usage_bill__isnull=False),
        bill__isnull=True,
        superseded_by__isnull=True,
        provider_id=bill.provider_id,
        local_job_id=bill.provider_job_id,
        counter_of="",
    )
    if not waiting.exists() or not _reserved_at_once(bill.provider_id):
        return 0
    match = Match(str(bill.pk), bill.provider_id)
    said = [
        (pk, claim_of(kind, match, user))
        for pk, kind, user in waiting.values_list("pk", "type", "user_name")
    ]
    others = of_others({claim for _pk, claim in said if claim})
    for pk, claim in said:
        if claim and claim in others:
            note = others[claim].held_back
            waiting.filter(pk=pk, usage_bill=None).update(state=HELD_BACK, note=note)
    kept = [pk for pk, claim in said if claim is None or claim not in others]
    waiting = waiting.filter(pk__among=kept)
    void = set(waiting.exclude(usage_bill=None).values_list("natural_key", flat=True))
    found = waiting.update(bill=bill, usage_bill=None, state=MATCHED)
    close(void)
    return found


def settle_deferred(usage_bill: UsageBill) -> None:
    """Charge or give back what waited for an account to be open, in the caller's transaction."""
    reserve([usage_bill.provider_id], alone=True)
    if rows := usage_rows.current_rows(usage_bill_id=usage_bill.pk):
        settle(rows, allowed=False)
    else:
        close([usage_bill.natural_key])  # its record is a job's by now


def close(natural_keys: Collection[str]) -> None:
    """Give back what was charged to bills whose records belong to jobs now."""
    bills = _lock_bills(natural_keys)
    for bill in bills.values():
        bill.used = 0
    _book(list(bills.values()), charging=False)
    _save_bills(bills.values())


def _lock_bills(natural_keys: Iterable[str]) -> Bills:
    rows = UsageBill.objects.select_for_update(no_key=True).order_by("pk")
    wanted = set(natural_keys)
    return {b.natural_key: b for b in rows.filter(natural_key__among=wanted)} if wanted else {}


def _judge(row: Row, bills: Bills, payers: Payers, *, allowed: bool) -> Payer | None:
    """Who pays for a record that may be charged and has no bill yet; else its state says why."""
    if row.natural_key in bills:
        return None
    row.usage_bill_id, row.cost, row.lines = None, None, []
    if not row.chargeable:
        row.state = FREE
    elif row.provider_id is None:
        row.state = UNMATCHED
    elif not allowed and row.local_job_id:
        row.state = UNMATCHED  # its job may turn up
    elif not allowed:
        row.state = HELD_BACK
        row.note = _("It was not agreed that this provider charges usage without jobs.")
    elif (payer := payers.of(row)) is None:
        row.state, row.note = UNMATCHED, ""
    else:
        return payer
    return None


def _open_bills(rows: Sequence[Row], bills: Bills, payable: Mapping[str, Payer]) -> None:
    moment = now()
    opened = UsageBill.objects.bulk_create(
        UsageBill(
            natural_key=row.natural_key,
            provider_id=row.provider_id or 0,
            account=payable[row.natural_key].account,
            member_id=payable[row.natural_key].member_id,
            created_at=moment,
        )
        for row in rows
    )
    bills.update((bill.natural_key, bill) for bill in opened)


def _price(rows: Sequence[Row], billed: Sequence[Row], bills: Bills) -> None:
    """What each record costs, by the prices at the end of what came first of it."""
    used = used_in_month(rows)
    void = eclipsed(rows)
    prices = PricesOverTime()
    for row in billed:
        bill = bills[row.natural_key]
        bill.used = 0
        row.usage_bill_id, row.state, row.cost, row.lines = bill.pk, FREE, 0, []
        if not row.chargeable:
            continue
        row.note = ""
        if row.natural_key in void:
            row.note = _("Records of its jobs or machines are here: not charged.")
            continue
        present = prices.of(bill, row.ended)
        quantities, went_back = used[row.natural_key]
        lines, total = price_lines(present.rates, quantities)
        if total > MOST:
            hold_back_implausible(row)
            continue
        bill.price_list, bill.used = present.price_list, total
        row.state, row.cost, row.lines = CHARGED, total, lines
        if present.price_list is None:
            row.note = _(NO_PRICES)
        elif went_back:
            row.note = _("A counter is lower than the month before: counted as nothing.")


def _book(bills: Sequence[UsageBill], *, charging: bool) -> None:
    """Bring the ledger to what the bills say: charge as far as it is covered, or give back."""
    due = {bill.pk: _due(bill, charging=charging) for bill in bills}
    for bill in bills:
        bill.deferred = 0
    moving = [bill for bill in bills if due[bill.pk]]
    if not moving:
        return
    accounts = {a.pk: a for a in Account.objects.filter(pk__among={b.account_id for b in moving})}
    payees = {pk: provider_account(pk) for pk in {b.provider_id for b in moving}}
    ledger.lock(*accounts.values(), *payees.values())
    for bill in moving:
        payer = accounts[bill.account_id or 0]
        deal = Deal(
            name=f"usage:{sha256(bill.natural_key.encode()).hexdigest()}",
            payer=payer,
            payee=payees[bill.provider_id],
            member_id=bill.member_id,
            policy=payer.overrun_policy,
            reference=f"usage:{bill.pk}",
        )
        if due[bill.pk] > 0:
            booking.charge(bill, deal, due[bill.pk], reason=_("usage without a job"))
        else:
            booking.give_back(bill, deal, -due[bill.pk], reason=_("the usage was corrected"))
        bill.settled_at = now()


def _due(bill: UsageBill, *, charging: bool) -> int:
    """What is to be charged, below 0 given back; not charging: only what was deferred."""
    kept = bill.charged - bill.refunded
    if bill.used < kept:
        return bill.used - kept
    more = max(0, bill.used - bill.charged)
    return more if charging else min(more, max(0, bill.deferred))


def _tell(row: Row, bill: UsageBill, *, agreed: bool) -> None:
    bill.uncharged = max(0, bill.used - bill.charged)
    if bill.deferred:
        row.note = booking.why_deferred(bill)
    elif row.state == CHARGED and bill.uncharged:
        row.note = (
            _("The account did not cover all that was used.")
            if agreed
            else _("It was not agreed that more than before is charged.")
        )


def _save_bills(bills: Iterable[UsageBill]) -> None:
    changed = [(bill.pk, *(getattr(bill, name) for name in _SAVED)) for bill in bills]
    update_rows(UsageBill, ("id", *_SAVED), changed)
