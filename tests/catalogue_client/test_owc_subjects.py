"""Applications, jobs and data packages as OWS Context: valid, whole, and only for who may see."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from catalogue_client.models import CatalogueSource, Item, PackageEntry
from catalogue_client.owc import Context, breaches, read_atom, read_geojson
from catalogue_client.packages import services as packages
from catalogue_client.services import attach, put_collection, put_item
from catalogue_client.sources.records import record_of
from jobs.models import Job
from people.models import User
from tests.catalogue_client.shared import grammar_errors, owc_schema
from tests.catalogue_client.world import scene as scene_document
from tests.permissions.scene import Scene

pytestmark = pytest.mark.django_db
FORMS = ("atom", "geojson")
WMS = {
    "rel": "wms", "href": "https://maps.example/ows", "type": "image/png", "wms:layers": ["a", "b"],
}  # fmt: skip
WMTS = {"rel": "wmts", "href": "https://maps.example/t?map=1", "wmts:layer": "c"}


@pytest.fixture
def scene() -> Scene:
    found = Scene()
    land = put_collection(document={"id": "land", "title": "Land & <b>sea</b>"})
    hidden = put_collection(document={"id": "hidden"}, owner=found.stranger, visibility="private")
    put_item(collection=land, document={**scene_document("one"), "links": [WMS, WMTS]})
    put_item(
        collection=land, document=scene_document("own"), owner=found.stranger, visibility="private"
    )
    put_item(collection=hidden, document=scene_document("two"))
    app = found.app
    app.summary, app.collections = "What <grows> & where", ["land", "hidden", "nowhere"]
    app.period_start = date(2024, 1, 1)
    app.west, app.east = 170, -170
    app.save()
    return found


def client(user: User | None) -> Client:
    made = Client()
    if user is not None:
        made.force_login(user)
    return made


def documents(user: User, address: str, folder: Any) -> list[Context]:
    """Both encodings of what is at the address, valid by grammar, schema and the model's rules."""
    found = []
    for form in FORMS:
        answer = client(user).get(f"{address}.{form}")
        assert answer.status_code == 200, answer.content
        if form == "atom":
            assert grammar_errors(folder, {"a.xml": answer.content}) == ""
            found.append(read_atom(answer.content))
        else:
            assert not list(owc_schema().iter_errors(answer.json()))
            found.append(read_geojson(answer.content))
        assert breaches(found[-1]) == []
    said = [[(r.id, r.title.value, [o.code for o in r.offerings]) for r in c.resources]
            for c in found]  # fmt: skip
    assert said[0] == said[1]
    return found


def test_an_application_is_a_document(scene: Scene, tmp_path: Any) -> None:
    user = scene.researcher
    context = documents(user, f"/owc/apps/{scene.app.slug}", tmp_path)[0]
    assert context.subtitle is not None
    assert context.subtitle.value == "What <grows> & where"
    assert context.date == "2024-01-01T00:00:00Z/9999-12-31T23:59:59Z"
    assert [r.folder for r in context.resources] == ["layers", "services", "catalogue"]
    layer, service, land = context.resources
    assert [o.token for o in layer.offerings] == ["geotiff", "wms", "wmts"]
    picture = layer.offerings[1].operation("GetMap")
    assert picture is not None
    assert picture.href.startswith("https://maps.example/ows?service=WMS&version=1.3.0&request=Get")
    assert "layers=a,b" in picture.href
    assert (layer.offerings[2].operations[1].href).startswith(
        "https://maps.example/t?map=1&service="
    )
    # What it names answers, at the portal's own doors.
    asked = client(user)
    operations = {(o.code, o.href): o for r in (service, land) for f in r.offerings
                  for o in f.operations}  # fmt: skip
    assert [code for code, _ in operations] == [
        *("GetCapabilities", "DescribeProcess", "Execute"),
        *("DescribeDataset", "SearchDataset", "SearchDataset", "GetCapabilities", "GetRecords"),
    ]
    answers = {}
    for (code, href), operation in operations.items():
        parts = urlsplit(href)
        assert parts.netloc == "testserver"
        if operation.method == "GET":
            answer = asked.get(f"{parts.path}?{parts.query}")
            assert answer.status_code == 200, (href, answer.content)
            assert answer["Content-Type"].startswith(
                (operation.type, "application/xml", "text/xml")
            )
            answers[code] = answer.content.decode()
    assert "<ows:Identifier>" in answers["DescribeProcess"]
    assert 'numberOfRecordsMatched="1"' in answers["GetRecords"]
    assert "one" in answers["SearchDataset"]


