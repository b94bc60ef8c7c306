"""Reading a catalogue: what is added, changed, gone and broken, and when nothing is taken away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from catalogue_client.harvesting import running, services, steering
from catalogue_client.models import HarvestSource, Item, RunMode, RunState
from catalogue_client.services import put_collection, put_item
from common import clock
from common.errors import Conflict
from people.models import User
from tests.catalogue_client.harvesting.conftest import (
    NAMES,
    counts,
    harvest,
    live,
    register,
)
from tests.catalogue_client.world import scene
from tests.fakes.harvestable import DAY, ChangingCatalogue, item
from tests.fakes.http_server import Reply


def test_changes_are_asked_for_and_a_full_pass_finds_what_is_gone(
    source: HarvestSource, server: ChangingCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (source.kind, source.name) == ("stac-api", "Changing")
    first = harvest(source)
    assert (first.mode, first.state, counts(first)) == (RunMode.FULL, "done", (5, 5, 0, 0, 0, 0))
    assert set(live(source)) == set(NAMES)
    # By the catalogue's own dates, an hour back.
    assert source.mark == datetime(2026, 3, 5, 9, tzinfo=UTC)

    server.items[0] = item("a", 20, title="Another")
    server.items[4]["properties"]["title"] = "Changed without saying so"
    del server.items[1]
    again = harvest(source)
    assert (again.mode, counts(again)) == (RunMode.CHANGES, (2, 0, 2, 0, 0, 0))
    assert live(source)["a"] == "Another"
    assert "b" in live(source)  # nobody said that it is gone

    later = clock.now() + timedelta(days=8)
    monkeypatch.setattr("catalogue_client.harvesting.timing.now", lambda: later)
    whole = harvest(source)
    assert (whole.mode, counts(whole)) == (RunMode.FULL, (4, 0, 0, 4, 1, 0))
    assert set(live(source)) == set("acde")
    gone = Item.objects.get(collection=source.collection, identifier="b")
    assert gone.deleted_at is not None

    server.items.append(item("b", 21))
    back = harvest(source)
    assert (counts(back)[1], set(live(source))) == (1, set(NAMES))
    gone.refresh_from_db()
    assert gone.deleted_at is None


def test_records_say_whose_they_are_and_where_they_came_from(
    source: HarvestSource, server: ChangingCatalogue, client: Client, owner: User
) -> None:
    server.items[0] = item("a", 1, **{"tep:job": "spoofed", "tep:origin": {"id": "x"}})
    harvest(source)
    assert client.get("/stac/search?ids=a").json()["features"] == []  # the owner's alone
    client.force_login(owner)
    shown = client.get("/stac/search?ids=a").json()["features"][0]
    told = shown["properties"]
    assert "tep:job" not in told
    assert told["tep:origin"] == {"id": "a", "collection": "scenes", "updated": DAY.format(1)}
    assert told["providers"] == [{"name": "Centre of Scenes", "roles": ["host"]}]
    via = [one["href"] for one in shown["links"] if one["rel"] == "via"]
    assert via == [f"{server.base}/items/a"]
    assert shown["assets"]["data"]["href"] == f"{server.base}/files/a.tif"
    place = f"/stac/collections/{source.collection.identifier}/items/a"
    assert client.delete(place).status_code == 403  # it follows the catalogue that it is from


def test_one_bad_record_stops_nothing(source: HarvestSource, server: ChangingCatalogue) -> None:
    harvest(source)
    server.items[0] = item("a", 9, datetime="soon") | {"geometry": {"type": "Blob"}}
    server.items[1]["geometry"] = {"type": "Point", "coordinates": [14, 400]}
    server.items[2] = {"type": "Feature", "properties": {"updated": DAY.format(9)}}
    server.items[3] = item("d", 9, text="\ud800", number=10**400)
    server.items.append(item("f/é " + "x" * 300, 9))
    steering.want_run(source=source, full=True)
    run = harvest(source)
    assert run.state == RunState.DONE
    assert run.bad >= 2
    faults = dict(run.faults.values_list("record", "reason"))
    assert "no id" in faults["#1"]
    assert len(live(source)) >= 5
    # What is there but cannot be read is not gone; the one without a name is.
    assert {"a", "b", "d", "e"} <= set(live(source))
    assert run.removed == 1
    assert any(name.startswith("x") and len(name) < 100 for name in live(source))


def test_a_name_that_somebody_has_stays_theirs(owner: User, server: ChangingCatalogue) -> None:
    shelf = put_collection(document={"id": "shelf"}, owner=owner, visibility="private")
    mine = put_item(collection=shelf, document=scene("a"), owner=owner)
    server.items.append(item("a", 3) | {"collection": "others"})
    source = register(owner, server.address, collection="shelf")
    run = harvest(source)
    assert counts(run) == (6, 6, 0, 0, 0, 0)
    mine.refresh_from_db()
    assert (mine.title, mine.revision) == ("a", 1)
    others = [name for name in live(source) if name.startswith("a-")]
    assert len(others) == 2
    assert counts(harvest(source))[1] == 0  # found again under the same names


@pytest.mark.parametrize("left", [[], [item("e", 5)]])
def test_a_catalogue_that_shrinks_much_waits_for_somebody(
    source: HarvestSource, server: ChangingCatalogue, settings: Settings, left: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(running, "FEW", 2)
    harvest(source)
    server.items[:] = left
    steering.want_run(source=source, full=True)
    held = harvest(source)
    assert held.state == RunState.HELD
    assert str(5 - len(left)) in held.error
    assert running.work(source.pk, lambda: True) is None
    assert len(live(source)) == 5
    with pytest.raises(Conflict):
        steering.want_run(source=source)

    steering.decide(source=source, confirmed=False)
    assert harvest(source).mode == RunMode.CHANGES
    assert len(live(source)) == 5
    steering.want_run(source=source, full=True)
    harvest(source)
    steering.decide(source=source, confirmed=True)
    done = harvest(source)
    assert (done.state, done.removed) == (RunState.DONE, 5 - len(left))
    assert set(live(source)) == {one["id"] for one in left}


@pytest.mark.parametrize(
    "break_it",
    [
        lambda body: {**body, "links": [{"rel": "next", "href": "http://169.254.169.254/"}]},
        lambda body: {**body, "numberMatched": 50, "links": []},
        lambda body: {**body, "features": body["features"][:1] * 1001, "links": []},
    ],
    ids=["sends elsewhere", "sends less than it says", "too many at once"],
)
def test_a_pass_that_was_not_complete_takes_nothing_away(
    source: HarvestSource, server: ChangingCatalogue, break_it: Any
) -> None:
    import json

    harvest(source)
    mark = source.mark
    steering.want_run(source=source, full=True)
    body = {"type": "FeatureCollection", "features": [item("a", 30)]}
    server.reply("search", Reply(200, json.dumps(break_it(body)).encode()))
    run = harvest(source)
    assert (run.state, run.whole, run.removed) == (RunState.DONE, False, 0)
    assert run.notes
    assert (set(live(source)), source.mark) == (set(NAMES), mark)


def test_a_catalogue_out_of_order_is_asked_again_and_later_given_up(
    source: HarvestSource, server: ChangingCatalogue
) -> None:
    server.reply("search", Reply(200, b"{}"), Reply(500, b"/srv/secret"))
    run = harvest(source)
    assert (run.state, run.failures, run.pages) == (RunState.RUNNING, 1, 0)
    harvest(source)
    assert counts(harvest(source)) == (5, 5, 0, 0, 0, 0)

    server.reply("search", Reply(503, b"/srv/secret"), times=None)
    runs = [harvest(source) for _ in range(running.MOST_TRIES)]
    assert runs[-1].state == RunState.FAILED
    assert source.failures == 1
    assert "/srv" not in source.last_error
    assert len(live(source)) == 5
    server.restore()
    assert harvest(source).state == RunState.DONE
    assert source.last_error == ""


def test_who_refuses_the_question_for_changes_is_read_whole(
    source: HarvestSource, server: ChangingCatalogue
) -> None:
    harvest(source)
    server.reply("search", Reply(400, b"unknown parameter filter"))
    harvest(source)
    run = harvest(source)
    assert (run.mode, counts(run)) == (RunMode.FULL, (5, 0, 0, 5, 0, 0))


def test_pausing_stops_and_goes_on_where_it_stood(
    source: HarvestSource, server: ChangingCatalogue
) -> None:
    answers = iter((True, False))
    half = harvest(source, lambda: next(answers))
    assert (half.pages, half.seen) == (1, 2)
    steering.switch(source=source, on=False)
    assert running.work(source.pk, lambda: True) is None
    steering.switch(source=source, on=True)
    whole = harvest(source)
    assert (whole.pk, whole.pages, counts(whole)) == (half.pk, 3, (5, 5, 0, 0, 0, 0))
    assert len(server.requests("search")) == 1 + 3  # one at registration


def test_a_source_that_leaves_takes_its_records_along(
    source: HarvestSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PAGE", 2)
    harvest(source)
    steering.leave(source=source)
    assert running.work(source.pk, lambda: True) is None
    assert not HarvestSource.objects.filter(pk=source.pk).exists()
    assert live(source) == {}


def test_a_preview_writes_nothing(source: HarvestSource, server: ChangingCatalogue) -> None:
    server.items[1]["geometry"] = {"type": "Point", "coordinates": [14, 400]}
    seen = services.preview(actor=source.owner, source=source)
    assert [one.id for one in seen.items] == ["a", "b"]
    assert seen.matched == 5
    assert not source.runs.exists()
    assert not Item.objects.filter(collection=source.collection).exists()


@pytest.mark.parametrize(("told", "back_to"), [(True, 0), (False, 0), (True, 2)])
def test_who_goes_round_in_circles_is_left(
    source: HarvestSource, server: ChangingCatalogue, told: bool, back_to: int
) -> None:
    harvest(source)
    del server.items[0]
    server.page, server.back_to, server.tells_number = 1, back_to, told
    steering.want_run(source=source, full=True)
    run = harvest(source)
    assert (run.state, run.seen >= 4, run.pages < 12) == (RunState.DONE, True, True)
    # Whether that was all, only the number tells, and only where it began anew.
    assert (run.whole, run.removed) == ((True, 1) if told and not back_to else (False, 0))
