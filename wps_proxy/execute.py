"""Execute: from a request to a job of the core, and from the job to an answer."""

from __future__ import annotations

import re
from threading import BoundedSemaphore
from time import monotonic, sleep

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from common.errors import InvalidInput, ProviderError
from jobs.downloads import download
from jobs.lifecycle import submit
from jobs.models import Door, Job
from jobs.states import SUCCESSFUL
from people.models import User
from providers.process import BoundingBoxValue
from wps_proxy.documents import Place, document_of
from wps_proxy.faults import XML
from wps_proxy.payer import payer
from wps_proxy.words import wps1_text
from wps_proxy.wps1 import kvp
from wps_proxy.wps1.requests import Execute, check_form
from wps_proxy.wps1.responses import bounding_box

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5  # seconds between two looks at the job
# Waiting occupies a thread of the web server; one client's slow runs must not occupy all of them.
MOST_WAITING = 8
_waiting = BoundedSemaphore(MOST_WAITING)
_KEY = re.compile(r"[\x21-\x7e]{1,128}")


def execute(request: HttpRequest, place: Place, wanted: Execute) -> HttpResponseBase:
    """Submit the run, wait for its end unless the client did not want that, and answer.

    A run that takes longer than SYNC_WAIT_SECONDS, or for which nobody can wait as too many already
    do, is answered as if it had been asked for asynchronously: with the address of its status.
    """
    check_form(wanted.form)
    job = _submit(request, place, wanted)
    if not wanted.form.status and _waiting.acquire(blocking=False):
        try:
            wait_for_end(job)
        finally:
            _waiting.release()
    job = _reloaded(job)
    if wanted.form.raw and job.final:
        return _raw(request, job)
    body = document_of(
        job,
        place,
        lineage=wanted.form.lineage,
        located=wanted.form.store or not job.final,
        language=wanted.language,
    )
    return HttpResponse(body, content_type=XML, headers={"Cache-Control": "no-store"})


def wait_for_end(job: Job) -> None:
    """Look at the job until it is at its end, for at most SYNC_WAIT_SECONDS.

    Only our own database is asked, in single queries outside any transaction: the worker does the
    rest.
    """
    end = monotonic() + settings.SYNC_WAIT_SECONDS
    pause = FIRST_PAUSE
    while not job.final and (left := end - monotonic()) > 0:
        sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE)
        job.refresh_from_db(fields=("state",))


def _submit(request: HttpRequest, place: Place, wanted: Execute) -> Job:
    user: User = place.offer.user
    parameters = kvp.parameters(request.META.get("QUERY_STRING", ""))
    return submit(
        actor=user,
        service=place.offer.find(wanted.request.process),
        inputs=wanted.request.inputs,
        outputs=wanted.request.outputs,
        account=payer(request, user, parameters),
        door=Door.WPS,
        idempotency_key=_idempotency_key(request),
    )


def _idempotency_key(request: HttpRequest) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidInput(
            _("The key has 1 to 128 visible ASCII characters."), locator="Idempotency-Key"
        )
    return key


def _reloaded(job: Job) -> Job:
    return Job.objects.select_related("service__provider", "service_version").get(pk=job.pk)


def _raw(request: HttpRequest, job: Job) -> HttpResponseBase:
    """The one output itself; a run that failed is a refusal, as there is no document to say so."""
    if job.state not in SUCCESSFUL:
        raise ProviderError(wps1_text(job))
    wanted = job.request().outputs[0].identifier
    output = job.outputs.filter(identifier=wanted).order_by("number").first()
    if output is None:
        raise ProviderError(_("The provider did not give this output."))
    output.job = job
    value = output.value
    if isinstance(value, BoundingBoxValue):
        return HttpResponse(bounding_box(value), content_type=XML)
    return download(request, output)
