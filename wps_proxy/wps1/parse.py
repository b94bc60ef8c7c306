"""Requests as posted XML (05-007r7 §8.2, §9.2, §10.2.1).

Read liberally (an empty ResponseDocument, attributes in any case of true), never guessed: what
could start an unpriced run at the provider or carry credentials there is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _
from lxml import etree

from common.errors import InvalidInput
from common.ows import read_box
from common.xml import OWS11, WPS1, XLINK, Element, local_name, text_of
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    ExecuteRequest,
    Format,
    InputValue,
    LiteralValue,
    OutputRequest,
    ReferenceValue,
)
from wps_proxy.wps1.requests import (
    DescribeProcess,
    Execute,
    GetCapabilities,
    Request,
    ResponseForm,
    boolean,
    check_service,
    check_version,
    language_of,
    negotiate,
    no_such_operation,
)

_WPS = f"{{{WPS1}}}"
_OWS = f"{{{OWS11}}}"
_XLINK = f"{{{XLINK}}}"


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
            _("Only version 1.0.0 is spoken here, in the namespace %(name)s.") % {"name": WPS1},
            locator="version",
        )
    check_service(root.get("service"))
    return readers[local](root)


def _get_capabilities(root: Element) -> GetCapabilities:
    negotiate([text_of(one) for one in root.iterfind(f"{_WPS}AcceptVersions/{_OWS}Version")])
    return GetCapabilities(language_of(root.get("language")))


def _describe_process(root: Element) -> DescribeProcess:
    check_version(root.get("version"))
    identifiers = tuple(filter(None, map(text_of, root.iterfind(f"{_OWS}Identifier"))))
    if not identifiers:
        raise InvalidInput(_("No process is named."), locator="identifier", missing=True)
    everything = "all" in map(str.lower, identifiers)
    return DescribeProcess(() if everything else identifiers, language_of(root.get("language")))


def _execute(root: Element) -> Execute:
    check_version(root.get("version"))
    language = language_of(root.get("language"))
    identifier = _identifier(root, "identifier")
    inputs = tuple(_input(one) for one in root.iterfind(f"{_WPS}DataInputs/{_WPS}Input"))
    outputs, form = _form(root.find(f"{_WPS}ResponseForm"))
    return Execute(ExecuteRequest(identifier, inputs, outputs), form, language)


# --- inputs ----------------------------------------------------------------------------------


def _input(element: Element) -> InputValue:
    identifier = _identifier(element, "DataInputs")
    reference = element.find(f"{_WPS}Reference")
    if reference is not None:
        return _reference(identifier, reference)
    literal = element.find(f"{_WPS}Data/{_WPS}LiteralData")
    if literal is not None:
        value = str(literal.xpath("string()"))
        return LiteralValue(identifier, value, literal.get("dataType", ""), literal.get("uom", ""))
    document = element.find(f"{_WPS}Data/{_WPS}ComplexData")
    if document is not None:
        form = _format(document)
        return ComplexValue(
            identifier,
            _content(identifier, document),
            form.media_type,
            form.encoding,
            form.schema,
        )
    box = element.find(f"{_WPS}Data/{_WPS}BoundingBoxData")
    if box is not None:
        return _box(identifier, box)
    raise InvalidInput(_("A value is required."), locator=identifier, missing=True)


def _reference(identifier: str, element: Element) -> ReferenceValue:
    for child in element:
        raise InvalidInput(
            _("A reference with a %(part)s is not taken: only an address fetched with GET.")
            % {"part": local_name(child)},
            locator=identifier,
        )
    if element.get("method", "GET").upper() != "GET":
        raise InvalidInput(
            _("Only references that are fetched with GET are taken."), locator=identifier
        )
    href = element.get(f"{_XLINK}href", "").strip()
    if not href:
        raise InvalidInput(_("The reference has no address."), locator=identifier, missing=True)
    form = _format(element)
    return ReferenceValue(identifier, href, form.media_type, form.encoding, form.schema)


def _content(identifier: str, element: Element) -> str:
    """Text as it is meant (escaped or CDATA), or the one XML element as a document of its own."""
    children = list(element)
    if not children:
        return str(element.xpath("string()"))
    between = [element.text, *(child.tail for child in element)]
    if len(children) > 1 or any((text or "").strip() for text in between):
        raise InvalidInput(
            _("A document has one root element and nothing beside it."), locator=identifier
        )
    return etree.tostring(children[0], encoding="unicode", with_tail=False)


def _box(identifier: str, element: Element) -> BoundingBoxValue:
    try:
        lower, upper, crs = read_box(element)
    except InvalidInput as error:
        raise InvalidInput(error.detail, locator=identifier) from None
    if element.get("dimensions", str(len(lower))).strip() != str(len(lower)):
        raise InvalidInput(_("The corners have another number of dimensions."), locator=identifier)
    return BoundingBoxValue(identifier, lower, upper, crs)


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
    form = _format(element)
    return OutputRequest(
        identifier,
        boolean(element.get("asReference"), identifier),
        form if form != Format("") else None,
    )


def _format(element: Element) -> Format:
    names = ("mimeType", "encoding", "schema")
    media_type, encoding, schema = (element.get(name, "").strip() for name in names)
    return Format(media_type, encoding, schema)


def _identifier(element: Element, locator: str) -> str:
    identifier = text_of(element, f"{_OWS}Identifier")
    if not identifier:
        raise InvalidInput(_("An identifier is missing."), locator=locator, missing=True)
    return identifier
