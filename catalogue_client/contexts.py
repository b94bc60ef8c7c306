"""A catalogue item as an OWS Context document: its data, its previews, and how to make it again."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from catalogue_client.models import Item
from catalogue_client.offerings import at, of_files, of_links
from catalogue_client.owc import (
    Author,
    Category,
    Context,
    Generator,
    Link,
    Resource,
    Text,
    read_offering,
)
from catalogue_client.owc.checks import is_writable
from catalogue_client.owc.codes import CORE
from catalogue_client.stac import GEOJSON, collection_href, instant_text, item_document

PORTAL = "TEP Portal"
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


def context_of(item: Item, base: str) -> Context:
    """The context of an item; all addresses are the portal's, which is at `base`.

    Each data asset is a resource; a result's processing is one more, with the WPS offering.
    """
    document = item_document(item, base)
    properties = document["properties"]
    here = f"{base}/owc/items/{item.collection.identifier}/{item.identifier}"
    stac = f"{collection_href(item.collection.identifier, base)}/items/{item.identifier}"
    whole = _Whole(item, document, here, base)
    via = Link("via", stac, GEOJSON, "STAC item")
    return Context(
        id=f"{here}/",
        title=Text(item.title),
        updated=instant_text(item.updated_at),
        subtitle=Text(properties.get("description") or f"From {item.collection.title}"),
        authors=(Author(_maker(properties)),),
        publisher=PORTAL,
        rights=Text(properties["license"]) if properties.get("license") else None,
        generator=Generator(PORTAL, f"{base}/"),
        area=document["geometry"],
        date=whole.date,
        links=(Link("profile", CORE), via, *_pages(document)),
        categories=tuple(Category(str(word)) for word in properties.get("keywords") or ()),
        resources=(*whole.data(), *whole.services(), *whole.values(), *whole.processing()),
    )


class _Whole:
    """What the resources of one item share."""

    def __init__(self, item: Item, document: dict[str, Any], here: str, base: str) -> None:
        self.item = item
        self.base = base
        self.assets: dict[str, Any] = document["assets"]
        self.properties: dict[str, Any] = document["properties"]
        self.geometry = document["geometry"]
        self.here = here
        start, end = instant_text(item.start), instant_text(item.end)
        self.date = start if start == end else f"{start}/{end}"

    def data(self) -> list[Resource]:
        """One resource for each asset with data; previews are links of those."""
        main = {k: a for k, a in self.assets.items() if "data" in a.get("roles", ["data"])}
        found = [self._data(key, asset) for key, asset in main.items()]
        return found or [] if self.item.offerings or found else [self._alone()]

    def services(self) -> list[Resource]:
        """The map services that the entry names itself."""
        offerings = of_links(self.item, self.base)
        if not offerings:
            return []
        resource = self._resource("services", self.item.title, "Map services.", folder="services")
        return [replace(resource, offerings=offerings)]

    def values(self) -> list[Resource]:
        """The literal results that are no files."""
        told = {a.get("tep:output") for a in self.assets.values()}
        values = self.properties.get("tep:values") or {}
        return [
            self._resource(name, name, f"{name}: {value}", folder="values")
            for name, value in values.items()
            if name not in told
        ]

    def processing(self) -> list[Resource]:
        """How the item was made, as something to do again."""
        if not self.item.offerings:
            return []
        process = self.properties.get("tep:process", "")
        offerings = tuple(at(read_offering(o), self.base) for o in self.item.offerings)
        resource = self._resource(
            "processing",
            f"Processing: {process}" if process else "Processing",
            self.properties.get("processing:lineage") or "How this was made.",
            folder="processing",
        )
        return [replace(resource, offerings=offerings, active=False)]

    def _data(self, key: str, asset: Mapping[str, Any]) -> Resource:
        bare = asset.get("type", "").split(";")[0].strip().lower()
        links = [_link("enclosure", asset)]
        previews = [a for a in self.assets.values() if self._pictures(a, key)]
        if bare in _PICTURES:
            previews = [asset, *previews]
        links += [_link("icon", preview) for preview in previews]
        offerings = of_files([asset])
        offerings += tuple(at(read_offering(o), self.base) for o in self._attached(key))
        text = asset.get("description") or self.properties.get("description") or ""
        title = asset.get("title") or key
        resource = self._resource(key, title, text or title, folder="data")
        return replace(resource, links=tuple(links), offerings=offerings, active=True)

    def _attached(self, key: str) -> list[dict[str, Any]]:
        """Offerings that were added to this asset after it was published: services and viewers."""
        added = self.item.attached.values()
        return [one for given in added if given["asset"] == key for one in given["offerings"]]

    def _pictures(self, asset: Mapping[str, Any], key: str) -> bool:
        """Whether an asset is a preview of that one; one that names none is of them all."""
        roles = set(asset.get("roles", ()))
        return bool(roles & {"thumbnail", "overview"}) and asset.get("tep:of", key) == key

    def _alone(self) -> Resource:
        text = self.properties.get("description") or self.item.title
        return self._resource("item", self.item.title, text, folder="data")

    def _resource(self, key: str, title: str, text: str, *, folder: str) -> Resource:
        return Resource(
            id=f"{self.here}/#{_fragment(key)}",
            title=Text(title),
            updated=instant_text(self.item.updated_at),
            abstract=Text(f"<p>{html.escape(text)}</p>", "html"),
            publisher=PORTAL,
            geometry=self.geometry,
            date=self.date,
            folder=folder,
        )


def _maker(properties: Mapping[str, Any]) -> str:
    """The name of whoever processed it, which is no person's."""
    providers = properties.get("providers") or []
    names = [p["name"] for p in providers if "processor" in p.get("roles", ()) and p.get("name")]
    return names[0] if names else PORTAL


def _pages(document: Mapping[str, Any]) -> list[Link]:
    """Pages for people: at most one, as a context may not have two of a type."""
    pages = [
        Link("alternate", link["href"], "text/html", link.get("title", ""))
        for link in document["links"]
        if link["rel"] == "alternate" and link.get("type") == "text/html"
    ]
    return pages[:1]


def _link(rel: str, asset: Mapping[str, Any]) -> Link:
    size = asset.get("file:size")
    link = Link(rel, asset["href"], asset.get("type", ""), asset.get("title", ""), length=size)
    # Some say “GeoTIFF” where a media type belongs.
    return link if is_writable(link) else replace(link, type="")


def _fragment(key: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-._~") else "_" for c in key)
