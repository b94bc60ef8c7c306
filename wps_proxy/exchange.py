"""One request at a door of WPS and the form of its answer: bare, or in the envelope it came in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from common import kvp
from common.errors import InvalidInput, MethodError, PortalError, TooLarge
from common.xml import Element, XmlRefused
from common.xml import parse as parse_xml
from wps_proxy import soap
from wps_proxy.cached import Document
from wps_proxy.faults import XML, refusal

log = structlog.get_logger(__name__)


class Exchange:
    """`version` is the version of the standard that is spoken here; `envelope` the namespace of the
    SOAP envelope that the request came in, "" when there was none."""

    def __init__(self, request: HttpRequest, version: str) -> None:
        self.request = request
        self.version = version
        self.envelope = soap.declared(request)

    def parameters(self) -> dict[str, str]:
        """The key-value pairs of the address. Raises InvalidInput."""
        return kvp.parameters(self.request.META.get("QUERY_STRING", ""))

    def document(self) -> Element:
        """The posted request, out of its envelope. Its media type is not looked at: clients send
        anything. Raises InvalidInput."""
        body = self.request.body
        if not body.strip():
            raise InvalidInput(
                _("A POST carries its request as XML, with its length; key-value pairs go by GET."),
                locator="request",
                missing=True,
            )
        try:
            root = parse_xml(body, what=_("request"))
        except XmlRefused as error:
            raise InvalidInput(error.detail, ows_code="NoApplicableCode") from None
        self.envelope = soap.envelope_of(root)
        return soap.unwrapped(root, self.envelope) if self.envelope else root

    def answer(
        self, body: bytes, *, cache: str = "no-store", media_type: str = XML
    ) -> HttpResponseBase:
        """A document as the answer."""
        if self.envelope:
            body, media_type = soap.wrapped(self.envelope, body), soap.MEDIA_TYPES[self.envelope]
        return HttpResponse(body, content_type=media_type, headers={"Cache-Control": cache})

    def conditional(self, body: bytes, *, media_type: str = XML) -> HttpResponseBase:
        """A document that changes seldom, with an ETag; 304 to a client that has it already."""
        cache = "private, no-cache"
        if self.request.method == "POST":
            return self.answer(body, cache=cache, media_type=media_type)
        etag = (body if isinstance(body, Document) else Document.of(body)).etag
        unchanged = get_conditional_response(self.request, etag=etag)
        response = unchanged or self.answer(body, cache=cache, media_type=media_type)
        response.headers["ETag"] = etag
        response.headers["Vary"] = "Authorization, Cookie"
        response.headers["Cache-Control"] = cache
        return response

    def refusal(self, error: PortalError) -> HttpResponse:
        """The exception report of an error, as a Fault where an envelope was sent."""
        response = refusal(error, version=self.version)
        if self.envelope:
            response.content = soap.fault(
                self.envelope,
                report=response.content,
                reason=error.detail,
                status=response.status_code,
                code=str(error.data.get("soap_code", "")),
            )
            response.headers["Content-Type"] = soap.MEDIA_TYPES[self.envelope]
        return response


View = Callable[..., HttpResponseBase]


READING = ("GET", "HEAD")
ALL = (*READING, "POST")


def spoken(version: str, methods: Sequence[str] = ALL) -> Callable[[View], View]:
    """A view that takes an `Exchange` in place of the request, for these methods.

    Whatever it raises is answered in the words of that version; nothing internal gets out.
    """

    def decorated(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            exchange = Exchange(request, version)
            if request.method not in methods:
                response = exchange.refusal(MethodError())
                response.headers["Allow"] = ", ".join(methods)
                return response
            try:
                return view(exchange, *args, **kwargs)
            except PortalError as error:
                return exchange.refusal(error)
            except RequestDataTooBig:
                return exchange.refusal(
                    TooLarge(_("The request is larger than 10 MiB. Give large data by reference."))
                )
            except Exception:
                log.exception("wps.failed")
                return exchange.refusal(PortalError())

        # No CSRF token: clients are programs. What a foreign page could misuse `auth` refuses.
        return csrf_exempt(answer)

    return decorated
