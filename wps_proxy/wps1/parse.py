"""Requests as posted XML (05-007r7 §8.2, §9.2, §10.2.1).

Read liberally: an empty ResponseDocument, attributes in any case of true.
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _
from lxml import etree

from common.errors import InvalidInput
from common.xml import OWS11, WPS1, Element, local_name, text_of
from providers.process import (
    ComplexValue,
    ExecuteRequest,
    Format,
    InputValue,
    LiteralValue,
    OutputRequest,
)
from wps_proxy.negotiation import (
    boolean,
    check_service,
    check_version,
    language_of,
    negotiate,
    no_such_operation,
)
from wps_proxy.wps1.requests import (
    VERSION,
    DescribeProcess,
    Execute,
    GetCapabilities,
    Request,
    ResponseForm,
    no_unit,
)
from wps_proxy.xml_values import box, content, format_of, only_value, plain_text, reference

_WPS = f"{{{WPS1}}}"
_OWS = f"{{{OWS11}}}"


def read(root: Element) -> Request:
    """The request of a posted document. Raises PortalError."""
    local = local_name(root)
    readers: dict[str, Callable[[Element], Request]] = {
        "GetCapabilities": _get_capabilities,
        "DescribeProcess": _describe_process,
        "Execute": _execute,
    }
    if local not in readers:
        raise no_such_operation(local)
    if etree.QName(root).namespace != WPS1:
        raise InvalidInput(
            _("Only version 1.0.0 is spoken here, in the namespace %(name)s. See also /wps/2.0.")
            % {"name": WPS1},
            locator="version",
        )
    check_service(root.get("service"))
    return readers[local](root)


def _get_capabilities(root: Element) -> GetCapabilities:
    accepted = [text_of(one) for one in root.iterfind(f"{_WPS}AcceptVersions/{_OWS}Version")]
    negotiate(accepted, (VERSION,))
    sequence = root.get("updateSequence", "").strip()
    return GetCapabilities(language_of(root.get("language")), sequence)


def _describe_process(root: Element) -> DescribeProcess:
    check_version(root.get("version"), (VERSION,))
    identifiers = tuple(filter(None, map(text_of, root.iterfind(f"{_OWS}Identifier"))))
    if not identifiers:
        raise InvalidInput(_("No process is named."), locator="identifier", missing=True)
    everything = "all" in map(str.lower, identifiers)
    return DescribeProcess(() if everything else identifiers, language_of(root.get("language")))


def _execute(root: Element) -> Execute:
    check_version(root.get("version"), (VERSION,))
    language = language_of(root.get("language"))
    identifier = _identifier(root, "identifier")
    inputs = tuple(_input(one) for one in root.iterfind(f"{_WPS}DataInputs/{_WPS}Input"))
    outputs, form = _form(root.find(f"{_WPS}ResponseForm"))
    return Execute(ExecuteRequest(identifier, inputs, outputs), form, language)


# --- inputs ----------------------------------------------------------------------------------


def _input(element: Element) -> InputValue:
    identifier = _identifier(element, "DataInputs")
    only_value(identifier, element)
    address = element.find(f"{_WPS}Reference")
    if address is not None:
        return reference(identifier, address)
    data = element.find(f"{_WPS}Data")
    if data is not None:
        only_value(identifier, data)
    literal = element.find(f"{_WPS}Data/{_WPS}LiteralData")
    if literal is not None:
        value = plain_text(identifier, literal)
        return LiteralValue(identifier, value, literal.get("dataType", ""), literal.get("uom", ""))
    document = element.find(f"{_WPS}Data/{_WPS}ComplexData")
    if document is not None:
        form = format_of(document)
        return ComplexValue(
            identifier,
            content(identifier, document),
            form.media_type,
            form.encoding,
            form.schema,
        )
    corners = element.find(f"{_WPS}Data/{_WPS}BoundingBoxData")
    if corners is not None:
        return box(identifier, corners)
    raise InvalidInput(_("A value is required."), locator=identifier, missing=True)


# --- the form of the answer ------------------------------------------------------------------


def _form(element: Element | None) -> tuple[tuple[OutputRequest, ...], ResponseForm]:
    """No form at all: a document with all outputs, at the end of the run."""
    if element is None:
        return (), ResponseForm()
    raw = element.find(f"{_WPS}RawDataOutput")
    document = element.find(f"{_WPS}ResponseDocument")
    if raw is not None and document is not None:
        raise InvalidInput(_("An answer is either raw or a document."), locator="ResponseForm")
    if raw is not None:
        return (_output(raw),), ResponseForm(raw=True)
    if document is None:
        return (), ResponseForm()
    flags = {
        name: boolean(document.get(name), name)
        for name in ("storeExecuteResponse", "status", "lineage")
    }
    form = ResponseForm(
        store=flags["storeExecuteResponse"], status=flags["status"], lineage=flags["lineage"]
    )
    return tuple(_output(one) for one in document.iterfind(f"{_WPS}Output")), form


def _output(element: Element) -> OutputRequest:
    identifier = _identifier(element, "ResponseForm")
    if element.get("uom", "").strip():
        raise no_unit(identifier)
    form = format_of(element)
    return OutputRequest(
        identifier,
        boolean(element.get("asReference"), identifier),
        form if form != Format("") else None,
    )


def _identifier(element: Element, locator: str) -> str:
    identifier = text_of(element, f"{_OWS}Identifier")
    if not identifier:
        raise InvalidInput(_("An identifier is missing."), locator=locator, missing=True)
    return identifier
