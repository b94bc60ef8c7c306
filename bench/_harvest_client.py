"""A portal in one process with a full catalogue: the CPU of one page at each harvest door."""

from __future__ import annotations

import logging
import os
import time
from statistics import median

import django

django.setup()

import structlog  # noqa: E402 (Django's models need it set up)
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.test import Client  # noqa: E402

from catalogue_client.services import put_collection, put_item  # noqa: E402

ITEMS = int(os.environ.get("BENCH_ITEMS", "5000"))
ROUNDS, AIM_MS = 25, 50.0
_CSW = "/csw?service=CSW&version=2.0.2&request=GetRecords&typeNames=csw:Record&resultType=results"
_ISO = "http://www.isotc211.org/2005/gmd"
PAGES = {
    "OAI-PMH, oai_dc": "/oai?verb=ListRecords&metadataPrefix=oai_dc",
    "OAI-PMH, iso19139": "/oai?verb=ListRecords&metadataPrefix=iso19139",
    "OAI-PMH, headers": "/oai?verb=ListIdentifiers&metadataPrefix=oai_dc",
    "CSW, full": f"{_CSW}&elementSetName=full&maxRecords=100&startPosition=1001",
    "CSW, ISO 19139": f"{_CSW}&maxRecords=100&outputSchema={_ISO}",
    "OpenSearch, Atom": "/opensearch/search.atom?count=100&bbox=0,0,90,80",
    "OpenSearch, GeoJSON": "/opensearch/search.geojson?count=100",
}


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    call_command("migrate", verbosity=0)
    _fill()
    client = Client()
    for name, address in PAGES.items():
        taken, answer = [], client.get(address)
        for _ in range(ROUNDS):
            started = time.process_time()
            answer = client.get(address)
            taken.append((time.process_time() - started) * 1000)
        if answer.status_code != 200:
            raise SystemExit(answer.content)
        told = f"{name:20} {len(answer.content) // 1000:4} kB: CPU {median(taken):5.1f} ms"
        print(f"{told}, ratio to {AIM_MS:g} ms: {median(taken) / AIM_MS:.2f}", flush=True)


def _fill() -> None:
    collection = put_collection(document={"id": "scenes", "title": "Scenes"})
    for start in range(0, ITEMS, 1000):
        with transaction.atomic():
            for n in range(start, min(start + 1000, ITEMS)):
                put_item(collection=collection, document=_scene(n))


def _scene(number: int) -> dict[str, object]:
    west, south = number % 170, number % 80
    ring = [[west, south], [west + 1, south], [west + 1, south + 1], [west, south + 1]]
    return {
        "id": f"scene-{number}",
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
        "properties": {
            "title": f"Scene {number} & more",
            "description": "What the satellite saw on that day. " * 5,
            "datetime": f"2025-{number % 12 + 1:02d}-{number % 28 + 1:02d}T10:00:00Z",
            "platform": "sentinel-2a",
            "keywords": ["land", "optical", "level 2"],
        },
        "links": [{"rel": "derived_from", "href": f"https://archive.example/{number}"}],
        "assets": {
            name: {"href": f"/scenes/{number}/{name}.tif", "type": "image/tiff", "roles": ["data"]}
            for name in ("red", "green", "blue", "nir")
        },
    }


if __name__ == "__main__":
    main()
