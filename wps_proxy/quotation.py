"""quotation=true at our door: what a run would cost, in place of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.http import HttpResponse
from django.utils.translation import gettext as _

from accounting.models import Quote
from common.money import show
from jobs.lifecycle import quote_job
from people.models import User
from providers.models import Service
from providers.process import (
    ExecuteRequest,
    InputDescription,
    LiteralDomain,
    LiteralValue,
    OutputValue,
    ProcessDescription,
)
from providers.quotation import INPUT, OUTPUT, without_reserved
from wps_proxy.exchange import Exchange
from wps_proxy.offers import Offer
from wps_proxy.payer import payer

UNIT = "credit"


def offered(process: ProcessDescription) -> ProcessDescription:
    """The description of a process that can be asked for its price, with the input to ask by."""
    question = InputDescription(
        INPUT,
        LiteralDomain("boolean", default="false"),
        _("Only say what it costs"),
        _("“true”: nothing is run; the only output is %s, in credits.") % OUTPUT,
        min_occurs=0,
    )
    return replace(process, inputs=(*process.inputs, question))


def notes(service: Service) -> tuple[str, ...]:
    """What a list says of a service besides: who runs it, and whether that one can be asked."""
    told = [_("Provider: %s") % service.provider.name]
    if service.quotable:
        told.append(_("Quotable: Execute with quotation=true says what a run costs"))
    return tuple(told)


def descriptions(offer: Offer, identifiers: Sequence[str]) -> list[ProcessDescription]:
    """The processes of these identifiers, or all of the address, with the input to ask by."""
    if identifiers:
        services = [offer.find(identifier) for identifier in identifiers]
    else:
        services = offer.services(described=True)
    return [
        offered(offer.description(one)) if one.quotable else offer.description(one)
        for one in services
    ]


def quoted(exchange: Exchange, offer: Offer, wanted: ExecuteRequest) -> Quote:
    """The price of the run that is asked about; nothing is run or held."""
    user: User = offer.user
    return quote_job(
        actor=user,
        service=offer.find(wanted.process),
        inputs=without_reserved(wanted.inputs),
        account=payer(exchange.request, user, exchange.parameters()),
    )


def as_output(quote: Quote) -> OutputValue:
    """The price in place of the outputs, in credits."""
    cost = LiteralValue(OUTPUT, show(quote.total), "decimal", UNIT)
    return OutputValue(cost, _("Job Quotation"))


def as_text(quote: Quote) -> HttpResponse:
    """The bare price, for who asked for a raw output."""
    return HttpResponse(
        show(quote.total), content_type="text/plain", headers={"Cache-Control": "no-store"}
    )
