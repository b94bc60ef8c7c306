"""The addresses of WPS 1.0.0: the service, aggregated and of one provider; status; outputs."""

from __future__ import annotations

import hashlib
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from common.errors import InvalidInput, NotFound
from common.xml import Element, XmlRefused
from common.xml import parse as parse_xml
from jobs.access import job_for, output_for
from jobs.downloads import download
from jobs.validation import MOST_VALUES
from providers.models import Service
from providers.process import ProcessSummary
from wps_proxy.auth import must_be_allowed_to_run, reader_of
from wps_proxy.documents import Place, document_of
from wps_proxy.execute import execute
from wps_proxy.faults import XML, reported
from wps_proxy.offers import Offer
from wps_proxy.wps1 import kvp, parse
from wps_proxy.wps1.capabilities import Offering, capabilities
from wps_proxy.wps1.descriptions import describable, descriptions
from wps_proxy.wps1.requests import DescribeProcess, Execute, GetCapabilities, Request, boolean


# No CSRF token: clients are programs. What a foreign page could misuse is refused in `auth`.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@reported
def service(request: HttpRequest, provider: str = "") -> HttpResponseBase:
    """GetCapabilities, DescribeProcess and Execute, by KVP in a GET or XML in a POST."""
    caller = reader_of(request)
    offer = Offer(caller.user, provider)
    place = Place(request, offer)
    wanted = _request(request, offer)
    if isinstance(wanted, Execute):
        must_be_allowed_to_run(request, caller)
        return execute(request, place, wanted)
    if isinstance(wanted, GetCapabilities):
        return _conditional(request, _capabilities(place, wanted))
    return _conditional(request, _descriptions(offer, wanted))


@require_safe
@reported
def status(request: HttpRequest, job_id: UUID, provider: str = "") -> HttpResponseBase:
    """The ExecuteResponse of a job as it is now, for those who may see the job."""
    caller = reader_of(request)
    job = job_for(caller.user, job_id, "view")
    if provider and provider != job.service.provider.slug:
        raise NotFound
    lineage = boolean(request.GET.get("lineage"), "lineage")
    place = Place(request, Offer(caller.user, provider))
    body = document_of(job, place, lineage=lineage, located=True)
    return HttpResponse(body, content_type=XML, headers={"Cache-Control": "private, no-cache"})


@require_safe
@reported
def output(request: HttpRequest, job_id: UUID, number: int) -> HttpResponseBase:
    """An output, streamed to those who may see the job."""
    caller = reader_of(request)
    return download(request, output_for(caller.user, job_id, number))


def _request(request: HttpRequest, offer: Offer) -> Request:
    if request.method == "POST":
        return parse.read(_document(request))
    parameters = kvp.parameters(request.META.get("QUERY_STRING", ""))
    return kvp.read(parameters, lambda identifier: offer.description(offer.find(identifier)))


def _document(request: HttpRequest) -> Element:
    """The posted document. Its media type is not looked at: clients send anything."""
    body = request.body
    if not body.strip():
        raise InvalidInput(
            _("A POST carries its request as XML, with its length; key-value pairs go by GET."),
            locator="request",
            missing=True,
        )
    try:
        return parse_xml(body, what=_("request"))
    except XmlRefused as error:
        raise InvalidInput(error.detail, ows_code="NoApplicableCode") from None


def _capabilities(place: Place, wanted: GetCapabilities) -> bytes:
    services = place.offer.services(described=False)
    return capabilities(
        address=place.service,
        language=wanted.language,
        offerings=[Offering(_summary(place.offer, one), one.provider.name) for one in services],
    )


def _summary(offer: Offer, one: Service) -> ProcessSummary:
    version = one.current.version if one.current else ""
    return ProcessSummary(offer.identifier(one), one.title, one.abstract, version)


def _descriptions(offer: Offer, wanted: DescribeProcess) -> bytes:
    if wanted.identifiers:
        services = [offer.find(identifier) for identifier in wanted.identifiers]
    else:
        services = offer.services(described=True)
    described = [one for one in map(offer.description, services) if describable(one)]
    if not described:
        raise InvalidInput(
            _("WPS 1.0.0 cannot describe a process without outputs; run it on the portal's pages."),
            locator="identifier",
        )
    return descriptions(described, language=wanted.language, most_values=MOST_VALUES)


def _conditional(request: HttpRequest, body: bytes) -> HttpResponseBase:
    """The document with an ETag; 304 to a client that has it already."""
    etag = quote_etag(hashlib.sha256(body).hexdigest()[:32])
    response: HttpResponseBase = HttpResponse(body, content_type=XML)
    if request.method != "POST":
        response = get_conditional_response(request, etag=etag) or response
        response.headers["ETag"] = etag
        response.headers["Vary"] = "Authorization, Cookie"
    response.headers["Cache-Control"] = "private, no-cache"
    return response
