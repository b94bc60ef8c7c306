"""Dublin Core, as csw:Record with a box or as oai_dc, as a STAC item."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from catalogue_client.geometry import Box
from catalogue_client.sources.ports import Record
from catalogue_client.sources.records import NoRecordError, record_of, web_address
from common.xml import Element, local_name

CSW = "http://www.opengis.net/cat/csw/2.0.2"
OWS = "http://www.opengis.net/ows"
_PERIOD = re.compile(r"start=([^;]+);\s*end=([^;]+)")
_SIDES = ("west", "south", "east", "north")
_SIDE = re.compile(
    r"\b(west|south|east|north)(?:limit)?\s*[=:]?\s*(-?\d{1,3}(?:\.\d{1,15})?)", re.I
)
_SERVICES = ("OGC:WMS", "OGC:WFS", "OGC:WCS", "OGC:WMTS", "OGC:WPS")


def record_in(element: Element, base: str, *, identifier: str = "") -> Record:
    """The record in a csw:Record or oai_dc:dc, under that name if one is given.

    Raises NoRecordError.
    """
    said: dict[str, list[Element]] = {}
    for child in element:
        said.setdefault(local_name(child), []).append(child)

    def first(name: str) -> str:
        return next((text for one in said.get(name, ()) if (text := _text(one))), "")

    identifier = identifier or first("identifier")
    if not identifier:
        raise NoRecordError("it has no identifier")
    properties: dict[str, Any] = {
        "title": first("title") or identifier,
        "description": first("abstract") or first("description"),
        "keywords": [text for one in said.get("subject", ()) if (text := _text(one))],
        "updated": first("modified"),
        "date": _period(first("temporal")) or first("date") or first("modified"),
        "license": first("rights") or first("license"),
        "dc:type": first("type"),
        "dc:creator": first("creator"),
        "dc:publisher": first("publisher"),
    }
    assets, links = references(
        (
            _text(one),
            one.get("scheme") or one.get("protocol") or "",
            one.get("name") or one.get("description") or "",
        )
        for one in (*said.get("references", ()), *said.get("URI", ()))
    )
    for name, rel in (("source", "via"), ("identifier", "alternate"), ("relation", "related")):
        links += [{"rel": rel, "href": _text(one)} for one in said.get(name, ())]
    document: dict[str, Any] = {
        "id": identifier,
        "collection": first("isPartOf") if _is_name(first("isPartOf")) else "",
        "properties": {name: value for name, value in properties.items() if value},
        "links": [link for link in links if web_address(link["href"])],
        "assets": assets,
    }
    boxes = [e for name in ("BoundingBox", "WGS84BoundingBox") for e in said.get(name, ())]
    covered = _coverage(_text(one) for one in said.get("coverage", ()))
    if box := (_box(boxes[0]) if boxes else covered):
        document["bbox"] = list(box)
    return record_of(document, base)


def references(
    given: Iterable[tuple[str, str, str]],
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Downloads and pictures as assets, services and pages as links: of addresses with their scheme
    and title."""
    assets: dict[str, Any] = {}
    links: list[dict[str, Any]] = []
    for number, (href, scheme, title) in enumerate(given):
        upper = scheme.upper()
        named = {"href": href, **({"title": title} if title else {})}
        if upper.startswith(_SERVICES):
            links.append({"rel": upper.split(":")[1].split("-")[0].lower(), **named})
        elif "DOWNLOAD" in upper or "ENCLOSURE" in upper:
            assets[f"data-{number}"] = {**named, "roles": ["data"]}
        elif "IMAGE" in upper or "THUMBNAIL" in upper:
            assets[f"picture-{number}"] = {**named, "roles": ["thumbnail"]}
        else:
            links.append({"rel": "related", **named})
    return assets, links


def _coverage(texts: Iterable[str]) -> Box | None:
    """The box in a dc:coverage: "North 41, South 40, …" or a DCMI Box ("northlimit=41; …")."""
    for text in texts:
        sides = {name.lower(): number for name, number in _SIDE.findall(text)}
        if len(sides) == len(_SIDES):
            west, south, east, north = (float(sides[name]) for name in _SIDES)
            return west, south, east, north
    return None


def _box(element: Element) -> Box | None:
    """West, south, east, north; latitude first where the reference system says so."""
    corners = {local_name(child): _text(child).split() for child in element}
    try:
        lower = [float(word) for word in corners.get("LowerCorner", ())][:2]
        upper = [float(word) for word in corners.get("UpperCorner", ())][:2]
    except ValueError:
        return None
    if len(lower) != 2 or len(upper) != 2 or not all(map(math.isfinite, (*lower, *upper))):  # noqa: PLR2004
        return None
    crs = element.get("crs") or ""
    latitude_first = "4326" in crs and ("urn:" in crs or "http" in crs)
    # No latitude is as large as this.
    if not crs and (abs(lower[1]) > 90 or abs(upper[1]) > 90):  # noqa: PLR2004
        latitude_first = True
    if latitude_first:
        lower, upper = lower[::-1], upper[::-1]
    return lower[0], lower[1], upper[0], upper[1]


def _period(text: str) -> str:
    """A DCMI period as start/end."""
    found = _PERIOD.search(text)
    return f"{found[1].strip()}/{found[2].strip()}" if found else text


def _is_name(text: str) -> bool:
    return bool(text) and len(text) < 100 and "://" not in text  # noqa: PLR2004


def _text(element: Element) -> str:
    return "".join(element.itertext()).strip()
