"""From a job's record to a valid STAC item, once, and what changes and withdrawals do to it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from catalogue_client.contexts import context_of
from catalogue_client.models import ChangeCounter, Collection, Item
from catalogue_client.owc import atom, breaches, geojson, read_atom
from catalogue_client.records import ResultOutput
from catalogue_client.selectors import extents
from catalogue_client.services import publish, put_collection, put_item, withdraw
from catalogue_client.stac import collection_document, item_document
from common.errors import InvalidInput, NotFound
from tests.catalogue_client.shared import grammar_errors, owc_schema, stac_errors
from tests.catalogue_client.world import EXECUTE, FINISHED, People, record, scene

pytestmark = pytest.mark.django_db
BASE = "https://portal.example"


def variants(people: People) -> dict:
    """Records of every kind that jobs hand over."""
    full = record(people.owner)
    return {
        "full": full,
        "literals only": record(people.owner, outputs=full.outputs[3:], bbox=(1, 2, 3, 4)),
        "nothing": record(
            people.owner, outputs=(), execute_request="", provider="", description=""
        ),
        "over the antimeridian": record(
            people.owner, outputs=(ResultOutput("a", href="/a", bbox=(179.0, -1.0, -179.0, 1.0)),)
        ),
        "a period": record(people.owner, start=FINISHED - timedelta(days=90), end=FINISHED),
        "a place": record(
            people.owner, outputs=(), geometry={"type": "Point", "coordinates": [14.2, 40.8]}
        ),
        "WKT": record(
            people.owner,
            outputs=(
                replace(full.outputs[0], raster=replace(full.outputs[0].raster, crs="PROJCRS[…]")),
            ),
        ),
        "long request": record(people.owner, execute_request=EXECUTE.replace("ndvi", "n" * 30_000)),
        "odd names": record(
            people.owner,
            process="centre.a b/ü&c",
            outputs=(ResultOutput("thumb nail/ü", href="/x"), ResultOutput("thumbnail", href="/y")),
        ),
    }


def test_every_record_becomes_valid_documents(tmp_path) -> None:
    people = People()
    atoms = {}
    for number, (name, given) in enumerate(variants(people).items()):
        item = publish(record=given)
        document = item_document(item, BASE)
        assert stac_errors(document) == [], name
        context = context_of(item, BASE)
        assert breaches(context) == [], name
        assert not list(owc_schema().iter_errors(geojson(context))), name
        atoms[f"{number}.xml"] = atom(context)
    assert grammar_errors(tmp_path, atoms) == ""
    collection = Collection.objects.get()
    extent = extents(people.owner, [collection])[collection.pk]
    assert stac_errors(collection_document(collection, extent, BASE)) == []


def test_what_a_result_says_of_itself() -> None:
    item = publish(record=record(People().owner))
    document = item_document(item, BASE)
    assert document["bbox"] == [14.1, 40.7, 14.5, 41.0]
    assert len(document["geometry"]["coordinates"][0]) == 5
    assert document["geometry"]["coordinates"][0][1] == [14.12, 40.7]  # the tilted grid's outline
    assert list(document["assets"]) == ["result", "thumbnail", "quicklook", "result-2"]
    asset = document["assets"]["result"]
    assert asset["href"] == f"{BASE}/jobs/x/outputs/1"
    assert asset["type"] == "image/tiff; application=geotiff; profile=cloud-optimized"
    assert asset["file:checksum"] == "1220" + "ab" * 32
    assert (asset["proj:code"], asset["proj:shape"], asset["nodata"]) == (
        "EPSG:32633",
        [300, 400],
        "nan",
    )
    properties = document["properties"]
    assert properties["datetime"] == "2026-03-02T10:15:00Z"
    assert properties["tep:values"] == {"mean": "0.42"}
    assert properties["processing:expression"]["expression"] == EXECUTE
    assert "tep:footprint" not in properties
    assert item.owner.username not in str(document)


def test_the_context_shows_how_to_run_it_again_and_names_only_the_portal() -> None:
    context = read_atom(atom(context_of(publish(record=record(People().owner)), BASE)))
    first, picture, vector, mean, job = context.resources
    offering = first.offering("geotiff")
    assert offering is not None
    assert offering.contents[0].href == f"{BASE}/jobs/x/outputs/1"
    assert [link.href for link in first.linked("icon")] == [f"{BASE}/jobs/x/outputs/1/preview"]
    assert first.linked("enclosure")[0].length == 123456
    assert picture.linked("icon")[0].href == f"{BASE}/jobs/x/outputs/2"
    assert vector.offerings == ()
    assert mean.abstract.value == "<p>mean: 0.42</p>"
    wps = job.offering("wps")
    assert wps is not None
    assert [o.code for o in wps.operations] == ["GetCapabilities", "DescribeProcess", "Execute"]
    assert wps.operations[1].href.endswith("identifier=centre.ndvi")
    execute = wps.operations[2]
    assert (execute.method, execute.href) == ("POST", f"{BASE}/wps")
    assert execute.request is not None
    assert execute.request.content == EXECUTE
    hrefs = [link.href for r in context.resources for link in r.links] + [
        link.href for link in context.links if link.rel != "profile"
    ]
    assert all(href.startswith(BASE) for href in hrefs)


def test_publishing_again_changes_only_what_is_new() -> None:
    people = People()
    given = record(people.owner)
    first = publish(record=given)
    again = publish(record=given)
    assert (again.pk, again.revision, again.sequence) == (first.pk, 1, first.sequence)
    changed = publish(record=replace(given, title="Another", visibility="public"))
    assert (changed.pk, changed.revision) == (first.pk, 2)
    assert changed.sequence > first.sequence
    assert changed.created_at == first.created_at
    assert Item.objects.count() == 1

    gone = withdraw(job_id=given.job_id)
    assert gone.deleted_at is not None
    assert gone.sequence > changed.sequence
    assert withdraw(job_id=given.job_id).sequence == gone.sequence
    back = publish(record=given)
    assert (back.pk, back.deleted_at) == (first.pk, None)
    assert ChangeCounter.objects.get().value == back.sequence
    with pytest.raises(NotFound):
        withdraw(job_id=uuid.uuid4())


def test_a_failed_change_takes_no_number() -> None:
    people = People()
    given = record(people.owner)
    first = publish(record=given)
    with pytest.raises(InvalidInput):
        publish(record=replace(given, bbox=(0, 95, 1, 96), outputs=()))
    with pytest.raises(InvalidInput, match="group"):
        publish(record=replace(given, visibility="group"))
    assert ChangeCounter.objects.get().value == first.sequence


@pytest.mark.parametrize(
    "change",
    [
        {"id": "a/b"},
        {"id": None},
        {"geometry": None},
        {"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}},
        {"geometry": {"type": "Point", "coordinates": [float("nan"), 0]}},
        {"bbox": [3, 2, 1]},
        {"properties": {}},
        {"properties": {"datetime": "2025-07-01"}},
        {"properties": {"datetime": None, "start_datetime": "2025-07-01T00:00:00Z"}},
        {"assets": {"a": {}}},
        {"assets": {"a": {"href": "javascript:alert(1)"}}},
        {"assets": {"a": {"href": "file:///etc/passwd"}}},
        {"assets": {"a": {"href": "//evil.example/x"}}},
        {"links": [{"rel": "via", "href": "javascript:alert(1)"}]},
        {"stac_extensions": "x"},
    ],
    ids=str,
)
def test_a_document_that_is_no_item_is_refused(change) -> None:
    collection = put_collection(document={"id": "scenes", "title": "Scenes"})
    assert put_item(collection=collection, document=scene("s1")).revision == 1
    with pytest.raises(InvalidInput) as refused:
        put_item(collection=collection, document={**scene("s2"), **change})
    assert refused.value.locator in change or refused.value.locator in (
        "datetime",
        "end_datetime",
        "bbox",
    )


def test_seeds_may_be_repeated_and_are_valid() -> None:
    collection = put_collection(
        document={
            "id": "scenes",
            "title": "Scenes",
            "description": "For the demo",
            "license": "CC-BY-4.0",
            "keywords": ["demo"],
            "providers": [{"name": "TEP", "roles": ["producer"]}],
        }
    )
    item = put_item(collection=collection, document=scene("s1"))
    assert put_item(collection=collection, document=scene("s1")).revision == 1
    document = item_document(item, BASE)
    assert stac_errors(document) == []
    assert [link["href"] for link in document["links"] if link["rel"] == "self"] == [
        f"{BASE}/stac/collections/scenes/items/s1"
    ]
    assert document["bbox"] == [14, 40, 15, 41]
    again = put_collection(document={"id": "scenes", "title": "Scenes of the demo"})
    assert (again.pk, again.revision) == (collection.pk, 2)
    extent = extents(None, [again])[again.pk]
    assert stac_errors(collection_document(again, extent, BASE)) == []
    context = context_of(item, BASE)
    assert breaches(context) == []
    resource = context.resources[0]
    assert resource.offering("geotiff") is not None
    assert resource.linked("icon")[0].href == f"{BASE}/static/demo/q.png"


@pytest.mark.parametrize(
    "broken",
    [
        {"visibility": "group", "group": None},
        {"state": "withdrawn"},
        {"west": 170.0, "east": -170.0},
        {"end": FINISHED - timedelta(days=1)},
    ],
    ids=str,
)
def test_the_database_refuses_rows_that_contradict_themselves(broken) -> None:
    item = publish(record=record(People().owner))
    with pytest.raises(IntegrityError), transaction.atomic():
        Item.objects.filter(pk=item.pk).update(**broken)
