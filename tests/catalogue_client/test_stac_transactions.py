"""Items that owners write: who may, what is refused, and that nothing is overwritten unseen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from catalogue_client.access import visible_items
from catalogue_client.models import Collection, Item, ItemState
from catalogue_client.services import publish, put_collection, put_item
from people.services import create_api_key
from tests.catalogue_client.shared import stac_errors
from tests.catalogue_client.world import People, record, scene
from tests.factories import make_group

pytestmark = pytest.mark.django_db
ITEMS = "/stac/collections/{}/items"


class Desk:
    """Collections of every kind, and somebody's credentials for each way to stand to them."""

    def __init__(self) -> None:
        self.people = people = People()
        self.keys: dict[str, str] = {}
        self.group = make_group(admin=people.stranger, members=(people.member,))
        put_collection(document={"id": "own", "title": "Own"}, owner=people.owner)
        put_collection(
            document={"id": "shared", "title": "Shared"}, visibility="group", group=self.group
        )
        put_collection(
            document={"id": "hidden", "title": "H"}, owner=people.owner, visibility="private"
        )
        put_collection(document={"id": "nobodys", "title": "N"})

    def send(self, who: str, method: str, address: str, body: Any = None, **headers: str) -> Any:
        user = self.people.all()[who]
        if user is not None:
            if who not in self.keys:
                _, key = create_api_key(user=user, name="k", scopes=["read", "manage"])
                self.keys[who] = key
            headers["Authorization"] = f"Bearer {self.keys[who]}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Client().generic(
            method.upper(), address, _bytes(body), "application/json", headers=named
        )


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def feature(identifier: str, **changes: Any) -> dict[str, Any]:
    return {"type": "Feature", "stac_version": "1.1.0", **scene(identifier, **changes)}


@pytest.fixture
def desk() -> Desk:
    return Desk()


# Who may put items into a collection; the stranger is an administrator of its group.
ALLOWED = {
    "own": {"owner": 201, "member": 403, "stranger": 403, "operator": 201, "anonymous": 401},
    "shared": {"owner": 404, "member": 403, "stranger": 201, "operator": 201, "anonymous": 401},
    "hidden": {"owner": 201, "member": 404, "stranger": 404, "operator": 201, "anonymous": 401},
    "nobodys": {"owner": 403, "member": 403, "stranger": 403, "operator": 201, "anonymous": 401},
}


def test_who_may_write_where(desk: Desk) -> None:
    for collection, expected in ALLOWED.items():
        for who, status in expected.items():
            made = desk.send(who, "post", ITEMS.format(collection), feature(f"by-{who}"))
            assert made.status_code == status, (collection, who, made.content)
            address = f"{ITEMS.format(collection)}/by-operator"
            if who == "operator":
                continue
            for method in ("put", "patch", "delete"):
                answer = desk.send(who, method, address, {})
                refused = {201: (204, 400, 404), 403: (403,), 404: (404,), 401: (401,)}[status]
                assert answer.status_code in refused, (collection, who, method)
    seen = {i.identifier: i for i in visible_items(desk.people.member)}
    shared = Item.objects.get(collection__identifier="shared", identifier="by-stranger")
    assert seen["by-stranger"].pk == shared.pk
    assert not visible_items(None).filter(collection__identifier__in=["shared", "hidden"]).exists()


def test_an_item_from_its_making_to_its_end(desk: Desk) -> None:
    address = ITEMS.format("own")
    made = desk.send("owner", "post", address, feature("a"))
    assert made.status_code == 201
    assert made["Location"] == f"http://testserver{address}/a"
    assert stac_errors(made.json()) == []
    assert desk.send("owner", "post", address, feature("a")).status_code == 409

    here = f"{address}/a"
    read = Client().get(here)
    assert read["ETag"] == made["ETag"]
    changed = {**read.json(), "properties": {**read.json()["properties"], "platform": "s2a"}}
    put = desk.send("owner", "put", here, changed, If_Match=read["ETag"])
    assert (put.status_code, put.content, put.get("Content-Type")) == (204, b"", None)
    assert put["ETag"] != read["ETag"]
    for method in ("put", "patch", "delete"):
        stale = desk.send("owner", method, here, changed, If_Match=read["ETag"])
        assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    patch = {"properties": {"platform": None, "gsd": 10}, "geometry": point(50, 50)}
    assert desk.send("owner", "patch", here, patch, If_Match=put["ETag"]).status_code == 204
    now = Client().get(here).json()
    assert now["bbox"] == [50.0, 50.0, 50.0, 50.0]
    assert (now["properties"]["gsd"], "platform" in now["properties"]) == (10, False)
    assert len(now["links"]) == len(read.json()["links"])
    row = Item.objects.get(identifier="a")
    assert [link for link in row.document["links"] if "/owc/" in link["href"]] == []
    assert row.document["assets"]["red"]["href"] == "/static/demo/red.tif"
    assert not {"created", "updated"} & row.document["properties"].keys()