def test_the_page_names_its_documents_and_programs_are_led_there(scene: Scene) -> None:
    user, place = scene.researcher, f"apps/{scene.app.slug}"
    page = client(user).get(f"/{place}/", headers={"accept": "text/html,*/*;q=0.8"})
    links = re.findall(
        r'<link rel="alternate" href="([^"]*)" type="([^"]*)"', page.content.decode()
    )
    assert [(urlsplit(href).path, kind) for href, kind in links] == [
        (f"/owc/{place}.atom", "application/atom+xml"),
        (f"/owc/{place}.geojson", "application/geo+json"),
    ]
    assert "Accept" in page["Vary"]
    led = client(None).get(f"/{place}/", headers={"accept": "application/geo+json"})
    assert (led.status_code, led["Location"]) == (302, f"/owc/{place}.geojson")
    first = client(user).get(f"/owc/{place}.atom")
    again = client(user).get(f"/owc/{place}.atom", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    job = client(user).get(f"/jobs/{scene.running.pk}/?tab=catalogue").content.decode()
    assert f"/owc/jobs/{scene.running.pk}.atom" in job


@pytest.mark.parametrize("name", ["running", "done"])
def test_a_job_is_a_document_from_its_first_moment(scene: Scene, tmp_path: Any, name: str) -> None:
    job = getattr(scene, name)
    if name == "done":  # and stays one for who sees the job and not the entry
        Item.objects.filter(job_id=job.pk).delete()
    context = documents(scene.researcher, f"/owc/jobs/{job.pk}", tmp_path)[0]
    assert [c.term for c in context.categories] == [Job.objects.get(pk=job.pk).state]
    wps = context.resources[-1].offering("wps")
    assert wps is not None
    execute = wps.operation("Execute")
    assert execute is not None
    assert execute.request is not None
    # The request runs the job once more, as it stands in the document.
    answer = client(scene.researcher).post(
        urlsplit(execute.href).path, execute.request.content, content_type="text/xml",
        headers={"sec-fetch-site": "same-origin"},
    )  # fmt: skip
    assert b"ExecuteResponse" in answer.content, answer.content
    outputs = [r for r in context.resources if r.folder == "data"]
    assert len(outputs) == (0 if name == "running" else job.outputs.count())


def test_a_data_package_has_every_offering_of_what_is_in_it(scene: Scene, tmp_path: Any) -> None:
    user = scene.researcher
    item = Item.objects.get(job_id=scene.done.pk)
    key = next(iter(item.document["assets"]))
    service = {"code": "http://www.opengis.net/spec/owc/1.0/req/wfs", "operations": [
        {"code": code, "method": "GET", "href": "https://maps.example/wfs"}
        for code in ("GetCapabilities", "GetFeature")
    ]}  # fmt: skip
    view = {"code": "/spec/owc/1.0/req/atom/view/x", "operations": [
        {"code": "View", "method": "GET", "type": "text/html", "href": "https://maps.example/v"}
    ]}  # fmt: skip
    attach(
        item_id=item.pk, name="v", added={"asset": key, "offerings": [view, service], "links": []}
    )
    package = packages.create(owner=user, title="P")
    for collection, identifier in (("results", scene.item), ("land", "one")):
        packages.add_item(
            actor=user, package=package, source=None, collection=collection, identifier=identifier
        )
    context = documents(user, f"/data-packages/{package.pk}", tmp_path)[0]
    result, land = context.resources
    assert {o.token for o in result.offerings} >= {"x", "wfs", "wps"}
    assert [o.token for o in land.offerings] == ["geotiff", "wms", "wmts"]
    assert any(o.code == "http://testserver/spec/owc/1.0/req/atom/view/x" for o in result.offerings)


def test_damaged_offerings_of_others_are_left_out(scene: Scene, tmp_path: Any) -> None:
    given = {
        "id": "x",
        "bbox": [170, -10, -170, 10],
        "properties": {"title": "x", "owc:offerings": [
            7, {"code": ""}, {"code": "urn:a", "operations": [{"code": "Get", "href": "/rel"}]},
            {"code": "urn:b", "operations": [{"code": "Get", "href": "https://b.example/"}]},
        ]},
        "links": [{**WMS, "wms:layers": {"not": "a list"}}, {**WMS, "wms:layers": []}],
        "assets": {"a": {"href": "https://b.example/a.tif", "type": "GeoTIFF"},
                   "b": {"href": "https://b.example/b.tif", "type": "image/tiff; x=y"}},
    }  # fmt: skip
    source = CatalogueSource.objects.create(
        slug="elsewhere", name="E", url="https://b.example/", kind="csw", owner=scene.researcher,
        created_at=scene.done.created_at,
    )  # fmt: skip
    package = packages.create(owner=scene.researcher, title="P")
    PackageEntry.objects.create(
        package=package, source=source, title="x", identifier="x",
        document=record_of(given, "https://b.example/").document, fetched_at=scene.done.created_at,
    )  # fmt: skip
    (only,) = documents(scene.researcher, f"/data-packages/{package.pk}", tmp_path)[0].resources
    assert only.offerings[-1].token == "urn:b"
    assert only.offerings[0].token == "geotiff"
    assert {link.type for link in only.linked("enclosure")} == {"", "image/tiff; x=y"}
