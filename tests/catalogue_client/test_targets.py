"""Results at catalogues elsewhere: there once, whatever breaks; gone again, and if not, told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from catalogue_client.models import Item, Publication, PublicationState, PublishTarget
from catalogue_client.publishing import atom_target, publications, stac_target
from catalogue_client.publishing.targets import delete_target, save_target, usable_targets
from catalogue_client.services import publish, show_to, withdraw
from common import clock
from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from tests.catalogue_client.shared import grammar_errors, stac_errors
from tests.catalogue_client.world import People, record
from tests.factories import make_user
from tests.fakes.http_server import Reply
from tests.fakes.transactional import Catalogue, FakeIndex, FakeStac

pytestmark = pytest.mark.django_db


@pytest.fixture
def stac() -> Iterator[FakeStac]:
    with FakeStac("results") as server:
        yield server


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex() as server:
        yield server


def target(server: Catalogue, **changes: Any) -> PublishTarget:
    kind = "stac" if isinstance(server, FakeStac) else "atom"
    values = {"name": f"{kind} there", "kind": kind, "url": server.url, **changes}
    return save_target(actor=make_user(is_staff=True), target=PublishTarget(), changes=values)


def asked(server: Catalogue, item: Item, **changes: Any) -> Publication:
    operator = make_user(is_staff=True)
    return publications.ask(actor=operator, item=item, target_id=target(server, **changes).pk)


def work(row: Publication, *, tries: int = 20) -> Publication:
    """Every try that is due, at once."""
    while tries and publications.work(row.pk) is not None:
        tries -= 1
    row.refresh_from_db()
    return row


def ids_at(server: Catalogue) -> set[str]:
    if isinstance(server, FakeStac):
        return {identifier for _, identifier in server.items}
    assert isinstance(server, FakeIndex)
    return set(server.entries)


SERVERS = ("stac", "index")


def check_what_is_there(server: Catalogue, item: Item, folder: Path) -> None:
    """It is valid, it is the newest state, and nothing is left of the one before."""
    if isinstance(server, FakeStac):
        document = server.items["results", item.identifier]
        assert document["properties"]["title"] == "Another title"
        assert stac_errors(document) == []
    else:
        posted = server.requests("POST")[-1].body
        assert grammar_errors(folder, {"feed.xml": posted}) == ""
        assert len(ids_at(server)) == posted.count(b"<entry>")


@pytest.mark.parametrize("name", SERVERS)
def test_a_result_is_published_changed_and_withdrawn(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server = request.getfixturevalue(name)
    server.token = "secret of the target"
    first = record(People().owner)
    item = publish(record=first)
    row = work(asked(server, item, secret=server.token))
    assert (row.state, row.last_error) == (PublicationState.PUBLISHED, "")
    assert row.revision == item.revision
    assert item.identifier in ids_at(server)
    assert len(server.requests("POST")) == 1  # all outputs of a job at once
    # Nothing to do: nothing is asked.
    before = len(server.received)
    assert publications.work(row.pk) is None
    assert len(server.received) == before

    item = publish(record=replace(first, title="Another title", outputs=first.outputs[:1]))
    assert [one.pk for one in publications.stale()] == [row.pk]
    (row,) = publications.plan(item)
    assert work(row).state == PublicationState.PUBLISHED
    check_what_is_there(server, item, tmp_path)
    withdraw(job_id=item.job_id)
    item.refresh_from_db()
    (row,) = publications.plan(item)
    row = work(row)
    assert (row.state, row.remote) == (PublicationState.WITHDRAWN, {})
    assert ids_at(server) == set()
    assert list(publications.stale()) == []


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("kind", ["POST", "GET"])
@pytest.mark.parametrize(
    "broken",
    [Reply(hang_up=True, after=True), Reply(hang_up=True), Reply(503), Reply(200, b"\xff<")],
    ids=["answer lost", "request lost", "busy", "nonsense"],
)
def test_what_breaks_is_tried_again_and_nothing_is_there_twice(
    name: str, kind: str, broken: Reply, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue(name)
    item = publish(record=record(People().owner))
    row = asked(server, item)
    server.reply(kind, broken)
    assert work(row).state == PublicationState.PUBLISHED
    assert item.identifier in ids_at(server)
    assert row.attempts == 0


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("step", range(8))
def test_a_kill_between_any_two_steps_leaves_nothing_behind(
    name: str, step: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at each request in turn, before or after it arrived, while publishing; then the owner
    changes their mind: nothing is left there."""
    server = request.getfixturevalue(name)
    item = publish(record=record(People().owner))
    row = asked(server, item)

    class Kill(BaseException):
        pass

    module = stac_target if name == "stac" else atom_target
    send, calls = module.send, [0]

    def dying(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == step // 2 + 1 and step % 2 == 0:
            raise Kill
        answer = send(*args, **kwargs)
        if calls[0] == step // 2 + 1:
            raise Kill
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(module, "send", dying)
        try:
            publications.work(row.pk)
        except Kill:
            row.refresh_from_db()
            assert row.state == PublicationState.PUBLISHING
    if step % 3:
        assert work(row).state == PublicationState.PUBLISHED
    row = publications.withdraw(actor=make_user(), item=item, target_id=row.target_id)
    row = work(row)
    assert (row.state, row.remote, ids_at(server)) == (PublicationState.WITHDRAWN, {}, set())


def test_another_record_of_this_id_is_left_alone(stac: FakeStac) -> None:
    item = publish(record=record(People().owner))
    theirs = {"id": item.identifier, "geometry": {}, "properties": {}, "links": [], "assets": {}}
    key = ("results", item.identifier)
    stac.items[key], stac.tags[key] = theirs, 1
    row = work(asked(stac, item))
    assert (row.state, row.next_try_at) == (PublicationState.FAILED, None)
    assert "another record" in row.last_error
    assert stac.items["results", item.identifier] is theirs


def test_somebody_elses_change_between_reading_and_writing_is_seen(stac: FakeStac) -> None:
    first = record(People().owner)
    row = work(asked(stac, publish(record=first)))
    item = publish(record=replace(first, title="New"))
    stac.reply("PUT", Reply(412))
    (row,) = publications.plan(item)
    assert publications.work(row.pk) is not None
    assert work(row).state == PublicationState.PUBLISHED
    assert all("if-match" in one.headers for one in stac.requests("PUT"))


def test_a_collection_is_made_where_that_is_possible(stac: FakeStac) -> None:
    stac.collections.clear()
    item = publish(record=record(People().owner))
    row = work(asked(stac, item, collection="ours"))
    assert row.state == PublicationState.PUBLISHED
    assert stac_errors(stac.collections["ours"]) == []
    stac.makes_collections = False
    row = work(asked(stac, item, name="b", collection="other"))
    assert "no collection “other”" in row.last_error


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_a_refusal_waits_for_a_decision(stac: FakeStac, status: int) -> None:
    item = publish(record=record(People().owner))
    row = asked(stac, item)
    stac.reply("POST", Reply(status, b'{"description": "because"}'))
    row = work(row)
    assert (row.state, row.next_try_at) == (PublicationState.FAILED, None)
    assert row.last_error
    assert publications.work(row.pk) is None
    row = publications.retry(item=item, target_id=row.target_id)
    assert work(row).state == PublicationState.PUBLISHED


def test_it_is_given_up_in_the_end(stac: FakeStac) -> None:
    row = asked(stac, publish(record=record(People().owner)))
    stac.stop()
    pauses = []
    for _ in range(publications.MOST_ATTEMPTS):
        again = publications.work(row.pk)
        pauses.append(again and again - clock.now())
    assert pauses[-1] is None
    assert pauses[0] < timedelta(minutes=1) < pauses[-2]
    stac.start()


@pytest.mark.parametrize("name", SERVERS)
def test_what_cannot_be_removed_is_told(name: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue(name)
    item = publish(record=record(People().owner))
    row = work(asked(server, item))
    server.reply("DELETE", Reply(200), times=None)  # it says so, and does nothing
    row = publications.withdraw(actor=make_user(), item=item, target_id=row.target_id)
    row = work(row)
    assert row.state == PublicationState.FAILED
    assert "still shows" in row.last_error
    assert set(row.remote["ids"]) == ids_at(server)
    with pytest.raises(Conflict):
        delete_target(actor=make_user(is_staff=True), target=row.target)
    server.restore()
    row = publications.retry(item=item, target_id=row.target_id)
    assert work(row).state == PublicationState.WITHDRAWN


def test_the_index_reports_errors_though_it_says_200(index: FakeIndex) -> None:
    index.errors = 1
    row = work(asked(index, publish(record=record(People().owner))))
    assert (row.state, index.entries) == (PublicationState.FAILED, {})


def test_rules_send_what_is_seen_by_those_they_name(stac: FakeStac) -> None:
    people = People()
    there = target(stac, automatic=True, visibilities=["public"], providers=["centre"])
    item = publish(record=record(people.owner))
    assert publications.plan(item) == []
    other = publish(record=record(people.owner, process="elsewhere.ndvi", visibility="public"))
    assert publications.plan(other) == []
    (row,) = publications.plan(show_to(item=item, visibility="public"))
    assert work(row).state == PublicationState.PUBLISHED
    item = publish(record=record(people.owner, job_id=item.job_id))
    assert item.visibility == "public"  # written anew, it is seen by the same
    (row,) = publications.plan(show_to(item=item, visibility="group", group=people.group))
    assert work(row).state == PublicationState.WITHDRAWN
    assert ids_at(stac) == set()
    # What somebody asked for does not depend on rules.
    row = publications.ask(actor=people.operator, item=item, target_id=there.pk)
    assert work(row).state == PublicationState.PUBLISHED
    assert publications.plan(show_to(item=item, visibility="private"))[0].wanted


def test_who_may_use_a_target(stac: FakeStac) -> None:
    people = People()
    there = target(stac)
    there.groups.set([people.group])
    assert list(usable_targets(people.member)) == [there] == list(usable_targets(people.operator))
    assert list(usable_targets(people.stranger)) == []
    item = publish(record=record(people.stranger))
    with pytest.raises(NotFound):
        publications.ask(actor=people.stranger, item=item, target_id=there.pk)


def test_credentials_are_for_their_origin_alone(stac: FakeStac) -> None:
    there = target(stac, username="portal", secret="s3cret")
    assert "s3cret" not in there.secret
    operator = make_user(is_staff=True)
    url = there.url.replace("127.0.0.1", "localhost")
    there = save_target(actor=operator, target=there, changes={"url": url})
    assert (there.username, there.secret) == ("", "")
    with pytest.raises(Forbidden):
        save_target(actor=make_user(), target=there, changes={"name": "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("url", "file:///etc/passwd"),
        ("url", "https://user:x@example.org/"),
        ("url", "https://example.org/?a=b"),
        ("kind", "ftp"),
        ("collection", "a/../b"),
        ("visibilities", ["everybody"]),
        ("name", " "),
        ("automatic", True),
    ],
)
def test_settings_that_cannot_be_are_refused(name: str, value: Any) -> None:
    good = {"name": "there", "url": "https://example.org/stac"}
    with pytest.raises(InvalidInput) as refused:
        save_target(
            actor=make_user(is_staff=True), target=PublishTarget(), changes={**good, name: value}
        )
    assert refused.value.locator in (name, "visibilities")
    assert not PublishTarget.objects.exists()
