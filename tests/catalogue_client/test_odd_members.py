"""Items with members that are not what STAC says: refused, or left out, before they can break any
page or list that others read."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalogue_client.harvesting.documents import incoming
from catalogue_client.models import Collection, HarvestSource, Item
from catalogue_client.services import put_collection, put_item
from catalogue_client.sources.records import record_of
from common.errors import InvalidInput
from common.xml import parse
from tests.catalogue_client.shared import stac_errors
from tests.catalogue_client.world import scene

pytestmark = pytest.mark.django_db
HREF = "https://data.example/a.tif"


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


def asset(**members: Any) -> dict[str, Any]:
    return {"assets": {"a": {"href": HREF, **members}}}


def link(**members: Any) -> dict[str, Any]:
    return {"links": [{"rel": "via", "href": HREF, **members}]}


def properties(**members: Any) -> dict[str, Any]:
    return {"properties": {"datetime": "2026-01-01T00:00:00Z", **members}}


ODD: dict[str, dict[str, Any]] = {
    "providers-number": properties(providers=5),
    "providers-texts": properties(providers=["a"]),
    "provider-roles": properties(providers=[{"name": "x", "roles": 7}]),
    "provider-name": properties(providers=[{"name": {"a": 1}, "roles": ["processor"]}]),
    "title": properties(title={"a": 1}),
    "description": properties(description=[1]),
    "license": properties(license=7),
    "keywords": properties(keywords=[{"a": 1}]),
    "values": properties(**{"tep:values": 5}),
    "roles": asset(roles=5),
    "roles-objects": asset(roles=[{}]),
    "size": asset(**{"file:size": '"><x a="'}),
    "asset-title": asset(title=[1]),
    "asset-type": asset(type={"a": 1}),
    "asset-null": asset(type=None),
    "asset-of": asset(**{"tep:output": {}}),
    "relation": link(rel=["via"]),
    "link-title": link(title={"a": 1}),
    "link-type": link(type=5),
}
DOORS = (
    "/stac/collections/own/items/{}",
    "/owc/items/own/{}.atom",
    "/owc/items/own/{}.geojson",
    "/waf/own/{}.xml",
    "/catalogue/own/{}/",
)
LISTS = (
    "/stac/search?limit=1000", "/oai?verb=ListRecords&metadataPrefix=oai_dc",
    "/oai?verb=ListRecords&metadataPrefix=iso19139",
    "/csw?service=CSW&version=2.0.2&request=GetRecords&typeNames=csw:Record&resultType=results"
    "&elementSetName=full",
    "/opensearch/search.atom", "/opensearch/search.geojson",
)  # fmt: skip


def doors_open(*names: str) -> None:
    for door, name in [(d, n) for d in DOORS for n in names] + [(d, "") for d in LISTS]:
        answer = Client().get(door.format(name))
        assert answer.status_code == 200, (name, door, answer.content[:200])
        if "xml" in answer["Content-Type"]:
            parse(answer.content, what="answer")


@pytest.fixture
def own() -> Collection:
    return put_collection(document={"id": "own", "title": "Own"})


def test_they_are_refused_where_items_are_written(own: Collection) -> None:
    for name, change in ODD.items():
        with pytest.raises(InvalidInput) as refused:
            put_item(collection=own, document={**scene(name), **change}, visibility="public")
        assert refused.value.locator in ("properties", "links", "assets"), name
    assert not Item.objects.exists()


def test_they_are_left_out_of_records_of_other_catalogues(own: Collection) -> None:
    source = HarvestSource(kind="stac", url="https://centre.example/", provider_name="Centre")
    for name, change in ODD.items():
        record = record_of({**scene(name), **change}, "https://centre.example/")
        stored = incoming(source, record).document
        put_item(collection=own, document=stored, visibility="public")
        item = Client().get(f"/stac/collections/own/items/{name}").json()
        assert stac_errors(item) == [], name
    doors_open(*ODD)


def test_an_item_is_as_deep_as_lists_of_it_can_be_written(own: Collection) -> None:
    for levels in range(150, 260, 5):
        deep = {**scene(f"deep-{levels}"), **properties(a=nested(levels))}
        try:
            put_item(collection=own, document=deep, visibility="public")
        except InvalidInput:
            break
    doors_open(Item.objects.latest("pk").identifier)
    assert 5 < Item.objects.count() < 22
    deep_body = {"limit": 1, "unknown": nested(252)}
    answer = Client().post("/stac/search", deep_body, content_type="application/json")
    assert answer.status_code == 400


def test_a_format_that_is_no_media_type_is_no_obstacle(own: Collection) -> None:
    document = {**scene("plain"), **asset(type="GeoTIFF", title="a\u0001b", roles=["data"])}
    document["assets"]["\u0001"] = {"href": HREF, "type": "te\u0003xt"}
    put_item(collection=own, document=document, visibility="public")
    doors_open("plain")
