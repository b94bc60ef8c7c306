"""A record of any catalogue as a resource of an OWS Context."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

from catalogue_client.owc import Category, Link, Offering, Resource, Text, dates
from catalogue_client.owc.checks import is_writable
from catalogue_client.sources.ports import Record
from catalogue_client.sources.records import TIME_UNKNOWN, period_of
from catalogue_client.stac import GEOJSON, instant_text

PORTAL = "TEP Portal"


def resource_of(
    record: Record,
    here: str,
    *,
    updated: str,
    folder: str = "",
    offerings: tuple[Offering, ...] = (),
) -> Resource:
    """The record with its files and pictures as links. `here` is where it is as STAC; `updated` is
    taken if it does not say itself when it was."""
    document = record.document
    properties = document["properties"]
    text = str(properties.get("description") or record.title)
    keywords = properties.get("keywords")
    said = dates.repaired(str(properties.get("updated") or ""))
    return Resource(
        id=here,
        title=Text(record.title),
        updated=said or updated,
        abstract=Text(f"<p>{html.escape(text)}</p>", "html"),
        publisher=PORTAL,
        geometry=document["geometry"],
        date=_date(document),
        folder=folder,
        links=(*_asset_links(document), Link("via", here, GEOJSON, "STAC item")),
        categories=tuple(
            Category(str(word)) for word in (keywords if isinstance(keywords, list) else ())
        ),
        offerings=offerings,
    )


def _date(document: dict[str, Any]) -> str:
    if TIME_UNKNOWN in document["properties"]:
        return ""
    start, end = period_of(document)
    first = instant_text(start) if start else dates.EARLIEST
    last = instant_text(end) if end else dates.LATEST
    return first if first == last else f"{first}/{last}"


def _asset_links(document: dict[str, Any]) -> Iterator[Link]:
    for key, asset in document["assets"].items():
        roles = set(asset.get("roles") or ())
        rel = "icon" if roles & {"thumbnail", "overview"} else "enclosure"
        size = asset.get("file:size")
        length = size if isinstance(size, int) and size >= 0 else None
        kind, title = str(asset.get("type") or ""), str(asset.get("title") or key)
        link = Link(rel, asset["href"], kind, title, length=length)
        # Others write types that are none, such as “GeoTIFF”.
        yield link if is_writable(link) else Link(rel, asset["href"], "", title, length=length)
