"""The STAC API: searches, pages, errors, caching; and a real client against a real server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from catalogue_client.geometry import polygon
from catalogue_client.selectors import Search, search
from catalogue_client.services import publish, put_collection, put_item
from tests.catalogue_client.shared import stac_errors
from tests.catalogue_client.world import People, record, scene

DAY = timedelta(days=1)
FIRST = datetime(2025, 1, 1, tzinfo=UTC)


def stamp(number: int) -> str:
    return (FIRST + number * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")


def fill(number: int = 7) -> None:
    """Scenes a degree wide at 0°, 10°, 20°… E, one a day; and one over the antimeridian."""
    collection = put_collection(document={"id": "scenes", "title": "Scenes"})
    other = put_collection(document={"id": "other", "title": "Other"})
    for n in range(number):
        put_item(collection=collection, document=scene(f"s{n}", west=n * 10.0, datetime=stamp(n)))
    across = scene("across", start_datetime=stamp(100), end_datetime=stamp(110), datetime=None)
    put_item(collection=other, document={**across, "geometry": polygon((170, -20, -170, -10))})


def found(parameters: str) -> list[str]:
    answer = Client().get(f"/stac/search?limit=100&{parameters}")
    assert answer.status_code == 200, answer.content
    return [feature["id"] for feature in answer.json()["features"]]


SEARCHES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["across", "s6", "s5", "s4", "s3", "s2", "s1", "s0"]),
    ({"collections": ["other"]}, ["across"]),
    ({"collections": ["nowhere"]}, []),
    ({"ids": ["s1", "s2"], "collections": ["scenes"]}, ["s2", "s1"]),
    ({"ids": ["s1", "across"], "bbox": [-180, -90, 0, 0]}, ["across"]),
    ({"bbox": [10.5, 40.5, 20, 42]}, ["s2", "s1"]),
    ({"bbox": [10.5, 40.5, -5, 20, 42, 5]}, ["s2", "s1"]),
    ({"bbox": [10.5, 40.5, 10.5, 40.5]}, ["s1"]),
    ({"bbox": [2, 40, 9, 41]}, []),
    ({"bbox": [175, -15, 176, -14]}, ["across"]),
    ({"bbox": [-176, -15, -175, -14]}, ["across"]),
    ({"bbox": [-160, -15, 160, -14]}, []),
    ({"bbox": [179, -90, -179, 90]}, ["across"]),
    ({"bbox": [60, -90, -100, 90]}, ["across", "s6"]),
    ({"datetime": stamp(2)}, ["s2"]),
    ({"datetime": stamp(2).lower()}, ["s2"]),
    ({"datetime": "2025-01-03T02:00:00+02:00"}, ["s2"]),
    ({"datetime": f"{stamp(1)}/{stamp(3)}"}, ["s3", "s2", "s1"]),
    ({"datetime": f"../{stamp(1)}"}, ["s1", "s0"]),
    ({"datetime": f"/{stamp(1)}"}, ["s1", "s0"]),
    ({"datetime": f"{stamp(5)}/.."}, ["across", "s6", "s5"]),
    ({"datetime": stamp(105)}, ["across"]),
    ({"datetime": f"{stamp(110)}/"}, ["across"]),
    ({"datetime": f"{stamp(111)}/"}, []),
]


@pytest.mark.django_db
def test_searches_find_the_same_by_get_and_post() -> None:
    fill()
    client = Client()
    for asked, expected in SEARCHES:
        texts = {k: ",".join(map(str, v)) if isinstance(v, list) else v for k, v in asked.items()}
        got = client.get("/stac/search", {**texts, "limit": "100"}).json()
        posted = client.post(
            "/stac/search", {**asked, "limit": 100}, content_type="application/json"
        ).json()
        assert [f["id"] for f in got["features"]] == expected, asked
        assert got["features"] == posted["features"], asked
        assert got["numberMatched"] == got["numberReturned"] == len(expected)
    assert found("unknown=1") == SEARCHES[0][1]
    strings = {"ids": "s1,s2", "collections": "scenes"}
    lenient = client.post("/stac/search", strings, content_type="application/json").json()
    assert [f["id"] for f in lenient["features"]] == ["s2", "s1"]


@pytest.mark.django_db
def test_every_document_is_valid() -> None:
    fill()
    client = Client()
    documents = client.get("/stac/search?limit=100").json()["features"]
    documents += client.get("/stac/collections").json()["collections"]
    assert len(documents) == 10
    for document in documents:
        assert stac_errors(document) == [], document["id"]


WRONG: list[dict[str, Any]] = [
    {"limit": 0}, {"limit": -1}, {"limit": "x"}, {"limit": 1.5}, {"limit": True}, {"limit": "٣"},
    {"bbox": [1, 2, 3]}, {"bbox": ["a", 2, 3, 4]}, {"bbox": [0, 50, 1, 40]}, {"bbox": "everywhere"},
    {"bbox": [0, 0, 400, 1]}, {"bbox": [0, 0, 9, 1, 1, 5]}, {"bbox": [0, 0, 1, 1, 1]},
    {"datetime": "yesterday"}, {"datetime": "2025-01-01"}, {"datetime": "2025-01-01T00:00:00"},
    {"datetime": "../.."}, {"datetime": "/"}, {"datetime": "2025-13-01T00:00:00Z"},
    {"datetime": "2025-01-01T00:00Z"}, {"datetime": f"{stamp(2)}/{stamp(1)}"},
    {"datetime": f"{stamp(1)}/{stamp(2)}/{stamp(3)}"}, {"datetime": "0001-01-01T00:00:00+14:00"},
    {"token": "nonsense"}, {"token": "MjAyNS0wMS0wMVQwMDowMDowMFogOTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk"},
    {"ids": ["a\0b"]}, {"collections": ["\0"]},
    {"intersects": {"type": "Point", "coordinates": [500, 0]}}, {"intersects": "POINT(0 0)"},
    {"intersects": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}}, {"q": "x"},
    {"sortby": "a b"}, {"sortby": "geometry"}, {"sortby": "a,b,c,d,e,f"}, {"filter": "a="},
    {"token": "WzEsMl0"}, {"token": "W251bGwsIjIwMjUtMDEtMDFUMDA6MDA6MDBaIiwtMV0"},
    {"fields": ",".join(["a"] * 101)},
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_wrong_values_are_refused_with_a_reason(wrong: dict[str, Any]) -> None:
    fill(1)
    client = Client()
    texts = {k: ",".join(map(str, v)) if isinstance(v, list) else v for k, v in wrong.items()}
    by_get = client.get("/stac/search", texts)
    by_post = client.post("/stac/search", wrong, content_type="application/json")
    for answer in (by_get, by_post):
        assert answer.status_code == 400, wrong
        assert set(answer.json()) == {"code", "description"}
        assert answer["Access-Control-Allow-Origin"] == "*"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "address", "body", "status"),
    [
        ("post", "/stac/search", b"{", 400),
        ("post", "/stac/search", b"[]", 400),
        ("post", "/stac/search", b"[" * 100_000, 400),
        ("post", "/stac/search", b'{"limit": 1e400}', 400),
        ("post", "/stac/search", b"\xff", 400),
        ("post", "/stac/search", b'{"ids": [{}]}', 400),
        ("post", "/stac/search", b'{"ids": ["\\ud800"]}', 400),
        ("post", "/stac/collections", b"{}", 405),
        ("delete", "/stac/search", b"", 405),
        ("get", "/stac/collections/a%00b", None, 404),
        ("get", "/stac/collections/none/items", None, 404),
        ("get", "/stac/collections/scenes/items?limit=none", None, 400),
        ("get", "/stac/collections/scenes/items/none", None, 404),
        ("get", "/owc/jobs/not-a-job.atom", None, 404),
        ("get", "/owc/jobs/------------------------------------.atom", None, 404),
        ("get", "/owc/items/scenes/none.geojson", None, 404),
    ],
)
def test_wrong_requests_are_no_fault_of_the_server(method, address, body, status) -> None:
    fill(1)
    data = {} if body is None else {"data": body, "content_type": "application/json"}
    assert getattr(Client(), method)(address, **data).status_code == status


class AnyParameters(TestCase):
    """No parameter whatsoever is answered with a fault of the server."""

    def setUp(self) -> None:
        fill(2)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.dictionaries(
            st.sampled_from(["limit", "bbox", "datetime", "ids", "collections", "token"]),
            st.one_of(st.text(max_size=12), st.sampled_from(["1,2,3,4", stamp(0), "../.."])),
        ),
        st.dictionaries(
            st.sampled_from(["limit", "bbox", "datetime", "ids", "collections", "token"]),
            st.one_of(
                st.none(), st.booleans(), st.integers(), st.text(max_size=9),
                st.lists(st.one_of(st.floats(allow_nan=False), st.text(max_size=5), st.none())),
            ),
        ),
    )  # fmt: skip
    def test_any_parameters(self, query: dict[str, str], body: dict[str, Any]) -> None:
        encodable = {k: v.encode(errors="ignore").decode() for k, v in query.items()}
        assert self.client.get("/stac/search", encodable).status_code in (200, 400)
        answer = self.client.post("/stac/search", json.dumps(body), "application/json")
        assert answer.status_code in (200, 400)


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["GET", "POST", "items"])
def test_pages_neither_repeat_nor_lose_an_item_while_others_come_in(method: str) -> None:
    fill(10)
    client = Client()
    scenes = put_collection(document={"id": "scenes", "title": "Scenes"})
    # Several of one moment: the order among them must hold too.
    for n in range(5):
        put_item(collection=scenes, document=scene(f"same{n}", datetime=stamp(4)))
    before = set(found("collections=scenes"))
    address = "/stac/search" if method != "items" else "/stac/collections/scenes/items"
    asked: dict[str, Any] = {"limit": 3, "collections": ["scenes"]}
    if method == "POST":
        page = client.post(address, asked, content_type="application/json").json()
    else:
        page = client.get(address, {"limit": 3, "collections": "scenes"}).json()
    seen = []
    for n in range(20):
        seen += [f["id"] for f in page["features"]]
        following = [link for link in page["links"] if link["rel"] == "next"]
        if not following:
            break
        assert page["features"]
        put_item(collection=scenes, document=scene(f"new{n}", datetime=stamp(50 + n)))
        link = following[0]
        if method == "POST":
            page = client.post(
                link["href"], {**asked, **link["body"]}, content_type="application/json"
            ).json()
        else:
            page = client.get(link["href"]).json()
    assert len(seen) == len(set(seen)) == 15
    assert set(seen) == before


@pytest.mark.django_db
def test_words_are_looked_for_in_what_people_read() -> None:
    people = People()
    item = publish(record=record(people.owner, title="Überflutung in Köln"))
    for text in ("köln", "ÜBERFLUTUNG centre", "ndvi"):
        assert search(people.owner, Search(text=text)).items == [item]
    assert search(people.owner, Search(text="köln paris")).items == []
    assert search(people.owner, Search(text="100%")).items == []


@pytest.mark.django_db
def test_what_has_not_changed_is_not_sent_again() -> None:
    people = People()
    given = record(people.owner, visibility="public")
    item = publish(record=given)
    client = Client()
    place = f"results/{item.identifier}"
    tags = set()
    for address in (
        f"/stac/collections/results/items/{item.identifier}",
        f"/owc/items/{place}.atom",
        f"/owc/items/{place}.geojson",
        f"/owc/jobs/{item.job_id}.atom",
    ):
        first = client.get(address)
        assert first["Cache-Control"] == "public, max-age=60"
        assert {"Authorization", "Cookie"} <= set(first["Vary"].split(", "))
        tags.add(first["ETag"])
        again = client.get(address, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        since = client.get(address, headers={"If-Modified-Since": first["Last-Modified"]})
        assert since.status_code == 304
    assert len(tags) == 3
    publish(record=record(people.owner, job_id=given.job_id, visibility="public", title="New"))
    changed = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert b"New" in changed.content


@pytest.mark.django_db
def test_other_origins_may_read_but_not_with_cookies() -> None:
    client = Client()
    preflight = client.options("/stac/search")
    assert preflight.status_code == 204
    assert "authorization" in preflight["Access-Control-Allow-Headers"]
    answer = client.get("/stac/", headers={"Origin": "https://browser.example"})
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer


@pytest.mark.django_db
def test_everything_that_is_advertised_is_there() -> None:
    fill(1)
    client = Client()
    landing = client.get("/stac/").json()
    assert landing["conformsTo"] == client.get("/stac/conformance").json()["conformsTo"]
    for link in landing["links"]:
        if link["rel"] == "service-doc":
            continue  # a page
        answer = client.get(link["href"])
        assert answer.status_code == 200
        assert answer["Content-Type"] == link["type"], link
    described = client.get("/stac/api").json()["paths"]
    for path, operations in described.items():
        filled = path.replace("{collectionId}", "scenes").replace("{featureId}", "s0")
        for method, operation in operations.items():
            data = (
                {"content_type": "application/json"} if method in ("post", "put", "patch") else {}
            )
            answer = getattr(client, method)(f"/stac{filled}", **data)
            public = "200" in operation["responses"]
            assert answer.status_code == (200 if public else 401), (method, path)
