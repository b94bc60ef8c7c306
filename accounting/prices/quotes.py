"""Quotes: a price promised for given inputs, until it expires or is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounting.models import Account, JobBill, Quote, Rate
from accounting.models.ledger import MOST
from accounting.prices.pricing import Line, Prices, price_lines, prices_for
from common.clock import now
from common.errors import InvalidInput, QuoteExpired
from common.ids import time_ordered
from common.rows import insert, new
from people.models import User


class Quantity(NamedTuple):
    """How much of a unit a run is expected to use, in smallest units, and how that is known.

    `basis` says it to people, `source` is one of SOURCES. Half of all runs like this one lie
    between `low` and `high`, where that is known.
    """

    amount: int
    basis: str
    source: str = "declared"
    low: int | None = None
    high: int | None = None


# Where a quantity can come from, the best first.
SOURCES = ("provider", "formula", "history", "declared", "inputs", "flat")


def make_quote(  # noqa: PLR0913 (a promise has this many terms; all are named)
    *,
    account: Account,
    member: User,
    provider_id: int,
    service_id: int,
    fingerprint: str,
    quantities: Mapping[str, tuple[int, str] | Quantity],
    source: str = "",
    prices: Prices | None = None,
) -> Quote:
    """Promise a price for QUOTE_SECONDS: the most that the job will be charged.

    `quantities`: unit → how much, and where the figure comes from. `prices` are those that the
    quantities were found for; without them, the present ones. `source`: without it, the best of
    those that the lines have. A service without rates is free. Raises InvalidInput when the price
    is beyond what an account can hold.
    """
    prices = prices or prices_for(provider_id, service_id)
    known = {unit: Quantity(*quantity) for unit, quantity in quantities.items()}
    lines, total = price_lines(prices.rates, {unit: q.amount for unit, q in known.items()})
    if total > MOST:
        raise InvalidInput(_("This would cost more than any account can hold."))
    moment = now()
    quote = new(
        Quote,
        id=time_ordered(),
        account=account,
        member_id=member.pk,
        provider_id=provider_id,
        service_id=service_id,
        inputs_fingerprint=fingerprint,
        price_list=prices.price_list,
        lines=[_explained(line, known[line["unit"]], prices.rates) for line in lines],
        source=source or _best(known[line["unit"]].source for line in lines),
        total=total,
        created_at=moment,
        expires_at=moment + timedelta(seconds=settings.QUOTE_SECONDS),
    )
    insert(quote)
    return quote


@transaction.atomic
def check_quote(
    quote_id: UUID | str,
    *,
    member: User,
    account: Account,
    fingerprint: str,
    service_id: int | None = None,
) -> Quote:
    """The quote, if it still stands for this member, account and inputs; locked for the caller.

    The lock lets of two submissions with one quote only the first pass. Raises QuoteExpired, also
    for a quote that does not exist or is another member's: nothing is told about those.
    """
    try:
        wanted = UUID(str(quote_id))
    except ValueError as error:
        raise QuoteExpired from error
    quote = Quote.objects.select_for_update(no_key=True).filter(pk=wanted).first()
    if quote is None or quote.expires_at <= now():
        raise QuoteExpired
    same = (quote.member_id, quote.account_id, quote.inputs_fingerprint) == (
        member.pk,
        account.pk,
        fingerprint,
    )
    if not same or service_id not in (None, quote.service_id):
        raise QuoteExpired
    if JobBill.objects.filter(quote=quote).exists():
        raise QuoteExpired
    return quote


def _explained(line: Line, quantity: Quantity, rates: Iterable[Rate]) -> Line:
    """The line with how its quantity is known, and what it may come to."""
    line = {**line, "basis": quantity.basis, "source": quantity.source}
    if quantity.low is None or quantity.high is None or quantity.low == quantity.high:
        return line
    rate = [rate for rate in rates if rate.unit == line["unit"]]
    low, high = (price_lines(rate, {line["unit"]: n})[1] for n in (quantity.low, quantity.high))
    return {**line, "low": low, "high": high}


def _best(sources: Iterable[str]) -> str:
    return min(sources, key=SOURCES.index, default="flat")
