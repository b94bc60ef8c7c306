"""An operator sets up a target; an owner publishes there, sees how it goes, and withdraws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from catalogue_client.models import Item, Publication, PublishTarget
from jobs.lifecycle import submit
from jobs.models import Due, Job
from jobs.periodic import sweep
from tests.factories import World
from tests.fakes.http_server import Reply
from tests.fakes.transactional import FakeStac
from tests.fakes.wps_server import FakeWps
from tests.jobs.conftest import Drain, drain, wps  # noqa: F401  fixtures

pytestmark = pytest.mark.django_db


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def world(wps: FakeWps, settings: Any, tmp_path: Path) -> World:  # noqa: F811
    settings.MEDIA_ROOT = tmp_path
    return World(url=wps.url)


def run(world: World, drain: Drain) -> Job:  # noqa: F811
    job = submit(
        actor=world.researcher,
        service=world.service,
        inputs=world.message(),
        account=world.account,
        application=world.app,
        door="web",
    )
    drain()
    return Job.objects.get(pk=job.pk)


def test_a_target_from_its_form_to_a_result_and_back(world: World, drain: Drain) -> None:  # noqa: F811
    operator, owner = signed_in(world.operator), signed_in(world.researcher)
    with FakeStac("results") as server:
        server.token = "s3cret"
        target = registered(operator, server)
        job = run(world, drain)
        assert server.items == {}  # the owner alone sees it
        results = f"/jobs/{job.pk}/?tab=results"
        assert "not published" in owner.get(results).content.decode()
        owner.post(f"/jobs/{job.pk}/show", {"visibility": "public"})
        server.reply("POST", Reply(503), Reply(400, b"{}"))
        assert operator.get("/operator/targets/").status_code == 200
        drain(ahead=30)
        page = owner.get(results).content.decode()
        assert "refuses the record" in page
        assert "Try again" in page
        page = operator.get("/operator/targets/").content.decode()
        assert "fails" in page
        operator.post(f"/operator/targets/{target.pk}/act", {"action": "retry"})
        drain()
        item = Item.objects.get()
        assert ("results", item.identifier) in server.items
        assert world.researcher.username not in str(server.items)
        withdraw_after_a_change(owner, target, job, drain)
        assert server.items == {}
    operator.post(f"/operator/targets/{target.pk}/act", {"action": "delete"})
    assert not PublishTarget.objects.exists()


def registered(operator: Client, server: FakeStac) -> PublishTarget:
    form = {"name": "National", "kind": "stac", "url": server.url, "secret": server.token}
    rules = {"automatic": "on", "visibilities": ["public"], "enabled": "on"}
    answer = operator.post("/operator/targets/new/", {**form, **rules})
    assert answer.status_code == 302, answer.content.decode()
    target = PublishTarget.objects.get()
    page = operator.get(f"/operator/targets/{target.pk}/").content.decode()
    assert server.token not in page
    assert target.secret not in page
    return target


def withdraw_after_a_change(owner: Client, target: PublishTarget, job: Job, drain: Drain) -> None:  # noqa: F811
    """A change by whatever part of the portal is brought there; then it is taken away."""
    item = Item.objects.get()
    Item.objects.filter(pk=item.pk).update(revision=item.revision + 1)
    sweep(Due())
    drain()
    assert Publication.objects.get().revision == item.revision + 1
    owner.post(f"/jobs/{job.pk}/publish", {"action": "withdraw", "target": target.pk})
    drain()
    assert "withdrawn" in owner.get(f"/jobs/{job.pk}/?tab=results").content.decode()
    job.refresh_from_db()
    assert job.state == "COMPLETED"


def test_a_job_ends_as_it_does_while_its_target_is_away(world: World, drain: Drain) -> None:  # noqa: F811
    PublishTarget.objects.create(
        name="away", url="http://127.0.0.1:9/", automatic=True, visibilities=["private"]
    )
    job = run(world, drain)
    assert (job.state, job.published_at is None) == ("COMPLETED", False)
    row = Publication.objects.get()
    assert row.state == "failed"
    assert Item.objects.filter(job_id=job.pk, deleted_at=None).exists()
