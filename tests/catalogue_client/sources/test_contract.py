"""Every adapter finds the same in the same catalogue, whatever its protocol can do by itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from catalogue_client.services import put_collection, put_item
from catalogue_client.sources.ports import Condition, Query, Record
from catalogue_client.sources.searching import Answer, record_in, search
from people.models import User
from tests.catalogue_client.sources.conftest import KINDS, register
from tests.fakes.catalogues import SCENES, FakeCatalogue, Scene

EAST = {"type": "Polygon", "coordinates": [[[19.8, 39], [27.9, 39], [24, 50], [19.8, 39]]]}
MARCH_5, MARCH_9 = datetime(2026, 3, 5, tzinfo=UTC), datetime(2026, 3, 9, 23, tzinfo=UTC)
SEARCHES = {
    "everything": (Query(), lambda s: True),
    "a word": (Query(text="red"), lambda s: s.number % 3 == 0),
    "two words": (Query(text="coast blue"), lambda s: s.number % 3),
    "a box": (Query(bbox=(3.2, 39, 6.1, 41)), lambda s: 3 <= s.number <= 6),
    "nowhere": (Query(bbox=(100, 0, 101, 1)), lambda s: False),
    "a time": (Query(start=MARCH_5, end=MARCH_9), lambda s: 5 <= s.number <= 9),
    "until": (Query(end=MARCH_9), lambda s: s.number <= 9),
    "a collection": (Query(collections=("even",)), lambda s: s.number % 2 == 0),
    "ids": (Query(ids=("scene-04", "scene-07")), lambda s: s.number in (4, 7)),
    "a triangle": (Query(geometry=EAST), lambda s: 20 <= s.number <= 27),
    "several": (
        Query(text="red", bbox=(2, 40, 14, 41), start=MARCH_5),
        lambda s: s.number % 3 == 0 and 5 <= s.number <= 14,
    ),
}


def walk(owner: User, source: object, query: Query) -> tuple[list[Record], list[Answer]]:
    records, answers, cursor = [], [], ""
    while True:
        cursors = {source.slug: cursor} if cursor else None
        answer = search(owner, [source], query, cursors=cursors)[0]
        assert answer.error == "", answer
        records += answer.page.records
        answers.append(answer)
        cursor = answer.cursor
        if not cursor or len(answers) > 20:
            return records, answers


@pytest.mark.parametrize("kind", [*KINDS, "stac-api by GET"])
def test_the_same_scenes_are_found(owner: User, server: FakeCatalogue, kind: str) -> None:
    server.posts = "GET" not in kind
    kind = kind.removesuffix(" by GET")
    source = register(owner, server, kind)
    assert source.kind == kind.removesuffix("-json").removesuffix("-two-steps")
    wrong = {}
    for name, (query, fits) in SEARCHES.items():
        expected = {one.id for one in SCENES if fits(one)}
        records, answers = walk(owner, source, query.__class__(**{**_parts(query), "limit": 7}))
        found = [one.id for one in records]
        said = any(answer.page.warnings for answer in answers)
        if set(found) != expected or len(found) != len(set(found)):
            wrong[name] = sorted(set(found) ^ expected) or "repeated"
        # What the catalogue cannot do itself is told.
        if not said and query.asked() - set(source.abilities) and name != "everything":
            wrong[f"{name} untold"] = source.abilities
    assert wrong == {}


def _parts(query: Query) -> dict[str, object]:
    return {name: getattr(query, name) for name in query.__slots__}


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_a_stac_item_with_its_own_place_and_files(
    owner: User, server: FakeCatalogue, kind: str
) -> None:
    source = register(owner, server, kind)
    record = record_in(owner, source, "even", "scene-04")
    document = record.document
    assert record.bbox == Scene(4).box
    assert document["properties"]["title"] == "Scene 4 blue coast"
    when = document["properties"]["datetime"] or document["properties"]["start_datetime"]
    assert when.startswith("2026-03-04")
    hrefs = [asset["href"] for asset in document["assets"].values()]
    assert [h for h in hrefs if h.startswith(server.base) and h.endswith("/scene-04.tif")] == hrefs
    if kind == "stac-api":
        assert any("bucket" in text for text in record.issues)  # s3:// is no web address
    if kind == "opensearch":
        assert document["properties"]["description"] == "bold "  # markup of others is not kept
    if kind == "csw":
        assert {"rel": "wms", "href": f"{server.base}/wms"} in document["links"]


@pytest.mark.parametrize("kind", ["stac-api", "static-stac", "ogc-records", "opensearch"])
def test_properties_and_order(owner: User, server: FakeCatalogue, kind: str) -> None:
    source = register(owner, server, kind)
    clear = Condition("eo:cloud_cover", "<=", 12)
    records, answers = walk(owner, source, Query(filters=(clear,), limit=50))
    assert {one.id for one in records} == {"scene-01", "scene-02", "scene-03", "scene-04"}
    assert bool(answers[0].page.warnings) == (kind != "opensearch")
    page = search(owner, [source], Query(sort="-datetime", limit=50))[0].page
    days = [one.document["properties"].get("datetime") or
            one.document["properties"]["start_datetime"] for one in page.records]  # fmt: skip
    assert days == sorted(days, reverse=True)
    assert any("sort" in text for text in page.warnings)


def test_a_static_catalogue_is_read_anew_and_forgets_what_is_gone(
    owner: User, server: FakeCatalogue
) -> None:
    from catalogue_client.sources import crawling
    from tests.fakes.http_server import Reply

    source = register(owner, server, "static-stac")
    assert source.records.count() == 30
    asked = len(server.received)
    search(owner, [source], Query(text="red"))
    assert len(server.received) == asked  # what was read is searched
    gone = Reply(200, b'{"type":"Catalog","stac_version":"1.0.0","id":"x","links":[]}')
    server.reply("static", gone)
    assert crawling.crawl(source)
    assert source.records.count() == 0


def test_the_portals_own_catalogue_is_behind_the_same_contract(owner: User) -> None:
    own = put_collection(document={"id": "own", "title": "Own"})
    for one in SCENES[:6]:
        west, south, east, north = one.box
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        put_item(
            collection=own,
            document={
                "id": one.id, "geometry": {"type": "Polygon", "coordinates": [ring]},
                "properties": {"title": one.title, "datetime": f"{one.day}T10:00:00Z",
                               "eo:cloud_cover": one.cloud},
                "assets": {}, "links": [],
            },
        )  # fmt: skip
    corner = {"type": "Polygon", "coordinates": [[[2.2, 39], [9, 39], [2.2, 47], [2.2, 39]]]}
    for query, expected in (
        (Query(text="red"), {3, 6}), (Query(bbox=(2, 39, 3.2, 41)), {2, 3}),
        (Query(geometry=corner, start=MARCH_5), {5, 6}), (Query(ids=("scene-04",)), {4}),
        (Query(filters=(Condition("eo:cloud_cover", "<=", 9),)), {1, 2, 3}),
    ):  # fmt: skip
        answer = search(owner, [None], query)[0]
        assert {one.id for one in answer.page.records} == {f"scene-{n:02d}" for n in expected}
        assert answer.page.warnings == ()
    answer = search(owner, [None], Query(sort="eo:cloud_cover", limit=4))[0]
    assert [one.id for one in answer.page.records] == [one.id for one in SCENES[:4]]
    rest = search(
        owner, [None], Query(sort="eo:cloud_cover", limit=4), cursors={"portal": answer.cursor}
    )[0]
    assert [one.id for one in rest.page.records] == ["scene-05", "scene-06"]
    assert rest.cursor == ""
