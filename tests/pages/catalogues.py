"""A catalogue of others that has been read, a data package with an entry of it, and what a centre
sent of its records."""

from __future__ import annotations

import uuid
from datetime import timedelta

from catalogue_client.harvesting import pushing
from catalogue_client.harvesting import services as harvesting
from catalogue_client.models import CachedRecord, CatalogueSource, DataPackage, HarvestRun
from catalogue_client.packages import services
from catalogue_client.sources.ports import Query
from catalogue_client.sources.records import read_all, record_of
from common.clock import now
from tests.catalogue_client.world import scene
from tests.pages.stage import Stage


def coast(stage: Stage) -> tuple[CatalogueSource, DataPackage]:
    """The researcher's source, and their package with one entry of it, a scene and a search."""
    source = CatalogueSource.objects.create(
        slug="coast", name="Coastal archive", url="http://127.0.0.1:9/catalog.json",
        description="Mosaics of the Baltic coast, every month.", kind="static-stac",
        owner=stage.researcher, visibility="public", created_at=now(), checked_at=now(),
        answered_at=now(), crawled_at=now() - timedelta(hours=5), username="ada",
        abilities=["text", "bbox", "time", "collections", "ids", "count"],
        crawl_notes=["The catalogue sends on to another server, which is not followed."],
    )  # fmt: skip
    for number in range(1, 24):
        west = 12.5 + number / 20
        ring = [[west, 54], [west + 0.4, 54], [west + 0.4, 54.3], [west, 54.3], [west, 54]]
        record = record_of(
            {
                "id": f"mosaic-{number}", "geometry": {"type": "Polygon", "coordinates": [ring]},
                "properties": {
                    "title": f"Mosaic {number} of the coast", "datetime": f"2026-03-{number:02d}",
                    "description": "Cloud-free.", "eo:cloud_cover": number, "platform": "s2a",
                },
                "assets": {"data": {"href": f"https://data.example.org/{number}.tif",
                                    "type": "image/tiff"}},
                "links": [{"rel": "via", "href": "https://data.example.org/about"}],
            },
            "https://data.example.org/",
            collection="mosaics",
        )  # fmt: skip
        west, south, east, north = record.bbox or (0, 0, 0, 0)
        CachedRecord.objects.create(
            source=source, collection="mosaics", identifier=record.id, document=record.document,
            words=record.title.lower(), west=west, south=south, east=east, north=north,
            start=now() - timedelta(days=number), end=now() - timedelta(days=number),
            crawl=uuid.uuid4(),
        )  # fmt: skip
    package = services.create(
        owner=stage.researcher, title="Reed along the coast", description="For the spring report.",
        visibility="group", group=stage.group,
    )  # fmt: skip
    for where, collection, identifier in (
        (source, "mosaics", "mosaic-3"), (None, "scenes", "scene-1"),
    ):  # fmt: skip
        services.add_item(
            actor=stage.researcher, package=package, source=where, collection=collection,
            identifier=identifier,
        )  # fmt: skip
    services.add_search(
        actor=stage.researcher, package=package, source=source, title="New mosaics",
        query=Query(text="coast", bbox=(12, 53.5, 14.5, 55)),
    )  # fmt: skip
    return source, package


def records_sent(stage: Stage) -> HarvestRun:
    """What a centre sent of its records, one of which is none."""
    centre = harvesting.Centre(stage.provider.pk, stage.provider.slug, stage.provider.name)
    source = harvesting.register(actor=stage.provider_owner, centre=centre, kind="push")
    entries = read_all([scene("s1"), {"type": "Feature"}], lambda one: record_of(one, ""))
    pushing.take(source, entries)
    return source.runs.get()
