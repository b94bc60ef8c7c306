"""Pieces of XML inside of Atom: names, fragments as text, and members that Atom has no place for.

What only the GeoJSON encoding can say stands in one attribute of our own namespace, as JSON; the
grammar of the Atom encoding allows foreign attributes everywhere.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from lxml import etree

from common.errors import InvalidInput
from common.xml import ATOM, GEORSS, GML, OWC, XML, only_xml, parse

DC = "http://purl.org/dc/elements/1.1/"
XHTML = "http://www.w3.org/1999/xhtml"
OURS = "urn:tep-portal:owc"
MEMBERS = f"{{{OURS}}}members"
NAMESPACES: dict[Any, str] = {
    None: ATOM,
    "owc": OWC,
    "dc": DC,
    "georss": GEORSS,
    "gml": GML,
    "tep": OURS,
}
LANG = f"{{{XML}}}lang"
BASE = f"{{{XML}}}base"

Element = etree._Element
_ATTRIBUTE = re.compile(
    r"@\{(?!http://www\.w3\.org/2000/xmlns/|urn:tep-portal:)[^{}\s]+\}[A-Za-z_][\w.-]*"
)


def fragment(element: Element) -> str:
    """An element as text that can be parsed on its own, the same text each time (C14N).

    Every prefix that is used is declared at its beginning, also those that the parser cannot know
    of: in xsi:type, in queries, in filters.
    """
    declared = set()
    texts = []
    for node in element.iter():
        texts += [node.text or "", "" if node is element else node.tail or ""]
        if isinstance(node.tag, str):
            declared |= {prefix for prefix in node.nsmap if prefix}
            texts += [str(value) for value in node.attrib.values()]
    mentioned = set(re.findall(r"([A-Za-z_][\w.-]*):", " ".join(texts)))
    visible = {node.prefix for node in element.iter() if isinstance(node.tag, str) and node.prefix}
    kept = sorted((mentioned & declared) | visible)
    alone = deepcopy(element)
    alone.tail = None
    try:
        text = etree.tostring(alone, method="c14n", exclusive=True, inclusive_ns_prefixes=kept)
    except etree.LxmlError:  # a namespace that is a relative address
        text = etree.tostring(alone, encoding="UTF-8")
    return text.decode()


def inlay(parent: Element, piece: Element) -> None:
    """Add a fragment as last child, so that `with_inlays` writes it as it is.

    As nodes of the tree it would lose prefixes that are also the document's, and with them the
    meaning of qualified names in its text. No fragment has a processing instruction of its own:
    the parser leaves them out.
    """
    text = fragment(piece)
    if None not in piece.nsmap:  # not in a namespace: not in the document's default one either
        text = re.sub(r"^<[^\s/>]+", r'\g<0> xmlns=""', text, count=1)
    packed = base64.b64encode(text.encode()).decode()
    parent.append(etree.ProcessingInstruction("tep-inlay", packed))


def with_inlays(document: bytes) -> bytes:
    """The serialised document with the fragments in their places."""
    return re.sub(rb"<\?tep-inlay ([^?]*)\?>", lambda m: base64.b64decode(m[1]), document)


def element_of(text: str) -> Element | None:
    """The element that a text is; None when it is not exactly one well-formed element."""
    if not text.lstrip().startswith("<"):
        return None
    try:
        return parse(text.encode(), what="inline XML")
    except (InvalidInput, UnicodeError):
        return None


def is_xml(media_type: str) -> bool:
    """Whether contents of that media type are XML."""
    kind = media_type.split(";", maxsplit=1)[0].strip().lower()
    return kind.endswith(("/xml", "+xml"))


def write_members(element: Element, members: Mapping[str, Any]) -> None:
    """Keep what has no place in Atom."""
    attributes = {name for name in members if _ATTRIBUTE.fullmatch(name)}
    for name in attributes:
        element.set(name[1:], only_xml(str(members[name])))
    ours = {name: value for name, value in members.items() if name not in attributes}
    if ours:
        text = json.dumps(ours, ensure_ascii=False, sort_keys=True)
        element.set(MEMBERS, only_xml(text))


def read_members(element: Element, known: tuple[str, ...] = ()) -> dict[str, Any]:
    """What `write_members` kept, and the attributes that are not `known` as "@name"."""
    members: dict[str, Any] = {}
    for name, value in element.attrib.items():
        key = str(name)
        if key == MEMBERS:
            members |= _object(str(value))
        elif key not in known and key not in (LANG, BASE):
            members[f"@{key}"] = str(value)
    return members


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {"@" + MEMBERS[1:]: text}
    return found if isinstance(found, dict) else {}
