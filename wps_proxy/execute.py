"""From a request to a job of the core, and from the job to its bare output; for every standard."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from threading import BoundedSemaphore
from time import monotonic, sleep
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from common.errors import InvalidInput, ProviderError
from common.prepared import Prepared
from common.xml import parse, serialise
from jobs.downloads import download
from jobs.lifecycle import submit
from jobs.models import Door, Job, JobOutput
from jobs.states import SUCCESSFUL, State
from jobs.worker import send_now
from people.models import User
from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    ExecuteRequest,
    InputValue,
    ProcessDescription,
)
from wps_proxy.elements import is_xml
from wps_proxy.exchange import Exchange
from wps_proxy.offers import Offer
from wps_proxy.payer import ceiling, payer
from wps_proxy.results import MOST_IN_ALL, small
from wps_proxy.words import failure

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5  # seconds between two looks at the job
# Waiting occupies a thread of the web server; slow runs must not occupy all of them.
_waiting = BoundedSemaphore(settings.SYNC_WAITING)
_KEY = re.compile(r"[\x21-\x7e]{1,128}")


def run(
    exchange: Exchange, offer: Offer, wanted: ExecuteRequest, *, raw: bool, seconds: float
) -> Job:
    """Submit the run and wait for its end, for at most so many seconds: see `awaited`."""
    user: User = offer.user
    request, parameters = exchange.request, exchange.parameters()
    submitted = partial(
        submit,
        actor=user,
        service=offer.find(wanted.process),
        inputs=wanted.inputs,
        outputs=wanted.outputs,
        account=payer(request, user, parameters),
        ceiling=ceiling(request, parameters),
        application=offer.app,
        door=Door.WPS,
        idempotency_key=idempotency_key(request),
        raw=raw,
    )
    return awaited(submitted, seconds)


def awaited(submitted: Callable[..., Job], seconds: float) -> Job:
    """Submit (`submitted` is told whether `at_once`): the job as it is at its end, or after so many
    seconds, or at once when too many wait.

    Who waits as long as a provider is given to answer (SYNC_WAIT_SECONDS) hands the job over
    itself, as a worker would and instead of one. Everything else is the workers' work.
    """
    if seconds <= 0 or not _waiting.acquire(blocking=False):
        return submitted(at_once=False)
    try:
        end = monotonic() + seconds
        at_once = seconds >= settings.SYNC_WAIT_SECONDS
        job = submitted(at_once=at_once)
        if at_once and job.state == State.SUBMITTED:  # of an earlier request, or it had to wait
            send_now(job)
        return job if job.final else wait_for_end(job, end)
    finally:
        _waiting.release()


_JOB = Prepared(
    lambda pk: Job.objects.select_related("service__provider", "service_version").filter(pk=pk),
    UUID,
)


def wait_for_end(job: Job, end: float) -> Job:
    """The job when it is at its end, or as it is at that time (of the monotonic clock).

    Only our own database is asked, in single queries outside any transaction.
    """
    pause = FIRST_PAUSE
    while not job.final and (left := end - monotonic()) > 0:
        sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE)
        job.refresh_from_db(fields=("state",))
    return _JOB.one(job.pk) or job


def idempotency_key(request: HttpRequest) -> str | None:
    """What the client calls this run, so that asking again starts no other. Raises InvalidInput."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidInput(
            _("The key has 1 to 128 visible ASCII characters."), locator="Idempotency-Key"
        )
    return key


# --- the bare output -------------------------------------------------------------------------


def check_raw(
    exchange: Exchange, process: ProcessDescription, wanted: ExecuteRequest, *, literals: bool
) -> None:
    """Raises InvalidInput where the bare output has no place in the answer: an envelope only holds
    XML. `literals` tells whether plain values are XML in this version."""
    known = process.output(wanted.outputs[0].identifier)
    if not exchange.envelope or known is None:  # an unknown output is refused with its own words
        return
    domain, form = known.domain, wanted.outputs[0].format
    if isinstance(domain, ComplexDomain):
        asked = form.media_type if form else ""
        fits = is_xml(asked or domain.formats[0].media_type)
    else:
        fits = literals or isinstance(domain, BoundingBoxDomain)
    if not fits:
        raise InvalidInput(
            _("A raw output that is no XML has no place in an envelope: ask for a document."),
            locator=known.identifier,
        )


def bare(
    exchange: Exchange, job: Job, document_of: Callable[[InputValue], bytes | None]
) -> HttpResponseBase:
    """The one output itself, or the document that this version makes of its value.

    A run that failed is a refusal, as there is no document to say so. Raises ProviderError.
    """
    output = _the_output(job)
    document = document_of(output.value)
    if document is None and exchange.envelope:
        document = _xml(output)
    if document is not None:
        return exchange.answer(document)
    return download(exchange.request, output)


def succeeded(job: Job) -> None:
    """Raises ProviderError with the provider's words unless the job ended well."""
    if job.state not in SUCCESSFUL:
        raise ProviderError(failure(job))


def _the_output(job: Job) -> JobOutput:
    succeeded(job)
    asked = job.request().outputs
    outputs = job.given_outputs
    output = (outputs.filter(identifier=asked[0].identifier) if asked else outputs).first()
    if output is None:
        raise ProviderError(_("The provider did not give this output."))
    output.job = job
    return output


def _xml(output: JobOutput) -> bytes:
    data = small(output, MOST_IN_ALL)
    if data is None:
        raise ProviderError(_("This output is too large for an envelope: ask for a document."))
    try:
        return serialise(parse(data))
    except InvalidInput:
        raise ProviderError(_("This output is no XML: ask for a document.")) from None
