"""One process of the storm: `python -m tests.accounting.storm <seed> <operations>` (0: no end).

Every process draws its transfers from one small set of names, so that they meet all the time: on
the accounts, on the holds, and on the ids.
"""

from __future__ import annotations

import random
import sys
from contextlib import suppress
from uuid import UUID, uuid5

import django

django.setup()

from django.db import transaction  # noqa: E402 (Django's models need it set up)

from accounting.ledger import Posting, lock, post, post_many  # noqa: E402
from accounting.models import Account, Phase, Transfer, TransferKind  # noqa: E402
from common.errors import Conflict, PaymentRequired  # noqa: E402

NAMESPACE = UUID("3d5bb2b8-13a5-4f5c-9b6b-c55f7d8f9b11")


class Storm:
    def __init__(self, seed: int, names: int) -> None:
        self.random = random.Random(seed)
        self.names = names
        codes = ("provider:1", "provider:2", "provider:3", "provider:4")
        self.accounts = [Account.objects.get(code=code) for code in codes]

    def one(self) -> None:
        name = self.random.randrange(self.names)
        with suppress(PaymentRequired, Conflict):
            (self.move, self.hold, self.resolve, self.both)[name % 4](name)
            if self.random.random() < 0.05:
                self.many(name)

    def drawn(self, name: int) -> random.Random:
        """What hangs on the name only is the same in every process, but for a few liars."""
        lie = self.random.random() < 0.05
        return random.Random(f"{name}:{lie}")

    def pair(self, drawn: random.Random) -> tuple[Account, Account]:
        debit, credit = drawn.sample(self.accounts, 2)
        return debit, credit

    def move(self, name: int) -> None:
        drawn = self.drawn(name)
        debit, credit = self.pair(drawn)
        post(
            id=uuid5(NAMESPACE, f"move:{name}"),
            phase=Phase.SINGLE,
            kind=TransferKind.TRANSFER,
            debit=debit,
            credit=credit,
            amount=drawn.randint(1, 40),
        )

    def hold(self, name: int) -> None:
        drawn = self.drawn(name)
        debit, credit = self.pair(drawn)
        post(
            id=uuid5(NAMESPACE, f"hold:{name}"),
            phase=Phase.PENDING,
            kind=TransferKind.HOLD,
            debit=debit,
            credit=credit,
            amount=drawn.randint(1, 40),
            member_id=drawn.choice((None, 1, 2)),
        )

    def resolve(self, name: int) -> None:
        """Charge or release the hold of a neighbouring name: several processes try at once."""
        hold_id = uuid5(NAMESPACE, f"hold:{name - 1}")
        hold = Transfer.objects.select_related("debit", "credit").filter(pk=hold_id).first()
        if hold is None:
            return
        posting = self.resolution(hold)
        post(**{name: getattr(posting, name) for name in Posting.__slots__})

    def many(self, name: int) -> None:
        """Charge or release the holds of many neighbours at once, some of them resolved already."""
        ids = [uuid5(NAMESPACE, f"hold:{name + step}") for step in range(60)]
        resolved = Transfer.objects.filter(pending__in=ids).values("pending")
        holds = Transfer.objects.filter(pk__in=ids).select_related("debit", "credit")
        if self.random.random() < 0.8:
            holds = holds.exclude(pk__in=resolved)
        drawn = list(holds)
        self.random.shuffle(drawn)
        post_many([self.resolution(hold) for hold in drawn])

    def resolution(self, hold: Transfer) -> Posting:
        charge = self.random.random() < 0.5
        return Posting(
            id=uuid5(NAMESPACE, f"many:{hold.pk}:{charge}"),
            phase=Phase.POST if charge else Phase.VOID,
            kind=TransferKind.CHARGE if charge else TransferKind.RELEASE,
            debit=hold.debit,
            credit=hold.credit,
            amount=max(1, hold.amount - 3) if charge else hold.amount,
            pending=hold,
        )

    def both(self, name: int) -> None:
        """Two transfers that stand or fall together."""
        first, second = self.pair(self.random)
        with transaction.atomic():
            lock(first, second)
            for debit, credit in ((first, second), (second, first)):
                post(
                    id=uuid5(NAMESPACE, f"both:{name}:{debit.pk}:{self.random.random()}"),
                    phase=Phase.SINGLE,
                    kind=TransferKind.TRANSFER,
                    debit=debit,
                    credit=credit,
                    amount=self.random.randint(1, 30),
                    reference=f"both:{name}",
                )


def main(seed: int, operations: int) -> None:
    storm = Storm(seed, names=2000)
    storm.one()
    print("under way", flush=True)  # noqa: T201
    done = 1
    while not operations or done < operations:
        storm.one()
        done += 1


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
