"""Scenes for the catalogue benchmark: the same for the portal and for a server beside it."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

PLATFORMS = ("sentinel-2a", "sentinel-2b", "landsat-8", "landsat-9")
FIRST = datetime(2020, 1, 1, tzinfo=UTC)
DAYS = 2000
COLLECTION = "bench"
BANDS = ("blue", "green", "red", "nir", "swir1", "swir2", "scl", "visual")


def documents(number: int) -> Iterator[dict[str, Any]]:
    """STAC items over the whole world and five years, as large as those of optical satellites."""
    chance = random.Random(7)
    for n in range(number):
        west, south = chance.uniform(-180, 179), chance.uniform(-80, 79)
        moment = FIRST + timedelta(seconds=chance.randrange(DAYS * 86400))
        east, north = west + 1, south + 1
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        name = f"S2_{n:07}"
        yield {
            "type": "Feature",
            "stac_version": "1.0.0",
            "stac_extensions": ["https://stac-extensions.github.io/eo/v1.1.0/schema.json"],
            "id": name,
            "collection": COLLECTION,
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "bbox": [west, south, east, north],
            "properties": {
                "datetime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "title": name,
                "platform": chance.choice(PLATFORMS),
                "constellation": "sentinel-2",
                "instruments": ["msi"],
                "gsd": 10,
                "eo:cloud_cover": round(chance.uniform(0, 100), 2),
                "view:off_nadir": round(chance.uniform(0, 10), 2),
                "proj:epsg": 32600 + chance.randrange(1, 61),
            },
            "links": [{"rel": "via", "href": f"https://archive.example/{name}"}],
            "assets": {
                band: {
                    "href": f"https://archive.example/{name}/{band}.tif",
                    "type": "image/tiff; application=geotiff; profile=cloud-optimized",
                    "title": band,
                    "roles": ["data"],
                }
                for band in BANDS
            },
        }


def into_portal(number: int) -> None:
    """Rows as `services.put_item` makes them, many at once."""
    import django  # noqa: PLC0415 (the other half of this module needs no portal)

    django.setup()
    from catalogue_client import services, stac  # noqa: PLC0415
    from catalogue_client.models import Item  # noqa: PLC0415
    from common.clock import now  # noqa: PLC0415

    collection = services.put_collection(document={"id": COLLECTION, "title": "Bench"})
    moment = now()
    rows: list[Item] = []
    with django.db.transaction.atomic():
        for sequence, document in enumerate(documents(number), start=1):
            stored = stac.checked_item(document)
            rows.append(
                Item(
                    collection=collection,
                    identifier=stored["id"],
                    visibility="public",
                    sequence=sequence,
                    created_at=moment,
                    updated_at=moment,
                    **services.columns(stored),
                )
            )
            if len(rows) == 1000:
                Item.objects.bulk_create(rows)
                rows = []
        Item.objects.bulk_create(rows)


def as_lines(number: int) -> None:
    """The items as lines of JSON on the standard output."""
    for document in documents(number):
        sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    {"portal": into_portal, "lines": as_lines}[sys.argv[1]](int(sys.argv[2]))
