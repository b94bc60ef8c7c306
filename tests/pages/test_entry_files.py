"""Who sees an entry reads its files and nothing else of the job: visibility × user × address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from catalogue_client.models import Item
from catalogue_client.services import show_to, withdraw
from common.errors import InvalidInput
from jobs.links import check_own_results
from jobs.models import Job
from people.models import Membership, User
from providers.process import ReferenceValue
from tests.factories import make_user
from tests.pages.conftest import client_of
from tests.pages.stage import Stage

pytestmark = pytest.mark.django_db
# The files of the entry; what a job has besides them.
FILES = ("outputs/1", "outputs/1/preview", "outputs/2", "outputs/2/preview", "outputs/3")
REST = ("", "live", "events", "outputs.zip", "outputs/4", "outputs/99")
ADDRESSES = [f"/jobs/{{}}/{rest}" for rest in REST]
ADDRESSES += [
    f"/api/jobs/{{}}/{rest}" for rest in ("", "outputs/", "outputs/1/content/", "events/")
]
ADDRESSES += ["/wps/jobs/{}/outputs/1", "/wps/jobs/{}/status.xml"]
SEES = {
    "private": {"owner", "admin", "operator"},
    "group": {"owner", "admin", "operator", "member"},
    "public": {"owner", "admin", "operator", "member", "stranger", "anonymous"},
    "withdrawn": {"owner", "admin", "operator"},
}


@pytest.fixture
def job(stage: Stage, settings: Any, tmp_path: Path) -> Job:
    settings.MEDIA_ROOT = tmp_path
    made = stage.succeeded()
    # A document that told of files: its text may name the provider.
    told = made.outputs.get(number=3)
    told.pk, told.number, told.identifier, told.facts = None, 4, "feed", {"role": "metadata"}
    told.save()
    item = Item.objects.get(job_id=made.pk)
    feed = {"href": f"/jobs/{made.pk}/outputs/4", "roles": ["metadata"]}
    item.document = {**item.document, "assets": {**item.document["assets"], "feed": feed}}
    item.save()
    return made


def people(stage: Stage) -> dict[str, User | None]:
    member = make_user()
    Membership.objects.create(group=stage.group, user=member)
    return {
        "owner": stage.researcher, "admin": stage.admin, "operator": stage.operator,
        "member": member, "stranger": stage.stranger, "anonymous": None,
    }  # fmt: skip


def status(user: User | None, address: str) -> int:
    client = client_of(user) if user else Client()
    answer = client.get(address)
    if answer.streaming and "events" not in address:
        list(answer.streaming_content)
    return int(answer.status_code)


@pytest.mark.parametrize("visibility", list(SEES))
def test_files_are_read_by_who_sees_the_entry(stage: Stage, job: Job, visibility: str) -> None:
    item = Item.objects.get(job_id=job.pk)
    shown = "public" if visibility == "withdrawn" else visibility
    show_to(item=item, visibility=shown, group=stage.group)
    if visibility == "withdrawn":
        withdraw(job_id=job.pk)
    for name, user in people(stage).items():
        hidden = 404 if user else 302
        for file in FILES:
            may = name in SEES[visibility]
            assert status(user, f"/jobs/{job.pk}/{file}") == (200 if may else hidden), (name, file)
        if name in ("member", "stranger", "anonymous"):
            for address in ADDRESSES:
                assert status(user, address.format(job.pk)) in (404, 302, 401), (name, address)
            value = ReferenceValue("file", f"{settings.BASE_URL}/jobs/{job.pk}/outputs/1")
            if user and name not in SEES[visibility]:
                with pytest.raises(InvalidInput):
                    check_own_results(user, [value])
            elif user:
                check_own_results(user, [value])


def test_a_private_collection_around_it_hides_the_files(stage: Stage, job: Job) -> None:
    item = Item.objects.select_related("collection").get(job_id=job.pk)
    show_to(item=item, visibility="public")
    assert status(None, f"/jobs/{job.pk}/outputs/1") == 200
    item.collection.visibility, item.collection.owner = "private", stage.operator
    item.collection.save()
    assert status(None, f"/jobs/{job.pk}/outputs/1") == 302
    assert status(stage.stranger, f"/jobs/{job.pk}/outputs/1") == 404


def test_what_is_everybodys_is_read_in_parts_and_from_other_pages(job: Job) -> None:
    address = f"/jobs/{job.pk}/outputs/1"
    show_to(item=Item.objects.get(job_id=job.pk), visibility="public")
    whole = Client().get(address)
    body = b"".join(whole.streaming_content)
    assert whole["Access-Control-Allow-Origin"] == "*"
    assert whole["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert whole["Cache-Control"] == "public, max-age=60"
    assert "Cookie" in whole["Vary"]
    assert "sandbox" in whole["Content-Security-Policy"]
    part = Client().get(address, headers={"range": "bytes=4-11"})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, body[4:12])
    assert part["Content-Range"] == f"bytes 4-11/{len(body)}"
    assert Client().get(address, headers={"range": f"bytes={len(body)}-"}).status_code == 416
    signed_in = client_of(job.owner).get(address)
    assert "private" in signed_in["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in signed_in
    assert Client().post(address).status_code == 405
