"""From the click to the viewer: sent once, opened by all, as public there as the entry is here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalogue_client.contexts import context_of
from catalogue_client.models import Item, Viewer, ViewState, Visualisation
from catalogue_client.owc import atom, breaches, geojson
from catalogue_client.services import publish, withdraw
from catalogue_client.stac import item_document
from catalogue_client.viewers.configure import save_viewer
from common import clock
from common.errors import Conflict, InvalidInput
from jobs import due, viewing
from jobs.models import Due, Job
from jobs.result_records import record_of
from jobs.worker import do
from tests.catalogue_client.shared import grammar_errors, owc_schema, stac_errors
from tests.fakes.geonode_server import PASSWORD, USER, FakeGeoNode
from tests.fakes.http_server import Reply
from tests.fakes.puma_server import FakePuma
from tests.pages.conftest import client_of
from tests.pages.stage import Stage

pytestmark = pytest.mark.django_db
BASE = "https://portal.example"


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def node() -> Iterator[FakeGeoNode]:
    with FakeGeoNode() as server:
        yield server


@pytest.fixture
def viewer(stage: Stage, node: FakeGeoNode) -> Viewer:
    place = {"adapter": "geonode", "address": f"{node.base}/", "username": USER}
    named = {"code": "maps", "label": "the map server", "secret": PASSWORD}
    return save_viewer(stage.operator, Viewer(), {**place, **named})


@pytest.fixture
def job(stage: Stage) -> Job:
    return stage.succeeded()


def item_of(job: Job) -> Item:
    return Item.objects.select_related("collection").get(job_id=job.pk)


def click(client: Client, item: Item, asset: str = "result", code: str = "maps") -> int:
    place = (item.collection.identifier, item.identifier)
    address = reverse("pages:entry_view", args=place)
    return client.post(address, {"viewer": code, "asset": asset}).status_code


def work(*, most: int = 40) -> None:
    """Do the work on visualisations, however far ahead it is due."""
    for _number in range(most):
        rows = Due.objects.filter(kind=viewing.KIND, done_at=None)
        rows.update(due_at=clock.now(), lease_until=None)
        row = due.claim(owner="test", work=(viewing.KIND, s)) if (s := _subject()) else None
        if row is None:
            return
        do(row)


def _subject() -> str:
    row = Due.objects.filter(kind=viewing.KIND, done_at=None, parked_at=None).first()
    return row.subject if row else ""


def one() -> Visualisation:
    return Visualisation.objects.get()


def test_the_first_click_sends_and_later_ones_open_what_is_there(
    stage: Stage, viewer: Viewer, node: FakeGeoNode, job: Job, tmp_path: Path
) -> None:
    client, item = client_of(stage.researcher), item_of(job)
    for address in (
        "/catalogue/", f"/catalogue/results/{item.identifier}/",
        f"/jobs/{job.pk}/?tab=results", f"/jobs/{job.pk}/?tab=catalogue",
    ):  # fmt: skip
        assert "View in the map server" in client.get(address).content.decode(), address
    assert click(client, item) == 302
    assert click(client, item) == 302
    assert "on its way to the map server" in client.get("/catalogue/").content.decode()
    work()
    view, revision = one(), item.revision
    assert (view.state, view.url) == ("ready", f"{node.base}/catalogue/#/dataset/411")
    assert click(client, item) == 302
    work()
    assert len(node.uploads) == 1
    assert not node.seen_by_strangers(411)

    item = item_of(job)
    assert (item.revision, Item.objects.filter(job_id=job.pk).count()) == (revision + 1, 1)
    context = context_of(item, BASE)
    codes = [o.code for r in context.resources for o in r.offerings if r.id.endswith("#result")]
    assert f"{BASE}/spec/owc/1.0/req/atom/view/maps" in codes
    assert [c.rpartition("/")[2] for c in codes] == ["geotiff", "maps", "wms", "wcs"]
    assert breaches(context) == []
    assert grammar_errors(tmp_path, {"a.xml": atom(context)}) == ""
    assert not list(owc_schema().iter_errors(geojson(context)))
    assert stac_errors(item_document(item, BASE)) == []

    publish(record=record_of(job))  # once more
    assert item_of(job).attached == item.attached
    for address in ("/catalogue/", f"/jobs/{job.pk}/?tab=results"):
        assert view.url in client.get(address).content.decode()
    shown = client.get(f"/catalogue/results/{item.identifier}/map/")
    assert "/geoserver/ows" in shown.content.decode()
    # The vector file itself is drawn, and not its picture as well.
    drawn = [(one["type"], one["id"]) for one in shown.context["layers"]]
    assert drawn == [("image", "thumbnail"), ("wms", "wms-2"), ("geojson", "parcels")]
    assert node.base in shown.headers["Content-Security-Policy"]


def test_who_does_not_own_an_entry_sends_nothing_and_opens_what_is_there(
    stage: Stage, viewer: Viewer, node: FakeGeoNode, job: Job
) -> None:
    item = item_of(job)
    Item.objects.filter(pk=item.pk).update(visibility="public")
    open_to_all = Client().get(f"/catalogue/results/{item.identifier}/")
    assert open_to_all.status_code == 200
    assert "View in the map server" not in open_to_all.content.decode()
    other = client_of(stage.stranger)
    assert "View in the map server" not in other.get("/catalogue/").content.decode()
    assert click(other, item) == 403
    assert click(client_of(stage.researcher), item) == 302
    work()
    assert node.seen_by_strangers(411)
    assert one().url in other.get("/catalogue/").content.decode()

    viewer.groups.add(stage.group)
    assert one().url not in other.get("/catalogue/").content.decode()
    assert click(other, item) == 404
    assert click(client_of(stage.researcher), item, asset="mean") == 404
    assert click(client_of(stage.researcher), item, code="none") == 404


def test_what_becomes_private_or_is_withdrawn_is_so_in_the_viewer(
    stage: Stage, viewer: Viewer, node: FakeGeoNode, job: Job
) -> None:
    item = item_of(job)
    Item.objects.filter(pk=item.pk).update(visibility="public")
    click(client_of(stage.researcher), item)
    work()
    Item.objects.filter(pk=item.pk).update(visibility="private")
    viewing.ensure()
    viewing.ensure()
    work()
    assert not node.seen_by_strangers(411)
    assert (one().state, one().public) == ("ready", False)
    withdraw(job_id=job.pk)
    node.reply("delete", Reply(503))
    viewing.ensure()
    work()
    assert not Visualisation.objects.exists()
    assert not node.datasets
    assert item_of(job).attached == {}


@pytest.mark.parametrize("how", ["answer lost", "killed before", "killed after"])
def test_a_kill_and_a_lost_answer_send_nothing_twice(
    stage: Stage, viewer: Viewer, node: FakeGeoNode, job: Job, how: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from catalogue_client.viewers import geonode

    click(client_of(stage.researcher), item_of(job))
    true = geonode.send

    class Killed(BaseException):
        pass

    def dies(*given: Any) -> str:
        if how == "killed after":
            true(*given)
        raise Killed

    if how == "answer lost":
        node.reply("upload", Reply(hang_up=True, after=True))
        row = due.claim(owner="test", work=(viewing.KIND, _subject()))
        assert row is not None
        do(row)
    else:
        monkeypatch.setattr(geonode, "send", dies)
        row = due.claim(owner="test", work=(viewing.KIND, _subject()))
        assert row is not None
        with pytest.raises(Killed):
            do(row)
        monkeypatch.setattr(geonode, "send", true)
    assert one().state == ViewState.SENDING
    for execution in node.executions.values():
        node.finish(execution)
    if how == "killed before":
        work(most=3)
        assert len(node.uploads) == 0  # it might still be on its way
        long_ago = clock.now() - timedelta(hours=1)
        Visualisation.objects.update(sent_at=long_ago)
    work()
    assert one().state == ViewState.READY
    assert len(node.uploads) == 1


def test_what_fails_says_why_beside_the_button_and_can_be_tried_again(
    stage: Stage, viewer: Viewer, node: FakeGeoNode, job: Job
) -> None:
    client, item = client_of(stage.researcher), item_of(job)
    node.log = "raster has no coordinate reference system"
    click(client, item)
    work()
    assert one().state == ViewState.FAILED
    page = client.get(f"/catalogue/results/{item.identifier}/").content.decode()
    assert "no coordinate reference system" in page
    assert "Try the map server again" in page
    assert node.base not in page
    node.log = ""
    click(client, item)
    work()
    assert one().state == ViewState.READY

    node.stuck = True
    click(client, item, asset="parcels")
    work(most=4)
    Visualisation.objects.update(sent_at=clock.now() - timedelta(minutes=16))
    work()
    late = Visualisation.objects.get(asset="parcels")
    assert (late.state, late.error) == ("failed", "The viewer did not show it in time.")


def test_a_busy_viewer_gets_everything_in_the_end(
    stage: Stage, viewer: Viewer, node: FakeGeoNode, job: Job
) -> None:
    client, item = client_of(stage.researcher), item_of(job)
    node.most_at_once = 1
    click(client, item)
    click(client, item, asset="parcels")
    work()
    assert set(Visualisation.objects.values_list("state", flat=True)) == {"ready"}
    assert len(node.uploads) == 2


def test_the_same_bytes_of_the_same_owner_are_sent_once(
    stage: Stage, viewer: Viewer, node: FakeGeoNode, job: Job
) -> None:
    client = client_of(stage.researcher)
    click(client, item_of(job))
    work()
    again = item_of(stage.succeeded("Berlin, again"))
    click(client, again)
    twin = Visualisation.objects.get(item=again)
    assert (twin.state, twin.url) == ("ready", one_of(job).url)
    withdraw(job_id=job.pk)
    viewing.ensure()
    work()
    assert node.datasets  # the other entry is shown by it
    assert len(node.uploads) == 1


def one_of(job: Job) -> Visualisation:
    return Visualisation.objects.get(item__job_id=job.pk)


def test_puma_is_told_an_address_that_opens_this_file_alone(stage: Stage, job: Job) -> None:
    with FakePuma() as server:
        place = {"adapter": "puma", "address": server.base, "code": "puma", "label": "PUMA"}
        save_viewer(stage.operator, Viewer(), place)
        client = client_of(stage.researcher)
        click(client, item_of(job), code="puma")
        work()
        assert one().url == f"{server.base}/tool/data-exploration?id=42"
        path = "/" + server.addresses[0].split("/", 3)[3]
        answer = Client().get(path)
        assert b"".join(answer.streaming_content)[:2] == b"II"  # type: ignore[attr-defined]
        assert click(client, item_of(job), asset="parcels", code="puma") == 404


def test_the_number_of_statements_does_not_grow_with_the_entries(
    stage: Stage, viewer: Viewer, job: Job, django_assert_max_num_queries: Any
) -> None:
    client = client_of(stage.researcher)
    client.get("/catalogue/")
    with django_assert_max_num_queries(100) as few:
        client.get("/catalogue/")
    for number in range(4):
        stage.succeeded(f"More {number}")
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get("/catalogue/")


FORM = {
    "label": "PUMA", "code": "puma", "adapter": "puma", "address": "http://127.0.0.1:9/puma.example.org",
    "username": "portal", "secret": "correct horse", "media_types": "image/tiff\r\n\r\n",
    "options": "{}", "enabled": "on",
}  # fmt: skip


def test_operators_register_viewers_and_secrets_are_never_shown(stage: Stage) -> None:
    client = client_of(stage.operator)
    assert client_of(stage.researcher).get("/operator/viewers/").status_code == 404
    answer = client.post("/operator/viewers/new/", {**FORM, "groups": [stage.group.pk]})
    assert answer["Location"] == "/operator/viewers/"
    known = Viewer.objects.get()
    assert (known.media_types, list(known.groups.all())) == (["image/tiff"], [stage.group])
    page = client.get("/operator/viewers/").content.decode()
    one_page = client.get(f"/operator/viewers/{known.pk}/").content.decode()
    assert "puma.example.org" in page
    for text in ("correct horse", known.secret):
        assert text not in page + one_page
    client.post(f"/operator/viewers/{known.pk}/", {**FORM, "secret": "", "label": "Other"})
    assert Viewer.objects.get().secret == known.secret
    assert Viewer.objects.get().groups.count() == 0
    moved = {**FORM, "secret": "", "address": "http://127.0.0.1:9/else"}
    client.post(f"/operator/viewers/{known.pk}/", moved)
    assert Viewer.objects.get().secret == ""
    client.post(f"/operator/viewers/{known.pk}/act", {"action": "switch"})
    assert not Viewer.objects.get().enabled
    client.post(f"/operator/viewers/{known.pk}/act", {"action": "delete"})
    assert not Viewer.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "wms"}, "code"), ({"code": "A b"}, "code"), ({"adapter": "smoke"}, "adapter"),
        ({"address": "http://10.0.0.1/"}, "address"), ({"address": "x"}, "address"),
        ({"options": {"version": 5}}, "options"), ({"options": []}, "options"),
        ({"media_types": ["tiff"]}, "media_types"), ({"label": ""}, "label"),
        ({"colour": "red"}, "colour"),
    ],
)  # fmt: skip
def test_faults_in_settings_are_named(stage: Stage, change: dict[str, Any], field: str) -> None:
    right = {k: FORM[k] for k in ("label", "code", "adapter", "address")}
    with pytest.raises(InvalidInput) as error:
        save_viewer(stage.operator, Viewer(), {**right, **change})
    assert field in error.value.errors


def test_a_viewer_that_shows_something_keeps_its_code_and_stays(
    stage: Stage, viewer: Viewer, job: Job
) -> None:
    from catalogue_client.viewers.configure import delete_viewer

    click(client_of(stage.researcher), item_of(job))
    with pytest.raises(InvalidInput):
        save_viewer(stage.operator, viewer, {"code": "other"})
    with pytest.raises(Conflict):
        delete_viewer(stage.operator, viewer)
