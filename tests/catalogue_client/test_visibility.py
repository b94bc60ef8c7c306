"""Who sees what, through every door: one table over doors × visibility × user."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from catalogue_client import selectors
from catalogue_client.access import item_for, item_of_job
from catalogue_client.harvesting import services as harvesting
from catalogue_client.harvesting import storing
from catalogue_client.models import Collection, HarvestRun, Item, RunMode
from catalogue_client.selectors import Search, search
from catalogue_client.services import publish, put_collection, put_item, withdraw
from catalogue_client.sources.records import record_of
from common.clock import now
from common.errors import NotFound
from people.models import User
from people.services import create_api_key
from tests.catalogue_client.world import People, record, scene

pytestmark = pytest.mark.django_db
# Who sees an item of that visibility (the owner is in the group).
SEES = {
    "public": {"owner", "member", "stranger", "operator", "anonymous"},
    "group": {"owner", "member", "operator"},
    "private": {"owner", "operator"},
    "withdrawn": set(),
    "in a private collection": {"owner", "operator"},
    "harvested for all": {"owner", "member", "stranger", "operator", "anonymous"},
    "harvested for the group": {"owner", "member", "operator"},
    "harvested for its owner": {"owner", "operator"},
}
HARVESTED = {"all": "public", "the group": "group", "its owner": "private"}


EVERYWHERE = {"type": "Polygon", "coordinates": [[[-180, -90], [180, -90], [180, 90], [-180, 90],
                                                  [-180, -90]]]}  # fmt: skip
# Ways to ask for everything, each of which goes another way through the database.
FORMS: dict[str, dict[str, Any]] = {
    "filtered": {"filter": {"op": "not", "args": [{"op": "isNull", "args": [{"property": "id"}]}]}},
    "judged": {"intersects": EVERYWHERE},
    "boxed": {"bbox": [-180, -90, 180, 90], "datetime": "2000-01-01T00:00:00Z/.."},
    "sorted": {"sortby": [{"field": "tep:job", "direction": "desc"}]},
}


@dataclass
class Shelf:
    people: People
    items: dict[str, Any]


@pytest.fixture
def shelf() -> Shelf:
    people = People()
    items = {}
    for name in ("public", "group", "private", "withdrawn"):
        visibility = "public" if name == "withdrawn" else name
        given = record(
            people.owner, title=f"entry {name}", visibility=visibility, group_id=people.group.pk
        )
        items[name] = publish(record=given)
    withdraw(job_id=items["withdrawn"].job_id)
    hidden = put_collection(
        document={"id": "hidden", "title": "Hidden"}, owner=people.owner, visibility="private"
    )
    items["in a private collection"] = put_item(
        collection=hidden, document=scene("far", west=100.0), visibility="public"
    )
    for audience, visibility in HARVESTED.items():
        items[f"harvested for {audience}"] = harvested_item(people, visibility)
    return Shelf(people, items)


def harvested_item(people: People, visibility: str) -> Item:
    """A record of a centre's catalogue."""
    source = harvesting.register(
        actor=people.owner, centre=harvesting.Centre(1, "centre", "Centre"), kind="push",
        name=visibility, visibility=visibility,
        group=people.group if visibility == "group" else None,
    )  # fmt: skip
    run = HarvestRun.objects.create(source=source, mode=RunMode.PUSH, started_at=now())
    document = {**scene(f"of-{visibility}"), "type": "Feature"}
    assert storing.store(run, [record_of(document, "https://centre.example/")]) == []
    return Item.objects.get(identifier=f"of-{visibility}")


PER_ITEM = ("item", "atom", "geojson", "job", "waf file", "page")


