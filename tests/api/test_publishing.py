"""Publishing and viewers through the REST API: asked for, looked up, taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from catalogue_client.models import Item, Publication, PublishTarget, Viewer
from jobs.models import Due, Job
from tests.pages.conftest import client_of
from tests.pages.stage import Stage

pytestmark = pytest.mark.django_db
JSON = {"content_type": "application/json"}


@pytest.fixture
def stage(settings: Any, tmp_path: Path) -> Stage:
    settings.MEDIA_ROOT = tmp_path
    return Stage()


@pytest.fixture
def job(stage: Stage) -> Job:
    return stage.succeeded()


@pytest.fixture
def owner(job: Job) -> Client:
    return client_of(job.owner)


def target(**values: Any) -> PublishTarget:
    return PublishTarget.objects.create(
        **{"name": "there", "url": "https://stac.example.org/", **values}
    )


def test_operators_set_up_targets_and_their_secrets_stay(stage: Stage) -> None:
    client = client_of(stage.operator)
    given = {
        "name": "There", "url": "https://stac.example.org/", "username": "u", "secret": "s3cret",
        "automatic": True, "visibilities": ["public", "group"], "groups": [stage.group.slug],
    }  # fmt: skip
    made = client.post("/api/catalogue/targets/", given, **JSON)
    assert made.status_code == 201, made.content
    assert (made.json()["has_secret"], made.json()["groups"]) == (True, [stage.group.slug])
    assert b"s3cret" not in made.content
    place = made["Location"]
    changed = client.patch(place, {"url": "https://other.example.org/"}, **JSON).json()
    assert (changed["has_secret"], changed["username"]) == (False, "")
    assert changed["visibilities"] == ["group", "public"]
    wrong = client.patch(place, {"url": "http://127.0.0.1/", "visibilities": []}, **JSON)
    assert wrong.status_code == 400
    listed = client_of(stage.researcher).get("/api/catalogue/targets/").json()["results"]
    assert listed == [{"id": changed["id"], "name": "There", "kind": "stac", "collection": "",
                       "enabled": True}]  # fmt: skip
    assert client_of(stage.stranger).get("/api/catalogue/targets/").json()["results"] == []
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404


def test_a_result_is_published_withdrawn_and_tried_again(owner: Client, job: Job) -> None:
    there = target()
    place = f"/api/jobs/{job.pk}/publications/"
    assert owner.get(place).json()["results"] == []
    asked = owner.post(place, {"target": there.pk}, **JSON)
    assert (asked.status_code, asked.json()["state"]) == (202, "pending")
    assert Due.objects.filter(kind="publication", done_at=None).count() == 1
    assert [one["target_name"] for one in owner.get(place).json()["results"]] == ["there"]
    row = Publication.objects.get()
    row.state, row.last_error, row.remote = "failed", "It refused.", {"ids": ["x"]}
    row.save()
    one = f"{place}{there.pk}/"
    assert owner.get(one).json()["last_error"] == "It refused."
    again = owner.post(f"{one}retry/")
    assert (again.status_code, again.json()["state"], again.json()["last_error"]) == (
        202, "pending", "",
    )  # fmt: skip
    gone = owner.delete(one)
    assert (gone.status_code, gone.json()["wanted"]) == (202, False)
    assert owner.post(place, {"target": 2**31}, **JSON).status_code == 404
    assert owner.post(place, {"target": 2**70}, **JSON).status_code == 400


def test_the_owner_says_who_sees_the_entry(owner: Client, job: Job, stage: Stage) -> None:
    place = f"/api/jobs/{job.pk}/entry/"
    assert owner.get(place).json()["visibility"] == "private"
    named = {"visibility": "group", "group": stage.group.slug}
    assert owner.put(place, named, **JSON).json()["group"] == stage.group.slug
    assert owner.put(place, {"visibility": "group"}, **JSON).status_code == 400
    assert owner.put(place, {"visibility": "public"}, **JSON).json()["revision"] == 3
    assert Client().get(f"/jobs/{job.pk}/outputs/1").status_code == 200
    running = stage.running()
    assert owner.get(f"/api/jobs/{running.pk}/entry/").status_code == 409


def test_a_file_is_sent_to_a_viewer_once_and_the_link_follows(owner: Client, job: Job) -> None:
    viewer = Viewer.objects.create(
        code="maps", label="Maps", adapter="geonode", address="https://maps.example/"
    )
    assert owner.get("/api/catalogue/viewers/").json()["results"][0]["code"] == "maps"
    item = Item.objects.get(job_id=job.pk)
    place = f"/api/catalogue/items/results/{item.identifier}/views/"
    views = owner.get(place).json()["results"]
    assert {(v["asset"], v["state"], v["url"], v["may_send"]) for v in views} == {
        ("result", "", "", True), ("parcels", "", "", True),
    }  # fmt: skip
    for _time in range(2):
        asked = owner.post(place, {"viewer": "maps", "asset": "result"}, **JSON)
        assert (asked.status_code, asked.json()["state"], asked.json()["url"]) == (
            202, "queued", "",
        )  # fmt: skip
    assert Due.objects.filter(kind="view", done_at=None).count() == 1
    viewer.visualisations.update(state="ready", url="https://maps.example/v/1")
    ready = owner.post(place, {"viewer": "maps", "asset": "result"}, **JSON)
    assert (ready.status_code, ready.json()["url"]) == (200, "https://maps.example/v/1")
    assert owner.post(place, {"viewer": "maps", "asset": "mean"}, **JSON).status_code == 404
    assert owner.post(place, {"viewer": "maps"}, **JSON).status_code == 400
