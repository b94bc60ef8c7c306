"""JSON-LD in the words of schema.org, by which search engines know a page as a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from catalogue_client.geometry import Box
from catalogue_client.metadata.dublin_core import period
from catalogue_client.metadata.facts import PORTAL, Facts
from catalogue_client.metadata.markup import number, seconds
from catalogue_client.models import Collection

# As search engines want descriptions.
SHORTEST, LONGEST = 50, 5000
Extent = tuple[Box, datetime | None, datetime | None]


def dataset(facts: Facts, base: str) -> dict[str, Any]:
    """An item as Dataset."""
    page = next(link.href for link in facts.links if link.kind == "page")
    downloads = [
        {
            "@type": "DataDownload",
            "contentUrl": link.href,
            "encodingFormat": link.media_type,
            "name": link.title,
        }
        for link in facts.links
        if link.kind == "download"
    ]
    previews = [link.href for link in facts.links if link.kind == "preview"]
    return _without_nothing(
        {
            **_common(facts.title, facts.abstract, page, base),
            "identifier": facts.identifier,
            "license": _license(facts.license),
            "keywords": list(facts.keywords),
            "creator": {"@type": "Organization", "name": facts.creator},
            "temporalCoverage": period(facts),
            "spatialCoverage": _place(facts.bbox),
            "distribution": [_without_nothing(each) for each in downloads],
            "thumbnailUrl": previews[0] if previews else None,
            "isBasedOn": list(facts.sources),
            "dateCreated": seconds(facts.created),
            "dateModified": seconds(facts.modified),
            "measurementTechnique": facts.lineage,
        }
    )


def collection_dataset(collection: Collection, extent: Extent, base: str) -> dict[str, Any]:
    """A collection as Dataset, with the extent of what the viewer may see."""
    page = f"{base}/catalogue/{collection.identifier}/"
    box, start, end = extent
    names = [p["name"] for p in collection.providers if isinstance(p, dict) and p.get("name")]
    return _without_nothing(
        {
            **_common(collection.title, collection.description, page, base),
            "identifier": collection.identifier,
            "license": _license(collection.license),
            "keywords": list(collection.keywords),
            "creator": {"@type": "Organization", "name": str(names[0]) if names else PORTAL},
            "temporalCoverage": f"{seconds(start)}/{seconds(end)}" if start and end else None,
            "spatialCoverage": _place(box),
            "dateModified": seconds(collection.updated_at),
        }
    )


def _common(title: str, abstract: str, page: str, base: str) -> dict[str, Any]:
    text = abstract
    if len(text) < SHORTEST:
        text = f"{title}: {abstract}. A dataset in the catalogue of the {PORTAL}."
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": page,
        "name": title,
        "description": text[:LONGEST],
        "url": page,
        "includedInDataCatalog": {
            "@type": "DataCatalog",
            "name": PORTAL,
            "url": f"{base}/stac/",
        },
    }


def _place(box: Box) -> dict[str, Any]:
    """Latitude first, with spaces."""
    west, south, east, north = map(number, box)
    shape = {"@type": "GeoShape", "box": f"{south} {west} {north} {east}"}
    return {"@type": "Place", "geo": shape}


def _license(name: str) -> str | None:
    """Its address: SPDX has one for each of its names."""
    return None if name == "other" else f"https://spdx.org/licenses/{name}"


def _without_nothing(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, "", [], ())}
