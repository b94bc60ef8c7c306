"""Seals: a hash chain over an account's entries, so that a change behind the ledger's back shows.

Triggers stop accidents; the owner of a database can turn them off. An entry's version counts an
account's entries without a gap, in the order in which they were committed, so deletion, insertion
and change are all found by computing the chain again.

    hash = SHA-256(previous hash ‖ LF ‖ line ‖ LF ‖ line ‖ LF …)

in UTF-8, hashes as 64 lower-case hexadecimal digits, 64 zeros before the first. A line of form 1 is
the JSON array of LINE's fields for one entry, written as RFC 8785 says: no spaces, only quotation
mark, backslash and control characters escaped. Instants are text in UTC with microseconds, such as
2026-01-31T23:59:59.000000Z; identifiers of transfers are text, of accounts and members numbers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounting.models import Account, Entry, Seal
from common.clock import now
from common.errors import Conflict

FORM = 1
BEFORE_ALL = "0" * 64
_CHUNK = 5_000
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

# The fields of a line of form 1, and where they come from. Never changed: another order or field
# is another form. `member` is the member on whose behalf was paid, as on the transfer or its hold.
LINE = {
    "version": F("version"),
    "amount": F("amount"),
    "balance": F("balance_after"),
    "transfer": F("transfer"),
    "phase": F("transfer__phase"),
    "kind": F("transfer__kind"),
    "debit": F("transfer__debit_id"),
    "credit": F("transfer__credit_id"),
    "transferred": F("transfer__amount"),
    "resolves": F("transfer__pending_id"),
    "reverses": F("transfer__reverses_id"),
    "overrun": F("transfer__overrun_ok"),
    "member": Coalesce("transfer__member_id", "transfer__pending__member_id"),
    "actor": F("transfer__actor"),
    "reason": F("transfer__reason"),
    "reference": F("transfer__reference"),
    "fingerprint": F("transfer__fingerprint"),
    "effective_at": F("transfer__effective_at"),
    "created_at": F("transfer__created_at"),
}
_IDENTIFIERS = ("transfer", "resolves", "reverses")
_INSTANTS = ("effective_at", "created_at")


def seal(account: Account, *, up_to: int | None = None) -> Seal | None:
    """Seal what is booked since the last seal, up to a version; the newest seal.

    None while there is no entry. Any number of callers may do so at once: one seals, the others get
    its seal. No lock is held meanwhile: committed entries never change. Raises Conflict where
    entries are missing, which only damage explains.
    """
    newest = account.seals.order_by("-from_version").first()
    first = newest.to_version + 1 if newest else 1
    booked = Account.objects.values_list("version", flat=True).get(pk=account.pk)
    last = booked if up_to is None else min(booked, up_to)
    if last < first:
        return newest
    previous = newest.hash if newest else BEFORE_ALL
    digest, lines = _digest(account, previous, first, last)
    if lines != last - first + 1:
        raise Conflict(_("Entries of this account are missing: it cannot be sealed."))
    made = Seal(
        account=account,
        from_version=first,
        to_version=last,
        form=FORM,
        previous_hash=previous,
        hash=digest,
        created_at=now(),
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        other = account.seals.order_by("-from_version").first()
        if other is None or other.to_version < first:
            raise
        return other
    return made


def seal_due(at: datetime) -> int:
    """Seal what is new on every account that was not sealed on the day of `at` (UTC); how many."""
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    newest = Seal.objects.filter(account=OuterRef("pk")).order_by("-from_version")
    waiting = (
        Account.objects.filter(version__gt=0)
        .annotate(
            sealed=Coalesce(Subquery(newest.values("to_version")[:1]), 0),
            sealed_at=Subquery(newest.values("created_at")[:1]),
        )
        .filter(Q(sealed_at=None) | Q(sealed_at__lt=midnight), version__gt=F("sealed"))
        .order_by("pk")
    )
    done = 0
    for account in waiting.iterator(chunk_size=500):
        seal(account)
        done += 1
    return done


def verify(account: Account) -> list[str]:
    """What is wrong with the account's chain, one sentence each; empty when it is whole.

    Computes every seal again from the entries as they are now; memory does not grow with them.
    """
    told: list[str] = []
    previous, next_version = BEFORE_ALL, 1
    for one in account.seals.order_by("from_version"):
        where = {"account": account.code, "first": one.from_version, "last": one.to_version}
        if one.form != FORM:
            told.append(_("Account %(account)s: the seal of entries %(first)s to %(last)s is of an"
                          " unknown form.") % where)  # fmt: skip
        elif (one.from_version, one.previous_hash) != (next_version, previous):
            told.append(_("Account %(account)s: the seal of entries %(first)s to %(last)s does not"
                          " follow the one before it.") % where)  # fmt: skip
        elif _digest(account, previous, one.from_version, one.to_version)[0] != one.hash:
            told.append(_("Account %(account)s: entries %(first)s to %(last)s are not those that"
                          " were sealed.") % where)  # fmt: skip
        previous, next_version = one.hash, one.to_version + 1
    return told


def sealed_facts(
    account: Account, first: int, last: int, *, limit: int
) -> Iterator[dict[str, Any]]:
    """What a line says of entries, under the names of LINE and in its order, oldest first."""
    named = {name: fact for name, fact in LINE.items() if fact != F(name)}
    entries = Entry.objects.filter(account=account, version__gte=first, version__lte=last)
    for row in entries.order_by("version").annotate(**named).values(*LINE)[:limit]:
        for name in _IDENTIFIERS:
            row[name] = row[name] and str(row[name])
        for name in _INSTANTS:
            at = row[name].astimezone(UTC).replace(tzinfo=None)
            row[name] = f"{at.isoformat(timespec='microseconds')}Z"
        yield row


def _digest(account: Account, previous: str, first: int, last: int) -> tuple[str, int]:
    """The hash of a seal, and how many entries went into it."""
    chain = hashlib.sha256(f"{previous}\n".encode())
    lines = 0
    for line in _lines(account, first, last):
        chain.update(line)
        lines += 1
    return chain.hexdigest(), lines


def _lines(account: Account, first: int, last: int) -> Iterator[bytes]:
    while True:
        rows = list(sealed_facts(account, first, last, limit=_CHUNK))
        for row in rows:
            yield f"{_encode(list(row.values()))}\n".encode()
        if len(rows) < _CHUNK:
            return
        first = rows[-1]["version"] + 1
