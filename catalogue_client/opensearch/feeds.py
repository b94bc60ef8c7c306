"""Answers to OpenSearch: an Atom feed, and GeoJSON in the layout of OWS Context (17-047)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from catalogue_client.metadata.dublin_core import period
from catalogue_client.metadata.facts import ATOM, GEOJSON, PORTAL, Facts, Link, facts_of
from catalogue_client.metadata.markup import number, safe, seconds, tag
from catalogue_client.models import Item
from catalogue_client.opensearch.query import PARAMETERS, Query
from catalogue_client.owc.markup import DC
from common.xml import ATOM as ATOM_NAMESPACE
from common.xml import GEORSS

DESCRIPTION = "application/opensearchdescription+xml"
OS = "http://a9.com/-/spec/opensearch/1.1/"
GEO = "http://a9.com/-/opensearch/extensions/geo/1.0/"
TIME = "http://a9.com/-/opensearch/extensions/time/1.0/"
EO = "http://a9.com/-/opensearch/extensions/eo/1.0/"
TITLE = "TEP Portal: catalogue"
# An Atom feed must have a date even when nothing is in it.
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
_RELATIONS = {"download": "enclosure", "preview": "icon", "page": "alternate"}
_GROUPS = {"download": "data", "preview": "previews", "page": "alternates"}


@dataclass(frozen=True, slots=True)
class Found:
    """A page of an answer. `given` are the parameters as they were asked, without empty ones."""

    items: list[Item]
    total: int
    query: Query
    given: Mapping[str, str]
    base: str

    @property
    def updated(self) -> datetime:
        return max((item.updated_at for item in self.items), default=_NEVER)

    def pages(self, address: str) -> dict[str, str]:
        """Addresses by relation: self, first, previous, next, last."""
        step, first = self.query.count or 1, self.query.first
        starts = {"self": first, "first": 1}
        if first > 1:
            starts["previous"] = max(1, first - step)
        if first + len(self.items) <= self.total and self.items:
            starts["next"] = first + len(self.items)
        starts["last"] = max(1, (self.total - 1) // step * step + 1)
        fixed = {
            name: v for name, v in self.given.items() if name not in ("startIndex", "startPage")
        }
        return {
            relation: f"{address}?{urlencode({**fixed, 'startIndex': start})}"
            for relation, start in starts.items()
        }


def atom_feed(found: Found) -> str:
    """The page as an Atom feed."""
    address, base = f"{found.base}/opensearch/search.atom", found.base
    named = {PARAMETERS[name]: value for name, value in found.given.items()}
    request = "".join(f' {name}="{safe(value)}"' for name, value in named.items())
    links = [
        f'<link rel="{relation}" type="{ATOM}" href="{safe(href)}"/>'
        for relation, href in found.pages(address).items()
    ]
    description = f"{base}/opensearch/description.xml"
    return "".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<feed xmlns="{ATOM_NAMESPACE}" xmlns:os="{OS}" xmlns:geo="{GEO}" xmlns:time="{TIME}"'
            f' xmlns:eo="{EO}" xmlns:dc="{DC}" xmlns:georss="{GEORSS}">',
            tag("id", found.pages(address)["self"]),
            tag("title", TITLE),
            tag("updated", seconds(found.updated)),
            f"<author><name>{PORTAL}</name></author>",
            f"<os:totalResults>{found.total}</os:totalResults>"
            f"<os:startIndex>{found.query.first}</os:startIndex>"
            f"<os:itemsPerPage>{found.query.count}</os:itemsPerPage>"
            f'<os:Query role="request"{request}/>',
            f'<link rel="search" type="{DESCRIPTION}" href="{safe(description)}"/>',
            *links,
            *(_entry(item, base) for item in found.items),
            "</feed>",
        )
    )


def _entry(item: Item, base: str) -> str:
    facts = facts_of(item, base)
    return "".join(
        (
            "<entry>",
            tag("id", f"{base}/owc/items/{facts.collection}/{item.identifier}/"),
            tag("title", facts.title),
            tag("updated", seconds(facts.modified)),
            tag("published", seconds(facts.created)),
            tag("summary", facts.abstract, type="text"),
            tag("dc:identifier", facts.identifier),
            tag("dc:date", period(facts)),
            tag("dc:publisher", facts.creator),
            *(f'<category term="{safe(word)}"/>' for word in facts.keywords),
            _place(item),
            *map(_link, facts.links),
            "</entry>",
        )
    )


def _place(item: Item) -> str:
    """Latitude first: the ring, if it is one without holes; else the box."""
    geometry = item.document["geometry"]
    if geometry["type"] == "Polygon" and len(geometry["coordinates"]) == 1:
        ring = geometry["coordinates"][0]
        return tag("georss:polygon", " ".join(f"{number(p[1])} {number(p[0])}" for p in ring))
    west, south, east, north = map(number, item.bbox)
    return tag("georss:box", f"{south} {west} {north} {east}")


def _link(link: Link) -> str:
    length = f' length="{link.size}"' if link.size is not None else ""
    media_type = f' type="{safe(link.media_type)}"' if link.media_type else ""
    return (
        f'<link rel="{_RELATIONS.get(link.kind, "via")}"{media_type}{length}'
        f' title="{safe(link.title)}" href="{safe(link.href)}"/>'
    )


def feature_collection(found: Found) -> dict[str, Any]:
    """The page as GeoJSON."""
    address = f"{found.base}/opensearch/search.geojson"
    pages = found.pages(address)
    links: dict[str, Any] = {
        name: [{"href": href, "type": GEOJSON}]
        for name, href in pages.items()
        if name in ("next", "previous", "first", "last")
    }
    description = {"href": f"{found.base}/opensearch/description.xml", "type": DESCRIPTION}
    return {
        "type": "FeatureCollection",
        "id": pages["self"],
        "properties": {
            "title": TITLE,
            "lang": "en",
            "updated": seconds(found.updated),
            "totalResults": found.total,
            "startIndex": found.query.first,
            "itemsPerPage": found.query.count,
            "links": {**links, "search": [description]},
        },
        "features": [_feature(item, facts_of(item, found.base)) for item in found.items],
    }


def _feature(item: Item, facts: Facts) -> dict[str, Any]:
    links: dict[str, list[dict[str, Any]]] = {}
    for link in facts.links:
        told = {
            "href": link.href,
            "type": link.media_type,
            "title": link.title,
            "length": link.size,
        }
        group = links.setdefault(_GROUPS.get(link.kind, "via"), [])
        group.append({name: value for name, value in told.items() if value not in ("", None)})
    return {
        "type": "Feature",
        "id": facts.identifier,
        "geometry": item.document["geometry"],
        "bbox": list(item.bbox),
        "properties": {
            "identifier": facts.identifier,
            "parentIdentifier": facts.collection,
            "title": facts.title,
            "abstract": facts.abstract,
            "updated": seconds(facts.modified),
            "published": seconds(facts.created),
            "date": period(facts),
            "categories": [{"term": word} for word in facts.keywords],
            "links": links,
        },
    }


def description(base: str) -> str:
    """The OpenSearch description."""
    query = "&".join(f"{name}={{{parameter}?}}" for name, parameter in PARAMETERS.items())
    return "".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<OpenSearchDescription xmlns="{OS}" xmlns:geo="{GEO}" xmlns:time="{TIME}"'
            f' xmlns:eo="{EO}"><ShortName>TEP Portal</ShortName>',
            tag("Description", "Scenes and results of this portal, as far as you may see them."),
            _url(base, "atom", ATOM, query),
            _url(base, "geojson", GEOJSON, query),
            f'<Url type="{DESCRIPTION}" rel="self"'
            f' template="{safe(base)}/opensearch/description.xml"/>',
            tag("LongName", TITLE),
            '<Query role="example" searchTerms="scene" count="10"/>',
            "<SyndicationRight>open</SyndicationRight><Language>*</Language>"
            "<OutputEncoding>UTF-8</OutputEncoding><InputEncoding>UTF-8</InputEncoding>"
            "</OpenSearchDescription>",
        )
    )


def _url(base: str, form: str, media_type: str, query: str) -> str:
    template = safe(f"{base}/opensearch/search.{form}?{query}")
    return (
        f'<Url type="{media_type}" rel="results" indexOffset="1" pageOffset="1"'
        f' template="{template}"/>'
    )
