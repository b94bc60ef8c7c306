"""A group with credit, and the people around it."""

from __future__ import annotations

import uuid

from accounting.accounts import (
    group_account,
    provider_account,
)
from accounting.credit.transfers import grant_to_member, take_back
from accounting.ledger import post
from accounting.models import Account, Phase, Transfer, TransferKind
from people.models import User
from tests.factories import give_credit, make_group, make_user


class Team:
    """A group with 100 credits, its administrator and two members; an operator, a stranger."""

    def __init__(self) -> None:
        self.operator = make_user(is_staff=True)
        self.admin, self.member, self.other, self.stranger = (make_user() for _ in range(4))
        self.group = make_group(admin=self.admin, members=(self.member, self.other))
        self.account = group_account(self.group)
        self.provider = provider_account(1, "Centre")
        give_credit(self.account, 100)

    def grant(self, amount: int, key: str = "", **change: object) -> Transfer:
        call = {"actor": self.admin, "group": self.group, "member": self.member, "reason": "why"}
        return grant_to_member(amount=amount, key=key or uuid.uuid4().hex, **{**call, **change})

    def take(self, amount: int, key: str = "", **change: object) -> Transfer:
        call = {"actor": self.admin, "group": self.group, "member": self.member, "reason": "why"}
        return take_back(amount=amount, key=key or uuid.uuid4().hex, **{**call, **change})

    def book(self, phase: str, kind: str, amount: int, **extra: object) -> Transfer:
        sides = {"debit": self.account, "credit": self.provider, "id": uuid.uuid4()}
        return post(
            phase=Phase(phase), kind=TransferKind(kind), amount=amount, **{**sides, **extra}
        )[0]

    def spend(self, member: User, hold: int, charge: int) -> Transfer:
        held = self.book("pending", "HOLD", hold, member_id=member.pk)
        return self.book("post", "CHARGE", charge, pending=held)

    def balance(self, account: Account) -> int:
        return Account.objects.get(pk=account.pk).posted
