"""Data packages: filled from any catalogue, opened as STAC and OWS Context, and nothing leaks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pystac
import pytest
from django.test import Client

from catalogue_client.models import PackageEntry
from catalogue_client.owc import breaches, read_atom, read_geojson
from catalogue_client.packages import services
from catalogue_client.services import publish, put_collection, put_item
from catalogue_client.sources import services as sources
from catalogue_client.sources.ports import Query
from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from people.models import User
from tests.catalogue_client.shared import grammar_errors, owc_schema, stac_errors
from tests.catalogue_client.sources.conftest import register
from tests.catalogue_client.world import People, record, scene
from tests.fakes.catalogues import FakeCatalogue


@pytest.fixture
def people(db: None) -> People:
    return People()


def ask(user: User | None, address: str, **headers: str) -> Any:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client.get(address, headers=headers)


def filled(people: People, server: FakeCatalogue, visibility: str = "public") -> Any:
    """A package with an own private and an own public entry, entries of a public and of a private
    source, and saved searches in both."""
    publish(record=record(people.owner, title="mine", visibility="private"))
    own = put_collection(document={"id": "own", "title": "Own"})
    put_item(collection=own, document=scene("far", west=100.0), visibility="public")
    private = register(people.owner, server, "csw")
    public = register(people.owner, server, "stac-api", visibility="public")
    sources.approve(actor=people.operator, source=public, approved=True)
    package = services.create(
        owner=people.owner, title="Coast & <i>sea</i>", visibility=visibility,
        group=people.group if visibility == "group" else None,
    )  # fmt: skip
    mine = people.owner
    for source, collection, identifier in (
        (None, "results", _result()), (None, "own", "far"), (public, "even", "scene-04"),
        (private, "odd", "scene-05"),
    ):  # fmt: skip
        services.add_item(
            actor=mine, package=package, source=source, collection=collection, identifier=identifier
        )
    for source in (public, private):
        services.add_search(
            actor=mine, package=package, source=source, title=f"reds of {source.slug}",
            query=Query(bbox=(9, 39, 12.2, 41), text="red"),
        )  # fmt: skip
    return package


def _result() -> str:
    from catalogue_client.models import Item

    return Item.objects.get(job_id__isnull=False).identifier


MINE, PRIVATE_SOURCE = "mine", {"Scene 5 blue coast"}


def test_each_sees_what_the_catalogues_would_show_them(
    people: People, server: FakeCatalogue
) -> None:
    package = filled(people, server)
    everybody = {"Scene 4 blue coast", "far", "Scene 9 red coast", "Scene 12 red coast"}
    seen = {}
    for name, user in people.all().items():
        items = ask(user, f"/data-packages/{package.pk}/items").json()["features"]
        atom = read_atom(ask(user, f"/data-packages/{package.pk}.atom").content)
        collection = ask(user, f"/data-packages/{package.pk}").json()
        titles = [str(one["properties"].get("title") or one["id"]) for one in items]
        assert [one.title.value for one in atom.resources] == titles, name
        assert len([x for x in collection["links"] if x["rel"] == "item"]) == len(items), name
        seen[name] = {t for t in titles if t != "far scene"}
        west = collection["extent"]["spatial"]["bbox"][0][0]
        assert west == (4.0 if name in ("stranger", "member", "anonymous") else west)
    for name in ("stranger", "member", "anonymous"):
        assert not any(MINE in title for title in seen[name])
        assert not PRIVATE_SOURCE & seen[name]
        assert len(seen[name]) == len(everybody)
    for name in ("owner", "operator"):
        assert any(MINE in title for title in seen[name])
        assert seen[name] >= PRIVATE_SOURCE


@pytest.mark.parametrize(
    ("visibility", "may"),
    [
        ("private", {"owner", "operator"}),
        ("group", {"owner", "operator", "member"}),
        ("public", {"owner", "operator", "member", "stranger", "anonymous"}),
    ],
)
def test_who_may_open_it(people: People, visibility: str, may: set[str]) -> None:
    group = people.group if visibility == "group" else None
    package = services.create(owner=people.owner, title="t", visibility=visibility, group=group)
    for name, user in people.all().items():
        for end in ("", "/items", ".atom", ".geojson", "/items/7"):
            answer = ask(user, f"/data-packages/{package.pk}{end}")
            expected = 404 if name not in may or "7" in end else 200
            assert answer.status_code == expected, (name, end)


def test_one_address_for_every_client(people: People, server: FakeCatalogue) -> None:
    package = filled(people, server)
    here = f"/data-packages/{package.pk}"
    for accept, kind in (
        ("*/*", "application/json"), ("application/json", "application/json"),
        ("", "application/json"),
        ("application/atom+xml", "application/atom+xml"),
        ("application/geo+json", "application/geo+json"),
    ):  # fmt: skip
        answer = ask(people.owner, here, accept=accept)
        assert answer.headers["Content-Type"].startswith(kind), accept
        assert "Accept" in answer.headers["Vary"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    page = "text/html,application/xhtml+xml,*/*;q=0.8"
    assert ask(people.owner, here, accept=page).headers["Location"] == f"/packages/{package.pk}/"
    assert ask(people.owner, f"{here}?f=pdf").status_code == 400
    collection = pystac.Collection.from_dict(ask(people.owner, here).json())
    assert collection.title == "Coast & <i>sea</i>"
    items = pystac.ItemCollection.from_dict(ask(people.owner, f"{here}/items").json())
    assert len(items) >= 6
    assert len({item.id for item in items}) == len(items)


def test_what_is_written_is_valid(people: People, server: FakeCatalogue, tmp_path: Path) -> None:
    package = filled(people, server)
    here = f"/data-packages/{package.pk}"
    collection = ask(people.owner, here).json()
    assert stac_errors(collection) == []
    for link in collection["links"]:
        if link["rel"] == "item":
            item = ask(people.owner, link["href"].partition("testserver")[2]).json()
            assert stac_errors({**item, "stac_extensions": []}) == []
    atom = ask(people.owner, f"{here}.atom").content
    assert grammar_errors(tmp_path, {"package.atom": atom}) == ""
    assert breaches(read_atom(atom)) == []
    document = ask(people.owner, f"{here}.geojson").json()
    assert [error.message for error in owc_schema().iter_errors(document)] == []
    assert breaches(read_geojson(json.dumps(document).encode())) == []


def test_a_source_that_is_away_leaves_a_note_and_the_rest(
    people: People, server: FakeCatalogue, client: Client
) -> None:
    package = filled(people, server)
    server.stop()
    items = ask(people.owner, f"/data-packages/{package.pk}/items").json()
    titles = {one["properties"].get("title") for one in items["features"]}
    assert "Scene 4 blue coast" in titles  # what was kept of it when it was added
    assert "Scene 12 red coast" not in titles
    server.start()


def test_the_basket_is_ones_own_and_becomes_a_package(people: People) -> None:
    own = put_collection(document={"id": "own", "title": "Own"})
    put_item(collection=own, document=scene("far", west=100.0), visibility="public")
    basket = services.basket_of(people.owner)
    assert services.basket_of(people.owner) == basket
    put = {"package": basket, "source": None, "collection": "own", "identifier": "far"}
    for _twice in range(2):
        services.add_item(actor=people.owner, **put)
    assert basket.entries.count() == 1
    with pytest.raises(Forbidden):
        services.add_item(actor=people.stranger, **put)
    with pytest.raises(NotFound):
        services.add_item(actor=people.owner, **{**put, "identifier": "none"})
    with pytest.raises(InvalidInput):
        services.update(actor=people.owner, package=basket, visibility="public")
    assert ask(people.operator, f"/data-packages/{basket.pk}").status_code == 404
    services.update(actor=people.owner, package=basket, title="Kept", visibility="public")
    assert ask(None, f"/data-packages/{basket.pk}").status_code == 200
    assert services.basket_of(people.owner) != basket


def test_a_package_has_room_for_so_much(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_ENTRIES", 3)
    monkeypatch.setattr(services, "MOST_SEARCHES", 2)
    package = services.create(owner=people.owner, title="t")
    search = {"package": package, "source": None, "query": Query(text="x"), "title": "t"}
    for _twice in range(2):
        services.add_search(actor=people.owner, **search)
    with pytest.raises(Conflict):
        services.add_search(actor=people.owner, **search)
    assert PackageEntry.objects.count() == 2
