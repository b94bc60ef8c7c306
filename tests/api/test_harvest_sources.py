"""Harvest sources by the REST API: set up, looked at, read, decided about, taken away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from catalogue_client.models import HarvestSource
from catalogue_client.services import put_collection
from jobs import harvest_work
from jobs.models import Due
from jobs.worker import run_one
from people.services import create_api_key
from tests.factories import make_provider, make_user
from tests.fakes.harvestable import ChangingCatalogue, item


@pytest.fixture
def server() -> Iterator[ChangingCatalogue]:
    with ChangingCatalogue() as there:
        there.items = [item(name) for name in "abc"]
        yield there


class Caller:
    def __init__(self) -> None:
        self.owner = make_user()
        self.provider = make_provider(self.owner)
        _, self.key = create_api_key(user=self.owner, name="k", scopes=["read", "manage"])
        self.client = Client(headers={"Authorization": f"Bearer {self.key}"})

    def __call__(self, method: str, address: str, body: Any = None, status: int = 200) -> Any:
        call = getattr(self.client, method)
        more = {} if method == "get" else {"data": body, "content_type": "application/json"}
        answer = call(f"/api/{address}", **more)
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None


@pytest.fixture
def api(db: None) -> Caller:
    return Caller()


def work() -> None:
    for row in Due.objects.filter(kind=harvest_work.KIND, done_at=None):
        run_one(owner="test", due_id=row.pk)


def test_the_life_of_a_source(api: Caller, server: ChangingCatalogue) -> None:
    mine = f"providers/{api.provider.slug}"
    seen = api("post", f"{mine}/harvest-previews/", {"url": server.address})
    assert [one["properties"]["title"] for one in seen["records"]] == ["Scene a", "Scene b"]
    assert not HarvestSource.objects.exists()
    asked = {"url": server.address, "password": "s3cret", "username": "ada", "parts": ["scenes"],
             "every_seconds": 600, "visibility": "public", "collection": "of-mine"}  # fmt: skip
    made = api("post", f"{mine}/harvest-sources/", asked, 201)
    assert "s3cret" not in str(made)
    assert (made["collection"], made["has_password"], made["mark"]) == ("of-mine", True, None)
    here = f"harvest-sources/{made['id']}"
    work()
    run = api("get", f"{here}/runs/")["results"][0]
    assert (run["state"], run["added"]) == ("done", 3)
    assert api("get", f"{here}/")["records"] == 3
    assert api("get", f"{here}/runs/{run['id']}/") == run
    assert api("get", f"{here}/runs/{run['id']}/faults/")["results"] == []
    assert len(api("post", f"{here}/preview/")["records"]) == 2


def test_deciding_and_changing(api: Caller, server: ChangingCatalogue) -> None:
    asked = {"url": server.address, "password": "s3cret", "username": "ada", "visibility": "public"}
    made = api("post", f"providers/{api.provider.slug}/harvest-sources/", asked, 201)
    here = f"harvest-sources/{made['id']}"
    work()
    server.items.clear()
    api("post", f"{here}/runs/", {"full": True}, 202)
    work()
    assert api("get", f"{here}/")["held"]
    api("post", f"{here}/runs/", {}, 409)
    api("post", f"{here}/decision/", {"remove": False})
    assert api("get", f"{here}/")["records"] == 3

    changed = api("patch", f"{here}/", {"name": "Other", "every_seconds": None, "state": "paused"})
    assert (changed["name"], changed["state"]) == ("Other", "paused")
    api("post", f"{here}/runs/", {}, 409)
    api("patch", f"{here}/", {"every_seconds": 1}, 400)
    api("patch", f"{here}/", {"state": "leaving"}, 400)
    hidden = api("patch", f"{here}/", {"visibility": "private", "state": "active"})
    assert (hidden["visibility"], hidden["mark"] is not None) == ("private", True)
    assert Client().get("/stac/search").json()["features"] == []
    moved = api("patch", f"{here}/", {"url": f"{server.base}/stac/?f=json"})
    assert (moved["mark"], moved["has_password"]) == (None, True)


def test_token_and_end(api: Caller) -> None:
    place = f"providers/{api.provider.slug}/harvest-sources/"
    made = api("post", place, {"kind": "push", "name": "Sent"}, 201)
    here = f"harvest-sources/{made['id']}"
    assert api("post", f"{here}/token/", None, 201)["token"].startswith(f"harvest-{made['id']}.")
    api("delete", f"{here}/token/", None, 204)
    api("post", f"{here}/approval/", {}, 403)
    assert api("delete", f"{here}/", None, 202)["state"] == "leaving"
    work()
    api("get", f"{here}/", status=404)


def test_what_is_wrong_is_named(api: Caller, server: ChangingCatalogue) -> None:
    for name, visibility in (("hidden", "private"), ("shown", "public")):
        put_collection(document={"id": name}, owner=make_user(), visibility=visibility)
    place = f"providers/{api.provider.slug}/harvest-sources/"
    for body, status in (
        ({"url": "http://127.0.0.1:9/"}, 502),
        ({"url": "file:///etc/passwd"}, 502),
        ({}, 400),
        ({"kind": "nonsense", "url": server.address}, 400),
        ({"kind": "push", "every_seconds": 1}, 400),
        ({"kind": "push", "collection": "no name/"}, 400),
        ({"kind": "push", "collection": "hidden"}, 400),
        ({"kind": "push", "collection": "shown"}, 403),
        ({"kind": "push", "visibility": "group"}, 400),
        ({"url": server.address, "parts": [""]}, 400),
    ):
        answer = api("post", place, body, status)
        assert "passwd" not in str(answer)
    assert not HarvestSource.objects.exists()
