"""Entries tell from which products they were made: what everybody may know of them, no more."""

from __future__ import annotations

from typing import Any

import pytest

from catalogue_client.models import Item
from catalogue_client.services import publish, show_to
from catalogue_client.stac import instant_text, item_document
from jobs.input_sources import sources_of
from jobs.models import Job
from jobs.result_records import record_of
from providers.process import ReferenceValue, value_to_json
from tests.catalogue_client.shared import stac_errors
from tests.pages.stage import Stage

pytestmark = pytest.mark.django_db
BASE = "https://portal.example"
SCENE = "https://data.example.org/scene.tif"


def given(job: Job, *hrefs: str) -> Job:
    values = [ReferenceValue("parcels", href) for href in hrefs]
    job.inputs = [*job.inputs, *(value_to_json(value) for value in values)]
    job.save()
    return job


def test_products_are_named_by_their_entries(db: None, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    stage = Stage()
    public, private = stage.succeeded("one"), stage.succeeded("two")
    entry = Item.objects.get(job_id=public.pk)
    show_to(item=entry, visibility="public")
    portal = "http://testserver"
    job = given(
        stage.succeeded("three"),
        f"{portal}/jobs/{public.pk}/outputs/1", f"{portal}/api/jobs/{public.pk}/outputs/2/content/",
        f"{portal}/jobs/{private.pk}/outputs/1", f"{portal}/jobs/{'-' * 36}/outputs/1",
        SCENE, "https://data.example.org/other.tif",
        "https://data.example.org/signed.tif?token=secret", "https://me:secret@data.example.org/x",
        "http://[", "ftp://data.example.org/x",
    )  # fmt: skip
    found = sources_of(job)
    assert found.products == (
        f"/stac/collections/results/items/{entry.identifier}",
        "/stac/collections/scenes/items/scene-1",
        "https://data.example.org/other.tif",
    )
    assert found.collections == ("/stac/collections/results", "/stac/collections/scenes")

    document = item_document(publish(record=record_of(job)), BASE)
    assert stac_errors(document) == []
    links = {(link["rel"], link["href"]) for link in document["links"]}
    assert ("derived_from", f"{BASE}/stac/collections/scenes/items/scene-1") in links
    assert {href for rel, href in links if rel == "via"} == {
        f"{BASE}/owc/jobs/{job.pk}.geojson",
        f"{BASE}/wps?service=WPS&version=1.0.0&request=DescribeProcess"
        f"&identifier={job.service.public_identifier}",
        f"{BASE}/stac/collections/results",
        f"{BASE}/stac/collections/scenes",
    }
    assert not any("secret" in href for _rel, href in links)
    assert not any(str(private.pk) in href for _rel, href in links)
    properties = document["properties"]
    assert (properties["order:status"], properties["order:id"]) == ("succeeded", str(job.pk))
    assert properties["order:date"] == instant_text(job.created_at)
    assert (
        "https://stac-extensions.github.io/order/v1.1.0/schema.json" in document["stac_extensions"]
    )
