"""The buttons of viewers stand beside entries wherever these are listed, at the same cost."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalogue_client.models import CatalogueSource, Item, PackageEntry, Viewer
from catalogue_client.packages import services as packages
from catalogue_client.sources.records import record_of
from catalogue_client.sources.viewable import opened_in
from common.clock import now
from tests.pages.conftest import client_of
from tests.pages.stage import Stage

pytestmark = pytest.mark.django_db
BUTTON = "View in the map server"
ELSEWHERE = {
    "id": "far",
    "properties": {
        "title": "Far <away>",
        "owc:offerings": [
            {"code": "https://b.example/spec/view/puma", "operations": [
                {"code": "View", "method": "GET", "type": "text/html", "href": href}
                for href in ("https://b.example/v", "https://b.example/m")
            ]},
            {"code": "urn:x", "operations": [
                {"code": "Delete", "method": "GET", "type": "text/html", "href": "https://b.example/d"}
            ]},
        ],
    },
    "links": [
        {"rel": "preview", "type": "text/html", "title": "Maps <b>", "href": "https://b.example/m"},
        {"rel": "preview", "type": "text/html", "href": "https://b.example/m"},
        {"rel": "preview", "type": "image/png", "href": "https://b.example/p.png"},
        {"rel": "preview", "type": "text/html", "href": "javascript:alert(1)"},
    ],
    "assets": {},
}  # fmt: skip


@pytest.fixture
def places(stage: Stage) -> dict[str, str]:
    """Every list of entries, with one in it."""
    Viewer.objects.create(
        code="maps", label="the map server", adapter="geonode", address="https://maps.example/"
    )
    job = stage.succeeded()
    item = Item.objects.get(job_id=job.pk)
    stage.app.collections = ["results"]
    stage.app.save()
    package = packages.create(owner=stage.researcher, title="P")
    packages.add_item(
        actor=stage.researcher, package=package, source=None, collection="results",
        identifier=item.identifier,
    )  # fmt: skip
    return {
        "catalogue": "/catalogue/",
        "workspace": f"/apps/{stage.app.slug}/",
        "collection": "/catalogue/results/",
        "package": f"/packages/{package.pk}/",
    }


def test_beside_every_entry_at_the_same_cost(stage: Stage, places: dict[str, str]) -> None:
    client = client_of(stage.researcher)
    costs = {}
    for name, address in places.items():
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            page = client.get(address).content.decode()
        assert page.count(BUTTON) == 1, name
        costs[name] = (len(asked), page.count("Full map"))
    item = Item.objects.get(job_id__isnull=False)
    for number in range(3):
        twin = Item.objects.get(pk=item.pk)
        twin.pk, twin.job_id, twin.identifier = None, None, f"twin-{number}"
        twin.sequence = item.sequence + 1 + number
        twin.save()
        PackageEntry.objects.create(
            package_id=places["package"].split("/")[2], title="t", collection="results",
            identifier=twin.identifier, fetched_at=now(),
        )  # fmt: skip
    for name, address in places.items():
        with CaptureQueriesContext(connection) as asked:
            page = client.get(address).content.decode()
        assert (len(asked), page.count("Full map") - 3) == costs[name], name


def test_what_others_show_opens_there(stage: Stage) -> None:
    record = record_of(ELSEWHERE, "https://b.example/")
    assert opened_in(record) == [
        ("Maps <b>", "https://b.example/m"), ("puma", "https://b.example/v"),
    ]  # fmt: skip
    source = CatalogueSource.objects.create(
        slug="elsewhere", name="E", url="https://b.example/", kind="csw", owner=stage.researcher,
        created_at=now(),
    )  # fmt: skip
    package = packages.create(owner=stage.researcher, title="P")
    PackageEntry.objects.create(
        package=package, source=source, title="x", identifier="far", document=record.document,
        fetched_at=now(),
    )  # fmt: skip
    page: Any = client_of(stage.researcher).get(f"/packages/{package.pk}/").content.decode()
    assert "View in Maps &lt;b&gt;" in page
    assert 'href="https://b.example/v"' in page
    assert "javascript:" not in page
