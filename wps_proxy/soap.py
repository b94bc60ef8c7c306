"""SOAP 1.2 and 1.1 around requests and answers of WPS (05-007r7 annex E, 14-065 §10.4).

The only child of the body is the request of the standard, and so is the answer. A refusal is a
Fault with the exception report as its detail; its HTTP status is that of the refusal.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext as _
from lxml.builder import ElementMaker

from common.errors import InvalidInput
from common.xml import SOAP11, SOAP12, XML, Element, local_name, name, only_xml, parse, serialise

MEDIA_TYPES = {
    SOAP12: "application/soap+xml; charset=utf-8",
    SOAP11: "text/xml; charset=utf-8",
}
MUST_UNDERSTAND = "MustUnderstand"
SERVER_FAULTS = 500  # from this HTTP status on, it is not the client's fault
_OURS = ("", "next", "ultimateReceiver")  # ends of the roles that a header may be meant for


def declared(request: HttpRequest) -> str:
    """The envelope that the headers of a request announce, "" for none."""
    if request.method != "POST":
        return ""
    if request.content_type == "application/soap+xml":
        return SOAP12
    return SOAP11 if "SOAPAction" in request.headers else ""


def envelope_of(root: Element) -> str:
    """The namespace of the envelope that a document is, "" when it is none."""
    namespace = str(root.tag).partition("}")[0].lstrip("{")
    return namespace if local_name(root) == "Envelope" and namespace in MEDIA_TYPES else ""


def unwrapped(root: Element, namespace: str) -> Element:
    """The request in an envelope.

    Raises InvalidInput for an empty envelope, and for a header that must be understood.
    """
    for header in root.iterfind(f"{name(namespace, 'Header')}/*"):
        role = header.get(name(SOAP12, "role"), header.get(name(SOAP11, "actor"), ""))
        wanted = header.get(name(namespace, "mustUnderstand"), "").strip()
        if wanted in ("1", "true") and role.rpartition("/")[2] in _OURS:
            raise InvalidInput(
                _("The header “%(name)s” is not understood here.") % {"name": local_name(header)},
                locator=local_name(header),
                ows_code="NoApplicableCode",
                soap_code=MUST_UNDERSTAND,
            )
    parts = root.findall(f"{name(namespace, 'Body')}/*")
    if len(parts) != 1:
        raise InvalidInput(
            _("The body of the envelope holds one request."), locator="request", missing=True
        )
    return parts[0]


def wrapped(namespace: str, document: bytes) -> bytes:
    """A document of ours, in UTF-8, as the only content of the body."""
    inner = document.partition(b"?>")[2] if document.startswith(b"<?xml") else document
    return (
        b"<?xml version='1.0' encoding='UTF-8'?>\n"
        b'<soap:Envelope xmlns:soap="%s"><soap:Body>%s</soap:Body></soap:Envelope>'
    ) % (namespace.encode(), inner)


def fault(namespace: str, *, report: bytes, reason: str, status: int, code: str = "") -> bytes:
    """A Fault with the report of the standard as its detail."""
    soap = ElementMaker(namespace=namespace, nsmap={"soap": namespace})
    client = status < SERVER_FAULTS
    detail = parse(report)
    if namespace == SOAP12:
        word = code or ("Sender" if client else "Receiver")
        text = soap.Text(only_xml(reason))
        text.set(name(XML, "lang"), "en")
        told = soap.Fault(
            soap.Code(soap.Value(f"soap:{word}")), soap.Reason(text), soap.Detail(detail)
        )
    else:
        plain = ElementMaker()
        word = code or ("Client" if client else "Server")
        told = soap.Fault(
            plain.faultcode(f"soap:{word}"),
            plain.faultstring(only_xml(reason)),
            plain.detail(detail),
        )
    return serialise(soap.Envelope(soap.Body(told)))
