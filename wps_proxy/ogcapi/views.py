"""The addresses of OGC API – Processes, of all services, one provider's, one application's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from common.errors import Conflict, MethodError, NotFound
from jobs import lifecycle
from jobs.access import job_for
from jobs.models import Job
from people.models import User
from people.tokens import Caller
from wps_proxy.auth import must_be_allowed_to_run, reader_of
from wps_proxy.offers import NoSuchProcess, Offer
from wps_proxy.ogcapi.answers import answer, form_of, kept_answer, own_links
from wps_proxy.ogcapi.definition import (
    conformance_document,
    definition,
    landing_document,
    operations,
)
from wps_proxy.ogcapi.descriptions import process_document, process_list
from wps_proxy.ogcapi.execute import execute
from wps_proxy.ogcapi.joblist import jobs_at, limit_of
from wps_proxy.ogcapi.place import HTML, OPENAPI, Link, Place, link, with_query
from wps_proxy.ogcapi.problems import (
    NoSuchJob,
    WrongParameter,
    answered,
)
from wps_proxy.ogcapi.results import (
    must_be_successful,
    one_output,
    raw_results,
    results_document,
)
from wps_proxy.ogcapi.status import DISMISSED, status_info, word_of

Document = Mapping[str, Any]


@answered("GET", "HEAD")
def landing(request: HttpRequest, provider: str = "", application: str = "") -> HttpResponseBase:
    """The landing page (18-062r2 §7.2)."""
    place = _open_place(request, provider, application)
    return answer(place, landing_document(place), "ogcapi/landing.html")


@answered("GET", "HEAD")
def conformance(
    request: HttpRequest, provider: str = "", application: str = ""
) -> HttpResponseBase:
    """What of the standard is here (18-062r2 §7.4)."""
    place = _open_place(request, provider, application)
    return answer(place, conformance_document(), "ogcapi/conformance.html")


@answered("GET", "HEAD")
def api(request: HttpRequest, provider: str = "", application: str = "") -> HttpResponseBase:
    """The definition of this door in OpenAPI 3.0 (18-062r2 §7.3, §10)."""
    place = _open_place(request, provider, application)
    document = definition(place)
    more = {"operations": operations(document)}
    return answer(place, document, "ogcapi/api.html", kind=OPENAPI, more=more)


@answered("GET", "HEAD")
def processes(request: HttpRequest, provider: str = "", application: str = "") -> HttpResponseBase:
    """What the caller may run, page by page (18-062r2 §7.7)."""
    place = Place(request, provider, application)
    user = reader_of(request).user

    def made() -> tuple[Document, Document]:
        offer = place.entered(user)
        limit, offset = limit_of(request), _offset(request)
        services = list(offer.usable()[offset : offset + limit + 1])
        pages = _neighbours(place.processes, request, offset, limit, more=len(services) > limit)
        return process_list(place, offer, services[:limit], pages), {"pages": pages}

    return kept_answer(place, place.offer(user), made, "ogcapi/processes.html")


@answered("GET", "HEAD")
def process(
    request: HttpRequest, identifier: str, provider: str = "", application: str = ""
) -> HttpResponseBase:
    """The description of a process (18-062r2 §7.9)."""
    place = Place(request, provider, application)
    offer = place.offer(reader_of(request).user)
    return _described(place, offer, identifier)


@answered("GET", "HEAD", "POST")
def execution(
    request: HttpRequest, identifier: str, provider: str = "", application: str = ""
) -> HttpResponseBase:
    """Run a process (18-062r2 §7.11)."""
    place = Place(request, provider, application)
    caller = reader_of(request)
    offer = place.offer(caller.user)
    if request.method != "POST":  # an identifier may have slashes in it, and this word at its end
        try:
            return _described(place, offer, f"{identifier}/execution")
        except NoSuchProcess:
            raise MethodError(_("A process is run by POST.")) from None
    must_be_allowed_to_run(request, caller)
    return execute(place, offer, offer.find(identifier))


@answered("GET", "HEAD")
def jobs(request: HttpRequest, provider: str = "", application: str = "") -> HttpResponseBase:
    """The caller's own jobs, newest first, page by page (18-062r2 §11)."""
    place = Place(request, provider, application)
    offer = place.entered(reader_of(request).user)
    limit = limit_of(request)
    found = list(jobs_at(offer, request)[: limit + 1])
    pages = []
    if len(found) > limit:
        query = request.GET.copy()
        query["after"] = str(found[limit - 1].pk)
        pages.append(link(with_query(place.jobs, query), "next", _("Older jobs")))
    document = {
        "jobs": [status_info(place, offer, one, whole=False) for one in found[:limit]],
        "links": [*own_links(place, place.jobs), *pages],
    }
    return answer(place, document, "ogcapi/jobs.html", more={"pages": pages})


