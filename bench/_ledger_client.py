"""One client of the ledger benchmark.

Says "ready". For each line "<what> <seconds>" on its input it works for so long, and says how often
it did it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import django

django.setup()

from django.db import models, transaction  # noqa: E402 (Django's models need it set up)

from accounting.accounts import provider_account  # noqa: E402
from accounting.ledger import post  # noqa: E402
from accounting.models import Phase, Transfer, TransferKind  # noqa: E402


class PlainAccount(models.Model):
    """The usual way: a balance that Python reads, checks and saves."""

    objects: models.Manager[Any]
    balance = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)

    class Meta:
        app_label = "bench"

    def __str__(self) -> str:
        return str(self.pk)


class PlainHold(models.Model):
    objects: models.Manager[Any]
    id = models.UUIDField(primary_key=True)
    payer = models.ForeignKey(PlainAccount, models.PROTECT, related_name="+")
    payee = models.ForeignKey(PlainAccount, models.PROTECT, related_name="+")
    amount = models.BigIntegerField()
    charged = models.BooleanField(default=False)

    class Meta:
        app_label = "bench"

    def __str__(self) -> str:
        return str(self.pk)


class PlainEntry(models.Model):
    objects: models.Manager[Any]
    hold = models.ForeignKey(PlainHold, models.PROTECT)
    account = models.ForeignKey(PlainAccount, models.PROTECT)
    amount = models.BigIntegerField()

    class Meta:
        app_label = "bench"

    def __str__(self) -> str:
        return str(self.pk)


PLAIN = (PlainAccount, PlainHold, PlainEntry)
payer, payee = provider_account(1), provider_account(2)


def hold() -> Transfer:
    transfer, _new = post(
        id=uuid4(),
        phase=Phase.PENDING,
        kind=TransferKind.HOLD,
        debit=payer,
        credit=payee,
        amount=1,
    )
    return transfer


def charge() -> None:
    post(
        id=uuid4(),
        phase=Phase.SINGLE,
        kind=TransferKind.CHARGE,
        debit=payer,
        credit=payee,
        amount=1,
    )


def pair() -> None:
    post(
        id=uuid4(),
        phase=Phase.POST,
        kind=TransferKind.CHARGE,
        debit=payer,
        credit=payee,
        amount=1,
        pending=hold(),
    )


@transaction.atomic
def plain_hold() -> PlainHold:
    account = PlainAccount.objects.select_for_update(no_key=True).get(pk=1)
    assert account.balance - account.held >= 1
    account.held += 1
    account.save()
    return PlainHold.objects.create(id=uuid4(), payer=account, payee_id=2, amount=1)


@transaction.atomic
def plain_charge(held: PlainHold | None = None) -> None:
    rows = PlainAccount.objects.select_for_update(no_key=True).filter(pk__in=(1, 2)).order_by("pk")
    giver, taker = rows
    assert giver.balance - giver.held >= 1
    if held is None:
        held = PlainHold.objects.create(id=uuid4(), payer=giver, payee=taker, amount=1)
    else:
        giver.held -= 1
        held.charged = True
        held.save()
    giver.balance -= 1
    taker.balance += 1
    giver.save()
    taker.save()
    PlainEntry.objects.create(hold=held, account=giver, amount=-1)
    PlainEntry.objects.create(hold=held, account=taker, amount=1)


def plain_pair() -> None:
    plain_charge(plain_hold())


WORK: dict[str, Callable[[], object]] = {
    "hold": hold,
    "charge": charge,
    "pair": pair,
    "plain hold": plain_hold,
    "plain charge": plain_charge,
    "plain pair": plain_pair,
}


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        what, seconds = line.rsplit(" ", 1)
        work = WORK[what]
        done, end = 0, time.perf_counter() + float(seconds)
        while time.perf_counter() < end:
            work()
            done += 1
        print(done, flush=True)


if __name__ == "__main__":
    main()