def seen_by(user: User | None, shelf: Shelf) -> dict[str, set[str]]:
    """For each door, the names of the items that it shows to the user."""
    client = Client()
    if user is not None:
        client.force_login(user)
    names = {item.identifier: name for name, item in shelf.items.items()}
    found: dict[str, set[str]] = {door: set() for door in PER_ITEM}
    for name, item in shelf.items.items():
        place = f"{item.collection.identifier}/{item.identifier}"
        stac = f"/stac/collections/{item.collection.identifier}/items/{item.identifier}"
        doors = {
            "item": stac,
            "atom": f"/owc/items/{place}.atom",
            "geojson": f"/owc/items/{place}.geojson",
            "waf file": f"/waf/{place}.xml",
            "page": f"/catalogue/{place}/",
        }
        if item.job_id:
            doors["job"] = f"/owc/jobs/{item.job_id}.atom"
        for door, address in doors.items():
            answer = client.get(address)
            assert answer.status_code in (200, hidden_by(door, name, user)), answer.content
            if answer.status_code == 200:
                found[door].add(name)
    whole = client.get("/stac/search?limit=100").json()
    assert whole["numberMatched"] == whole["numberReturned"]
    found["search"] = {names[f["id"]] for f in whole["features"]}
    posted = client.post("/stac/search", {"limit": 100}, content_type="application/json").json()
    found["posted"] = {names[f["id"]] for f in posted["features"]}
    for way, asked in FORMS.items():
        page = client.post("/stac/search", asked, content_type="application/json").json()
        assert page["numberMatched"] == page["numberReturned"], way
        found[way] = {names[f["id"]] for f in page["features"]}
    found["items"] = set()
    for collection in client.get("/stac/collections").json()["collections"]:
        inside = client.get(f"/stac/collections/{collection['id']}/items?limit=100").json()
        found["items"] |= {names[f["id"]] for f in inside["features"]}
    found |= harvested(client, shelf)
    found["selector"] = {names[i.identifier] for i in search(user, Search(limit=100)).items}
    found["counts"] = {str(n) for _, n in selectors.counted_collections(user)}
    return found


def hidden_by(door: str, name: str, user: User | None) -> int:
    """How a door says that there is nothing; what everybody could see is gone."""
    if name == "withdrawn" and door != "item":  # a STAC API has 404 for both
        return 410
    return 302 if door == "page" and user is None else 404


def harvested(client: Client, shelf: Shelf) -> dict[str, set[str]]:
    """What the harvest doors list, and count; tombstones apart."""
    names = {item.identifier: name for name, item in shelf.items.items()}

    def listed(address: str, pattern: str) -> set[str]:
        text = client.get(address).content.decode()
        return {names[name] for name in re.findall(pattern, text)}

    records = "service=CSW&request=GetRecords&typeNames=csw:Record&maxRecords=100"
    iso = "&outputSchema=http://www.isotc211.org/2005/gmd"
    name = r":([\w.-]+)<"
    found = {
        "csw": listed(f"/csw?{records}&resultType=results", f"<dc:identifier>[^<]*{name}"),
        "iso": listed(
            f"/csw?{records}&resultType=results{iso}", f"fileIdentifier>[^/]*?{name}/gco"
        ),
        "feed": listed("/opensearch/search.atom", f"<dc:identifier>[^<]*{name}"),
        "oai": listed(
            "/oai?verb=ListRecords&metadataPrefix=oai_dc", f"<header><identifier>[^<]*{name}"
        ),
        "oai headers": listed(
            "/oai?verb=ListIdentifiers&metadataPrefix=oai_dc", f"<header><identifier>[^<]*{name}"
        ),
    }
    whole = "/oai?verb=ListRecords&metadataPrefix=oai_dc"
    gone = listed(whole, f'"deleted"><identifier>[^<]*{name}')
    assert gone == {"withdrawn"}  # it was everybody's
    for identifier, own in names.items():
        place = shelf.items[own].collection.identifier
        asked = {"identifier": f"oai:testserver:{place}:{identifier}", "metadataPrefix": "oai_dc"}
        one = client.get("/oai", {"verb": "GetRecord", **asked}).content
        known = own in found["oai"] | gone
        assert (b"idDoesNotExist" not in one) == known, own
    features = client.get("/opensearch/search.geojson").json()
    found["geojson search"] = {names[f["id"].rpartition(":")[2]] for f in features["features"]}
    assert features["properties"]["totalResults"] == len(features["features"])
    hits = client.get(f"/csw?{records}").content
    assert f'Matched="{len(found["csw"])}"'.encode() in hits
    folders = re.findall(r'href="(/waf/[^"]+/)"', client.get("/waf/").content.decode())
    found["waf"] = set().union(*(listed(f, r'href="[^"]*/([\w.-]+)\.xml"') for f in folders))
    public = re.findall(r"<loc>[^<]*/([\w.-]+)/</loc>", client.get("/sitemap.xml").content.decode())
    assert {names[n] for n in public if n in names} == {"public", "harvested for all"}
    assert "hidden" not in public
    return found


@pytest.mark.parametrize("who", ["owner", "member", "stranger", "operator", "anonymous"])
def test_every_door_shows_exactly_what_the_user_may_see(shelf: Shelf, who: str) -> None:
    allowed = {name for name, viewers in SEES.items() if who in viewers}
    found = seen_by(shelf.people.all()[who], shelf)
    counts = found.pop("counts")
    assert found.pop("job") == {name for name in allowed if shelf.items[name].job_id}
    assert found == dict.fromkeys(found, allowed)
    places = Counter(shelf.items[name].collection_id for name in allowed)
    assert counts == {str(number) for number in places.values()}


