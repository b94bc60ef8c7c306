"""JSON that tells of files: STAC, and results of OGC API – Processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from catalogue_client.publishing.reading.found import (
    LONGEST_TITLE,
    Entry,
    File,
    Reading,
    place,
    sha256,
    size,
)
from catalogue_client.stac import times
from common.errors import InvalidInput

_SOURCES = ("derived_from", "via")
_FURTHER = ("child", "item", "items")
_PICTURES = ("thumbnail", "overview", "visual")


def read(document: Any, source: str) -> Reading | None:
    """What a STAC object or a document of results says; None for any other JSON."""
    if not isinstance(document, dict):
        return None
    kind = document.get("type")
    if kind == "FeatureCollection":
        features = document.get("features")
        items = [f for f in features if _is_stac(f)] if isinstance(features, list) else []
        return Reading(tuple(f for i in items for f in _item(i, source))) if items else None
    if _is_stac(document):
        if kind == "Feature":
            return Reading(tuple(_item(document, source)))
        return Reading(tuple(_assets(document, Entry(), source)), _further(document, source))
    if isinstance(kind, str) and kind in ("Feature", "GeometryCollection"):
        return None
    files = tuple(_results(document, source))
    return Reading(files) if files else None


def _is_stac(document: object) -> bool:
    return isinstance(document, dict) and isinstance(document.get("stac_version"), str)


def _item(item: Mapping[str, Any], source: str) -> Iterator[File]:
    properties = _object(item.get("properties"))
    shape, box = place(item.get("geometry"), item.get("bbox"))
    period: tuple[datetime | None, datetime | None] = (None, None)
    with suppress(InvalidInput):
        period = times(properties)
    title = properties.get("title") or item.get("id")
    via = [link["href"] for link in _links(item) if link.get("rel") in _SOURCES]
    entry = Entry(
        str(item.get("id") or "")[:LONGEST_TITLE],
        str(title or "")[:LONGEST_TITLE],
        shape,
        box,
        *period,
        tuple(urljoin(source, href) for href in via),
    )
    yield from _assets(item, entry, source)


def _assets(document: Mapping[str, Any], entry: Entry, source: str) -> Iterator[File]:
    for key, asset in _object(document.get("assets")).items():
        if not isinstance(asset, dict) or not isinstance(asset.get("href"), str):
            continue
        yield File(
            urljoin(source, asset["href"]),
            str(asset.get("title") or entry.title or key)[:LONGEST_TITLE],
            str(asset.get("type") or ""),
            size(asset.get("file:size")),
            sha256(asset.get("file:checksum")),
            _role(asset.get("roles")),
            entry,
        )


def _role(roles: object) -> str:
    named = roles if isinstance(roles, list) else []
    if "data" not in named and any(r in _PICTURES for r in named):
        return "thumbnail"
    return "metadata" if "metadata" in named and "data" not in named else "data"


def _further(document: Mapping[str, Any], source: str) -> tuple[str, ...]:
    found = [link["href"] for link in _links(document) if link.get("rel") in _FURTHER]
    return tuple(dict.fromkeys(urljoin(source, href) for href in found))


def _results(document: Mapping[str, Any], source: str) -> Iterator[File]:
    """Values by reference: `{"result": {"href": …, "type": …}}`, also several in a list."""
    for name, value in document.items():
        for one in value if isinstance(value, list) else [value]:
            if name not in ("links", "link") and isinstance(one, dict) and _is_link(one):
                title = str(one.get("title") or name)[:LONGEST_TITLE]
                yield File(urljoin(source, one["href"]), title, str(one.get("type") or ""))


def _is_link(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("href"), str) and not set(value) - {
        "href", "type", "title", "rel", "hreflang", "length", "templated"
    }  # fmt: skip


def _links(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    links = document.get("links")
    every = links if isinstance(links, list) else []
    return [link for link in every if isinstance(link, dict) and isinstance(link.get("href"), str)]


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
