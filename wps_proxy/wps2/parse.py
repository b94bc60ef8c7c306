"""Requests as posted XML (14-065 §9, §10.2).

Read liberally: elements of OWS 1.1 for those of 2.0, no outputs for all of them, the data elements
of WPS 1.0.0 inside `wps:Data`, as the conformance suite of 2.0 itself writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import get_args
from urllib.parse import unquote

from django.utils.translation import gettext as _
from lxml import etree

from common.errors import InvalidInput
from common.xml import WPS2, XML, Element, local_name, name, text_of
from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    ComplexValue,
    Domain,
    ExecuteRequest,
    Format,
    InputDescription,
    InputValue,
    LiteralDomain,
    LiteralValue,
    OutputDescription,
    OutputRequest,
    ProcessDescription,
)
from wps_proxy.negotiation import (
    check_service,
    check_version,
    first_language,
    language_of,
    negotiate,
    no_such_operation,
)
from wps_proxy.wps2.requests import (
    JOB_REQUESTS,
    SPOKEN,
    DescribeProcess,
    Execute,
    GetCapabilities,
    Mode,
    Request,
    media_type_of,
    sections_of,
)
from wps_proxy.xml_values import box, content, format_of, only_value, plain_text, reference

Describe = Callable[[str], ProcessDescription]
_WPS = f"{{{WPS2}}}"
_BOXES = ("BoundingBox", "WGS84BoundingBox", "BoundingBoxData")


def read(root: Element, describe: Describe) -> Request:
    """The request of a posted document.

    `describe` gives the description of a process, which alone tells whether a text in `wps:Data` is
    a value or a document. Raises PortalError, and what `describe` raises.
    """
    local = local_name(root)
    operations = ("getcapabilities", "describeprocess", "execute", *JOB_REQUESTS)
    if local.lower() not in operations:
        raise no_such_operation(local)
    if etree.QName(root).namespace != WPS2:
        raise InvalidInput(
            _("Only version 2.0 is spoken here, in the namespace %(name)s. See also /wps.")
            % {"name": WPS2},
            locator="version",
        )
    check_service(root.get("service"))
    if local == "GetCapabilities":
        return _get_capabilities(root)
    check_version(root.get("version"), SPOKEN)
    if local == "DescribeProcess":
        return _describe_process(root)
    if local == "Execute":
        return _execute(root, describe)
    return JOB_REQUESTS[local.lower()](_required(root, "JobID", "jobID"))


def _get_capabilities(root: Element) -> GetCapabilities:
    def texts(group: str, one: str) -> tuple[str, ...]:
        return tuple(filter(None, map(text_of, root.iterfind(f"{{*}}{group}/{{*}}{one}"))))

    negotiate(texts("AcceptVersions", "Version"), SPOKEN)
    return GetCapabilities(
        first_language(texts("AcceptLanguages", "Language"), "AcceptLanguages"),
        root.get("updateSequence", "").strip(),
        sections_of(texts("Sections", "Section")),
        media_type_of(texts("AcceptFormats", "OutputFormat")),
    )


def _describe_process(root: Element) -> DescribeProcess:
    identifiers = tuple(filter(None, map(text_of, root.iterfind("{*}Identifier"))))
    if not identifiers:
        raise InvalidInput(_("No process is named."), locator="identifier", missing=True)
    everything = "all" in map(str.lower, identifiers)
    language = language_of(root.get(name(XML, "lang")), "lang")
    return DescribeProcess(() if everything else identifiers, language)


def _execute(root: Element, describe: Describe) -> Execute:
    mode, raw = _mode(root.get("mode", "")), _raw(root.get("response", ""))
    process = describe(_required(root, "Identifier", "identifier"))
    inputs = tuple(_input(one, process.inputs) for one in root.iterfind(f"{_WPS}Input"))
    outputs = tuple(_output(one, process.outputs) for one in root.iterfind(f"{_WPS}Output"))
    if raw and not outputs and len(process.outputs) == 1:
        outputs = (OutputRequest(process.outputs[0].identifier),)
    if raw and not outputs:
        raise InvalidInput(_("A raw answer is of one output."), locator="Output", missing=True)
    if raw and len(outputs) > 1:
        raise InvalidInput(
            _("A raw answer is of one output."),
            locator=outputs[1].identifier,
            ows_code="TooManyOutputs",
        )
    return Execute(ExecuteRequest(process.identifier, inputs, outputs), mode, raw)


def _mode(text: str) -> Mode:
    if not text:
        raise InvalidInput(_("The mode is not named."), locator="mode", missing=True)
    modes: tuple[Mode, ...] = get_args(Mode)
    for known in modes:
        if text == known:
            return known
    raise InvalidInput(
        _("The mode is sync, async or auto."), locator=text[:100], ows_code="NoSuchMode"
    )


def _raw(text: str) -> bool:
    if text not in ("raw", "document"):
        raise InvalidInput(
            _("The response is raw or document."), locator="response", missing=not text
        )
    return text == "raw"


# --- inputs ----------------------------------------------------------------------------------


def _input(element: Element, known: Sequence[InputDescription]) -> InputValue:
    identifier = _identifier(element, known)
    domain = next((one.domain for one in known if one.identifier == identifier), None)
    only_value(identifier, element)
    address, data = element.find(f"{_WPS}Reference"), element.find(f"{_WPS}Data")
    if address is not None:
        return reference(identifier, address)
    if data is not None:
        return _value(identifier, data, domain)
    if element.find(f"{_WPS}Input") is not None:
        raise InvalidInput(_("No process here has nested inputs."), locator=identifier)
    raise InvalidInput(_("A value is required."), locator=identifier, missing=True)


def _value(identifier: str, data: Element, domain: Domain | None) -> InputValue:
    child = data[0] if len(data) == 1 else None
    local = "" if child is None else local_name(child)
    if local in _BOXES and (isinstance(domain, BoundingBoxDomain) or domain is None):
        return box(identifier, child)
    if isinstance(domain, BoundingBoxDomain):
        raise _wrong(identifier, _("A box is written as one ows:BoundingBox."))
    if isinstance(domain, ComplexDomain):
        return _document(identifier, data, child, local)
    if local == "LiteralValue" and child is not None:
        text = plain_text(identifier, child)
        return LiteralValue(identifier, text, child.get("dataType", ""), child.get("uom", ""))
    if not len(data):
        return LiteralValue(identifier, str(data.xpath("string()")))
    if isinstance(domain, LiteralDomain):
        raise _wrong(identifier, _("A plain value is written as text or as one wps:LiteralValue."))
    return _document(identifier, data, child, local)


def _document(identifier: str, data: Element, child: Element | None, local: str) -> ComplexValue:
    form = format_of(data)
    if child is not None and local == "ComplexData" and child.tag.startswith(_WPS):
        inner = format_of(child)
        form = inner if form == Format("") else form
        data = child
    return ComplexValue(
        identifier, content(identifier, data), form.media_type, form.encoding, form.schema
    )


def _wrong(identifier: str, text: str) -> InvalidInput:
    return InvalidInput(text, locator=identifier, ows_code="WrongInputData")


# --- outputs ---------------------------------------------------------------------------------


def _output(element: Element, known: Sequence[OutputDescription]) -> OutputRequest:
    identifier = _identifier(element, known)
    if element.find(f"{_WPS}Output") is not None:
        raise InvalidInput(_("No process here has nested outputs."), locator=identifier)
    transmission = element.get("transmission", "value")
    if transmission not in ("value", "reference"):
        raise InvalidInput(_("The transmission is value or reference."), locator="transmission")
    form = format_of(element)
    return OutputRequest(
        identifier, transmission == "reference", form if form != Format("") else None
    )


def _identifier(
    element: Element, known: Sequence[InputDescription] | Sequence[OutputDescription]
) -> str:
    """The attribute `id`; as an xs:anyURI it may be an escaped spelling of the identifier."""
    given = element.get("id", "").strip()
    if not given:
        raise InvalidInput(
            _("An identifier is missing."), locator=local_name(element), missing=True
        )
    identifiers = {one.identifier for one in known}
    plain = unquote(given)
    return plain if given not in identifiers and plain in identifiers else given


def _required(root: Element, local: str, locator: str) -> str:
    text = text_of(root, f"{{*}}{local}")
    if not text:
        raise InvalidInput(_("This is missing."), locator=locator, missing=True)
    return text
