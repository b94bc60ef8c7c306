"""Read a context from the Atom encoding, leniently: what occurs in real documents is understood.

What cannot be understood is kept as it is; what is missing is supplied, and noted in `issues`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urljoin

from catalogue_client.geometry import checked
from catalogue_client.owc import codes, dates, georss
from catalogue_client.owc.atom_offerings import Reader, read_offering
from catalogue_client.owc.atom_writer import ACTIVE, FOLDER
from catalogue_client.owc.markup import DC, LANG, Element, fragment, read_members
from catalogue_client.owc.model import (
    Author,
    Category,
    Context,
    Display,
    Generator,
    Link,
    Resource,
    Text,
    with_profile,
)
from common.errors import InvalidInput
from common.xml import ATOM, OWC, parse

PLACES = tuple(
    f"{{{ns}}}{name}"
    for ns in georss.NAMESPACES
    for name in ("where", "polygon", "box", "line", "point")
)


def read_atom(data: bytes, *, source: str = "") -> Context:
    """The context in an Atom feed or a single entry; relative addresses are resolved by `source`.

    Raises InvalidInput with line and column for what is no XML, and for what is no Atom.
    """
    root = parse(data, what="OWS Context document")
    issues: list[str] = []
    if root.tag == f"{{{ATOM}}}entry":
        resource = _entry(root, source, issues, "")
        return Context(
            id=resource.id, title=resource.title, updated=resource.updated,
            language=_language(root), resources=(resource,), issues=tuple(issues),
        )  # fmt: skip
    if root.tag != f"{{{ATOM}}}feed":
        raise InvalidInput("The document is no Atom feed.", locator="document")
    return _feed(root, data, source, issues)


def _feed(root: Element, data: bytes, source: str, issues: list[str]) -> Context:
    parts = Reader(root, source, issues, "the context")
    entries = parts.take(f"{{{ATOM}}}entry")
    identifier = parts.leaf("id") or source
    if not identifier:
        identifier = uuid.uuid5(uuid.NAMESPACE_URL, data.hex()).urn
        issues.append("the context has no id")
    updated = _updated(parts, [e.findtext(f"{{{ATOM}}}updated", "") for e in entries], issues)
    resources = tuple(_entry(entry, source, issues, updated) for entry in entries)
    title = _text(parts, "title") or Text()
    if not title.value:
        issues.append("the context has no title")
        title = Text(identifier)
    area, date, extra = _place_and_time(parts, root)
    links = _links(parts)
    if not any(link.href == codes.CORE for link in links):
        issues.append("the context names no profile")
    rights, subtitle = _text(parts, "rights"), _text(parts, "subtitle")
    return Context(
        id=identifier, title=title, updated=updated, language=_language(root),
        subtitle=subtitle if subtitle and subtitle.value else None,
        authors=_authors(parts), publisher=parts.leaf("publisher", DC), rights=rights,
        generator=_generator(parts), display=_display(parts), area=area, date=date,
        links=with_profile(links), categories=_categories(parts.take(f"{{{ATOM}}}category")),
        resources=resources, foreign=_foreign(parts, extra), extra=extra, issues=tuple(issues),
    )  # fmt: skip


def _entry(entry: Element, source: str, issues: list[str], updated: str) -> Resource:
    parts = Reader(entry, source, issues, "a resource")
    title = _text(parts, "title") or Text()
    identifier = _absolute_id(parts.leaf("id"), source, issues, title.value)
    parts.where = f"resource {identifier}"
    own = dates.repaired(parts.leaf("updated"))
    categories = _categories(parts.take(f"{{{ATOM}}}category"))
    folder = next((c for c in categories if c.scheme == FOLDER), None)
    active = next((c for c in categories if c.scheme == ACTIVE), None)
    area, date, extra = _place_and_time(parts, entry)
    return Resource(
        id=identifier, title=title if title.value else Text(identifier),
        updated=own or updated or parts.missing("updated", "1970-01-01T00:00:00Z"),
        abstract=_abstract(parts), authors=_authors(parts),
        publisher=parts.leaf("publisher", DC), rights=_text(parts, "rights"),
        geometry=area, date=date, links=_links(parts),
        active=None if active is None else active.term.strip().lower() != "false",
        folder=folder.term if folder else "", folder_label=folder.label if folder else "",
        categories=tuple(c for c in categories if c not in (folder, active)),
        min_scale=parts.number("minScaleDenominator"),
        max_scale=parts.number("maxScaleDenominator"),
        offerings=tuple(
            read_offering(e, source, issues) for e in parts.take(f"{{{OWC}}}offering")
        ),
        foreign=_foreign(parts, extra), extra=extra,
    )  # fmt: skip


def _absolute_id(text: str, source: str, issues: list[str], title: str) -> str:
    """An id that is an absolute URI, the same for the same text."""
    if ":" in text.split("/", maxsplit=1)[0]:
        return text
    if text and source:
        return urljoin(source, text)
    issues.append(f"resource {text or title}: its id is no absolute URI")
    return uuid.uuid5(uuid.NAMESPACE_URL, text or title).urn


def _updated(parts: Reader, of_entries: Sequence[str | None], issues: list[str]) -> str:
    own = dates.repaired(parts.leaf("updated"))
    if own:
        return own
    issues.append("the context does not say when it was updated")
    known = [repaired for text in of_entries if (repaired := dates.repaired(text or ""))]
    return max(known, default="1970-01-01T00:00:00Z")


def _language(root: Element) -> str:
    return root.get(LANG) or "en"


def _text(parts: Reader, name: str) -> Text | None:
    element = parts.one(f"{{{ATOM}}}{name}")
    if element is None:
        return None
    kind = element.get("type") or "text"
    if element.get("src"):
        return Text(kind=kind, src=parts.href(element, "src"))
    inside = [child for child in element if isinstance(child.tag, str)]
    if inside:
        return Text(fragment(inside[0]), kind)
    return Text((element.text or "").strip(), kind)


def _abstract(parts: Reader) -> Text:
    """The content; a summary does where there is none."""
    content = _text(parts, "content")
    if content is None or not (content.value or content.src):
        return _text(parts, "summary") or Text()
    return content


def _authors(parts: Reader) -> tuple[Author, ...]:
    found = []
    for element in parts.take(f"{{{ATOM}}}author"):
        name, email, uri = (
            (element.findtext(f"{{{ATOM}}}{leaf}") or "").strip()
            for leaf in ("name", "email", "uri")
        )
        if email and "@" not in email.strip("@"):
            parts.issue(f"“{email}” is no e-mail address")
            email = ""
        uri = "" if codes.is_script(uri) else uri
        if name or email or uri:
            found.append(Author(name, email, uri, read_members(element)))
    return tuple(found)


def _generator(parts: Reader) -> Generator | None:
    element = parts.one(f"{{{ATOM}}}generator")
    if element is None:
        return None
    title = (element.text or "").strip()
    return Generator(title, parts.href(element, "uri"), element.get("version") or "")


def _display(parts: Reader) -> Display | None:
    element = parts.one(f"{{{OWC}}}display")
    if element is None:
        return None
    inside = Reader(element, "", parts.issues, "the display")
    width, height = inside.number("pixelWidth"), inside.number("pixelHeight")
    return Display(
        None if width is None else int(width),
        None if height is None else int(height),
        inside.number("mmPerPixel"),
    )


def _links(parts: Reader) -> tuple[Link, ...]:
    known = ("rel", "href", "type", "hreflang", "title", "length")
    found = []
    for element in parts.take(f"{{{ATOM}}}link"):
        href, rel = parts.href(element), element.get("rel") or "alternate"
        if not href:
            continue
        profile = rel == "profile" and codes.token(href) == "core" and "/spec/owc" in href
        length = element.get("length") or ""
        found.append(
            Link(
                rel=rel,
                href=codes.CORE if profile else href,
                type=element.get("type") or "",
                title=element.get("title") or "",
                lang=element.get("hreflang") or "",
                length=int(length) if length.isascii() and length.isdigit() else None,
                extra=read_members(element, known),
            )
        )
    return tuple(found)


def _categories(elements: Sequence[Element]) -> tuple[Category, ...]:
    known = ("term", "scheme", "label")
    return tuple(
        Category(
            e.get("term") or "", e.get("scheme") or "", e.get("label") or "", read_members(e, known)
        )
        for e in elements
    )


def _place_and_time(
    parts: Reader, element: Element
) -> tuple[dict[str, Any] | None, str, dict[str, Any]]:
    """Geometry, date and members; what was kept exactly comes before what Atom says of it."""
    extra = read_members(element)
    date = (parts.one(f"{{{DC}}}date", default="") or "").strip()
    kept_date = extra.pop("date", None)
    area = _area(parts)
    exact = extra.pop("geometry", None)
    if exact is not None:
        try:
            area = checked(exact)
        except InvalidInput as error:
            parts.issue(error.detail)
    return area, kept_date if isinstance(kept_date, str) else date, extra


def _area(parts: Reader) -> dict[str, Any] | None:
    """The place, from the form that says most; the others say the same."""
    elements = parts.take(*PLACES)
    wheres = [e for e in elements if e.tag.endswith("}where")]
    found = []
    for element in wheres or sorted(elements, key=lambda e: PLACES.index(str(e.tag)))[:1]:
        try:
            found.append(georss.read(element))
        except georss.NotDegreesError:
            parts.put_back(element)
        except InvalidInput as error:
            parts.issue(error.detail)
    if len(found) > 1:
        return {"type": "GeometryCollection", "geometries": found}
    return found[0] if found else None


def _foreign(parts: Reader, extra: dict[str, Any]) -> tuple[str, ...]:
    kept_out = extra.pop("foreign", [])
    pieces = kept_out if isinstance(kept_out, list) else []
    return (*parts.rest(), *(piece for piece in pieces if isinstance(piece, str)))
