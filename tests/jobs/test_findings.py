"""Outputs that tell of files, in every form that centres use; real documents among them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from catalogue_client.models import Item
from catalogue_client.stac import item_document
from jobs import findings
from jobs.lifecycle import submit
from jobs.models import Job
from jobs.states import State
from providers.process import LiteralValue
from tests.catalogue_client.shared import PORTAL, present, stac_errors
from tests.factories import ECHO, World
from tests.fakes.wps_server import FakeWps, Reply
from tests.jobs.conftest import Drain

pytestmark = pytest.mark.django_db
CENTRE = re.compile(r"https?://centre-[ab]\.example\.org(:80)?")


class Centre(FakeWps):
    """A provider with further files below /staging/; `@` in them stands for its address."""

    def __init__(self) -> None:
        super().__init__()
        self.staging: dict[str, str] = {}

    def work(self, got: Any) -> Reply:
        if got.path in self.staging:
            return Reply(200, self.staging[got.path].replace("@", self.base).encode())
        return super().work(got)


@pytest.fixture
def centre(settings: Any, tmp_path: Path) -> Iterator[Centre]:
    settings.MEDIA_ROOT = tmp_path
    with Centre() as server:
        yield server


def run(centre: Centre, drain: Drain, sent: str = "hello", **outputs: str | bytes) -> Job:
    """A finished job with these outputs."""

    def give(_: Any) -> dict[str, str | bytes]:
        return {
            name: value.replace(b"@", centre.base.encode())
            if isinstance(value, bytes)
            else value.replace("@", centre.base)
            for name, value in outputs.items()
        }

    centre.add(ECHO, give)
    world = World(url=centre.url)
    job = submit(
        actor=world.researcher,
        service=world.service,
        inputs=(LiteralValue("message", sent),),
        account=world.account,
        application=world.app,
        door="web",
    )
    drain()
    job = Job.objects.get(pk=job.pk)
    assert (job.state, job.published_at is None) == (State.COMPLETED, False)
    return job


def found(job: Job) -> dict[str, str]:
    """Path of each file that was found: its role."""
    files = job.outputs.exclude(found_in=None)
    return {
        one.document["href"].partition("/staging/")[2]: one.facts.get("role", "data")
        for one in files
    }


ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:georss="http://www.georss.org/georss"><title>Results</title><entry><title>Change</title>
 <dc:identifier>change-17</dc:identifier><dc:date>2015-07-04T10:00:00Z/2025-07-01T10:00:00Z</dc:date>
 <georss:box>49.9 14.2 50.2 14.7</georss:box>
 <link rel="enclosure" type="image/tiff" href="@/staging/a.tif"/>
 <link rel="enclosure" href="http://elsewhere.example.org/staging/b.tif"/>
 <link rel="icon" type="image/png" href="@/staging/a.png"/>
 <link rel="via" href="https://catalogue.example.org/S2A"/><link rel="via" href="@/internal"/>
</entry></feed>"""
ITEM = {
    "type": "Feature",
    "stac_version": "1.0.0",
    "id": "change-17",
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[14.2, 49.9], [14.7, 49.9], [14.7, 50.2], [14.2, 49.9]]],
    },
    "bbox": [14.2, 49.9, 14.7, 50.2],
    "properties": {
        "datetime": None,
        "start_datetime": "2015-07-04T10:00:00Z",
        "end_datetime": "2025-07-01T10:00:00Z",
    },
    "links": [{"rel": "derived_from", "href": "https://catalogue.example.org/S2A"}],
    "assets": {
        "a": {"href": "./a.tif", "type": "image/tiff"},
        "b": {"href": "./a.png", "type": "image/png", "roles": ["thumbnail"]},
    },
}
CATALOG = {
    "type": "Catalog",
    "stac_version": "1.0.0",
    "id": "c",
    "description": "c",
    "links": [{"rel": "item", "href": "./item.json"}, {"rel": "root", "href": "./catalog.json"}],
}
METALINK4 = """<metalink xmlns="urn:ietf:params:xml:ns:metalink">
 <file name="a.tif"><size>4</size><url priority="2">ftp://x/a.tif</url><url>@/staging/a.tif</url></file>
 <file name="a.png"><url>@/staging/a.png</url></file>
 <file name="results.atom"><url>@/staging/results.atom</url></file></metalink>"""
METALINK3 = """<metalink version="3.0" xmlns="http://www.metalinker.org/"><files><file name="a.tif">
 <resources><url type="http">@/staging/a.tif</url></resources></file><file name="a.png"><resources>
 <url preference="10">@/staging/z.png</url><url preference="100">@/staging/a.png</url></resources>
 </file></files></metalink>"""
