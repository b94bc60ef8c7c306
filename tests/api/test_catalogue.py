"""Searching several catalogues, registering them and keeping references, by programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from rest_framework.test import APIClient

from tests.factories import World
from tests.fakes.catalogues import SCENES, FakeCatalogue

Api = Callable[..., APIClient]


@pytest.fixture
def server() -> Iterator[FakeCatalogue]:
    with FakeCatalogue() as running:
        yield running


def test_several_are_searched_page_by_page(world: World, api: Api, server: FakeCatalogue) -> None:
    client = api(world.researcher)
    for kind in ("stac-api", "csw"):
        said = {"url": server.address(kind), "slug": kind, "password": "s3cret", "username": "ada"}
        made = client.post("/api/catalogue/sources/", said, format="json")
        assert made.status_code == 201, made.data
        assert made.data["has_password"] is True
        assert "s3cret" not in made.content.decode()
    reader = api(world.researcher, "read")
    search = {"sources": ["stac-api", "csw", "portal"], "bbox": [1, 39, 12, 41], "limit": 5}
    found: dict[str, list[str]] = {"stac-api": [], "csw": [], "portal": []}
    cursors: dict[str, str] = {}
    for _turn in range(3):
        asked = {**search, "cursors": cursors}
        answer = reader.post("/api/catalogue/search/", asked, format="json")
        assert answer.status_code == 200, answer.data
        for one in answer.data["results"]:
            assert one["error"] is None
            assert one["matched"] == (0 if one["source"] == "portal" else 12)
            found[one["source"]] += [item["id"] for item in one["records"]]
        cursors = {one["source"]: one["next"] for one in answer.data["results"] if one["next"]}
    assert cursors == {}
    expected = [one.id for one in SCENES if one.number <= 12]
    assert found == {"stac-api": expected, "csw": expected, "portal": []}
    by_get = reader.get("/api/catalogue/search/?sources=csw&bbox=1,39,12,41&limit=5")
    assert [item["id"] for item in by_get.data["results"][0]["records"]] == expected[:5]


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"bbox": [1, 2, 3]}, "bbox"), ({"bbox": "1,2,3,4"}, "bbox"), ({"limit": 0}, "limit"),
        ({"limit": True}, "limit"), ({"datetime": "yesterday"}, "datetime"),
        ({"datetime": "2026-02-01/2026-01-01"}, "datetime"), ({"ids": "a"}, "ids"),
        ({"intersects": {"type": "Blob"}}, "intersects"), ({"nonsense": 1}, "nonsense"),
        ({"filters": [{"property": "a", "op": "like", "value": 1}]}, "filters"),
        ({"filters": [{"property": "a", "value": {}}]}, "filters"), ({"text": 7}, "text"),
        ({"sources": "portal"}, "sources"), ({"sources": []}, "sources"),
        ({"cursors": {"portal": "abc"}}, "cursors"), ({"cursors": ["x"]}, "cursors"),
        ({"sources": [f"s{n}" for n in range(11)]}, "sources"),
    ],
)  # fmt: skip
def test_a_wrong_member_is_named(world: World, api: Api, asked: object, place: str) -> None:
    answer = api(world.researcher).post("/api/catalogue/search/", asked, format="json")
    assert answer.status_code == 400, answer.data
    assert place in answer.content.decode()


def test_a_source_of_others_does_not_exist(world: World, api: Api, server: FakeCatalogue) -> None:
    said = {"url": server.address("csw"), "slug": "mine"}
    api(world.researcher).post("/api/catalogue/sources/", said, format="json")
    stranger = api(world.stranger)
    asked = stranger.post("/api/catalogue/search/", {"sources": ["mine"]}, format="json")
    assert asked.status_code == 404
    put = {"source": "mine", "collection": "even", "identifier": "scene-02"}
    assert stranger.post("/api/catalogue/basket/", put, format="json").status_code == 404
    assert stranger.get("/api/catalogue/sources/").data["count"] == 0
    taken = stranger.post("/api/catalogue/sources/", said, format="json")
    assert (taken.status_code, "slug" in taken.content.decode()) == (400, True)


def test_a_package_from_the_basket(world: World, api: Api, server: FakeCatalogue) -> None:
    client = api(world.researcher)
    said = {"url": server.address("stac-api"), "slug": "mine"}
    client.post("/api/catalogue/sources/", said, format="json")
    put = {"source": "mine", "collection": "even", "identifier": "scene-02"}
    assert client.post("/api/catalogue/basket/", put, format="json").status_code == 201
    kept = {"source": "mine", "title": "odd", "query": {"collections": ["odd"]}}
    assert client.post("/api/catalogue/basket/", kept, format="json").status_code == 201
    wrong = {"source": "mine", "title": "odd", "query": {"collections": "odd"}}
    assert client.post("/api/catalogue/basket/", wrong, format="json").status_code == 400
    basket = client.get("/api/catalogue/basket/").data
    items = client.get(f"/data-packages/{basket['id']}/items").json()["features"]
    assert [one["id"] for one in items] == ["scene-02", *(s.id for s in SCENES if s.number % 2)]
    place = f"/api/catalogue/packages/{basket['id']}/"
    named = client.patch(place, {"title": "Odd", "visibility": "public"}, format="json")
    assert named.data["basket"] is False
    entries = client.get(f"{place}entries/").data["results"]
    for one in entries:
        assert client.delete(f"{place}entries/{one['id']}/").status_code == 204
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404
