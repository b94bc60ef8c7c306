"""pystac-client with every warning an error, against a real server over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from catalogue_client.services import publish
from people.services import create_api_key
from tests.catalogue_client.test_stac_api import fill
from tests.catalogue_client.world import People, record


@pytest.mark.django_db(transaction=True)
def test_a_real_client_that_is_strict(live_server: Any) -> None:
    pystac_client = pytest.importorskip("pystac_client")
    from pystac_client.warnings import strict

    people = People()
    fill(12)
    private = publish(record=record(people.owner))
    _, key = create_api_key(user=people.owner, name="client", scopes=["read"])
    root = f"{live_server.url}/stac/"
    with strict():
        catalogue = pystac_client.Client.open(root)
        for name in ("CORE", "COLLECTIONS", "FEATURES", "ITEM_SEARCH"):
            assert catalogue.conforms_to(name)
        for name in ("SORT", "FILTER", "FIELDS", "TRANSACTION", "QUERY"):
            assert not catalogue.conforms_to(name)
        assert {c.id for c in catalogue.get_collections()} == {"scenes", "other", "results"}
        for method in ("GET", "POST"):
            hits = catalogue.search(method=method, limit=5, max_items=100, collections=["scenes"])
            assert hits.matched() == 12
            assert [i.id for i in hits.items()] == [f"s{n}" for n in reversed(range(12))]
            box = catalogue.search(
                method=method, bbox=[9, 39, 21, 42], datetime="2025-01", max_items=9
            )
            assert [i.id for i in box.items()] == ["s2", "s1"]
        scenes = catalogue.get_collection("scenes")
        item = scenes.get_item("s3")
        assert item.get_self_href() == f"{root}collections/scenes/items/s3"
        assert item.get_collection().id == "scenes"
        assert item.assets["red"].href == f"{live_server.url}/static/demo/red.tif"
        assert scenes.get_item("nothing") is None
        assert len(list(scenes.get_items())) == 12
        assert catalogue.get_collection("results").get_item(private.identifier) is None

        signed_in = pystac_client.Client.open(root, headers={"Authorization": f"Bearer {key}"})
        own = signed_in.get_collection("results").get_item(private.identifier)
        assert own.properties["tep:process"] == "centre.ndvi"
        assert own.assets["result"].href.startswith(live_server.url)
