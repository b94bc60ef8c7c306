"""Catalogue items on a map: outlines, pictures, and the files that services can be given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from catalogue_client.models import Item
from thematic_apps.models import ThematicApp

_PICTURES = ("image/png", "image/jpeg", "image/webp")


@dataclass(frozen=True, slots=True)
class File:
    """A file of an item that can be downloaded or given to a service."""

    title: str
    href: str
    media_type: str
    size: int | None


def entry_address(item: Item) -> str:
    """The page of an item."""
    return reverse("pages:entry", args=(item.collection.identifier, item.identifier))


def quicklook(item: Item) -> str:
    """The address of the item's picture, if the portal itself serves it; else ""."""
    for asset in item.document["assets"].values():
        roles = asset.get("roles") or ()
        shown = {"thumbnail", "overview"} & set(roles) and asset.get("type") in _PICTURES
        if shown and asset["href"].startswith("/"):
            return str(asset["href"])
    return ""


def files_of(item: Item) -> list[File]:
    """The item's files, without its pictures."""
    return [
        File(
            title=str(asset.get("title") or key),
            href=asset["href"],
            media_type=str(asset.get("type", "")),
            size=asset.get("file:size"),
        )
        for key, asset in item.document["assets"].items()
        if "thumbnail" not in (asset.get("roles") or ())
    ]


def layers_of_items(items: Iterable[Item], *, pictures: bool = True) -> list[dict[str, Any]]:
    """Pictures below, outlines with their links above."""
    drawn, outlines = [], []
    for item in items:
        box = list(item.bbox)
        picture = quicklook(item) if pictures and not item.crosses_antimeridian else ""
        if picture:
            drawn.append({"id": f"picture-{item.pk}", "type": "image", "url": picture, "bbox": box})
        outlines.append(
            {
                "id": f"item-{item.pk}",
                "type": "footprint",
                "title": item.title,
                "href": entry_address(item),
                "bbox": box,
            }
        )
    return drawn + outlines


def area_layer(app: ThematicApp) -> dict[str, Any]:
    """The application's area as a dashed outline."""
    return {"id": "area", "type": "area", "title": "", "bbox": list(app.bbox)}
