"""XML from outside: parsed without DTD, entities and network, with limits on size and depth.

Every parser here is made anew with all options written out: other libraries replace lxml's
default parser for the whole process.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from django.utils.translation import gettext as _
from lxml import etree
from lxml.builder import ElementMaker

from common.errors import InvalidInput

OWS11 = "http://www.opengis.net/ows/1.1"
OWS20 = "http://www.opengis.net/ows/2.0"
WPS1 = "http://www.opengis.net/wps/1.0.0"
WPS2 = "http://www.opengis.net/wps/2.0"
XLINK = "http://www.w3.org/1999/xlink"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"
XML = "http://www.w3.org/XML/1998/namespace"
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
GML = "http://www.opengis.net/gml"
ATOM = "http://www.w3.org/2005/Atom"
GEORSS = "http://www.georss.org/georss"
OWC = "http://www.opengis.net/owc/1.0"

MOST_DEPTH = 64
MOST_ELEMENTS = 200_000
MOST_ATTRIBUTES = 100
_PIECE = 32 * 1024
_SAFE: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "attribute_defaults": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}

# What XML 1.0 has no way to write, plus surrogates and the two non-characters.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_ENCODING = re.compile(r"""^(\ufeff?\s*<\?xml\b[^>]*?)\s+encoding\s*=\s*("[^"]*"|'[^']*')""")

Element = Any  # lxml's own annotations cover too little of it to be of use


class XmlRefused(InvalidInput):
    """A document that is not well-formed or not acceptable; `line` and `column` where it is so."""

    code = "xml_refused"

    def __init__(self, detail: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(detail, line=line, column=column)
        self.line = line
        self.column = column


# Element makers by usual prefix: E.wps.Execute(E.ows.Identifier("ndvi"), service="WPS")
E = SimpleNamespace(
    ows=ElementMaker(namespace=OWS11, nsmap={"ows": OWS11, "xlink": XLINK}),
    wps=ElementMaker(namespace=WPS1, nsmap={"wps": WPS1, "ows": OWS11, "xlink": XLINK, "xsi": XSI}),
    plain=ElementMaker(),
)


def undeclared(text: str) -> str:
    """A document as text, without the encoding that its declaration names: that was one of bytes,
    and a reader of the text in UTF-8 would be misled by it."""
    return _ENCODING.sub(r"\1", text, count=1)


def parse(data: bytes, *, what: str = "the document", recover: bool = False) -> Element:
    """The root element of a document; comments and processing instructions are left out.

    `what` names the document in messages. `recover` reads on after faults, as browsers do.
    Raises XmlRefused: not well-formed, a DOCTYPE, more than 64 levels, 200,000 elements or 100
    attributes at one element.
    """
    if recover:
        return _recovered(data, what)
    parser = etree.XMLPullParser(events=("start", "end"), **_SAFE)
    census = _Census(what)
    try:
        for start in range(0, len(data), _PIECE):
            parser.feed(data[start : start + _PIECE])
            census.take(parser)
        root = parser.close()
        census.take(parser)
    except etree.XMLSyntaxError as error:
        raise _not_well_formed(what, parser, error) from None
    if root is None:
        raise XmlRefused(_("%(what)s is not XML.") % {"what": _sentence(what)})
    return root


def _recovered(data: bytes, what: str) -> Element:
    """Read on after faults. Only the parser of whole documents does that; the others just stop."""
    # Counted in bytes, as the tree is there before anything else can be: two tags an element.
    if data.count(b"<") > 2 * MOST_ELEMENTS:
        raise XmlRefused(_("%(what)s has too many elements.") % {"what": _sentence(what)})
    census = _Census(what)
    try:
        root = etree.fromstring(data, etree.XMLParser(recover=True, **_SAFE))
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        raise XmlRefused(_("%(what)s is not XML.") % {"what": _sentence(what)})
    census.walk(root)
    return root


def _not_well_formed(
    what: str, parser: etree.XMLPullParser, error: etree.XMLSyntaxError
) -> XmlRefused:
    """The first fault, where the parser noted it; the exception knows only the last."""
    noted: Element = next(iter(parser.feed_error_log), None)
    line, column = (noted.line, noted.column) if noted is not None else error.position
    why = noted.message if noted is not None else error.msg
    facts = {"what": _sentence(what), "line": line, "column": column, "why": str(why)[:200]}
    text = _("%(what)s is not well-formed XML (line %(line)s, column %(column)s): %(why)s.")
    return XmlRefused(text % facts, line=line or 0, column=column or 0)


def _sentence(what: str) -> str:
    return what[:1].upper() + what[1:]


class _Census:
    """Counts while a document is being read, so that a bomb is refused before it is a tree."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.depth = 0
        self.elements = 0

    def take(self, parser: etree.XMLPullParser) -> None:
        events: Iterable[tuple[str, Element]] = parser.read_events()
        for event, element in events:
            self._count(event, element)

    def walk(self, root: Element) -> None:
        """Count a tree that is there already."""
        for event, element in etree.iterwalk(root, events=("start", "end")):
            self._count(event, element)

    def _count(self, event: str, element: Element) -> None:
        if event == "end":
            self.depth -= 1
            return
        if not self.elements and element.getroottree().docinfo.doctype:
            raise self._refused(element, _("it has a DOCTYPE"))
        self.elements += 1
        self.depth += 1
        if self.depth > MOST_DEPTH or self.elements > MOST_ELEMENTS:
            raise self._refused(element, _("it has too many elements or levels"))
        if len(element.attrib) > MOST_ATTRIBUTES:
            raise self._refused(element, _("an element has too many attributes"))

    def _refused(self, element: Element, why: str) -> XmlRefused:
        text = _("%(what)s is not accepted: %(why)s.") % {"what": _sentence(self.what), "why": why}
        return XmlRefused(text, line=element.sourceline or 0)


def serialise(element: Element) -> bytes:
    """The element as a document in UTF-8, with an XML declaration."""
    document: bytes = etree.tostring(element, xml_declaration=True, encoding="UTF-8")
    return document


def text_ok(text: str) -> bool:
    """Whether XML can carry the text: no control characters but tab and line ends."""
    return not _NOT_XML.search(text)


def only_xml(text: str) -> str:
    """The text with what XML cannot carry replaced by U+FFFD; for what others wrote."""
    return _NOT_XML.sub("\ufffd", text)


def name(namespace: str, local: str) -> str:
    """A qualified name as lxml writes it."""
    return f"{{{namespace}}}{local}"


def local_name(element: Element) -> str:
    """The element's name without its namespace; in a repaired document also without its prefix."""
    return str(element.tag).rpartition("}")[2].rpartition(":")[2]


def text_of(parent: Element | None, path: str = ".", ns: Mapping[str, str] | None = None) -> str:
    """The stripped text of the first element at the path; "" when there is none."""
    found = None if parent is None else parent.find(path, ns)
    return "" if found is None else "".join(found.itertext()).strip()
