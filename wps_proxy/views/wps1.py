"""The addresses of WPS 1.0.0: the service of all providers, of one, of an application; status."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from common.clock import now
from common.errors import InvalidInput, NotFound
from jobs.access import job_for
from jobs.validation import MOST_VALUES
from providers.process import BoundingBoxValue, InputValue, ProcessSummary
from providers.quotation import wants_quotation
from wps_proxy import quotation
from wps_proxy.auth import must_be_allowed_to_run, reader_of
from wps_proxy.cached import kept
from wps_proxy.documents import document_of
from wps_proxy.exchange import READING, Exchange, spoken
from wps_proxy.execute import bare, check_raw, run
from wps_proxy.negotiation import boolean, check_sequence
from wps_proxy.offers import Offer
from wps_proxy.places import Place
from wps_proxy.words import SUCCEEDED
from wps_proxy.wps1 import kvp, parse
from wps_proxy.wps1.capabilities import Offering, capabilities, unchanged
from wps_proxy.wps1.descriptions import describable, descriptions
from wps_proxy.wps1.requests import (
    VERSION,
    DescribeProcess,
    Execute,
    GetCapabilities,
    Request,
    check_form,
)
from wps_proxy.wps1.responses import ExecuteResponse, Status, bounding_box, execute_response


@spoken(VERSION)
def service(exchange: Exchange, provider: str = "", application: str = "") -> HttpResponseBase:
    """GetCapabilities, DescribeProcess and Execute: key-value pairs in a GET, XML or SOAP in a
    POST."""
    caller = reader_of(exchange.request)
    offer = Offer(caller.user, provider, application)
    place = Place(exchange.request, offer)
    wanted = _request(exchange, offer)
    if isinstance(wanted, Execute):
        must_be_allowed_to_run(exchange.request, caller)
        return _execute(exchange, place, wanted)
    if isinstance(wanted, GetCapabilities):
        document = kept(exchange.request, offer, wanted, lambda: _capabilities(place, wanted))
        return exchange.conditional(document)
    document = kept(exchange.request, offer, wanted, lambda: _descriptions(offer, wanted))
    return exchange.conditional(document)


@spoken(VERSION, READING)
def status(
    exchange: Exchange, job_id: UUID, provider: str = "", application: str = ""
) -> HttpResponseBase:
    """The ExecuteResponse of a job as it is now, for those who may see the job."""
    caller = reader_of(exchange.request)
    offer = Offer(caller.user, provider, application)
    job = job_for(caller.user, job_id, "view")
    if not offer.holds(job.service.provider.slug, job.application):
        raise NotFound
    lineage = boolean(exchange.request.GET.get("lineage"), "lineage")
    body = document_of(job, Place(exchange.request, offer), lineage=lineage, located=True)
    return exchange.answer(body, cache="private, no-cache")


def _request(exchange: Exchange, offer: Offer) -> Request:
    if exchange.request.method == "POST":
        return parse.read(exchange.document())
    return kvp.read(
        exchange.parameters(), lambda identifier: offer.description(offer.find(identifier))
    )


# --- Execute ---------------------------------------------------------------------------------


def _execute(exchange: Exchange, place: Place, wanted: Execute) -> HttpResponseBase:
    """Run it, and answer when it is at its end, unless the client did not want to wait.

    A client that asks for a quotation never starts anything, whatever the process knows of that.
    A run that takes longer than SYNC_WAIT_SECONDS, or for which nobody can wait as too many already
    do, is answered as if it had been asked for asynchronously: with the address of its status.
    """
    check_form(wanted.form)
    if wants_quotation(wanted.request.inputs):
        return _quotation(exchange, place, wanted)
    if wanted.form.raw and exchange.envelope:
        process = place.offer.description(place.offer.find(wanted.request.process))
        check_raw(exchange, process, wanted.request, literals=False)
    seconds = 0 if wanted.form.status else settings.SYNC_WAIT_SECONDS
    job = run(exchange, place.offer, wanted.request, raw=wanted.form.raw, seconds=seconds)
    if wanted.form.raw and job.final:
        return bare(exchange, job, _box)
    body = document_of(
        job,
        place,
        lineage=wanted.form.lineage,
        located=wanted.form.store or not job.final,
        language=wanted.language,
    )
    return exchange.answer(body)


def _box(value: InputValue) -> bytes | None:
    return bounding_box(value) if isinstance(value, BoundingBoxValue) else None


def _quotation(exchange: Exchange, place: Place, wanted: Execute) -> HttpResponseBase:
    quote = quotation.quoted(exchange, place.offer, wanted.request)
    if wanted.form.raw and not exchange.envelope:
        return quotation.as_text(quote)
    process = place.offer.description(place.offer.find(wanted.request.process))
    return exchange.answer(
        execute_response(
            ExecuteResponse(
                service_instance=f"{place.service(VERSION)}?service=WPS&request=GetCapabilities",
                process=ProcessSummary(
                    process.identifier, process.title, process.abstract, process.version
                ),
                status=Status(SUCCEEDED, now(), _("The request has been quoted successfully.")),
                language=wanted.language,
                outputs=(quotation.as_output(quote),),
            )
        )
    )


# --- lists and descriptions ------------------------------------------------------------------


def _capabilities(place: Place, wanted: GetCapabilities) -> bytes:
    sequence, services = place.offer.sequence(), place.offer.services(described=False)
    if wanted.update_sequence and check_sequence(wanted.update_sequence, sequence):
        return unchanged(sequence, language=wanted.language)
    return capabilities(
        address=place.service(VERSION),
        language=wanted.language,
        sequence=sequence,
        offerings=[Offering(place.offer.summary(one), quotation.notes(one)) for one in services],
    )


def _descriptions(offer: Offer, wanted: DescribeProcess) -> bytes:
    processes = quotation.descriptions(offer, wanted.identifiers)
    described = [one for one in processes if describable(one)]
    if not described or (wanted.identifiers and len(described) < len(processes)):
        raise InvalidInput(
            _("WPS cannot describe a process without outputs; run it on the portal's pages."),
            locator="identifier",
        )
    return descriptions(described, language=wanted.language, most_values=MOST_VALUES)