def test_what_is_deleted_stays_as_a_tombstone_and_may_come_back(desk: Desk) -> None:
    address = ITEMS.format("own")
    here = f"{address}/a"
    assert desk.send("owner", "post", address, feature("a")).status_code == 201
    row = Item.objects.get(identifier="a")
    last = row.sequence
    for _ in range(2):
        assert desk.send("owner", "delete", here).status_code == 204
    row.refresh_from_db()
    assert (row.state, row.sequence) == (ItemState.WITHDRAWN, last + 1)
    assert Client().get(here).status_code == 404
    assert desk.send("owner", "put", here, feature("a")).status_code == 404
    assert desk.send("owner", "post", address, feature("a")).status_code == 201
    row.refresh_from_db()
    assert (row.state, row.sequence) == (ItemState.PUBLISHED, last + 2)


def point(x: float, y: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [x, y]}


def test_several_items_come_all_or_none(desk: Desk) -> None:
    address = ITEMS.format("own")
    several = {"type": "FeatureCollection", "features": [feature("a"), feature("b")]}
    made = desk.send("owner", "post", address, several)
    assert made.status_code == 201
    assert [f["id"] for f in made.json()["features"]] == ["a", "b"]
    several["features"] = [feature("c"), feature("b")]
    assert desk.send("owner", "post", address, several).status_code == 409
    assert set(Item.objects.values_list("identifier", flat=True)) == {"a", "b"}


WRONG: list[Any] = [
    b"{", b"[]", b'"x"', b"\xff", b"[" * 5000, {}, {"id": "x"}, feature("x y"), feature(""),
    {**feature("x"), "type": "Collection"}, {**feature("x"), "collection": "other"},
    {**feature("x"), "geometry": None}, {**feature("x"), "geometry": {"type": "Point"}},
    {**feature("x"), "bbox": [1, 2]}, feature("x", datetime=None), feature("x", datetime="today"),
    feature("x", start_datetime="2025-07-02T00:00:00Z", end_datetime="2025-07-01T00:00:00Z"),
    {**feature("x"), "assets": {"a": {"href": "javascript:alert(1)"}}},
    {**feature("x"), "links": [{"rel": "via", "href": "file:///etc/passwd"}]},
    {**feature("x"), "links": [1]}, {**feature("x"), "assets": []}, feature("x", title="a\0b"),
    {"type": "FeatureCollection"}, {"type": "FeatureCollection", "features": []},
    {"type": "FeatureCollection", "features": [1]}, {"type": "FeatureCollection", "features": {}},
]  # fmt: skip


def test_wrong_documents_are_refused_and_leave_nothing(desk: Desk) -> None:
    own = Collection.objects.get(identifier="own")
    put_item(collection=own, document=scene("there"), visibility="public")
    before = Item.objects.get().document
    for wrong in WRONG:
        answer = desk.send("owner", "post", ITEMS.format("own"), wrong)
        assert answer.status_code == 400, wrong if not isinstance(wrong, bytes) else wrong[:50]
        assert set(answer.json()) == {"code", "description"}
        changed = desk.send("owner", "put", f"{ITEMS.format('own')}/there", wrong)
        assert changed.status_code == 400, wrong if not isinstance(wrong, bytes) else wrong[:50]
    for patch in (
        {"id": "y"},
        {"geometry": None},
        {"properties": {"datetime": None}},
        {"links": 1},
    ):
        answer = desk.send("owner", "patch", f"{ITEMS.format('own')}/there", patch)
        assert answer.status_code == 400, patch
    assert Item.objects.get().document == before


def test_numbers_of_any_size_are_stored_or_refused(desk: Desk) -> None:
    body = _bytes(feature("big")).replace(b'"title": "big"', b'"n": 1' + b"0" * 400)
    made = desk.send("owner", "post", ITEMS.format("own"), body)
    assert made.status_code in (201, 400)
    assert Client().get("/stac/search?filter=n+%3E+1").status_code == 200


def test_credentials_must_allow_changes_and_come_from_here(desk: Desk) -> None:
    _, reads = create_api_key(user=desk.people.owner, name="r", scopes=["read", "run"])
    address = ITEMS.format("own")
    client = Client()
    post = {"content_type": "application/json", "data": feature("x")}
    refused = client.post(address, headers={"Authorization": f"Bearer {reads}"}, **post)
    assert refused.status_code == 403
    client.force_login(desk.people.owner)
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}
    assert client.post(address, headers=foreign, **post).status_code == 403
    assert Item.objects.count() == 0
    preflight = client.options(address)
    assert "POST" in preflight["Access-Control-Allow-Methods"]
    assert "if-match" in preflight["Access-Control-Allow-Headers"]


def test_what_belongs_to_others_or_to_a_job_stays(desk: Desk) -> None:
    own = Collection.objects.get(identifier="own")
    put_item(
        collection=own, document=scene("theirs"), owner=desk.people.member, visibility="private"
    )
    here = f"{ITEMS.format('own')}/theirs"
    assert desk.send("owner", "put", here, feature("theirs")).status_code == 404
    assert desk.send("owner", "delete", here).status_code == 204
    assert Item.objects.get(identifier="theirs").state == ItemState.PUBLISHED
    result = publish(record=record(desk.people.owner, visibility="public"))
    there = f"{ITEMS.format('results')}/{result.identifier}"
    for method in ("put", "patch", "delete"):
        assert desk.send("operator", method, there, {}).status_code == 403
