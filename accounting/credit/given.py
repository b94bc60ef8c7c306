"""Whose credit is left on a member's own account: of which group, and what is the member's own.

The ledger knows one balance. Whose it is follows from the account's entries, replayed in order. A
debit takes from lots as the lots say (earliest expiry first), the rest from credit that does not
expire; of each of these, what groups gave is spent first, the earliest group's before others', and
the member's own last. A refund gives back what was taken last first, as with lots.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from accounting.models import Account, Entry, Lot, LotUse, TransferKind

OWN = 0  # in place of a group's account
NEVER = 0  # in place of a lot: credit that does not expire

_Shares = dict[int, int]  # owner → micro-credits; OWN below zero is a debt
_Taken = list[tuple[int, int]]  # owner, micro-credits


class _Step(NamedTuple):
    """An entry: what it changed in all, and who is on its other side."""

    transfer_id: UUID
    kind: str
    amount: int
    debit_id: int
    credit_id: int
    reverses_id: UUID | None


def left_of(own: Account, shared: Account) -> int:
    """Micro-credits on `own` that came from `shared`, and were not spent, taken back or expired.

    The caller has brought up the lots of both. Three queries.
    """
    replay = _Replay()
    moves = _moves_of_lots(own)
    for step in _steps(own):
        replay.apply(step, moves.get(step.transfer_id, {}))
    return sum(shares.get(shared.pk, 0) for shares in replay.pots.values())


def _steps(own: Account) -> Iterator[_Step]:
    rows = Entry.objects.filter(account=own).exclude(amount=0).order_by("version")
    names = ("kind", "debit_id", "credit_id", "reverses_id")
    kind, *others = (f"transfer__{name}" for name in names)
    for row in rows.values_list("transfer_id", kind, "amount", *others).iterator(chunk_size=2000):
        yield _Step(*row)


def _moves_of_lots(own: Account) -> dict[UUID, _Shares]:
    """Per transfer, what it added to each lot, or took."""
    moves: dict[UUID, _Shares] = defaultdict(lambda: defaultdict(int))
    for lot, transfer, amount in Lot.objects.filter(account=own).values_list(
        "pk", "transfer_id", "amount"
    ):
        moves[transfer][lot] += amount
    uses = LotUse.objects.filter(lot__account=own)
    for lot, transfer, amount in uses.values_list("lot_id", "transfer_id", "amount"):
        moves[transfer][lot] -= amount
    return moves


@dataclass
class _Replay:
    """What is left, by lot and owner, after the entries so far."""

    pots: dict[int, _Shares] = field(default_factory=dict)
    taken: dict[tuple[UUID, int], _Taken] = field(default_factory=lambda: defaultdict(list))

    def apply(self, step: _Step, lots: _Shares) -> None:
        giver = step.debit_id if step.kind == TransferKind.TRANSFER and step.amount > 0 else OWN
        taker = step.credit_id if step.kind == TransferKind.TRANSFER and step.amount < 0 else OWN
        lost: _Taken = []
        for lot, amount in {**lots, NEVER: step.amount - sum(lots.values())}.items():
            shares = self.pots.setdefault(lot, {})
            if amount < 0:
                lost += self._take(shares, -amount, taker, step.transfer_id, lot)
            elif step.reverses_id is not None:
                self._give_back(shares, amount, self.taken[step.reverses_id, lot])
            elif amount:
                shares[giver] = shares.get(giver, 0) + amount
        if taker != OWN:
            self._make_good(taker, lost)
        self._pay_debt()

    def _take(self, shares: _Shares, amount: int, taker: int, transfer: UUID, lot: int) -> _Taken:
        taken: _Taken = []
        groups = sorted((owner for owner in shares if owner != OWN), key=lambda o: o != taker)
        for owner in groups:
            if part := min(amount, shares[owner]):
                taken.append((owner, part))
                amount -= part
        if amount:
            taken.append((OWN, amount))
        for owner, part in taken:
            shares[owner] = shares.get(owner, 0) - part
        self.taken[transfer, lot] += taken
        return taken

    def _give_back(self, shares: _Shares, amount: int, taken: _Taken) -> None:
        while amount and taken:
            owner, most = taken.pop()
            part = min(amount, most)
            shares[owner] = shares.get(owner, 0) + part
            amount -= part
            if part < most:
                taken.append((owner, most - part))
        shares[OWN] = shares.get(OWN, 0) + amount

    def _make_good(self, taker: int, lost: _Taken) -> None:
        """Whose credit a group took in place of its own has the group's for that."""
        for owner, amount in lost:
            if owner != taker:
                self._move(taker, owner, amount)

    def _pay_debt(self) -> None:
        shares = self.pots[NEVER]
        for owner in [owner for owner in shares if owner != OWN]:
            if (debt := -shares.get(OWN, 0)) > 0 and (part := min(debt, shares[owner])):
                shares[owner] -= part
                shares[OWN] += part

    def _move(self, giver: int, receiver: int, amount: int) -> None:
        for shares in self.pots.values():
            part = min(amount, shares.get(giver, 0))
            if part > 0:
                shares[giver] -= part
                shares[receiver] = shares.get(receiver, 0) + part
                amount -= part
