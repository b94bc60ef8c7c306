"""A game with the real ledger and the plain one: random operations, and what each answers."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from django.db import transaction

from accounting.accounts import (
    group_account,
    provider_account,
    set_credit_limit,
    set_status,
    system_account,
    user_account,
)
from accounting.credit.transfers import set_cap
from accounting.ledger import Posting, post, post_many
from accounting.models import Account, MemberCap
from common.errors import Conflict
from people.models import Group, Membership, Role, User
from tests.accounting.book import MOST, PERIODS, Book, Holder, word


class Game:
    """Random operations on a few accounts, mostly possible ones, many of them nearly so."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.clock = self.at = datetime(2027, 11, 20, tzinfo=UTC)
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
        self.most_caps = self.operations = 0

    def chance(self, percent: float) -> bool:
        return self.random.random() * 100 < percent

    def amount(self) -> int:
        odd = 0, -1, 1, 1, 2, MOST + 1
        return self.random.choice(odd) if self.chance(2) else self.random.randint(1, 120)

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
            "at": self.at,
        }
        return {**base, **extra}

    def tick(self) -> None:
        """Months go by, with a leap day and ends of years among them; clocks are not all alike."""
        self.clock += timedelta(seconds=self.random.randint(0, 8000))
        if self.chance(0.3):  # to the very end of a month
            later = self.clock.replace(day=28, hour=0, minute=0, second=0) + timedelta(days=4)
            self.clock = max(self.clock, later.replace(day=1, microsecond=0))
            self.clock -= timedelta(microseconds=self.random.randint(0, 1))
        behind = self.random.randint(1, 100_000) if self.chance(3) else 0
        self.at = self.clock - timedelta(seconds=behind)

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

    def batch(self) -> list[dict[str, Any]]:
        """Resolutions of several holds, most of them possible together."""
        open_holds = [hold for hold in self.holds[-300:] if hold["id"] not in self.book.resolved]
        drawn = self.random.sample(open_holds, min(len(open_holds), self.random.randint(1, 30)))
        ops = [self.resolution(hold) for hold in drawn]
        if self.chance(30):
            others = (self.resolve(), self.again(), self.refund(), self.hold(), *ops[:1])
            ops += [op for op in self.random.sample(others, 2) if op and 0 < op["amount"] <= MOST]
            self.random.shuffle(ops)
        return ops

    def resolution(self, hold: dict[str, Any]) -> dict[str, Any]:
        pair = {"debit": hold["debit"], "credit": hold["credit"], "pending": hold["id"]}
        if self.chance(40):
            return self.op("void", "RELEASE", **pair, amount=hold["amount"])
        more = self.random.randint(1, 40) if self.chance(4) else -self.random.randint(0, 30)
        amount, overrun_ok = max(1, hold["amount"] + more), self.chance(50)
        return self.op("post", "CHARGE", **pair, amount=amount, overrun_ok=overrun_ok)

    def one(self) -> Counter[str]:
        op = self.draw()
        expected, answer = word(self.book.post, op), word(self.do, self.arguments(op))
        assert answer == expected, (self.operations, op)
        if answer == "True":
            self.keep(op)
        self.operations += 1
        return Counter([answer])

    def several(self) -> Counter[str]:
        ops = self.batch()
        postings = [Posting(**self.arguments(op)) for op in ops]
        expected, answer = word(self.book.post_many, ops), word(post_many, postings)
        assert answer == expected, (self.operations, ops)
        self.operations += len(ops)
        if not answer.isdigit():
            return Counter(["refused batch"])
        for op in ops:
            if self.book.done.get(op["id"]) is op:
                self.keep(op)
        return Counter({"batch": 1, "True": int(answer)})

    def arguments(self, op: dict[str, Any]) -> dict[str, Any]:
        sides = {s: self.by_id.get(op[s], Account(pk=op[s])) for s in ("debit", "credit")}
        return {name: value for name, value in {**op, **sides}.items() if name != "at"}

    def do(self, arguments: dict[str, Any]) -> bool:
        if not self.chance(10):
            return post(**arguments)[1]
        with transaction.atomic():  # somebody's transaction, which must survive a refusal
            try:
                return post(**arguments)[1]
            finally:
                assert Account.objects.filter(pk=self.issue.pk).exists()

    def keep(self, op: dict[str, Any]) -> None:
        self.ops.append(op)
        if op["phase"] == "pending":
            self.holds.append(op)
        elif op["phase"] in ("single", "post") and op["kind"] != "GRANT":
            self.charges.append(op)

    def rule(self) -> None:
        """Now and then an operator or a group administrator changes the rules."""
        account = self.random.choice((*self.spenders, *self.providers))
        holder = self.book.holders[account.pk]
        if self.chance(40):
            limit = self.random.choice((0, 0, 50, 300))
            set_credit_limit(actor=self.operator, account=account, limit=limit, reason="why")
            holder.floor = -limit
        elif self.chance(50):
            self.change_limit(self.random.choice(self.members))
        else:
            self.change_status(account, holder)

    def change_limit(self, member: User) -> None:
        limit = self.random.choice((None, 0, 100, *(1000, 3000) * 4))
        period = self.random.choice((None, None, *PERIODS))
        group, actor = self.group, self.operator
        set_cap(actor=actor, group=group, member=member, limit=limit, period=period)
        self.book.set_limit((self.shared.pk, member.pk), limit, period, self.at)

    def change_status(self, account: Account, holder: Holder) -> None:
        status = self.random.choice(("OPEN", "FROZEN", "CLOSED"))
        try:
            set_status(actor=self.operator, account=account, status=status, reason="why")
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
        names = "limit_amount", "overrun", "used", "held"
        caps = {
            (c.account_id, c.member_id, c.period, c.period_start): attrgetter(*names)(c)
            for c in MemberCap.objects.all()
        }
        assert caps == {
            (*member, row.period, row.start): (
                *(row.limit, self.book.over(member, row)),
                *self.book.counts.get((member, row.period, row.start), (0, 0)),
            )
            for member, rows in self.book.limits.items()
            for row in rows
        }
        self.most_caps = max(self.most_caps, len(caps))
