"""Write a context in the GeoJSON encoding (OGC 14-055r2), valid against its schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalogue_client import geometry as geo
from catalogue_client.owc import codes
from catalogue_client.owc.checks import require_writable
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

MEDIA_TYPE = 'application/geo+json; profile="http://www.opengis.net/spec/owc-geojson/1.0/req/core"'
# Atom's link relations and the names of their lists; other relations name their list themselves.
RELATIONS = {
    "profile": "profiles",
    "icon": "previews",
    "alternate": "alternates",
    "enclosure": "data",
    "via": "via",
}
NOWHERE = {"type": "GeometryCollection", "geometries": []}


def geojson(context: Context) -> dict[str, Any]:
    """The context as a FeatureCollection. Raises InvalidInput for what cannot be said validly."""
    require_writable(context)
    properties: dict[str, Any] = {
        "links": _links(with_profile(context.links, codes.GEOJSON)),
        "lang": context.language or "en",
        **_said("title", context.title),
        **_said("subtitle", context.subtitle),
        "updated": context.updated,
        "authors": [_author(a) for a in context.authors],
        "publisher": context.publisher,
        **_said("rights", context.rights),
        "generator": _generator(context),
        "display": _display(context),
        "date": context.date,
        "categories": [_category(c) for c in context.categories],
        "foreign": list(context.foreign),
    }
    box = geo.box_of(context.area) if context.area is not None else None
    document: dict[str, Any] = {"type": "FeatureCollection", "id": context.id}
    if box is not None and context.area is not None:
        document["bbox"] = list(box)
        if dict(context.area) != geo.polygon(box):
            properties["areaOfInterest"] = context.area
    document["properties"] = _filled(properties, context.extra, keep=("links", "title"))
    document["features"] = [_feature(r, context) for r in context.resources]
    return document


def _feature(resource: Resource, context: Context) -> dict[str, Any]:
    properties: dict[str, Any] = {
        **_said("title", resource.title),
        **_said("abstract", resource.abstract),
        "updated": resource.updated,
        "authors": [_author(a) for a in resource.authors],
        "publisher": resource.publisher,
        **_said("rights", resource.rights),
        "date": resource.date,
        "links": _links(resource.links),
        "active": resource.active,
        "folder": resource.folder,
        "folderLabel": resource.folder_label,
        "categories": [_category(c) for c in resource.categories],
        "minscaledenominator": resource.min_scale,
        "maxscaledenominator": resource.max_scale,
        "offerings": [offering_object(o) for o in resource.offerings],
        "foreign": list(resource.foreign),
    }
    geometry = resource.geometry
    if geometry is None and context.area is not None:
        # GeoJSON wants a geometry and the schema forbids null: say that it is the context's.
        geometry, properties["geometryOf"] = context.area, "context"
    return {
        "type": "Feature",
        "id": resource.id,
        "geometry": _schema_geometry(geometry if geometry is not None else NOWHERE),
        "properties": _filled(properties, resource.extra, keep=("title",)),
    }


def offering_object(offering: Offering) -> dict[str, Any]:
    """An offering alone, as catalogue records keep it."""
    parts: dict[str, Any] = {
        "operations": [_operation(o) for o in offering.operations],
        "contents": [_content(c) for c in offering.contents],
        "styles": [_style(s) for s in offering.styles],
        "foreign": list(offering.foreign),
    }
    return {"code": codes.spelt(offering.code, codes.GEOJSON)} | _filled(parts, offering.extra)


def _operation(operation: Operation) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "type": operation.type,
        "request": None if operation.request is None else _content(operation.request),
        "result": None if operation.result is None else _content(operation.result),
        "foreign": list(operation.foreign),
    }
    named = {"code": operation.code, "method": operation.method, "href": operation.href}
    return named | _filled(parts, operation.extra)


def _content(content: Content) -> dict[str, Any]:
    place = {"href": content.href} if content.href else {"content": content.content or ""}
    parts: dict[str, Any] = {"title": content.title}
    return {"type": content.type} | place | _filled(parts, content.extra)


def _style(style: StyleSet) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "abstract": style.abstract,
        "default": style.default or None,
        "legendURL": style.legend_href,
        "legendType": style.legend_type,
        "content": None if style.content is None else _content(style.content),
        "foreign": list(style.foreign),
    }
    return {"name": style.name, "title": style.title} | _filled(parts, style.extra)


def _links(links: Sequence[Link]) -> dict[str, Any]:
    lists: dict[str, Any] = {}
    for link in links:
        parts: dict[str, Any] = {
            "type": link.type,
            "title": link.title,
            "lang": link.lang,
            "length": link.length,
        }
        listed = lists.setdefault(RELATIONS.get(link.rel, link.rel), [])
        listed.append({"href": link.href} | _filled(parts, link.extra))
    return lists


def _author(author: Author) -> dict[str, Any]:
    parts: dict[str, Any] = {"email": author.email, "uri": author.uri}
    return {"name": author.name} | _filled(parts, author.extra)


def _category(category: Category) -> dict[str, Any]:
    parts: dict[str, Any] = {"scheme": category.scheme, "label": category.label}
    return {"term": category.term} | _filled(parts, category.extra)


def _generator(context: Context) -> dict[str, Any] | None:
    made = context.generator
    if made is None:
        return None
    parts = {"uri": made.uri, "version": made.version}
    return {"title": made.title} | _filled(parts, {})


def _display(context: Context) -> list[dict[str, Any]] | None:
    screen = context.display
    if screen is None:
        return None
    parts: dict[str, Any] = {
        "pixelWidth": screen.pixel_width,
        "pixelHeight": screen.pixel_height,
        "mmPerPixel": screen.mm_per_pixel,
    }
    return [{name: value for name, value in parts.items() if value is not None}]


def _said(name: str, text: Text | None) -> dict[str, Any]:
    """A text, with its kind beside it where that is not plain text."""
    if text is None:
        return {}
    said: dict[str, Any] = {name: text.value}
    if text.kind != "text":
        said[f"{name}Type"] = text.kind
    if text.src:
        said[f"{name}Src"] = text.src
    return said


def _filled(
    parts: Mapping[str, Any], extra: Mapping[str, Any], keep: Sequence[str] = ()
) -> dict[str, Any]:
    """The parts that say something, and the members that the model does not know."""
    filled = {k: v for k, v in parts.items() if k in keep or _says_something(v)}
    return {**{k: v for k, v in extra.items() if k not in parts}, **filled}


def _says_something(value: object) -> bool:
    """Numbers and truth values do, also 0 and False."""
    return isinstance(value, int | float) or bool(value)


def _schema_geometry(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """The schema misspells MultiPoint; a collection of points says the same."""
    if geometry["type"] == "MultiPoint":
        points = [{"type": "Point", "coordinates": p} for p in geometry["coordinates"]]
        return {"type": "GeometryCollection", "geometries": points}
    if geometry["type"] == "GeometryCollection":
        return {**geometry, "geometries": [_schema_geometry(g) for g in geometry["geometries"]]}
    return dict(geometry)
