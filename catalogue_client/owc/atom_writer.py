"""Write a context in the Atom encoding (OGC 12-084r2), valid against its grammar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from lxml import etree

from catalogue_client.owc import codes, dates, georss
from catalogue_client.owc.checks import require_writable
from catalogue_client.owc.markup import (
    DC,
    LANG,
    NAMESPACES,
    XHTML,
    Element,
    element_of,
    inlay,
    is_xml,
    with_inlays,
    write_members,
)
from catalogue_client.owc.model import (
    Author,
    Category,
    Content,
    Context,
    Link,
    Offering,
    Operation,
    Resource,
    StyleSet,
    Text,
    with_profile,
)
from common.xml import ATOM, GEORSS, OWC, only_xml

T = TypeVar("T")
MEDIA_TYPE = "application/atom+xml"
ACTIVE = "http://www.opengis.net/spec/owc/active"
FOLDER = "http://www.opengis.net/spec/owc/folder"
# Elements of Atom that the model does not know and the grammar allows once read.
_ATOM_KEPT = {
    "feed": frozenset({"contributor", "icon", "logo"}),
    "entry": frozenset({"contributor", "published", "source", "summary"}),
}


def atom(context: Context) -> bytes:
    """The context as an Atom feed, UTF-8. Raises InvalidInput for what Atom cannot say."""
    require_writable(context)
    feed = etree.Element(f"{{{ATOM}}}feed", nsmap=NAMESPACES)
    feed.set(LANG, context.language or "en")
    extra = dict(context.extra)
    _leaf(feed, "id", context.id)
    _text(feed, "title", context.title)
    if context.subtitle is not None:
        _text(feed, "subtitle", context.subtitle)
    _leaf(feed, "updated", context.updated)
    _who(feed, context.authors, context.publisher, context.rights)
    _generator(feed, context)
    _display(feed, context)
    _place_and_time(feed, context.area, context.date, extra)
    _links(feed, with_profile(context.links, codes.ATOM))
    _each(feed, context.categories, _category)
    _foreign(feed, context.foreign, extra, has_place=context.area is not None)
    write_members(feed, extra)
    for resource in context.resources:
        _entry(feed, resource)
    return with_inlays(etree.tostring(feed, encoding="UTF-8", xml_declaration=True))


def _entry(feed: Element, resource: Resource) -> None:
    entry = etree.SubElement(feed, f"{{{ATOM}}}entry")
    extra = dict(resource.extra)
    _leaf(entry, "id", resource.id)
    _text(entry, "title", resource.title)
    _leaf(entry, "updated", resource.updated)
    _text(entry, "content", resource.abstract)
    _who(entry, resource.authors, resource.publisher, resource.rights)
    _place_and_time(entry, resource.geometry, resource.date, extra)
    _links(entry, resource.links)
    if resource.active is not None:
        _category(entry, Category(str(resource.active).lower(), ACTIVE))
    if resource.folder:
        _category(entry, Category(resource.folder, FOLDER, resource.folder_label))
    _each(entry, resource.categories, _category)
    _leaf(entry, "minScaleDenominator", _number(resource.min_scale), OWC)
    _leaf(entry, "maxScaleDenominator", _number(resource.max_scale), OWC)
    _each(entry, resource.offerings, _offering)
    _foreign(entry, resource.foreign, extra, has_place=resource.geometry is not None)
    write_members(entry, extra)


# --- parts of feed and entry ---------------------------------------------------------------


def _who(parent: Element, authors: Sequence[Author], publisher: str, rights: Text | None) -> None:
    for author in authors:
        element = etree.SubElement(parent, f"{{{ATOM}}}author")
        _leaf(element, "name", author.name, always=True)
        _leaf(element, "email", author.email)
        _leaf(element, "uri", author.uri)
        write_members(element, author.extra)
    _leaf(parent, "publisher", publisher, DC)
    if rights is not None:
        _text(parent, "rights", rights)


def _generator(feed: Element, context: Context) -> None:
    if context.generator is None:
        return
    element = _leaf(feed, "generator", context.generator.title, always=True)
    _set(element, "uri", context.generator.uri)
    _set(element, "version", context.generator.version)


def _display(feed: Element, context: Context) -> None:
    if context.display is None:
        return
    element = etree.SubElement(feed, f"{{{OWC}}}display")
    _leaf(element, "pixelWidth", _number(context.display.pixel_width), OWC)
    _leaf(element, "pixelHeight", _number(context.display.pixel_height), OWC)
    _leaf(element, "mmPerPixel", _number(context.display.mm_per_pixel), OWC)


def _place_and_time(parent: Element, geometry: Any, date: str, extra: dict[str, Any]) -> None:
    """Place and time; what Atom can say only roughly is kept exactly beside it."""
    if geometry is not None and not georss.write(parent, geometry):
        extra["geometry"] = geometry
    if date:
        normal = dates.strict(date)
        _leaf(parent, "date", normal or "", DC)
        if normal != date:
            extra["date"] = date


def _links(parent: Element, links: Sequence[Link]) -> None:
    for link in links:
        element = etree.SubElement(parent, f"{{{ATOM}}}link")
        named = {"rel": link.rel, "type": link.type, "hreflang": link.lang, "title": link.title}
        for name, value in named.items():
            _set(element, name, value)
        element.set("href", only_xml(link.href))
        if link.length is not None:
            element.set("length", str(link.length))
        write_members(element, link.extra)


def _category(parent: Element, category: Category) -> None:
    element = etree.SubElement(parent, f"{{{ATOM}}}category")
    element.set("term", only_xml(category.term))
    _set(element, "scheme", category.scheme)
    _set(element, "label", category.label)
    write_members(element, category.extra)


def _text(parent: Element, name: str, text: Text) -> None:
    element = etree.SubElement(parent, f"{{{ATOM}}}{name}")
    if text.src:
        element.set("type", text.kind)
        element.set("src", only_xml(text.src))
        return
    inside = element_of(text.value) if text.kind == "xhtml" or is_xml(text.kind) else None
    kind = text.kind
    if kind == "xhtml" and (inside is None or inside.tag != f"{{{XHTML}}}div"):
        kind, inside = "html", None
    element.set("type", kind)
    if inside is None:
        element.text = only_xml(text.value)
    else:
        inlay(element, inside)


def _foreign(
    parent: Element, pieces: Sequence[str], extra: dict[str, Any], *, has_place: bool
) -> None:
    """Put back unknown elements; those that the grammar forbids here are kept as a member."""
    kept_out = []
    for piece in pieces:
        element = element_of(piece)
        if element is None or not _allowed(parent, element, has_place=has_place):
            kept_out.append(piece)
            continue
        has_place = has_place or element.tag == f"{{{GEORSS}}}where"
        inlay(parent, element)
    if kept_out:
        extra["foreign"] = kept_out


def _allowed(parent: Element, element: Element, *, has_place: bool) -> bool:
    name, where = etree.QName(element), etree.QName(parent).localname
    if name.namespace == ATOM:
        return name.localname in _ATOM_KEPT.get(where, frozenset())
    if name.namespace == OWC or (name.namespace == DC and name.localname in ("publisher", "date")):
        return False
    place = element.tag == f"{{{GEORSS}}}where"
    return not place or (where in _ATOM_KEPT and not has_place)


# --- offerings -----------------------------------------------------------------------------


def _offering(entry: Element, offering: Offering) -> None:
    element = etree.SubElement(entry, f"{{{OWC}}}offering")
    element.set("code", only_xml(codes.spelt(offering.code, codes.ATOM)))
    _each(element, offering.operations, _operation)
    for content in offering.contents:
        _content(element, "content", content)
    _each(element, offering.styles, _style)
    _rest(element, offering)


def _operation(parent: Element, operation: Operation) -> None:
    element = etree.SubElement(parent, f"{{{OWC}}}operation")
    named = {"code": operation.code, "method": operation.method, "href": operation.href}
    for name, value in named.items():
        element.set(name, only_xml(value))
    _set(element, "type", operation.type)
    if operation.request is not None:
        _content(element, "request", operation.request)
    if operation.result is not None:
        _content(element, "result", operation.result)
    _rest(element, operation)


def _style(parent: Element, style: StyleSet) -> None:
    element = etree.SubElement(parent, f"{{{OWC}}}styleSet")
    if style.default:
        element.set("default", "true")
    _leaf(element, "name", style.name, OWC, always=True)
    _leaf(element, "title", style.title, OWC, always=True)
    _leaf(element, "abstract", style.abstract, OWC)
    if style.legend_href:
        legend = etree.SubElement(element, f"{{{OWC}}}legendURL")
        legend.set("type", only_xml(style.legend_type or "image/png"))
        legend.set("href", only_xml(style.legend_href))
    if style.content is not None:
        _content(element, "content", style.content)
    _rest(element, style)


def _content(parent: Element, name: str, content: Content) -> None:
    element = etree.SubElement(parent, f"{{{OWC}}}{name}")
    element.set("type", only_xml(content.type))
    members = dict(content.extra)
    if content.title:
        members["title"] = content.title
    write_members(element, members)
    if content.href:
        element.set("href", only_xml(content.href))
        return
    text = content.content or ""
    inside = element_of(text) if content.markup or is_xml(content.type) else None
    if inside is None:
        element.text = only_xml(text)
    else:
        inlay(element, inside)


def _rest(element: Element, part: Offering | Operation | StyleSet) -> None:
    extra = dict(part.extra)
    _foreign(element, part.foreign, extra, has_place=True)
    write_members(element, extra)


# --- leaves --------------------------------------------------------------------------------


def _each(parent: Element, parts: Sequence[T], write: Callable[[Element, T], None]) -> None:
    for part in parts:
        write(parent, part)


def _leaf(
    parent: Element, name: str, text: str, namespace: str = ATOM, *, always: bool = False
) -> Element | None:
    if not text and not always:
        return None
    element = etree.SubElement(parent, f"{{{namespace}}}{name}")
    element.text = only_xml(text)
    return element


def _set(element: Element | None, name: str, value: str) -> None:
    if value and element is not None:
        element.set(name, only_xml(value))


def _number(value: float | None) -> str:
    return "" if value is None else str(value)
