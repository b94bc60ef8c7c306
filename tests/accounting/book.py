"""A ledger in plain Python, to compare the real one with: the rules, without a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

MOST = 9_000_000_000_000_000
# What makes two requests with one id the same.
CONTENT = (
    *("phase", "kind", "debit", "credit", "amount"),
    *("pending", "reverses", "member_id", "reference"),
)


class RefusedError(Exception):
    """args[0] is the name of the error that the real ledger raises."""


@dataclass
class Holder:
    floor: int | None
    status: str = "OPEN"
    posted: int = 0
    held: int = 0
    version: int = 0

    def overrun(self) -> int:
        return 0 if self.floor is None else max(0, self.floor - (self.posted - self.held))


@dataclass
class Book:
    holders: dict[int, Holder] = field(default_factory=dict)
    done: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    resolved: dict[UUID, UUID] = field(default_factory=dict)
    back: dict[UUID, int] = field(default_factory=dict)
    limits: dict[tuple[int, int], int] = field(default_factory=dict)
    used: dict[tuple[int, int], int] = field(default_factory=dict)
    kept: dict[tuple[int, int], int] = field(default_factory=dict)

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
        payer.posted, payer.held = payer.posted - moved, payer.held + kept
        payee.posted += moved
        payer.version, payee.version = payer.version + (moved > 0), payee.version + (moved > 0)
        self.done[op["id"]] = op
        if op["pending"]:
            self.resolved[op["pending"]] = op["id"]
        return True

    def _refuse(self, name: str) -> Any:
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
        strict = moved + kept > 0 and not op["overrun_ok"] and payer.floor is not None
        if strict and left < payer.floor:
            self._refuse("InsufficientCredit")

    def _spend(self, op: dict[str, Any], spender: int | None, moved: int, kept: int) -> None:
        if spender is None:
            return
        key = (op["debit"], spender)
        before = self.over(key)
        used, held = self.used.get(key, 0) + moved, self.kept.get(key, 0) + kept
        limit = self.limits.get(key)
        excess = 0 if limit is None else max(0, used + held - limit)
        if excess > before and not (op["overrun_ok"] and moved):
            self._refuse("MemberLimitReached")
        self.used[key], self.kept[key] = used, held  # nothing refuses after this: no refund has one

    def over(self, key: tuple[int, int]) -> int:
        limit = self.limits.get(key)
        total = self.used.get(key, 0) + self.kept.get(key, 0)
        return 0 if limit is None else max(0, total - limit)

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
        member = charge["member_id"]
        if member is None and charge["pending"]:
            member = self.done[charge["pending"]]["member_id"]
        if member is not None:
            key = (op["credit"], member)
            self.used[key] = self.used.get(key, 0) - op["amount"]