REFERENCE = '<wps:Data xmlns:wps="w"><x><wps:Reference href="@/staging/a.tif"/></x></wps:Data>'
PLACED = {"a.tif": "data", "a.png": "thumbnail"}
PLAIN = {"a.tif": "data", "a.png": "data"}
FORMS = {
    "feed at an address": ({"result_metadata": ATOM.encode()}, PLACED, True),
    "feed inline": ({"result_metadata": ATOM}, PLACED, True),
    "metalink 4 with a feed": ({"result_distribution": METALINK4.encode()}, PLACED, True),
    "metalink 3": ({"result_distribution": METALINK3.encode()}, PLAIN, False),
    "STAC catalogue": ({"url": "@/staging/catalog.json"}, PLACED, True),
    "STAC item": ({"url": "@/staging/item.json"}, PLACED, True),
    "STAC items": ({"url": "@/staging/items.json"}, PLACED, True),
    "results of OGC API": (
        {"out": json.dumps({"x": {"href": "@/staging/a.tif"}, "y": [{"href": "@/staging/a.png"}]})},
        PLAIN,
        False,
    ),
    "bare address": ({"out": "@/staging/a.tif"}, {"a.tif": "data"}, False),
    "address in markup": ({"out": REFERENCE.encode()}, {"a.tif": "data"}, False),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_becomes_files_of_one_entry(centre: Centre, drain: Drain, form: str) -> None:
    outputs, files, placed = FORMS[form]
    items = {"type": "FeatureCollection", "features": [ITEM]}
    centre.staging = {
        "/staging/a.tif": "data",
        "/staging/a.png": "picture",
        "/staging/results.atom": ATOM,
        "/staging/catalog.json": json.dumps(CATALOG),
        "/staging/item.json": json.dumps(ITEM),
        "/staging/items.json": json.dumps(items),
    }
    job = run(centre, drain, **outputs)
    got = found(job)
    got.pop("catalog.json", None), got.pop("item.json", None), got.pop("items.json", None)
    assert got == files
    document = item_document(Item.objects.get(), "https://portal.example")
    text = json.dumps(document)
    assert f"{centre.port}" not in text  # nothing of where the provider is
    assert "elsewhere" not in text
    sources = [one["href"] for one in document["links"] if one["rel"] == "derived_from"]
    if placed:
        assert sources == ["https://catalogue.example.org/S2A"]
        assert document["bbox"] == [14.2, 49.9, 14.7, 50.2]
        assert document["properties"]["start_datetime"] == "2015-07-04T10:00:00Z"
        assert document["properties"]["end_datetime"] == "2025-07-01T10:00:00Z"
    assert stac_errors(document) == []
    tiff = job.outputs.get(document__href__endswith="a.tif")
    client = Client()
    client.force_login(job.owner)
    answer = client.get(f"/jobs/{job.pk}/outputs/{tiff.number}")
    assert b"".join(answer.streaming_content) == b"data"
    # What the run gave is what protocols answer with; the page shows what was found as well.
    assert job.given_outputs.count() == 1
    assert client.get(f"/jobs/{job.pk}/?tab=results").status_code == 200


@present
@pytest.mark.parametrize("path", sorted((PORTAL / "feeds").glob("result*.atom")), ids=str)
def test_feeds_of_real_centres(centre: Centre, drain: Drain, path: Path) -> None:
    text = CENTRE.sub("@", path.read_text().replace("@", ""))
    job = run(centre, drain, result_metadata=text.encode())
    assert job.outputs.exclude(found_in=None).exists()
    assert f"{centre.port}" not in json.dumps(Item.objects.get().document)


def test_a_search_description_is_used_as_it_is(centre: Centre, drain: Drain) -> None:
    text = '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/"/>'
    job = run(centre, drain, result_osd=text.encode())
    links = Item.objects.get().document["links"]
    assert [one["href"] for one in links if one["rel"] == "search"] == [f"/jobs/{job.pk}/outputs/1"]


def test_what_cannot_be_used_is_told_and_harms_nothing(centre: Centre, drain: Drain) -> None:
    centre.staging = {"/staging/item.json": json.dumps(ITEM), "/staging/a.tif": "data"}
    links = [{"rel": "item", "href": f"./{name}.json"} for name in ("item", "gone", "gone2")]
    links.append({"rel": "child", "href": "http://169.254.169.254/latest"})
    job = run(
        centre,
        drain,
        broken=b"<feed xmlns='http://www.w3.org/2005/Atom'><entry></feed>",
        catalog=json.dumps({**CATALOG, "links": links}),
        result=b"plain",
    )
    assert found(job) == {}  # the catalogue stands in the answer: its addresses lead nowhere
    broken, catalog, plain = job.given_outputs
    assert "cannot be understood" in broken.problems[0]
    assert catalog.problems == ["Addresses outside the provider are named; they are left out."]
    assert plain.problems == []
    client = Client()
    client.force_login(job.owner)
    page = client.get(f"/jobs/{job.pk}/?tab=results").content.decode()
    assert "cannot be understood" in page


def test_bounds_hold_for_chains_and_crowds(
    centre: Centre, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "MOST_FILES", 5)
    for n in range(12):
        links = [{"rel": "child", "href": f"./{n + 1}.json"}, {"rel": "child", "href": "./0.json"}]
        assets = {"a": {"href": f"./{n}.tif"}}
        centre.staging[f"/staging/{n}.json"] = json.dumps(
            {**CATALOG, "links": links, "assets": assets}
        )
    job = run(centre, drain, catalog="@/staging/0.json")
    assert len(centre.requests("other")) < 20
    given = job.given_outputs.get()
    assert job.outputs.count() <= findings.MOST_FILES + 1
    assert given.problems


def test_addresses_that_a_user_sent_in_are_not_called(centre: Centre, drain: Drain) -> None:
    """A process that echoes: else the portal would lend its credentials."""
    centre.staging = {"/staging/secret": "secret"}
    job = run(centre, drain, f"{centre.base}/staging/secret", message="@/staging/secret")
    assert found(job) == {}
    assert centre.requests("other") == []


def test_a_centre_that_stumbles_in_the_middle_is_asked_again(centre: Centre, drain: Drain) -> None:
    centre.staging = {"/staging/item.json": json.dumps(ITEM), "/staging/a.tif": "data"}
    centre.staging["/staging/catalog.json"] = json.dumps(CATALOG)
    centre.reply("other", Reply(503, b"busy"), Reply(503, b"busy"))
    job = run(centre, drain, url="@/staging/catalog.json")
    numbers = [one.number for one in job.outputs.all()]
    assert numbers == sorted(set(numbers))
    assert "a.tif" in found(job)
