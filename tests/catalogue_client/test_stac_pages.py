"""Pages in every order, while items come and go: none repeated, none lost; both ways of finding."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from catalogue_client import finder
from catalogue_client.services import put_collection, put_item
from tests.catalogue_client.world import scene

pytestmark = pytest.mark.django_db
STAMP = "2025-01-{:02}T00:00:00Z"
SORTS = [
    "", "+id", "-id", "datetime", "-datetime", "eo:cloud_cover", "-eo:cloud_cover", "x", "-x",
    "platform,-id", "-platform,eo:cloud_cover", "nothing", "+updated", "start_datetime", "-title",
]  # fmt: skip
TRIANGLE = {"type": "Polygon", "coordinates": [[[-1, 39], [8, 39], [-1, 42], [-1, 39]]]}


def fill(first: int, number: int) -> None:
    scenes = put_collection(document={"id": "scenes", "title": "Scenes"})
    for n in range(first, first + number):
        properties: dict[str, Any] = {"datetime": STAMP.format(n % 5 + 1)}
        if n % 3:
            properties["eo:cloud_cover"] = n % 4
        properties["x"] = [n % 2, f"t{n % 3}", None, [n], True][n % 5]
        properties["platform"] = ("a", "B", None, "\u00e4")[n % 4]
        put_item(collection=scenes, document=scene(f"s{n:02}", west=n % 7 * 2.0, **properties))


def follow(asked: dict[str, Any], *, growing: bool = False) -> list[str]:
    """The ids of all pages, one after the other."""
    client, seen, extra = Client(), [], 50
    page = client.get("/stac/search", {"limit": "4", **asked}).json()
    for _ in range(40):
        seen += [f["id"] for f in page["features"]]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following:
            return seen
        assert page["features"]
        if growing:
            fill(extra, 1)
            extra += 1
        page = client.get(following[0]).json()
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("counted", [finder.COUNTED, 3])
def test_pages_in_every_order(monkeypatch: pytest.MonkeyPatch, counted: int) -> None:
    """Sorted after they were collected, and along the order because there are more than counted."""
    monkeypatch.setattr(finder, "COUNTED", counted)
    monkeypatch.setattr(finder, "BATCH", 5)
    fill(0, 17)
    everything = {f"s{n:02}" for n in range(17)}
    whole: dict[str, list[str]] = {}
    for sort in SORTS:
        asked = {"sortby": sort} if sort else {}
        pages = follow(asked)
        assert len(pages) == len(set(pages)), sort
        assert set(pages) == everything, sort
        whole[sort] = pages
        assert pages == follow({**asked, "limit": "100"}), sort
        inside = follow({**asked, "intersects": json.dumps(TRIANGLE)})
        assert inside == [i for i in pages if i in set(inside)], sort
        assert 0 < len(inside) < len(pages)
    assert whole["+id"] == sorted(everything)
    assert whole["-id"] == whole["+id"][::-1]
    for sort in ("", "datetime", "-eo:cloud_cover", "x"):
        pages = follow({"sortby": sort} if sort else {}, growing=True)
        assert len(pages) == len(set(pages)), sort
        assert {i for i in pages if i < "s50"} == everything, sort


def test_what_is_missing_comes_last_either_way() -> None:
    fill(0, 9)
    there = {f"s{n:02}" for n in range(9) if n % 3}
    for sort in ("eo:cloud_cover", "-eo:cloud_cover"):
        assert set(follow({"sortby": sort})[: len(there)]) == there


def test_a_token_of_another_order_is_refused() -> None:
    fill(0, 6)
    page = Client().get("/stac/search?limit=2&sortby=platform,id").json()
    token = next(link for link in page["links"] if link["rel"] == "next")["href"].split("token=")[1]
    assert Client().get(f"/stac/search?token={token}").status_code == 400
