"""A data package as a STAC collection with its items, and as an OWS Context."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from catalogue_client import geometry as geo
from catalogue_client import offerings
from catalogue_client.access import Viewer
from catalogue_client.models import DataPackage, Item
from catalogue_client.owc import (
    Author,
    Context,
    Generator,
    Link,
    Offering,
    Text,
)
from catalogue_client.owc.codes import CORE
from catalogue_client.packages.contents import Contents, Found, own_items
from catalogue_client.resources import resource_of
from catalogue_client.selectors import WORLD
from catalogue_client.sources.access import OWN
from catalogue_client.sources.records import period_of
from catalogue_client.stac import GEOJSON, JSON, VERSION, instant_text

PORTAL = "TEP Portal"


def address_of(package: DataPackage, base: str) -> str:
    """The one address of the package."""
    return f"{base}/data-packages/{package.pk}"


def collection_document(package: DataPackage, contents: Contents, base: str) -> dict[str, Any]:
    """The STAC collection, with a link to each item and to all of them."""
    here = address_of(package, base)
    boxes = [one.record.bbox for one in contents.found]
    box = geo.union(one for one in boxes if one) or WORLD
    periods = [period_of(one.record.document) for one in contents.found]
    starts = [start for start, _end in periods if start]
    ends = [end for _start, end in periods if end]
    interval = [
        instant_text(min(starts)) if starts else None, instant_text(max(ends)) if ends else None
    ]  # fmt: skip
    links = [
        _link("self", here, JSON),
        _link("root", here, JSON, package.title),
        _link("items", f"{here}/items", GEOJSON),
        _link("alternate", f"{here}.atom", "application/atom+xml", "OWS Context"),
        _link("alternate", f"{here}.geojson", GEOJSON, "OWS Context"),
        _link("alternate", f"{base}/packages/{package.pk}/", "text/html", package.title),
    ]
    links += [
        _link("item", f"{here}/items/{one.key}", GEOJSON, one.record.title)
        for one in contents.found
    ]
    return {
        "type": "Collection",
        "stac_version": VERSION,
        "id": str(package.pk),
        "title": package.title,
        "description": package.description or package.title,
        "license": "other",
        "extent": {"spatial": {"bbox": [list(box)]}, "temporal": {"interval": [interval]}},
        "links": links,
    }


def items_document(package: DataPackage, contents: Contents, base: str) -> dict[str, Any]:
    """All items in one ItemCollection."""
    here = address_of(package, base)
    names = Counter(one.record.id for one in contents.found)
    features = [_item(package, one, base, names[one.record.id] > 1) for one in contents.found]
    return {
        "type": "FeatureCollection",
        "features": features,
        "numberMatched": len(features),
        "numberReturned": len(features),
        "links": [_link("self", f"{here}/items", GEOJSON), _link("collection", here, JSON)],
    }


def item_document(package: DataPackage, contents: Contents, key: str, base: str) -> Any:
    """The item of that key; None when there is none."""
    names = Counter(one.record.id for one in contents.found)
    for one in contents.found:
        if one.key == key:
            return _item(package, one, base, names[one.record.id] > 1)
    return None


def context(package: DataPackage, contents: Contents, viewer: Viewer, base: str) -> Context:
    """The OWS Context: a resource for each record, with everything that it offers."""
    items = own_items(contents, viewer)
    here = address_of(package, base)
    updated = instant_text(package.updated_at)
    boxes = [one.record.bbox for one in contents.found]
    box = geo.union(one for one in boxes if one)
    page = Link("alternate", f"{base}/packages/{package.pk}/", "text/html", package.title)
    return Context(
        id=here,
        title=Text(package.title),
        updated=updated,
        subtitle=Text(package.description) if package.description else None,
        authors=(Author(PORTAL),),
        publisher=PORTAL,
        generator=Generator(PORTAL, f"{base}/"),
        area=geo.polygon(box) if box else None,
        links=(Link("profile", CORE), Link("via", here, JSON, "STAC collection"), page),
        resources=tuple(
            resource_of(
                one.record,
                f"{here}/items/{one.key}",
                updated=updated,
                folder=one.entry.title if one.entry.is_search else "",
                offerings=_offerings(one, items, base),
            )
            for one in contents.found
        ),
    )


def _item(package: DataPackage, found: Found, base: str, ambiguous: bool) -> dict[str, Any]:
    """The record as an item of this package; where it comes from is told in it."""
    here = address_of(package, base)
    document = found.record.document
    source = found.entry.source.slug if found.entry.source else OWN
    links = [
        _link("self", f"{here}/items/{found.key}", GEOJSON),
        _link("root", here, JSON, package.title),
        _link("parent", here, JSON, package.title),
        _link("collection", here, JSON, package.title),
    ]
    for link in document["links"]:
        if link["rel"] == "self":
            links.append({**link, "rel": "canonical"})
        elif link["rel"] not in ("root", "parent", "collection", "canonical"):
            links.append(link)
    told = {"tep:source": source, "tep:collection": found.record.collection}
    identifier = f"{found.key}.{found.record.id}" if ambiguous else found.record.id
    return {
        **document,
        "id": identifier,
        "collection": str(package.pk),
        "properties": {**document["properties"], **{k: v for k, v in told.items() if v}},
        "links": links,
    }


def _offerings(
    one: Found, items: Mapping[tuple[str, str], Item], base: str
) -> tuple[Offering, ...]:
    if one.entry.source is not None:
        return offerings.of_document(one.record.document, one.record.bbox)
    item = items.get((one.record.collection, one.record.id))
    return offerings.of_item(item, one.record.document, base) if item else ()


def _link(rel: str, href: str, media_type: str, title: str = "") -> dict[str, Any]:
    link = {"rel": rel, "href": href, "type": media_type}
    return link | {"title": title} if title else link
