"""Shares and labels: who sees a job by them, what they may not do, and what is written of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from jobs import sharing
from jobs.access import job_for, visible_jobs
from jobs.models import Job, JobShare
from people.models import Membership
from tests.factories import World, make_group, make_user
from tests.jobs.test_lifecycle import run

pytestmark = pytest.mark.django_db


def client(user: Any) -> APIClient:
    made = APIClient()
    made.force_authenticate(user)
    return made


def test_a_user_sees_a_shared_job_until_the_share_ends() -> None:
    world = World()
    job = run(world)
    friend = make_user()
    with pytest.raises(NotFound):
        job_for(friend, job.pk, "view")
    share = sharing.share(actor=world.researcher, job=job, username=friend.username)
    assert sharing.share(actor=world.researcher, job=job, username=friend.email) == share
    assert job_for(friend, job.pk, "view") == job
    with pytest.raises(Forbidden):
        job_for(friend, job.pk, "manage")
    with pytest.raises(Forbidden):
        sharing.unshare(actor=world.admin, job=job, share_id=share.pk)
    sharing.unshare(actor=friend, job=job, share_id=share.pk)
    with pytest.raises(NotFound):
        job_for(friend, job.pk, "view")
    reasons = list(job.events.values_list("reason", "actor"))
    assert ("shared", f"user:{world.researcher.pk}") in reasons
    assert ("unshared", f"user:{friend.pk}") in reasons


def test_every_member_of_a_group_sees_it_once_and_who_leaves_no_longer() -> None:
    world = World()
    job = run(world)
    friend = make_user()
    group = make_group(members=(friend, world.researcher))
    sharing.share(actor=world.researcher, job=job, group=group.slug)
    sharing.share(actor=world.researcher, job=job, username=friend.username)
    assert list(visible_jobs(friend)) == [job]
    job.shares.filter(user=friend).delete()
    assert list(visible_jobs(friend)) == [job]
    Membership.objects.filter(group=group, user=friend).delete()
    assert not visible_jobs(friend).exists()


def test_it_is_shared_with_whom_one_knows_and_groups_of_ones_own() -> None:
    world = World()
    job = run(world)
    other = make_group(members=(make_user(),))
    for wrong in (
        {"group": other.slug},
        {"username": "nobody"},
        {"username": world.researcher.username},
        {},
        {"username": world.stranger.username, "group": world.group.slug},
    ):
        with pytest.raises(InvalidInput):
            sharing.share(actor=world.researcher, job=job, **wrong)
    for _ in range(sharing.MOST_SHARES):
        sharing.share(actor=world.researcher, job=job, username=make_user().username)
    with pytest.raises(Conflict):
        sharing.share(actor=world.researcher, job=job, username=make_user().username)


def test_by_rest_and_by_page() -> None:
    world = World()
    job = run(world)
    owner, stranger = client(world.researcher), client(world.stranger)
    address = f"/api/jobs/{job.pk}/"
    assert stranger.get(address).status_code == 404
    made = owner.post(f"{address}shares/", {"username": world.stranger.username})
    assert made.status_code == 201
    assert stranger.get(address).json()["callbacks"] == []
    assert stranger.get("/api/jobs/").json()["count"] == 1
    assert stranger.get("/api/jobs/?own=true").json()["count"] == 0
    assert stranger.post(f"{address}dismiss/").status_code == 403
    assert stranger.get(f"{address}shares/").status_code == 403
    # The cost is shown with the job; what its account has by now is no part of it.
    theirs, own = (client.get(f"{address}cost/").json()["quote"] for client in (stranger, owner))
    assert theirs == own
    assert not own.keys() & {"available", "available_after", "covered"}
    assert stranger.put(f"{address}labels/", {"labels": ["x"]}).status_code == 403
    browser = Client()
    browser.force_login(world.stranger)
    for tab in ("summary", "results", "inputs", "cost", "sharing", "log", "script", "catalogue"):
        shown = browser.get(f"/jobs/{job.pk}/?tab={tab}")
        assert shown.status_code == 200
        assert f"/jobs/{job.pk}/dismiss" not in shown.content.decode()
    (share,) = owner.get(f"{address}shares/").json()["results"]
    assert browser.post(f"/jobs/{job.pk}/shares/{share['id']}/end").status_code == 302
    assert stranger.get(address).status_code == 404


def test_with_whom_it_is_shared_is_for_its_owner_to_know(settings: Any) -> None:
    """Events tell it, wherever they are read."""
    world = World()
    job = run(world)
    for user in (world.stranger, make_user("confidant")):
        sharing.share(actor=world.researcher, job=job, username=user.username)
    settings.LIVE_SECONDS = 0
    for who, told in ((world.researcher, True), (world.stranger, False)):
        events = client(who).get(f"/api/jobs/{job.pk}/events/").content.decode()
        page = Client()
        page.force_login(who)
        log = page.get(f"/jobs/{job.pk}/?tab=log").content.decode()
        live = b"".join(page.get(f"/jobs/{job.pk}/events").streaming_content).decode()
        assert ["confidant" in text for text in (events, log, live)] == [told] * 3


def test_labels_are_set_shown_and_found() -> None:
    world = World()
    job, _other = run(world), run(world)
    owner = client(world.researcher)
    answer = owner.put(f"/api/jobs/{job.pk}/labels/", {"labels": [" b  c ", "a", "a"]})
    assert answer.json() == {"labels": ["a", "b c"]}
    assert owner.get(f"/api/jobs/{job.pk}/").json()["labels"] == ["a", "b c"]
    found = owner.get("/api/jobs/?label=b+c").json()["results"]
    assert [one["id"] for one in found] == [str(job.pk)]
    for wrong in (["x" * 41], [""], ["a,b"], [str(n) for n in range(11)], ["\u0001"], "a", [{}]):
        assert owner.put(f"/api/jobs/{job.pk}/labels/", {"labels": wrong}).status_code == 400
    browser = Client()
    browser.force_login(world.researcher)
    assert b"b c" in browser.get("/jobs/?label=a").content
    assert browser.post(f"/jobs/{job.pk}/labels", {"labels": "z,, y "}).status_code == 302
    assert [label.text for label in job.labels.all()] == ["y", "z"]


def test_lists_take_the_same_queries_whatever_their_length() -> None:
    world = World(credits=100)
    for number in range(12):
        job = run(world)
        sharing.set_labels(actor=world.researcher, job=job, texts=[f"l{number}", "all"])
        sharing.share(actor=world.researcher, job=job, username=world.stranger.username)

    def queries(address: str, user: Any) -> list[str]:
        browser = Client()
        browser.force_login(user)
        with CaptureQueriesContext(connection) as told:
            assert browser.get(address).status_code == 200
        return [str(one["sql"]).split(" FROM ")[-1][:60] for one in told]

    for address in ("/jobs/", "/api/jobs/"):
        for user in (world.researcher, world.stranger):
            queries(address, user)  # what is kept for later is kept from here on
            many = queries(address, user)
            hidden = list(Job.objects.order_by("created_at").values_list("pk", flat=True)[:11])
            JobShare.objects.filter(job__in=hidden).update(user=world.operator)
            Job.objects.filter(pk__in=hidden).update(owner=world.operator)
            assert queries(address, user) == many
            JobShare.objects.filter(job__in=hidden).update(user=world.stranger)
            Job.objects.filter(pk__in=hidden).update(owner=world.researcher)
