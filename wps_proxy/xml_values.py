"""Values in posted XML, as far as both versions write them alike.

Never guessed: what could start an unpriced run at the provider or carry credentials there is
refused by name.
"""

from __future__ import annotations

from django.utils.translation import gettext as _
from lxml import etree

from common.errors import InvalidInput
from common.ows import read_box
from common.xml import XLINK, Element, local_name, name, parse
from providers.process import BoundingBoxValue, Format, ReferenceValue

_ABOUT = ("Identifier", "Title", "Abstract")
_HREF = name(XLINK, "href")


def format_of(element: Element) -> Format:
    """The attributes mimeType, encoding and schema."""
    names = ("mimeType", "encoding", "schema")
    media_type, encoding, schema = (element.get(one, "").strip() for one in names)
    return Format(media_type, encoding, schema)


def content(identifier: str, element: Element) -> str:
    """Text as it is meant (escaped or CDATA), or the one XML element as a document of its own."""
    children = list(element)
    if not children:
        return str(element.xpath("string()"))
    between = [element.text, *(child.tail for child in element)]
    if len(children) > 1 or any((text or "").strip() for text in between):
        raise InvalidInput(
            _("A document has one root element and nothing beside it."), locator=identifier
        )
    return _alone(children[0])


def _alone(element: Element) -> str:
    """The element as a document, without the names of the message around it.

    What may be a name in its texts (`xsi:type="gml:PointType"`) keeps its prefix's meaning.
    """
    alone = parse(etree.tostring(element, with_tail=False))
    texts = [alone.xpath("string()"), *(value for one in alone.iter() for value in one.values())]
    kept = [p for p in alone.nsmap if p and any(f"{p}:" in text for text in texts)]
    etree.cleanup_namespaces(alone, keep_ns_prefixes=kept)
    return str(etree.tostring(alone, encoding="unicode"))


def plain_text(identifier: str, element: Element) -> str:
    """The text of a plain value. Raises InvalidInput for markup, which would be lost."""
    if len(element):
        raise InvalidInput(_("A plain value is text without elements."), locator=identifier)
    return str(element.xpath("string()"))


def only_value(identifier: str, element: Element) -> None:
    """Raises InvalidInput when an input, or its data, holds several: all but one would be lost."""
    if len([child for child in element if local_name(child) not in _ABOUT]) > 1:
        raise InvalidInput(
            _("An input has one value; for several, the input is repeated."), locator=identifier
        )


def reference(identifier: str, element: Element) -> ReferenceValue:
    """An address that is fetched with GET; anything more is refused."""
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
    href = element.get(_HREF, "").strip()
    if not href:
        raise InvalidInput(_("The reference has no address."), locator=identifier, missing=True)
    form = format_of(element)
    return ReferenceValue(identifier, href, form.media_type, form.encoding, form.schema)


def box(identifier: str, element: Element) -> BoundingBoxValue:
    """An element of ows:BoundingBoxType, its axes as they were given."""
    try:
        lower, upper, crs = read_box(element)
    except InvalidInput as error:
        raise InvalidInput(error.detail, locator=identifier) from None
    if element.get("dimensions", str(len(lower))).strip() != str(len(lower)):
        raise InvalidInput(_("The corners have another number of dimensions."), locator=identifier)
    return BoundingBoxValue(identifier, lower, upper, crs)