def test_a_user_who_may_not_sign_in_any_more_sees_what_is_public(shelf: Shelf) -> None:
    assert {i.title for i in search(shelf.people.gone, Search()).items} == {
        "entry public", "of-public",
    }  # fmt: skip


def test_extents_show_nothing_of_what_is_hidden(shelf: Shelf) -> None:
    people = shelf.people
    for number, (west, visibility) in enumerate([(10.0, "public"), (50.0, "private")]):
        collection = put_collection(document={"id": "mixed", "title": "Mixed"})
        put_item(
            collection=collection,
            document=scene(f"s{number}", west=west, datetime=f"20{20 + number}-01-01T00:00:00Z"),
            owner=people.owner,
            visibility=visibility,
        )

    def extent(user: User | None) -> dict[str, Any]:
        client = Client()
        if user:
            client.force_login(user)
        found: dict[str, Any] = client.get("/stac/collections/mixed").json()["extent"]
        return found

    assert extent(people.owner)["spatial"]["bbox"] == [[10.0, 40.0, 51.0, 41.0]]
    assert extent(None)["spatial"]["bbox"] == [[10.0, 40.0, 11.0, 41.0]]
    assert extent(None)["temporal"]["interval"] == [
        ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"]
    ]


def test_what_is_hidden_and_what_is_not_there_look_the_same(shelf: Shelf) -> None:
    private = shelf.items["private"]
    client = Client()

    def answer(address: str) -> tuple[int, bytes, str | None]:
        response = client.get(address)
        return response.status_code, response.content, response.get("ETag")

    there = answer(f"/stac/collections/results/items/{private.identifier}")
    assert there == answer(f"/stac/collections/results/items/job-{uuid.uuid4()}")
    assert answer(f"/owc/jobs/{private.job_id}.atom") == answer(f"/owc/jobs/{uuid.uuid4()}.atom")
    assert answer("/stac/collections/hidden") == answer("/stac/collections/nowhere")
    assert answer("/stac/collections/hidden/items") == answer("/stac/collections/nowhere/items")
    known = client.get(
        f"/owc/jobs/{private.job_id}.atom", headers={"If-None-Match": f'"{private.pk}.1.1-atom"'}
    )
    assert known.status_code == 404
    for call in (
        lambda: item_for(shelf.people.stranger, "results", private.identifier),
        lambda: item_of_job(None, private.job_id),
    ):
        with pytest.raises(NotFound):
            call()


def test_programs_come_with_keys(shelf: Shelf) -> None:
    owner = shelf.people.owner
    _, reads = create_api_key(user=owner, name="reads", scopes=["read"])
    _, feeds = create_api_key(user=owner, name="feeds", scopes=["usage"])
    client, address = Client(), f"/owc/jobs/{shelf.items['private'].job_id}.atom"

    def get(credentials: str) -> Any:
        return client.get(address, headers={"Authorization": credentials})

    assert get(f"Bearer {reads}").status_code == 200
    assert get(f"Bearer {reads}")["Cache-Control"] == "private, no-cache"
    assert get(f"Bearer {feeds}").status_code == 403
    refused = get("Bearer nonsense")
    assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")
    assert refused["WWW-Authenticate"].startswith("Basic")


def test_a_group_that_somebody_leaves_is_closed_to_them(shelf: Shelf) -> None:
    people = shelf.people
    item = shelf.items["group"]
    assert item_for(people.member, "results", item.identifier) == item
    people.group.memberships.filter(user=people.member).delete()
    with pytest.raises(NotFound):
        item_for(people.member, "results", item.identifier)


def test_pages_and_documents_take_a_constant_number_of_queries(
    shelf: Shelf, django_assert_num_queries: Any
) -> None:
    collection = Collection.objects.get(identifier="results")
    for number in range(12):
        put_item(collection=collection, document=scene(f"s{number}"))
    member = shelf.people.member
    with django_assert_num_queries(2):
        assert len(search(member, Search(limit=5)).items) == 5
    with django_assert_num_queries(2):
        assert len(search(member, Search(limit=100)).items) == 16
    client = Client()
    client.get("/stac/")
    for limit in (1, 14):
        with django_assert_num_queries(2):
            client.get(f"/stac/search?limit={limit}")
    with django_assert_num_queries(3):
        client.get("/stac/collections")
    with django_assert_num_queries(2):
        client.get("/stac/collections")  # the extents are remembered until something changes
    with django_assert_num_queries(1):
        client.get("/stac/collections/results/items/s1")
