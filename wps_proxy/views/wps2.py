"""The addresses of WPS 2.0: the service of all providers, of one, of an application."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from common.errors import InvalidInput, NotFound
from jobs.access import job_for
from jobs.lifecycle import dismiss
from jobs.models import Job
from people.tokens import Caller
from providers.process import ExecuteRequest, InputValue, LiteralValue
from providers.quotation import wants_quotation, without_reserved
from wps_proxy import quotation
from wps_proxy.auth import must_be_allowed_to_run, reader_of
from wps_proxy.cached import kept
from wps_proxy.codes import recoded
from wps_proxy.exchange import Exchange, spoken
from wps_proxy.execute import bare, check_raw, run
from wps_proxy.negotiation import check_sequence
from wps_proxy.offers import Offer
from wps_proxy.places import Place
from wps_proxy.references import resolved
from wps_proxy.statuses import TEXT, result_of, status_of
from wps_proxy.words import DISMISSED, wps2_word
from wps_proxy.wps2 import kvp, parse
from wps_proxy.wps2.capabilities import Offering, capabilities, unchanged
from wps_proxy.wps2.descriptions import describable, offerings
from wps_proxy.wps2.requests import (
    VERSION,
    DescribeProcess,
    Dismiss,
    Execute,
    GetCapabilities,
    GetStatus,
    JobRequest,
    Request,
)
from wps_proxy.wps2.responses import StatusInfo, result, status_info, value_document

# What a client that leaves it to the portal waits for; a longer run is asked for its status.
AUTO_SECONDS = 5


@spoken(VERSION)
def service(exchange: Exchange, provider: str = "", application: str = "") -> HttpResponseBase:
    """All operations: key-value pairs in a GET (but Execute), XML or SOAP in a POST."""
    caller = reader_of(exchange.request)
    offer = Offer(caller.user, provider, application)
    wanted = _request(exchange, offer)
    if isinstance(wanted, GetCapabilities):
        place = Place(exchange.request, offer)
        document = kept(exchange.request, offer, wanted, lambda: _capabilities(place, wanted))
        return exchange.conditional(document, media_type=wanted.media_type)
    if isinstance(wanted, DescribeProcess):
        document = kept(exchange.request, offer, wanted, lambda: _offerings(offer, wanted))
        return exchange.conditional(document)
    if isinstance(wanted, Execute):
        must_be_allowed_to_run(exchange.request, caller)
        return _execute(exchange, offer, wanted)
    return _of_job(exchange, offer, caller, wanted)


def _request(exchange: Exchange, offer: Offer) -> Request:
    if exchange.request.method == "POST":
        return parse.read(
            exchange.document(), lambda identifier: offer.description(offer.find(identifier))
        )
    return kvp.read(exchange.parameters())


# --- Execute ---------------------------------------------------------------------------------


def _execute(exchange: Exchange, offer: Offer, wanted: Execute) -> HttpResponseBase:
    """Run it, and answer with the results if it is at its end while the client waits.

    A client that asks for a quotation never starts anything, whatever the process knows of that. A
    synchronous run that takes longer than SYNC_WAIT_SECONDS, or for which nobody can wait as too
    many already do, is answered as if it had been asked for asynchronously: nothing is lost.
    """
    chosen = offer.find(wanted.request.process)
    process = offer.description(chosen)
    asks = wants_quotation(wanted.request.inputs)
    if wanted.raw and not asks:
        check_raw(exchange, process, wanted.request, literals=True)
    waits = {"sync": settings.SYNC_WAIT_SECONDS, "auto": AUTO_SECONDS, "async": 0}
    request = resolved(process, wanted.request)
    try:
        if asks:
            return _quotation(exchange, offer, request, raw=wanted.raw)
        job = run(exchange, offer, request, raw=wanted.raw, seconds=waits[wanted.mode])
    except InvalidInput as error:
        own = asks or chosen.quotable  # then the question is the portal's, not the process's
        given = without_reserved(request.inputs) if own else request.inputs
        raise recoded(error, process, replace(request, inputs=tuple(given))) from None
    if wanted.mode == "async" or not job.final:
        return exchange.answer(status_info(status_of(job)))
    return _results(exchange, offer, job)


def _results(exchange: Exchange, offer: Offer, job: Job) -> HttpResponseBase:
    """What the run gave, in the form that was asked for; a failed one is a refusal."""
    if job.raw:
        return bare(exchange, job, lambda value: _document(job, value))
    return exchange.answer(result_of(job, Place(exchange.request, offer)))


def _document(job: Job, value: InputValue) -> bytes | None:
    """The value as a document, unless a plain one was asked for as plain text."""
    asked = job.request().outputs
    form = asked[0].format if asked else None
    if isinstance(value, LiteralValue) and form is not None and form.media_type == TEXT:
        return None
    return value_document(value)


def _quotation(
    exchange: Exchange, offer: Offer, wanted: ExecuteRequest, *, raw: bool
) -> HttpResponseBase:
    quote = quotation.quoted(exchange, offer, wanted)
    if raw and not exchange.envelope:
        return quotation.as_text(quote)
    return exchange.answer(result([quotation.as_output(quote)]))


# --- jobs ------------------------------------------------------------------------------------


def _of_job(
    exchange: Exchange, offer: Offer, caller: Caller, wanted: JobRequest
) -> HttpResponseBase:
    job = _job(offer, wanted.job_id)
    if isinstance(wanted, GetStatus):
        return exchange.answer(status_info(status_of(job)))
    if isinstance(wanted, Dismiss):
        must_be_allowed_to_run(exchange.request, caller)
        job = dismiss(actor=caller.user, job=job_for(caller.user, job.pk, "manage"))
        # A job at its end stays as it is, and this says so.
        return exchange.answer(status_info(StatusInfo(str(job.pk), wps2_word(job))))
    if not job.final:
        raise InvalidInput(
            _("The job is not at its end yet."), locator=wanted.job_id, ows_code="ResultNotReady"
        )
    return _results(exchange, offer, job)


def _job(offer: Offer, job_id: str) -> Job:
    """The job, if the user may see it at this address; a dismissed one is no more (14-065 §12)."""
    no_such_job = InvalidInput(
        _("There is no such job here."), locator=job_id[:100], ows_code="NoSuchJob"
    )
    try:
        job = job_for(offer.user, job_id, "view")
        gone = wps2_word(job) == DISMISSED
    except NotFound:
        raise no_such_job from None
    if gone or not offer.holds(job.service.provider.slug, job.application):
        raise no_such_job
    return job


# --- lists and descriptions ------------------------------------------------------------------


def _capabilities(place: Place, wanted: GetCapabilities) -> bytes:
    offer = place.offer
    sequence, services = offer.sequence(), offer.services(described=False)
    if wanted.update_sequence and check_sequence(wanted.update_sequence, sequence):
        return unchanged(sequence)
    return capabilities(
        address=place.service(VERSION),
        language=wanted.language,
        sections=wanted.sections,
        sequence=sequence,
        offerings=[Offering(offer.summary(one), quotation.notes(one)) for one in services],
    )


def _offerings(offer: Offer, wanted: DescribeProcess) -> bytes:
    processes = quotation.descriptions(offer, wanted.identifiers)
    described = [one for one in processes if describable(one)]
    if not described or (wanted.identifiers and len(described) < len(processes)):
        raise InvalidInput(
            _("WPS cannot describe a process without outputs; run it on the portal's pages."),
            locator="identifier",
        )
    return offerings(described, language=wanted.language)
