"""Whether the lots of an account are what follows from its entries, for `check_ledger`.

Everything is replayed once more in memory, and nothing is written. What an account was passed by
another is taken from the giver's lots as they are stored: those have an audit of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from accounting.credit.lot_replay import Book
from accounting.models import Account, Entry, Lot, LotCursor, LotUse, Transfer

Key = tuple[UUID, datetime]  # of a lot of one account: the credit that it came with, its end


def broken_lots() -> Iterator[str]:
    """What is wrong with the lots of any account, one sentence each."""
    for cursor in LotCursor.objects.select_related("account").order_by("pk"):
        yield from _compared(cursor.account, cursor.version)


def _compared(account: Account, version: int) -> Iterator[str]:
    """Up to that version only: what follows changes while the portal works, the past does not."""
    book = _Replayed(account)
    entries = Entry.objects.filter(account=account, version__lte=version).order_by("version")
    names = ("transfer__pending", "transfer__reverses", "transfer__grant")
    for entry in entries.select_related(*names).iterator(chunk_size=500):
        book.apply(entry)
    past = {"transfer__entries__account": account, "transfer__entries__version__lte": version}
    lots = Lot.objects.filter(account=account, **past)
    if {_key(lot): lot.amount for lot in lots} != {_key(lot): lot.amount for lot in book.lots}:
        yield f"Account {account.code}: its lots are not those that its entries bring."
        return
    uses = LotUse.objects.filter(lot__account=account, **past).select_related("lot")
    stored = {(_key(use.lot), use.transfer_id): use.amount for use in uses}
    if stored != book.uses():
        yield f"Account {account.code}: what its lots lost does not follow from its entries."


def _key(lot: Lot) -> Key:
    return lot.transfer_id, lot.expires_at


@dataclass
class _Replayed(Book):
    """A book that begins empty and is kept in memory."""

    by_charge: dict[UUID, dict[int, int]] = field(init=False)
    back: dict[UUID, dict[int, int]] = field(init=False)

    def uses(self) -> dict[tuple[Key, UUID], int]:
        """What each transfer took from each lot."""
        keys = {lot.pk: _key(lot) for lot in self.lots}
        return {(keys[pk], by): amount for (pk, by), amount in self.taken.items() if amount}

    def _load(self) -> None:
        self.lots = []
        self.taken = defaultdict(int)
        self.by_charge = defaultdict(lambda: defaultdict(int))
        self.back = defaultdict(lambda: defaultdict(int))

    def _begin(self, lot: Lot) -> None:
        lot.pk = len(self.lots) + 1

    def _move(self, lot: Lot, transfer: Transfer, amount: int) -> None:
        super()._move(lot, transfer, amount)
        self.by_charge[transfer.pk][lot.pk] += amount
        if transfer.reverses_id is not None:
            self.back[transfer.reverses_id][lot.pk] -= amount

    def _taken_by(self, charge: Transfer) -> list[tuple[Lot, int]]:
        taken = self.by_charge.get(charge.pk, {})
        return [(lot, taken[lot.pk]) for lot in self.lots if taken.get(lot.pk, 0) > 0]

    def _given_back(self, charge: Transfer) -> dict[int, int]:
        return dict(self.back.get(charge.pk, {}))
