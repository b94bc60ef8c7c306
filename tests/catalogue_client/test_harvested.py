"""pycsw harvests the portal: its folder of files and its CSW, twice, with what changed between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from owslib.csw import CatalogueServiceWeb

from catalogue_client.models import Collection
from catalogue_client.services import publish, put_item
from tests.catalogue_client.servers import pycsw
from tests.catalogue_client.test_stac_api import fill
from tests.catalogue_client.world import People, record, scene

CSW = "http://www.opengis.net/cat/csw/2.0.2"


def titles(url: str) -> dict[str, str]:
    client = CatalogueServiceWeb(url, timeout=60)
    client.getrecords2(esn="full", maxrecords=10)
    found = dict(client.records)
    while client.results["nextrecord"]:
        client.getrecords2(esn="full", maxrecords=10, startposition=client.results["nextrecord"])
        found.update(client.records)
    named = {name: one.title for name, one in found.items() if one.type != "service"}
    return {name.rpartition(":")[2]: title for name, title in named.items()}


@pytest.mark.parametrize("door", ["/waf/scenes/", "/csw"])
@pytest.mark.django_db(transaction=True)
def test_pycsw_harvests(live_server: Any, tmp_path: Path, door: str) -> None:
    fill(12)
    publish(record=record(People().owner, title="hidden"))
    kind = "urn:geoss:waf" if "waf" in door else CSW
    with pycsw(tmp_path, {}) as url:
        client = CatalogueServiceWeb(url, timeout=120)
        client.harvest(live_server.url + door, kind)
        first = titles(url)
        more = {} if "waf" in door else {"across": "across"}  # the folder is of one collection
        assert first == {**more, **{f"s{n}": f"s{n}" for n in range(12)}}
        scenes = Collection.objects.get(identifier="scenes")
        put_item(collection=scenes, document=scene("s3", title="Third & changed"))
        put_item(collection=scenes, document=scene("new", title="Added"))
        client.harvest(live_server.url + door, kind)
        # Of a CSW that it knows pycsw reads all records and takes no new ones.
        added = {"new": "Added"} if "waf" in door else {}
        assert titles(url) == {**first, "s3": "Third & changed", **added}
