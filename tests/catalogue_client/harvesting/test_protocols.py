"""Every protocol read to its end: a small catalogue behind each, and the portal's own doors."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalogue_client.harvesting import running, services, steering
from catalogue_client.models import HarvestSource, Item, RunMode
from catalogue_client.services import put_collection, put_item, withdraw_item
from people.models import User
from tests.catalogue_client.harvesting.conftest import CENTRE, counts, harvest, live, register
from tests.catalogue_client.world import scene
from tests.fakes.catalogues import SCENES, FakeCatalogue
from tests.fakes.http_server import Reply

HERE = (("oai", "oai-pmh"), ("stac/", "stac-api"), ("opensearch/description.xml", "opensearch"),
        ("csw", "csw"))  # fmt: skip


@pytest.fixture(autouse=True)
def _asked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "keep_pace", lambda _user: None)


@pytest.mark.parametrize("kind", FakeCatalogue.PLACES)
def test_all_of_it_is_read_twice_and_added_once(
    owner: User, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PAGE", 7)
    with FakeCatalogue() as there:
        source = register(owner, there.address(kind))
        assert source.kind == kind.removesuffix("-json").removesuffix("-two-steps")
        first = harvest(source)
        assert (first.state, counts(first)) == ("done", (30, 30, 0, 0, 0, 0)), first.notes
        assert first.whole
        assert set(live(source)) == {one.id for one in SCENES}
        steering.want_run(source=source, full=True)
        assert counts(harvest(source)) == (30, 0, 0, 30, 0, 0)


def shelf_of(owner: User) -> list[Item]:
    shelf = put_collection(document={"id": "scenes", "title": "Scenes"}, owner=owner)
    put_collection(document={"id": "other"}, owner=owner)
    return [
        put_item(collection=shelf, document=scene(f"s{n}", keywords=["red"], description="Ä & <b>"))
        for n in range(5)
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("door", "kind"), HERE)
def test_the_portals_own_doors_are_read(
    owner: User, live_server: Any, door: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is harvested is private here: the doors, asked without credentials, do not show it."""
    monkeypatch.setattr(running, "PAGE", 2)
    monkeypatch.setattr("catalogue_client.oai.views.PAGE", 2)
    items = shelf_of(owner)
    source = register(owner, f"{live_server.url}/{door}")
    assert source.kind == kind
    first = harvest(source)
    assert counts(first) == (5, 5, 0, 0, 0, 0), (first.notes, first.error)
    made = Item.objects.get(collection=source.collection, title="s3")
    original = items[3]
    assert made.bbox == original.bbox
    assert made.start == original.start
    assert "red" in made.words
    via = [link["href"] for link in made.document["links"] if link["rel"] == "via"]
    if kind in ("oai-pmh", "csw"):
        assert b"s3" in Client().get(via[0].removeprefix(live_server.url)).content
    assert made.properties["description"].startswith("Ä & <b>"[: 3 if kind == "opensearch" else 7])

    put_item(collection=original.collection, document=scene("s3", title="Renamed"))
    withdraw_item(item=items[1])
    changed = harvest(source)
    assert changed.mode == RunMode.CHANGES
    assert changed.changed == 1
    assert "Renamed" in live(source).values()
    # Only OAI-PMH says what is gone; otherwise a full pass finds it out.
    assert changed.removed == (1 if kind == "oai-pmh" else 0)
    steering.want_run(source=source, full=True)
    harvest(source)
    assert sorted(live(source).values()) == ["Renamed", "s0", "s2", "s4"]


@pytest.mark.django_db(transaction=True)
def test_a_set_of_a_repository_in_dublin_core(
    owner: User, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalogue_client.oai.views.PAGE", 2)
    monkeypatch.setattr("catalogue_client.sources.adapters.oai_pmh._GMD", "urn:none")
    items = shelf_of(owner)
    source = register(owner, f"{live_server.url}/oai?verb=Identify", parts=("other", "scenes"))
    assert source.facts["prefix"] == "oai_dc"
    run = harvest(source)
    assert counts(run) == (5, 5, 0, 0, 0, 0), run.notes
    made = Item.objects.get(collection=source.collection, title="s3")
    assert made.bbox == pytest.approx(items[3].bbox)
    assert made.start == items[3].start
    other = services.register(
        actor=owner, centre=CENTRE, url=f"{live_server.url}/oai", parts=("other",)
    )
    assert counts(harvest(other)) == (0, 0, 0, 0, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_a_list_whose_place_is_forgotten_is_read_from_its_beginning(
    owner: User, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalogue_client.oai.views.PAGE", 2)
    shelf_of(owner)
    source = register(owner, f"{live_server.url}/oai")
    answers = iter((True, False))
    half: Any = harvest(source, lambda: next(answers))
    assert half.cursor["token"]
    half.cursor = {**half.cursor, "token": "forgotten"}
    half.save()
    harvest(source)
    run = harvest(source)
    assert (run.pk, counts(run)) == (half.pk, (5, 5, 0, 2, 0, 0))
    assert any("forgot" in text for text in run.notes)


def test_a_static_catalogue_that_changes_on_the_way(owner: User) -> None:
    with FakeCatalogue() as there:
        source: HarvestSource = register(owner, there.address("static-stac"))
        harvest(source)
        there.reply("static", Reply(500, b""), times=None)
        failed = harvest(source)
        assert (failed.state, failed.failures) == ("running", 1)
        there.restore()
        assert harvest(source).pages > 0
        assert len(live(source)) == 30
