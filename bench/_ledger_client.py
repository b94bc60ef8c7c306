"""One client of the ledger benchmark.

Says "ready". For each line on its input it works for so long, and says how often it did it.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import uuid4

import django

django.setup()

from accounting.ledger import post  # noqa: E402 (Django's models need it set up)
from accounting.models import Account, Phase, Transfer, TransferKind  # noqa: E402
from bench._ledger_plain import Plain  # noqa: E402

PAIRS = 500  # of "1,000 accounts"


@cache
def pairs() -> list[tuple[Account, Account]]:
    """The hot pair, and the others; read before the clock runs."""
    accounts = {a.code: a for a in Account.objects.filter(kind="PROVIDER")}
    numbers = range(1, 2 * PAIRS, 2)
    return [(accounts[f"provider:{n}"], accounts[f"provider:{n + 1}"]) for n in numbers]


class Ours:
    """Our functions on so many pairs of accounts."""

    def __init__(self, number: int) -> None:
        self.pairs = pairs()[:number]

    def book(self, phase: Phase, kind: TransferKind, **more: Any) -> Transfer:
        payer, payee = random.choice(self.pairs)
        arguments = {"debit": payer, "credit": payee, **more}
        return post(id=uuid4(), phase=phase, kind=kind, amount=1, **arguments)[0]

    def hold(self) -> Transfer:
        return self.book(Phase.PENDING, TransferKind.HOLD)

    def charge(self) -> Transfer:
        return self.book(Phase.SINGLE, TransferKind.CHARGE)

    def pair(self) -> Transfer:
        hold = self.hold()
        sides = {"debit": Account(pk=hold.debit_id), "credit": Account(pk=hold.credit_id)}
        return self.book(Phase.POST, TransferKind.CHARGE, pending=hold, **sides)


def main() -> None:
    """Lines "<ours|plain> <hold|charge|pair> <pairs of accounts> <seconds>"."""
    makers: dict[str, type[Ours] | type[Plain]] = {"ours": Ours, "plain": Plain}
    pairs()
    print("ready", flush=True)
    for line in sys.stdin:
        whose, what, number, seconds = line.split()
        work: Callable[[], object] = getattr(makers[whose](int(number)), what)
        done, end = 0, time.perf_counter() + float(seconds)
        while time.perf_counter() < end:
            work()
            done += 1
        print(done, flush=True)


if __name__ == "__main__":
    main()
