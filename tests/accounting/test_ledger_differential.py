"""The ledger against a plain one in Python: every answer, every balance, 20,000 times."""

from __future__ import annotations

import os
import random
import uuid
from typing import Any

import pytest
from django.db import connection, transaction

from accounting.accounts import (
    group_account,
    provider_account,
    set_credit_limit,
    set_status,
    system_account,
    user_account,
)
from accounting.check import findings
from accounting.credit import set_cap
from accounting.ledger import post
from accounting.models import Account, Entry, MemberCap, Transfer
from common.errors import Conflict, PortalError
from people.models import Group, Membership, Role, User
from tests.accounting.book import MOST, Book, Holder, RefusedError

OPERATIONS = 20_000
SEED = int(os.environ.get("LEDGER_SEED", "20260714"))


class Game:
    """Random operations on a few accounts, mostly possible ones, many of them nearly so."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.operator = User.objects.create(username="operator", is_staff=True)
        self.group = Group.objects.create(slug="group", name="Group")
        self.members = [User.objects.create(username=f"member{n}") for n in range(3)]
        for member in (self.operator, *self.members):
            Membership.objects.create(group=self.group, user=member, role=Role.MEMBER)
        self.shared = group_account(self.group)
        self.issue, self.mint = system_account("issue"), system_account("writeoff")
        self.people = [user_account(member) for member in self.members]
        self.providers = [provider_account(n) for n in (1, 2)]
        self.vault = provider_account(3)
        self.spenders = [self.shared, *self.people]
        self.accounts = [*self.spenders, *self.providers, self.issue, self.mint, self.vault]
        self.by_id = {account.pk: account for account in self.accounts}
        self.book = Book({a.pk: Holder(a.floor) for a in self.accounts})
        self.ops: list[dict[str, Any]] = []
        self.holds: list[dict[str, Any]] = []
        self.charges: list[dict[str, Any]] = []

    def chance(self, percent: float) -> bool:
        return self.random.random() * 100 < percent

    def amount(self) -> int:
        return (
            self.random.choice((0, -1, 1, 1, 2, MOST + 1))
            if self.chance(2)
            else (self.random.randint(1, 120))
        )

    def new_id(self) -> uuid.UUID:
        return uuid.UUID(int=self.random.getrandbits(128), version=4)

    def op(self, phase: str, kind: str, debit: int, credit: int, **extra: Any) -> dict[str, Any]:
        base = {
            "id": self.new_id(),
            "phase": phase,
            "kind": kind,
            "debit": debit,
            "credit": credit,
            "amount": self.amount(),
            "pending": None,
            "reverses": None,
            "member_id": None,
            "overrun_ok": self.chance(3),
            "reason": "",
            "reference": "",
        }
        return {**base, **extra}

    def draw(self) -> dict[str, Any]:
        makers = (self.grant, self.move, self.hold, self.resolve, self.refund, self.again, self.odd)
        made = self.random.choices(makers, (22, 14, 24, 22, 8, 7, 3))[0]()
        return made if made is not None else self.grant()

    def grant(self) -> dict[str, Any]:
        kind = self.random.choice(("GRANT", "DEPOSIT", "ADJUST"))
        reason = "because" if self.chance(80) else ""
        to = self.random.choice((*self.spenders, *self.providers)).pk
        return self.op("single", kind, self.issue.pk, to, reason=reason)

    def move(self) -> dict[str, Any]:
        giver = self.random.choice((*self.spenders, *self.providers))
        taker = self.random.choice((*self.spenders, *self.providers))
        kind = self.random.choice(("TRANSFER", "CHARGE", "EXPIRE"))
        return self.op("single", kind, giver.pk, taker.pk, member_id=self.member(giver))

    def member(self, payer: Account) -> int | None:
        known = payer == self.shared and self.chance(80)
        return self.random.choice(self.members).pk if known else None

    def hold(self) -> dict[str, Any]:
        payer = self.random.choice(self.spenders)
        to = self.random.choice(self.providers).pk
        return self.op("pending", "HOLD", payer.pk, to, member_id=self.member(payer))

    def resolve(self) -> dict[str, Any] | None:
        if not self.holds:
            return None
        hold = self.random.choice(self.holds[-40:])
        pair = hold["debit"], hold["credit"]
        if self.chance(3):
            pair = pair[1], pair[0]
        member = self.random.choice((None, None, hold["member_id"], self.members[0].pk))
        extra = {"pending": hold["id"], "member_id": member, "amount": hold["amount"]}
        if self.chance(40):
            if self.chance(5):
                extra["amount"] += 1
            return self.op("void", "RELEASE", *pair, **extra)
        if self.chance(70):
            extra["amount"] = self.random.randint(1, hold["amount"] + 20)
        return self.op("post", "CHARGE", *pair, **extra)

    def refund(self) -> dict[str, Any] | None:
        if not self.charges:
            return None
        charge = self.random.choice(self.charges[-60:])
        pair = charge["credit"], charge["debit"]
        if self.chance(5):
            pair = pair[1], pair[0]
        phase = "pending" if self.chance(3) else "single"
        amount = self.random.randint(1, charge["amount"] + 5)
        return self.op(phase, "REFUND", *pair, reverses=charge["id"], amount=amount)

    def again(self) -> dict[str, Any] | None:
        if not self.ops:
            return None
        op = dict(self.random.choice(self.ops))
        if self.chance(40):
            change = self.random.choice(("amount", "reference", "kind", "debit"))
            op[change] = {
                "amount": op["amount"] + 1,
                "reference": "another",
                "kind": "TRANSFER",
                "debit": self.random.choice(self.accounts).pk,
            }[change]
        return op

    def odd(self) -> dict[str, Any]:
        """What only a mistaken program asks for."""
        nobody, somebody = 10**9, self.people[0].pk
        return self.random.choice(
            (
                self.op("single", "TRANSFER", self.issue.pk, nobody),
                self.op("pending", "HOLD", nobody, self.issue.pk),
                self.op("single", "TRANSFER", somebody, somebody),
                self.op("post", "CHARGE", somebody, self.providers[0].pk),
                self.op("void", "RELEASE", somebody, self.providers[0].pk, pending=self.new_id()),
                self.op("single", "TRANSFER", self.issue.pk, somebody, pending=self.new_id()),
                self.op("single", "REFUND", self.providers[0].pk, somebody),
                self.op("single", "REFUND", self.mint.pk, self.vault.pk, reverses=self.new_id()),
                self.op("single", "GRANT", self.mint.pk, self.vault.pk, amount=MOST - 5),
            )
        )

    def do(self, op: dict[str, Any]) -> str:
        """The real ledger's answer in a word."""
        sides = {s: self.by_id.get(op[s], Account(pk=op[s])) for s in ("debit", "credit")}
        arguments = {**op, **sides}
        try:
            if self.chance(10):  # in somebody's transaction, which must survive a refusal
                with transaction.atomic():
                    try:
                        created = post(**arguments)[1]
                    finally:
                        assert Account.objects.filter(pk=self.issue.pk).exists()
            else:
                created = post(**arguments)[1]
        except PortalError as refusal:
            return type(refusal).__name__
        return "new" if created else "known"

    def expect(self, op: dict[str, Any]) -> str:
        try:
            created = self.book.post(op)
        except RefusedError as refusal:
            return str(refusal)
        if created:
            self.ops.append(op)
            if op["phase"] == "pending":
                self.holds.append(op)
            elif op["phase"] in ("single", "post") and op["kind"] != "GRANT":
                self.charges.append(op)
        return "new" if created else "known"

    def rule(self) -> None:
        """Now and then an operator or a group administrator changes the rules."""
        account = self.random.choice((*self.spenders, *self.providers))
        holder = self.book.holders[account.pk]
        if self.chance(40):
            limit = self.random.choice((0, 0, 50, 300))
            set_credit_limit(actor=self.operator, account=account, limit=limit)
            holder.floor = -limit
        elif self.chance(50):
            member = self.random.choice(self.members)
            limit = self.random.choice((None, 0, 100, 1000, 3000))
            set_cap(actor=self.operator, group=self.group, member=member, limit=limit)
            self.book.limits.pop((self.shared.pk, member.pk), None)
            if limit is not None:
                self.book.limits[self.shared.pk, member.pk] = limit
        else:
            self.change_status(account, holder)

    def change_status(self, account: Account, holder: Holder) -> None:
        status = self.random.choice(("OPEN", "FROZEN", "CLOSED"))
        try:
            set_status(actor=self.operator, account=account, status=status)
        except Conflict:
            assert status == "CLOSED"
            assert holder.posted or holder.held
        else:
            holder.status = status

    def compare(self) -> None:
        real = {
            a.pk: (a.posted, a.held, a.version, a.overrun, a.status) for a in Account.objects.all()
        }
        book = {
            pk: (h.posted, h.held, h.version, h.overrun(), h.status)
            for pk, h in self.book.holders.items()
        }
        assert real == book
        for cap in MemberCap.objects.all():
            key = (cap.account_id, cap.member_id)
            wanted = tuple(
                d.get(key, 0) for d in (self.book.limits, self.book.used, self.book.kept)
            )
            assert (cap.limit_amount, cap.used, cap.held) == wanted
            assert cap.overrun == self.book.over(key)


@pytest.mark.timeout(900)  # seconds on a free machine, minutes on a busy one
@pytest.mark.django_db(transaction=True)
def test_every_answer_and_balance_is_that_of_a_plain_ledger() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # no crash is tested here: save the waiting
            cursor.execute("SET synchronous_commit = off")
    game = Game(SEED)
    answers: dict[str, int] = {}
    for number in range(OPERATIONS):
        if number % 60 == 59:
            game.rule()
        op = game.draw()
        expected, answer = game.expect(op), game.do(op)
        assert answer == expected, (number, op)
        answers[answer] = answers.get(answer, 0) + 1
        if number % 1000 == 999:
            game.compare()
    game.compare()
    assert findings() == []
    assert Transfer.objects.count() == len(game.book.done) == answers["new"]
    assert Entry.objects.count() == sum(h.version for h in game.book.holders.values())
    # The game was a real one: everything happened, and often.
    assert answers["new"] > OPERATIONS / 3
    for refusal in (
        "known",
        "Conflict",
        "InsufficientCredit",
        "MemberLimitReached",
        "InvalidInput",
    ):
        assert answers[refusal] > 100, answers
    assert answers["NotFound"] > 20
