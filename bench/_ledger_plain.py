"""The usual Django ledger, for comparison: lock the accounts, check in Python, save.

It stores what ours stores, in tables with the same columns, constraints and indexes; but for the
triggers: what a transfer names is proven by foreign keys, and Python moves the money.
"""

from __future__ import annotations

import random
from typing import Any
from uuid import uuid4

from django.db import models, transaction

from accounting.models import Account, Entry, Phase, Transfer, TransferKind
from common.clock import now


def _twin(model: Any, **links: Any) -> Any:
    """A model alike, of tables of its own; its links among them are real foreign keys."""
    meta = model._meta
    body: dict[str, Any] = {f.name: f.clone() for f in meta.local_fields if not f.is_relation}
    for name, to in links.items():
        null = meta.get_field(name).null
        body[name] = models.ForeignKey(
            to, models.PROTECT, related_name="+", null=null, db_index=False
        )
    rules = {
        kind: [_renamed(rule) for rule in getattr(meta, kind)]
        for kind in ("constraints", "indexes")
    }
    body["Meta"] = type("Meta", (), {"app_label": "bench", **rules})
    return type(f"Plain{model.__name__}", (models.Model,), {"__module__": __name__, **body})


def _renamed(rule: models.BaseConstraint | models.Index) -> Any:
    _path, arguments, named = rule.deconstruct()
    return type(rule)(*arguments, **{**named, "name": f"p{rule.name}"})


class PlainOwner(models.Model):
    """Stands for the user or group of an account."""

    class Meta:
        app_label = "bench"

    def __str__(self) -> str:
        return str(self.pk)


PlainAccount = _twin(Account, user=PlainOwner, group=PlainOwner)
PlainTransfer = _twin(
    Transfer, debit=PlainAccount, credit=PlainAccount, pending="self", reverses="self"
)
PlainEntry = _twin(Entry, transfer=PlainTransfer, account=PlainAccount)
PLAIN = (PlainOwner, PlainAccount, PlainTransfer, PlainEntry)


class Plain:
    """The usual way, on so many pairs of accounts."""

    def __init__(self, number: int) -> None:
        self.number = number

    @transaction.atomic
    def hold(self) -> Any:
        payer, payee = self._checked()
        payer.held += 1
        payer.save()
        return self._transfer(Phase.PENDING, TransferKind.HOLD, payer, payee)

    @transaction.atomic
    def charge(self) -> None:
        payer, payee = self._checked()
        self._move(Phase.SINGLE, payer, payee)

    def pair(self) -> None:
        self._resolve(self.hold())

    @transaction.atomic
    def _resolve(self, hold: Any) -> None:
        payer, payee = self._locked(hold.debit_id)
        payer.held -= hold.amount
        self._move(Phase.POST, payer, payee, pending=hold)

    def _checked(self) -> list[Any]:
        payer, payee = self._locked(2 * random.randrange(self.number) + 1)
        assert payer.currency == payee.currency
        assert payer.status == "OPEN"
        assert payee.status != "CLOSED"
        assert payer.posted - payer.held - payer.floor >= 1
        return [payer, payee]

    def _locked(self, first: int) -> list[Any]:
        accounts = PlainAccount.objects.select_for_update(no_key=True)
        return list(accounts.filter(pk__in=(first, first + 1)).order_by("pk"))

    def _move(self, phase: Phase, payer: Any, payee: Any, **more: Any) -> None:
        transfer = self._transfer(phase, TransferKind.CHARGE, payer, payee, **more)
        entries = []
        for account, amount in ((payer, -1), (payee, 1)):
            account.posted += amount
            account.version += 1
            account.save()
            entry = PlainEntry(transfer=transfer, account=account, amount=amount)
            entry.balance_after, entry.version = account.posted, account.version
            entries.append(entry)
        PlainEntry.objects.bulk_create(entries)

    def _transfer(
        self, phase: Phase, kind: TransferKind, debit: Any, credit: Any, **more: Any
    ) -> Any:
        at = now()
        return PlainTransfer.objects.create(
            id=uuid4(),
            phase=phase,
            kind=kind,
            debit=debit,
            credit=credit,
            amount=1,
            fingerprint="0" * 64,
            effective_at=at,
            created_at=at,
            **more,
        )
