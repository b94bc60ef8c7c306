"""pystac-client with every warning an error, against a real server over HTTP."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from catalogue_client.services import publish, put_collection
from people.services import create_api_key
from tests.catalogue_client.test_stac_api import fill
from tests.catalogue_client.world import People, record, scene


def ids(search: Any) -> list[str]:
    return [item.id for item in search.items()]


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
        for name in ("CORE", "COLLECTIONS", "FEATURES", "ITEM_SEARCH", "SORT", "FILTER", "FIELDS"):
            assert catalogue.conforms_to(name)
        for name in ("COLLECTION_SEARCH", "COLLECTION_SEARCH_FREE_TEXT", "TRANSACTION"):
            assert catalogue.conforms_to(name)
        assert not catalogue.conforms_to("QUERY")
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


@pytest.mark.django_db(transaction=True)
def test_a_rightful_owner_writes_with_a_real_client(live_server: Any) -> None:
    pystac = pytest.importorskip("pystac")
    pystac_client = pytest.importorskip("pystac_client")
    people = People()
    put_collection(document={"id": "own", "title": "Own"}, owner=people.owner)
    _, key = create_api_key(user=people.owner, name="client", scopes=["read", "manage"])
    headers = {"Authorization": f"Bearer {key}"}
    catalogue = pystac_client.Client.open(f"{live_server.url}/stac/", headers=headers)
    collection = catalogue.get_collection("own")
    given = scene("new", west=10.0)
    item = pystac.Item.from_dict({"type": "Feature", "stac_version": "1.1.0", **given})
    collection.create_item(item)
    there = collection.get_item("new")
    assert there.bbox == [10.0, 40.0, 11.0, 41.0]
    there.properties["platform"] = "s2a"
    collection.update_item(there)
    collection.patch_item("new", {"properties": {"gsd": 10, "title": None}})
    again = collection.get_item("new")
    assert (again.properties["platform"], again.properties["gsd"]) == ("s2a", 10)
    assert "title" not in again.properties
    assert len(again.links) == len(there.links)
    assert again.assets["red"].href == f"{live_server.url}/static/demo/red.tif"
    collection.delete_item("new")
    assert collection.get_item("new") is None


@pytest.mark.django_db(transaction=True)
def test_every_form_of_search_of_a_real_client(live_server: Any) -> None:
    pystac_client = pytest.importorskip("pystac_client")
    from pystac_client.warnings import strict

    publish(record=record(People().owner, visibility="public"))
    fill(12)
    with strict():
        catalogue = pystac_client.Client.open(f"{live_server.url}/stac/")
        for method in ("GET", "POST"):
            found = partial(catalogue.search, method=method, max_items=100, limit=5)
            point = {"type": "Point", "coordinates": [20.5, 40.5]}
            assert ids(found(intersects=point)) == ["s2"]
            text = "S_INTERSECTS(geometry, POINT(30.5 40.5)) OR id IN ('s1', 's9')"
            assert ids(found(filter=text, filter_lang="cql2-text")) == ["s9", "s3", "s1"]
            tree = {"op": ">", "args": [{"property": "id"}, "s8"]}
            if method == "POST":
                assert ids(found(filter=tree, filter_lang="cql2-json")) == ["s9"]
            assert ids(found(sortby="+id")) == sorted(ids(found()))
            assert ids(found(sortby=["-properties.id"])) == sorted(ids(found()), reverse=True)
            bare = found(fields=["-assets", "-properties"], ids=["s1"])
            assert [set(d) & {"assets", "properties"} for d in bare.items_as_dicts()] == [set()]
            kept = found(fields=["properties.title"], ids=["s1"])
            assert [i.properties for i in kept.items()] == [
                {"title": "s1", "datetime": "2025-01-02T00:00:00Z"}
            ]
        words = catalogue.collection_search(q="OTH", bbox=[170, -30, 180, 0], datetime="2025")
        assert [c.id for c in words.collections()] == ["other"]
        assert [c.id for c in catalogue.collection_search(limit=1, q="e").collections()] == [
            "other", "results", "scenes",
        ]  # fmt: skip
