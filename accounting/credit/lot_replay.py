"""One entry after the other: what each takes from an account's lots and gives back to them.

At every moment the lots together hold at most the balance. So whatever the order of things, credit
that was spent cannot expire, and credit that was paid later cannot be taken for an old lot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import F, Sum

from accounting.models import (
    Account,
    Entry,
    Grant,
    Lot,
    LotCursor,
    LotUse,
    Phase,
    Transfer,
    TransferKind,
)


def key_of(lot: Lot) -> str:
    """What names a lot for ever, also when lots are computed anew; the reference of its expiry."""
    return f"lot:{lot.account_id}:{lot.transfer_id}:{int(lot.expires_at.timestamp() * 1_000_000)}"


def replay(account: Account, entries: Sequence[Entry]) -> int:
    """Replay entries that follow each other, under the account's lock; returns how many.

    Fewer than given: the next one is credit from an account that has to be brought up first.
    """
    book = Book(account)
    done = 0
    for entry in entries:
        if not _ready(entry):
            break
        book.apply(entry)
        done += 1
    book.write()
    _follow_receivers(account, [entry.transfer for entry in entries[:done]])
    return done


@dataclass
class Book:
    """The lots of one account while entries are replayed, earliest expiry first."""

    account: Account
    lots: list[Lot] = field(init=False)
    taken: dict[tuple[int, UUID], int] = field(init=False)

    def __post_init__(self) -> None:
        self._load()

    def _load(self) -> None:
        self.lots = list(Lot.objects.filter(account=self.account, remaining__gt=0))
        self._sort()
        self.taken = defaultdict(int)

    def _sort(self) -> None:
        self.lots.sort(key=lambda lot: (lot.expires_at, lot.pk))

    def apply(self, entry: Entry) -> None:
        transfer = entry.transfer
        if entry.amount < 0:
            self._debit(transfer)
        elif transfer.kind == TransferKind.REFUND:
            self._refund(entry)
        else:
            self._credit(transfer)
        # What neither active lots nor other credit covered: a debt that new credit pays, or lots
        # past their time that were spent before they could be ended.
        self._take(transfer, sum(lot.remaining for lot in self.lots) - max(0, entry.balance_after))

    def write(self) -> None:
        """Store what changed."""
        Lot.objects.bulk_update(self.lots, ["remaining"])
        uses = [
            LotUse(lot_id=lot_id, transfer_id=transfer_id, amount=amount)
            for (lot_id, transfer_id), amount in self.taken.items()
            if amount
        ]
        LotUse.objects.bulk_create(uses)

    def _take(self, transfer: Transfer, amount: int, *, active_at: datetime | None = None) -> None:
        for lot in self.lots:
            if amount <= 0:
                return
            if active_at is None or lot.expires_at > active_at:
                part = min(amount, lot.remaining)
                self._move(lot, transfer, part)
                amount -= part

    def _move(self, lot: Lot, transfer: Transfer, amount: int) -> None:
        lot.remaining -= amount
        self.taken[lot.pk, transfer.pk] += amount

    def _debit(self, transfer: Transfer) -> None:
        if transfer.kind == TransferKind.EXPIRE:
            for lot in self.lots:
                if key_of(lot) == transfer.reference:
                    self._move(lot, transfer, min(transfer.amount, lot.remaining))
            return
        beyond = transfer.amount
        if transfer.phase == Phase.POST and transfer.pending is not None:
            # A hold that was given in time keeps what it was given for.
            held = min(transfer.amount, transfer.pending.amount)
            self._take(transfer, held, active_at=transfer.pending.created_at)
            beyond -= held
        self._take(transfer, beyond, active_at=transfer.created_at)

    def _credit(self, transfer: Transfer) -> None:
        for expires_at, (amount, starts_at) in _arriving(transfer).items():
            lot = Lot(
                account=self.account,
                transfer=transfer,
                amount=amount,
                remaining=amount,
                starts_at=starts_at,
                expires_at=expires_at,
            )
            self._begin(lot)
            self.lots.append(lot)
        self._sort()

    def _refund(self, entry: Entry) -> None:
        """Give back what was taken last first: as if less had been charged from the start."""
        refund, charge = entry.transfer, entry.transfer.reverses
        assert charge is not None  # noqa: S101 (the database refuses a refund of nothing)
        taken, given = self._taken_by(charge), self._given_back(charge)
        before = _refunded_before(entry, charge)
        from_lots = sum(amount for _lot, amount in taken)
        others = charge.amount - from_lots - (before - sum(given.values()))
        back = refund.amount - max(0, others)
        for lot, amount in sorted(taken, key=lambda t: (t[0].expires_at, t[0].pk), reverse=True):
            part = min(back, amount - given.get(lot.pk, 0))
            if part > 0:
                self._move(lot, refund, -part)
                back -= part
        self._sort()

    def _begin(self, lot: Lot) -> None:
        lot.save(force_insert=True)

    def _taken_by(self, charge: Transfer) -> list[tuple[Lot, int]]:
        """What a charge took from which lots, which are all at hand from then on."""
        self.write()
        self._load()
        loaded = {lot.pk: lot for lot in self.lots}
        uses = LotUse.objects.filter(lot__account=self.account, transfer=charge, amount__gt=0)
        taken = []
        for use in uses.select_related("lot"):
            if use.lot_id not in loaded:
                self.lots.append(use.lot)
            taken.append((loaded.get(use.lot_id, use.lot), use.amount))
        return taken

    def _given_back(self, charge: Transfer) -> dict[int, int]:
        """What earlier refunds of a charge gave back, by lot."""
        uses = LotUse.objects.filter(lot__account=self.account, transfer__reverses=charge)
        return {lot: -amount for lot, amount in uses.values_list("lot").annotate(Sum("amount"))}


def _refunded_before(entry: Entry, charge: Transfer) -> int:
    others = Entry.objects.filter(
        account=entry.account_id, transfer__reverses=charge, version__lt=entry.version
    )
    return int(others.aggregate(sum=Sum("amount"))["sum"] or 0)


def _arriving(transfer: Transfer) -> dict[datetime, tuple[int, datetime]]:
    """Amount and beginning of the lots that a credit brings, by expiry.

    Credit that a group passes on keeps its expiry; a grant may set an earlier one.
    """
    grant = _expiring_grant(transfer)
    parts = list(_carried(transfer))
    if grant is not None:
        rest = transfer.amount - sum(amount for amount, _starts, _expires in parts)
        parts.append((rest, grant.starts_at, _end_of(grant)))
        parts = [(part, starts, min(end, _end_of(grant))) for part, starts, end in parts]
    lots: dict[datetime, tuple[int, datetime]] = {}
    for amount, starts_at, expires_at in parts:
        if amount > 0:
            known, since = lots.get(expires_at, (0, starts_at))
            lots[expires_at] = (known + amount, min(since, starts_at))
    return lots


def _end_of(grant: Grant) -> datetime:
    assert grant.expires_at is not None  # noqa: S101 (asked before)
    return grant.expires_at


def _expiring_grant(transfer: Transfer) -> Grant | None:
    grant: Grant | None = getattr(transfer, "grant", None)
    return grant if grant is not None and grant.expires_at is not None else None


def _carried(transfer: Transfer) -> Iterator[tuple[int, datetime, datetime]]:
    if transfer.kind == TransferKind.TRANSFER:
        uses = LotUse.objects.filter(transfer=transfer, lot__account=transfer.debit_id)
        for use in uses.select_related("lot"):
            yield use.amount, use.lot.starts_at, use.lot.expires_at


def _ready(entry: Entry) -> bool:
    """Whether it is known already what an incoming transfer took from its giver's lots."""
    transfer = entry.transfer
    if entry.amount < 0 or transfer.kind != TransferKind.TRANSFER:
        return True
    giver = Entry.objects.filter(transfer=transfer, account=transfer.debit_id)
    behind = LotCursor.objects.filter(
        account=transfer.debit_id, version__lt=giver.values("version")[:1]
    )
    return not behind.exists()


def _follow_receivers(account: Account, transfers: Sequence[Transfer]) -> None:
    """Whoever was passed credit that expires has lots from then on."""
    passed = [
        transfer.pk
        for transfer in transfers
        if transfer.kind == TransferKind.TRANSFER and transfer.debit_id == account.pk
    ]
    uses = LotUse.objects.filter(transfer__in=passed, lot__account=account).values("transfer")
    received = Entry.objects.filter(transfer__in=uses).exclude(account=account)
    first = received.values_list("account").annotate(version=F("version")).order_by("-version")
    cursors = [LotCursor(account_id=pk, version=version - 1) for pk, version in reversed(first)]
    LotCursor.objects.bulk_create(cursors, ignore_conflicts=True)
