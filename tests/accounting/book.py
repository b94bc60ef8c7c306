"""A ledger in plain Python, to compare the real one with: the rules, without a database."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NoReturn
from uuid import UUID

from common.errors import PortalError

MOST = 9_000_000_000_000_000
# What makes two requests with one id the same.
CONTENT = (
    *("phase", "kind", "debit", "credit", "amount"),
    *("pending", "reverses", "member_id", "reference"),
)


class RefusedError(Exception):
    """args[0] is the name of the error that the real ledger raises."""


def word(act: Callable[[Any], int], given: Any) -> str:
    """What came of it: a number, or the name of a refusal."""
    try:
        return str(act(given))
    except RefusedError as refusal:
        return str(refusal)
    except PortalError as refusal:
        return type(refusal).__name__


@dataclass
class Holder:
    floor: int | None
    status: str = "OPEN"
    posted: int = 0
    held: int = 0
    version: int = 0

    def overrun(self) -> int:
        return 0 if self.floor is None else max(0, self.floor - (self.posted - self.held))


def first_day(period: str, at: datetime) -> date:
    """Of the period of a limit that the moment lies in."""
    day = at.astimezone(UTC).date()
    month = {"MONTH": day.month, "QUARTER": day.month - (day.month + 2) % 3}.get(period, 1)
    return date(day.year, month, 1) if period else date(1970, 1, 1)


@dataclass
class Limit:
    period: str
    start: date
    limit: int


Member = tuple[int, int]  # an account and who spends from it
PERIODS = ("", "MONTH", "QUARTER", "YEAR")


@dataclass
class Book:
    holders: dict[int, Holder] = field(default_factory=dict)
    done: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    resolved: dict[UUID, UUID] = field(default_factory=dict)
    back: dict[UUID, int] = field(default_factory=dict)
    limits: dict[Member, list[Limit]] = field(default_factory=dict)  # the last one is the rule
    # What is used and held, by the first day of each period.
    counts: dict[tuple[Member, str, date], list[int]] = field(default_factory=dict)
    latest: dict[int, datetime] = field(default_factory=dict)

    def post(self, op: dict[str, Any]) -> bool:
        """True if new, False if done before; raises Refused and changes nothing else."""
        self._form(op)
        if op["id"] in self.done:
            same = all(self.done[op["id"]][k] == op[k] for k in CONTENT)
            return False if same else self._refuse("Conflict")
        if op["pending"] in self.resolved:
            first = self.done[self.resolved[op["pending"]]]
            same = (first["phase"], first["amount"]) == (op["phase"], op["amount"])
            return False if same else self._refuse("Conflict")
        moved = op["amount"] if op["phase"] in ("single", "post") else 0
        kept, spender = self._hold(op)
        self._accounts(op, moved, kept)
        self._spend(op, spender, moved, kept)
        self._refund(op)
        payer, payee = self.holders[op["debit"]], self.holders[op["credit"]]
        self.latest[op["debit"]] = max(op["at"], self.latest.get(op["debit"], op["at"]))
        payer.posted, payer.held = payer.posted - moved, payer.held + kept
        payee.posted += moved
        payer.version, payee.version = payer.version + (moved > 0), payee.version + (moved > 0)
        self.done[op["id"]] = op
        if op["pending"]:
            self.resolved[op["pending"]] = op["id"]
        return True

    def _refuse(self, name: str) -> NoReturn:
        raise RefusedError(name)

    def _form(self, op: dict[str, Any]) -> None:
        resolves = op["phase"] in ("post", "void")
        if (
            not 0 < op["amount"] <= MOST
            or op["debit"] == op["credit"]
            or resolves != (op["pending"] is not None)
            or (op["kind"] == "REFUND") != (op["reverses"] is not None)
            or (op["kind"] == "ADJUST" and not op["reason"])
        ):
            self._refuse("InvalidInput")

    def _hold(self, op: dict[str, Any]) -> tuple[int, int | None]:
        if op["pending"] is None:
            return (op["amount"] if op["phase"] == "pending" else 0), op["member_id"]
        hold = self.done.get(op["pending"])
        if (
            hold is None
            or hold["phase"] != "pending"
            or (hold["debit"], hold["credit"]) != (op["debit"], op["credit"])
            or op["member_id"] not in (None, hold["member_id"])
            or (op["phase"] == "void" and hold["amount"] != op["amount"])
        ):
            self._refuse("Conflict")
        return -hold["amount"], hold["member_id"]

    def _accounts(self, op: dict[str, Any], moved: int, kept: int) -> None:
        payer, payee = self.holders.get(op["debit"]), self.holders.get(op["credit"])
        if payer is None or payee is None:
            self._refuse("NotFound")
        if op["phase"] in ("single", "pending") and payer.status != "OPEN":
            self._refuse("Conflict")
        if op["phase"] != "void" and payee.status == "CLOSED":
            self._refuse("Conflict")
        if payee.posted + moved > MOST or payer.posted - moved < -MOST or payer.held + kept > MOST:
            self._refuse("Conflict")
        left = payer.posted - payer.held - moved - kept
        strict = moved + kept > 0 and not op["overrun_ok"]
        if strict and payer.floor is not None and left < payer.floor:
            self._refuse("InsufficientCredit")

    def _spend(self, op: dict[str, Any], spender: int | None, moved: int, kept: int) -> None:
        if spender is None:
            return
        member = op["debit"], spender
        since = op["at"] if op["pending"] is None else self.done[op["pending"]]["at"]
        rows = self.limits.get(member, [])
        period = rows[-1].period if rows else ""
        start = first_day(period, since)
        strict = [row for row in rows if (row.period, row.start) == (period, start)]
        if rows and op["pending"] is None and start > rows[-1].start and not strict:
            strict = [Limit(period, start, rows[-1].limit)]
        for row in strict:
            excess = max(0, self.counted(member, row, moved + kept) - row.limit)
            if excess > self.over(member, row) and not (op["overrun_ok"] and moved):
                self._refuse("MemberLimitReached")
            if row not in rows:
                rows.append(row)
        # Nothing refuses after this: what a member spends is no refund, or one for a wrong charge.
        self._count(member, since, moved, kept)

    def _count(self, member: Member, since: datetime, moved: int, kept: int) -> None:
        for period in PERIODS:
            count = self.counts.setdefault((member, period, first_day(period, since)), [0, 0])
            count[0], count[1] = count[0] + moved, count[1] + kept

    def counted(self, member: Member, row: Limit, more: int = 0) -> int:
        return sum(self.counts.get((member, row.period, row.start), (0, 0))) + more

    def over(self, member: Member, row: Limit) -> int:
        return max(0, self.counted(member, row) - row.limit)

    def set_limit(
        self, member: Member, limit: int | None, period: str | None, at: datetime
    ) -> None:
        rows = self.limits.setdefault(member, [])
        if limit is None:
            rows.clear()
            return
        if period is None:
            period = rows[-1].period if rows else ""
        start = first_day(period, max(at, self.latest.get(member[0], at)))
        rows[:] = [row for row in rows if (row.period, row.start) != (period, start)]
        rows.append(Limit(period, start, limit))

    def post_many(self, ops: list[dict[str, Any]]) -> int:
        """All or none: as a set, or else one by one in their order; the number of new ones."""
        before = deepcopy((self.holders, self.limits, self.counts, self.latest, self.back))
        fresh = [op for op in ops if op["id"] not in self.done]
        try:
            try:
                return self._as_a_set(ops, fresh)
            except RefusedError:
                self._forget(fresh, before)
                before = deepcopy(before)
                return sum([self.post(op) for op in ops])
        except RefusedError:
            self._forget(fresh, before)
            raise

    def _as_a_set(self, ops: list[dict[str, Any]], fresh: list[dict[str, Any]]) -> int:
        """What frees credit goes first, then in the order of the holds."""
        firsts: dict[UUID, dict[str, Any]] = {}
        for op in fresh:
            firsts.setdefault(op["id"], op)
        in_order = sorted(firsts.values(), key=lambda op: str(op["pending"] or ""))
        for op in sorted(in_order, key=lambda op: not self._frees(op)):
            if op["pending"] in self.resolved:
                self._refuse("Conflict")
            self.post(op)
        if not all(self.done[op["id"]][k] == op[k] for op in ops for k in CONTENT):
            self._refuse("Conflict")
        return len(firsts)

    def _frees(self, op: dict[str, Any]) -> bool:
        hold = self.done.get(op["pending"])
        return hold is not None and op["amount"] <= hold["amount"]

    def _forget(self, fresh: list[dict[str, Any]], before: tuple[Any, ...]) -> None:
        self.holders, self.limits, self.counts, self.latest, self.back = before
        for op in fresh:
            if self.done.pop(op["id"], None) is not None and op["pending"]:
                self.resolved.pop(op["pending"], None)

    def _refund(self, op: dict[str, Any]) -> None:
        if op["reverses"] is None:
            return
        charge = self.done.get(op["reverses"])
        if (
            op["phase"] != "single"
            or charge is None
            or charge["phase"] not in ("single", "post")
            or (charge["debit"], charge["credit"]) != (op["credit"], op["debit"])
        ):
            self._refuse("Conflict")
        back = self.back.get(op["reverses"], 0) + op["amount"]
        if back > charge["amount"]:
            self._refuse("Conflict")
        self.back[op["reverses"]] = back
        spend = self.done[charge["pending"]] if charge["pending"] else charge
        if spend["member_id"] is not None:
            self._count((op["credit"], spend["member_id"]), spend["at"], -op["amount"], 0)
