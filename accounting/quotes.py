"""Quotes: a price promised for given inputs, until it expires or is used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounting.models import Account, JobBill, Quote
from accounting.models.ledger import MOST
from accounting.pricing import current_list, price_lines, rates_for
from common.clock import now
from common.errors import InvalidInput, QuoteExpired
from people.models import User


def make_quote(
    *,
    account: Account,
    member: User,
    provider_id: int,
    service_id: int,
    fingerprint: str,
    quantities: Mapping[str, tuple[int, str]],
) -> Quote:
    """Promise a price for QUOTE_SECONDS: the most that the job will be charged.

    `quantities`: unit → (smallest units, where the figure comes from). A service without rates is
    free. Raises InvalidInput when the price is beyond what an account can hold.
    """
    price_list = current_list(provider_id)
    counted = {unit: quantity for unit, (quantity, _basis) in quantities.items()}
    lines, total = price_lines(rates_for(price_list, service_id), counted)
    if total > MOST:
        raise InvalidInput(_("This would cost more than any account can hold."))
    moment = now()
    return Quote.objects.create(
        id=uuid4(),
        account=account,
        member_id=member.pk,
        provider_id=provider_id,
        service_id=service_id,
        inputs_fingerprint=fingerprint,
        price_list=price_list,
        lines=[{**line, "basis": quantities[line["unit"]][1]} for line in lines],
        total=total,
        created_at=moment,
        expires_at=moment + timedelta(seconds=settings.QUOTE_SECONDS),
    )


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
