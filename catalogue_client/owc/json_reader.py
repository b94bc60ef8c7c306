"""Read a context from the GeoJSON encoding, leniently, also in its draft dialect of 2014."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import urljoin

from django.utils.translation import gettext as _

from catalogue_client import geometry as geo
from catalogue_client.owc import codes, dates
from catalogue_client.owc.json_offerings import Members, offering_of
from catalogue_client.owc.json_writer import NOWHERE, RELATIONS
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

MOST_BYTES = 10 * 2**20
MOST_FEATURES = 10_000
_RELATION_OF = {name: rel for rel, name in RELATIONS.items()}


def read_geojson(data: bytes, *, source: str = "") -> Context:
    """The context in a FeatureCollection or a single Feature.

    Raises InvalidInput with line and column for what is no JSON, and for what is no context.
    """
    if len(data) > MOST_BYTES:
        raise InvalidInput(_("The document is too large."), locator="document")
    try:
        document = json.loads(data, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        where = _("line %(line)d, column %(column)d") % {
            "line": error.lineno,
            "column": error.colno,
        }
        raise InvalidInput(_("The document is no JSON: ") + where, locator="document") from None
    except (ValueError, RecursionError):
        raise InvalidInput(_("The document is no JSON."), locator="document") from None
    issues: list[str] = []
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "Feature":
        resource = _feature(Members(document, source, issues, "a resource"), "")
        return Context(
            id=resource.id, title=resource.title, updated=resource.updated,
            resources=(resource,), issues=tuple(issues),
        )  # fmt: skip
    if kind != "FeatureCollection":
        raise InvalidInput(_("The document is no FeatureCollection."), locator="document")
    return _collection(Members(document, source, issues, "the context"), data)


def _no_number(word: str) -> float:
    raise ValueError(word)


def _collection(root: Members, data: bytes) -> Context:
    root.take("type")
    features = root.objects("features")
    if len(features) > MOST_FEATURES:
        raise InvalidInput(_("The document has too many features."), locator="features")
    parts = root.inside("properties")
    identifier = root.text("id") or parts.text("id") or root.source
    if not identifier:
        identifier = uuid.uuid5(uuid.NAMESPACE_URL, data.hex()).urn
        root.issue("it has no id")
    updated = _updated(parts, features)
    title = _text(parts, "title")
    if title is None or not title.value:
        root.issue("it has no title")
        title = Text(identifier)
    resources = tuple(
        _feature(Members(f, root.source, root.issues, "a resource"), updated) for f in features
    )
    area = _area(root, parts)
    subtitle, links = _text(parts, "subtitle"), _links(parts)
    if not any(link.href == codes.CORE for link in links):
        root.issue("it names no profile")
    found: dict[str, Any] = {
        "id": identifier, "title": title, "updated": updated, "area": area,
        "language": parts.text("lang") or "en", "subtitle": subtitle,
        "authors": _authors(parts), "publisher": parts.text("publisher"),
        "rights": _text(parts, "rights"), "generator": _generator(parts),
        "display": _display(parts), "date": parts.text("date"), "links": with_profile(links),
        "categories": _categories(parts), "resources": resources,
    }  # fmt: skip
    foreign = parts.foreign()
    extra = {**root.rest(), **parts.rest()}
    return Context(**found, foreign=foreign, extra=extra, issues=tuple(root.issues))


def _feature(root: Members, updated: str) -> Resource:
    root.take("type")
    parts = root.inside("properties")
    title = _text(parts, "title") or Text()
    identifier = _absolute_id(root.text("id") or parts.text("id"), root, title.value)
    parts.where = f"resource {identifier}"
    own = dates.repaired(parts.text("updated"))
    geometry = _geometry(parts, root.take("geometry"))
    root.take("bbox")
    if parts.take("geometryOf") == "context":
        geometry = None
    abstract = _text(parts, "abstract")
    found: dict[str, Any] = {
        "id": identifier, "title": title if title.value else Text(identifier),
        "updated": own or updated or parts.missing("updated", "1970-01-01T00:00:00Z"),
        "abstract": abstract or _draft_content(parts), "authors": _authors(parts),
        "publisher": parts.text("publisher"), "rights": _text(parts, "rights"),
        "geometry": geometry, "date": parts.text("date"), "links": _links(parts),
        "active": parts.boolean("active"), "folder": parts.text("folder"),
        "folder_label": parts.text("folderLabel"), "categories": _categories(parts),
        "min_scale": parts.number("minscaledenominator", "minScaleDenominator"),
        "max_scale": parts.number("maxscaledenominator", "maxScaleDenominator"),
        "offerings": tuple(offering_of(o) for o in parts.each("offerings", "offering")),
    }  # fmt: skip
    foreign = parts.foreign()
    return Resource(**found, foreign=foreign, extra={**root.rest(), **parts.rest()})


def _updated(parts: Members, features: list[dict[str, Any]]) -> str:
    own = dates.repaired(parts.text("updated"))
    if own:
        return own
    inner = [f.get("properties") for f in features]
    texts = [p.get("updated") for p in inner if isinstance(p, dict)]
    known = [dates.repaired(text) for text in texts if isinstance(text, str)]
    return max(filter(None, known), default=parts.missing("updated", "1970-01-01T00:00:00Z"))


def _absolute_id(text: str, root: Members, title: str) -> str:
    if ":" in text.split("/", maxsplit=1)[0]:
        return text
    if text and root.source:
        return urljoin(root.source, text)
    root.issue(f"the id “{text}” is no absolute URI")
    return uuid.uuid5(uuid.NAMESPACE_URL, text or title).urn


def _text(parts: Members, name: str) -> Text | None:
    """A text with its kind; the loose dialect has objects of attributes instead."""
    value = parts.peek(name)
    if isinstance(value, dict):
        return None
    text, kind, src = (parts.text(name + suffix) for suffix in ("", "Type", "Src"))
    return Text(text, kind or "text", src) if text or src else None


def _draft_content(parts: Members) -> Text:
    """`content` of the drafts; markup in it was HTML."""
    if not isinstance(parts.peek("content"), str):
        return Text()
    value = parts.text("content")
    return Text(value, "html" if "<" in value else "text")


def _area(root: Members, parts: Members) -> dict[str, Any] | None:
    """Area of interest: exactly, or by its box (at the root or not), or by the drafts' geometry."""
    exact, drafted = parts.take("areaOfInterest"), root.take("geometry")
    box = [b for b in (root.take("bbox"), parts.take("bbox")) if b]
    for geometry in (exact, drafted if not box else None):
        shape = _geometry(root, geometry)
        if shape is not None:
            return shape
    if not box or not isinstance(box[0], list):
        return None
    try:
        return geo.polygon(geo.checked_box(box[0]))
    except InvalidInput as error:
        root.issue(error.detail)
        return None