@answered("GET", "HEAD", "DELETE")
def job(
    request: HttpRequest, job_id: str, provider: str = "", application: str = ""
) -> HttpResponseBase:
    """The status of a job; DELETE dismisses it (18-062r2 §7.12, §13)."""
    place = Place(request, provider, application)
    caller = reader_of(request)
    if request.method == "DELETE":
        found = _dismissed(place, caller, job_id)
    else:
        found = _job(place, caller.user, job_id)
    document = status_info(place, place.offer(caller.user), found)
    return answer(place, document, "ogcapi/job.html", more={"job": found})


@answered("GET", "HEAD")
def results(
    request: HttpRequest, job_id: str, provider: str = "", application: str = ""
) -> HttpResponseBase:
    """The results, in the form that was asked for with the run (18-062r2 §7.13).

    `f=json` gives the document of a job that was asked for raw too.
    """
    place = Place(request, provider, application)
    found = _job(place, reader_of(request).user, job_id)
    must_be_successful(found)
    if found.raw and not request.GET.get("f") and form_of(request) != HTML:
        return raw_results(place, found)
    outputs = [(one, place.output(one)) for one in found.given_outputs]
    document = {} if form_of(request) == HTML else results_document(place, found)
    return answer(place, document, "ogcapi/results.html", more={"job": found, "outputs": outputs})


@answered("GET", "HEAD")
def output(
    request: HttpRequest, job_id: str, number: int, provider: str = "", application: str = ""
) -> HttpResponseBase:
    """One output, streamed to those who may see the job."""
    place = Place(request, provider, application)
    return _output(request, _job(place, reader_of(request).user, job_id), number=number)


@answered("GET", "HEAD")
def result(
    request: HttpRequest, job_id: str, identifier: str, provider: str = "", application: str = ""
) -> HttpResponseBase:
    """One output by its identifier (draft of version 2.0); the first of several."""
    place = Place(request, provider, application)
    found = _job(place, reader_of(request).user, job_id)
    must_be_successful(found)
    return _output(request, found, identifier=identifier)


@answered("GET", "HEAD")
def nothing(
    request: HttpRequest, rest: str, provider: str = "", application: str = ""
) -> HttpResponseBase:
    """Whatever else is asked for under the roots: refused in the words of the protocol."""
    raise NotFound


def _open_place(request: HttpRequest, provider: str, application: str) -> Place:
    """The root of all services is everybody's to read; others are there for their users alone."""
    place = Place(request, provider, application)
    if provider or application:
        place.entered(reader_of(request).user)
    return place


def _described(place: Place, offer: Offer, identifier: str) -> HttpResponseBase:
    """Raises NoSuchProcess."""

    def made() -> tuple[Document, Document]:
        document = process_document(place, offer, offer.find(identifier))
        if form_of(place.request) != HTML:
            return document, {}
        for one in (*document["inputs"].values(), *document["outputs"].values()):
            one["shown"] = json.dumps(one["schema"], ensure_ascii=False)
        return document, {"execution": place.execution(document["id"])}

    return kept_answer(place, offer, made, "ogcapi/process.html")


def _offset(request: HttpRequest) -> int:
    text = request.GET.get("offset", "0").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 9):  # noqa: PLR2004 (digits)
        raise WrongParameter("offset", _("The offset is a whole number."))
    return int(text)


def _neighbours(
    address: str, request: HttpRequest, offset: int, limit: int, *, more: bool
) -> list[Link]:
    """Links to the next page and the previous one (18-062r2 §7.6)."""
    found = []
    for rel, title, start, there in (
        ("next", _("Next page"), offset + limit, more),
        ("prev", _("Previous page"), max(0, offset - limit), offset > 0),
    ):
        if there:
            query = request.GET.copy()
            query["offset"] = str(start)
            found.append(link(with_query(address, query), rel, title))
    return found


def _job(place: Place, user: User, job_id: str) -> Job:
    try:
        found = job_for(user, job_id, "view")
    except NotFound:
        raise NoSuchJob from None
    if not place.holds(found):
        raise NoSuchJob
    word_of(found)  # what was never submitted is not there
    return found


def _dismissed(place: Place, caller: Caller, job_id: str) -> Job:
    """The job after it was dismissed. A job at its end keeps what it gave: that is paid for.

    Raises Forbidden for a job that may only be seen, Conflict for one at its end.
    """
    must_be_allowed_to_run(place.request, caller)
    _job(place, caller.user, job_id)
    found = lifecycle.dismiss(actor=caller.user, job=job_for(caller.user, job_id, "manage"))
    if word_of(found) != DISMISSED:
        raise Conflict(_("The job is at its end; there is nothing to dismiss."))
    return _job(place, caller.user, job_id)


def _output(
    request: HttpRequest, found: Job, *, number: int | None = None, identifier: str = ""
) -> HttpResponseBase:
    outputs = found.outputs.order_by("number")
    if number is None:
        outputs = outputs.filter(identifier=identifier)
    else:
        outputs = outputs.filter(number=number)
    output = outputs.first()
    if output is None:
        raise NotFound(_("The job has no such output."))
    output.job = found
    return one_output(request, output)
