"""Execute (18-062r2 §7.11): from a request to a job of the core, from the job to an answer."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from common.errors import PortalError
from common.money import show
from jobs.lifecycle import quote_job, submit
from jobs.models import Door, Job
from providers.models import Service
from providers.quotation import OUTPUT, wants_quotation, without_reserved
from wps_proxy.execute import awaited, idempotency_key
from wps_proxy.offers import Offer
from wps_proxy.ogcapi.answers import as_json
from wps_proxy.ogcapi.place import Place
from wps_proxy.ogcapi.preferences import preferences
from wps_proxy.ogcapi.problems import refusal
from wps_proxy.ogcapi.requests import Run, read_run
from wps_proxy.ogcapi.results import must_be_successful, raw_results, results_document
from wps_proxy.ogcapi.status import status_info
from wps_proxy.payer import ceiling, payer
from wps_proxy.quotation import UNIT

YES = ("true", "1", "yes")


def execute(place: Place, offer: Offer, service: Service) -> HttpResponseBase:
    """Submit the run, wait for its end unless the client would not, and answer.

    Without `respond-async` it waits as long as the portal does (SYNC_WAIT_SECONDS), or `wait`; with
    it only if there is a `wait`. A run that is not at its end by then is answered with the address
    of its status, as one is that was asked for asynchronously.
    """
    preferred = preferences(place.request)
    run = read_run(place.request.body, offer.description(service), preferred)
    asked = place.request.GET.get("quotation", "").strip().lower() in YES
    if asked or wants_quotation(run.inputs):
        return _quotation(place, offer, service, run)
    later = preferred.respond_async or run.asynchronous
    most = 0 if later and not preferred.wait else settings.SYNC_WAIT_SECONDS
    seconds = most if preferred.wait is None else min(preferred.wait, most)
    job = awaited(partial(_submit, place, offer, service, run), seconds)
    ended = job.final and (seconds > 0 or not later)
    response = _ended(place, job) if ended else _going_on(place, offer, job)
    applied = preferred.applied(asynchronous=not ended)
    if applied:
        response.headers["Preference-Applied"] = applied
    response.headers["Cache-Control"] = "no-store"
    return response


def _submit(place: Place, offer: Offer, service: Service, run: Run, *, at_once: bool) -> Job:
    parameters = place.request.GET.dict()
    return submit(
        actor=offer.user,
        service=service,
        inputs=run.inputs,
        outputs=run.outputs,
        account=payer(place.request, offer.user, parameters),
        ceiling=ceiling(place.request, parameters),
        application=offer.app,
        door=Door.OGCAPI,
        idempotency_key=idempotency_key(place.request),
        raw=run.raw,
        callbacks=run.callbacks,
        at_once=at_once,
    )


def _ended(place: Place, job: Job) -> HttpResponseBase:
    """The results, or why there are none; in any case where the job is."""
    try:
        must_be_successful(job)
        response: HttpResponseBase = (
            raw_results(place, job) if job.raw else as_json(results_document(place, job))
        )
    except PortalError as error:
        response = refusal(place.request, error)
    monitor = f"<{place.job(job)}>; rel=monitor"
    others = response.headers.get("Link", "")
    response.headers["Link"] = f"{monitor}, {others}" if others else monitor
    return response


def _going_on(place: Place, offer: Offer, job: Job) -> HttpResponse:
    response = as_json(status_info(place, offer, job), status=201)
    response.headers["Location"] = place.job(job)
    return response


def _quotation(place: Place, offer: Offer, service: Service, run: Run) -> HttpResponse:
    """The price in place of the outputs, in credits; nothing is run or held."""
    quote = quote_job(
        actor=offer.user,
        service=service,
        inputs=without_reserved(run.inputs),
        account=payer(place.request, offer.user, place.request.GET.dict()),
    )
    if run.raw:
        response = HttpResponse(show(quote.total), content_type="text/plain")
    else:
        response = as_json({OUTPUT: {"value": show(quote.total), "uom": UNIT}})
    response.headers["Cache-Control"] = "no-store"
    return response