def _geometry(parts: Members, value: Any) -> dict[str, Any] | None:
    if not value or value == NOWHERE:
        return None
    try:
        return _points_together(geo.checked(value))
    except InvalidInput as error:
        parts.issue(error.detail)
        return None


def _points_together(geometry: dict[str, Any]) -> dict[str, Any]:
    """A collection of points alone is a MultiPoint, which the encoding cannot say otherwise."""
    members = geometry.get("geometries")
    if not members:
        return geometry
    if all(member["type"] == "Point" for member in members):
        return {"type": "MultiPoint", "coordinates": [m["coordinates"] for m in members]}
    return {**geometry, "geometries": [_points_together(member) for member in members]}


def _authors(parts: Members) -> tuple[Author, ...]:
    found = []
    for member in parts.each("authors"):
        name, email, uri = member.text("name"), member.text("email"), member.text("uri")
        uri = "" if codes.is_script(uri) else uri
        if email and "@" not in email.strip("@"):
            member.issue(f"“{email}” is no e-mail address")
            email = ""
        if name or email or uri:
            found.append(Author(name, email, uri, member.rest()))
    return tuple(found)


def _categories(parts: Members) -> tuple[Category, ...]:
    return tuple(
        Category(m.text("term"), m.text("scheme"), m.text("label"), m.rest())
        for m in parts.each("categories")
    )


def _generator(parts: Members) -> Generator | None:
    value = parts.peek("generator")
    if isinstance(value, str):
        return Generator(value) if parts.text("generator") else None
    if not isinstance(value, dict):
        return None
    made = parts.inside("generator")
    return Generator(made.text("title"), made.href("uri"), made.text("version"))


def _display(parts: Members) -> Display | None:
    """One screen: the schema has a list, many files a single object."""
    screens = parts.each("display")
    if not screens:
        return None
    width, height = (screens[0].number(name) for name in ("pixelWidth", "pixelHeight"))
    return Display(
        None if width is None else int(width),
        None if height is None else int(height),
        screens[0].number("mmPerPixel"),
    )


def _links(parts: Members) -> tuple[Link, ...]:
    """Lists by relation; a single list with `rel` in the drafts."""
    value = parts.peek("links")
    found: list[Link] = []
    if isinstance(value, dict):
        lists = parts.inside("links")
        for name in list(value):
            rel = _RELATION_OF.get(name, name)
            found += [link for m in lists.each(name) if (link := _link(m, rel))]
    else:
        found += [link for m in parts.each("links") if (link := _link(m, ""))]
    return tuple(found)


def _link(member: Members, rel: str) -> Link | None:
    own = member.text("rel")
    href, rel = member.href(), rel or own or "alternate"
    if not href:
        return None
    profile = rel == "profile" and "/spec/owc" in href and codes.token(href) == "core"
    length = member.number("length")
    return Link(
        rel=rel,
        href=codes.CORE if profile else href,
        type=member.text("type"),
        title=member.text("title"),
        lang=member.text("lang") or member.text("hreflang"),
        length=None if length is None else int(length),
        extra=member.rest(),
    )
