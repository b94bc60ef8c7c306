"""The portal's own copies of results: by policy, on request, after a kill, within limits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.errors import Conflict, NotFound, TooLarge
from jobs import copies, copy_files
from jobs.models import Due, Job, JobOutput
from jobs.models.output import results_storage
from jobs.outputs import open_output
from providers.models import CopyPolicy
from providers.process import (
    ComplexDomain,
    Format,
    InputDescription,
    LiteralDomain,
    OutputDescription,
    ProcessDescription,
)
from tests.factories import World
from tests.fakes.wps_server import FakeWps, Reply
from tests.jobs.conftest import Drain
from tests.jobs.test_lifecycle import run

pytestmark = pytest.mark.django_db
DATA = bytes(range(256)) * 4096
FILES = ProcessDescription(
    "files",
    "Files",
    inputs=(InputDescription("message", LiteralDomain(), "Message"),),
    outputs=(OutputDescription("file", ComplexDomain((Format("application/x-netcdf"),))),),
    store_supported=True,
    status_supported=True,
)


@pytest.fixture
def world(db: None, wps: FakeWps, settings: Any, tmp_path: Path) -> World:
    settings.RESULTS_ON_THEIR_WAY = tmp_path / "copying"
    settings.STORAGES = {
        **settings.STORAGES,
        "results": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "results")},
        },
    }
    wps.add(FILES, lambda _: {"file": DATA})
    return World(url=wps.url, description=FILES)


def finished(world: World, drain: Drain) -> JobOutput:
    job = run(world)
    drain()
    job.refresh_from_db()
    assert job.state == "COMPLETED"
    return again(job)


def again(job: Job) -> JobOutput:
    output = JobOutput.objects.select_related("job__service__provider").get(job=job)
    assert output.kind == "reference"
    return output


def read(output: JobOutput, **asked: str) -> tuple[int, bytes]:
    with open_output(output, **asked) as source:
        return source.status, b"".join(source.chunks)


def policy(world: World, wanted: CopyPolicy) -> None:
    world.provider.copy_results = wanted
    world.provider.save()


def test_by_policy_every_result_is_copied_and_served_when_the_provider_is_gone(
    world: World, wps: FakeWps, drain: Drain
) -> None:
    policy(world, CopyPolicy.ALWAYS)
    output = finished(world, drain)
    assert output.copied_at
    assert output.sha256 == hashlib.sha256(DATA).hexdigest()
    assert output.size == len(DATA)
    wps.stop()
    assert read(output) == (200, DATA)
    assert read(output, range_header="bytes=10-19") == (206, DATA[10:20])
    assert read(output, range_header="bytes=-5") == (206, DATA[-5:])
    assert read(output, range_header=f"bytes={len(DATA)}-")[0] == 416
    assert read(output, range_header="bytes=0-4", if_range='"other"') == (200, DATA)
    assert "copied" in output.job.events.values_list("reason", flat=True)


def test_on_request_and_only_then_and_away_again(
    world: World, drain: Drain, django_capture_on_commit_callbacks: Any
) -> None:
    output = finished(world, drain)
    assert not output.copy
    copies.ask(actor=world.researcher, output=output)
    copies.ask(actor=world.researcher, output=output)
    drain()
    output = again(output.job)
    assert output.copy
    name = str(output.copy.name)
    assert results_storage().exists(name)
    assert output.job.events.filter(reason="copied").count() == 1
    with django_capture_on_commit_callbacks(execute=True):
        copies.remove(actor=world.researcher, output=output)
    assert not results_storage().exists(name)
    assert not again(output.job).copy
    assert read(again(output.job)) == (200, DATA)


def test_where_the_provider_does_not_want_copies_there_are_none(world: World, drain: Drain) -> None:
    policy(world, CopyPolicy.NEVER)
    output = finished(world, drain)
    with pytest.raises(Conflict):
        copies.ask(actor=world.researcher, output=output)
    assert not Due.objects.filter(kind="copy").exists()


def test_a_result_that_is_gone_is_noted_and_cannot_be_copied(
    world: World, wps: FakeWps, drain: Drain
) -> None:
    output = finished(world, drain)
    wps.reply("output", Reply(410), times=None)
    with pytest.raises(NotFound):
        read(output)
    output = again(output.job)
    assert output.gone_at
    with pytest.raises(Conflict):
        copies.ask(actor=world.researcher, output=output)


def test_gone_between_request_and_copy_is_said(world: World, wps: FakeWps, drain: Drain) -> None:
    output = finished(world, drain)
    copies.ask(actor=world.researcher, output=output)
    wps.reply("output", Reply(404), times=None)
    drain()
    assert "no longer keeps" in again(output.job).copy_error


def test_an_answer_that_breaks_off_is_gone_on_with_where_it_was(
    world: World, wps: FakeWps, drain: Drain
) -> None:
    output = finished(world, drain)
    half = len(DATA) // 2
    before = len(wps.requests("output"))
    wps.reply(
        "output",
        Reply(200, DATA[:half], {"ETag": '"a"', "Accept-Ranges": "bytes"}, cut=True),
        Reply(
            206,
            DATA[half:],
            {"ETag": '"a"', "Content-Range": f"bytes {half}-{len(DATA) - 1}/{len(DATA)}"},
        ),
    )
    copies.ask(actor=world.researcher, output=output)
    drain(ahead=86400)
    assert [r.headers.get("range") for r in wps.requests("output")[before:]] == [
        None,
        f"bytes={half}-",
    ]
    output = again(output.job)
    assert output.sha256 == hashlib.sha256(DATA).hexdigest()
    assert read(output) == (200, DATA)


@pytest.mark.parametrize("etag", ['"b"', ""])
def test_another_state_of_the_file_is_fetched_from_its_beginning(
    world: World, wps: FakeWps, drain: Drain, etag: str
) -> None:
    output = finished(world, drain)
    half = len(DATA) // 2
    wps.reply(
        "output",
        Reply(200, b"x" * half, {"ETag": '"a"'} if etag else {}, cut=True),
        Reply(206, b"y" * 10, {"ETag": etag, "Content-Range": f"bytes {half}-{half + 9}/*"})
        if etag
        else Reply(200, DATA),
    )
    copies.ask(actor=world.researcher, output=output)
    drain(ahead=86400)
    assert read(again(output.job)) == (200, DATA)


def test_what_is_larger_than_allowed_is_refused_announced_or_not(
    world: World, wps: FakeWps, drain: Drain, settings: Any
) -> None:
    output = finished(world, drain)
    settings.COPY_MOST_BYTES = 1000
    with pytest.raises(TooLarge):
        copies.ask(actor=world.researcher, output=output)
    JobOutput.objects.update(size=None)
    copies.ask(actor=world.researcher, output=output)
    wps.reply("output", Reply(200, [DATA[:900], DATA[900:]]), times=None)
    drain()
    output = again(output.job)
    assert not output.copy
    assert "larger" in output.copy_error
    assert list(Path(settings.RESULTS_ON_THEIR_WAY).iterdir()) == []


def test_the_owner_has_so_much_room_in_all(world: World, drain: Drain, settings: Any) -> None:
    settings.COPY_MOST_BYTES_OF_USER = len(DATA) + 10
    policy(world, CopyPolicy.ALWAYS)
    finished(world, drain)
    second = finished(world, drain)
    assert not second.copy
    assert "room" in second.copy_error


def test_two_copies_at_once_do_not_share_the_room_of_one(
    world: World, drain: Drain, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker is done while this one still fetches."""
    settings.COPY_MOST_BYTES_OF_USER = len(DATA) + 10
    first, second = finished(world, drain), finished(world, drain)
    put = copy_files.put

    def meanwhile(output: JobOutput, path: Path, name: str) -> str:
        JobOutput.objects.filter(pk=first.pk).update(copy="other", size=len(DATA))
        return put(output, path, name)

    monkeypatch.setattr(copy_files, "put", meanwhile)
    copies.ask(actor=world.researcher, output=second)
    drain()
    second.refresh_from_db()
    assert not second.copy
    assert "room" in second.copy_error
    assert not [one for one in (tmp_path / "results").rglob("*") if one.is_file()]


def test_a_copy_that_the_storage_lost_is_had_from_the_provider(world: World, drain: Drain) -> None:
    policy(world, CopyPolicy.ALWAYS)
    output = finished(world, drain)
    results_storage().delete(str(output.copy.name))
    assert read(output) == (200, DATA)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = pytest.importorskip("moto.server")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=18780)
    running.start()
    yield "http://127.0.0.1:18780"
    running.stop()


def test_copies_lie_in_an_s3_compatible_storage(
    world: World,
    wps: FakeWps,
    drain: Drain,
    settings: Any,
    s3: str,
    monkeypatch: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    import boto3

    from portal.settings.storage import results_storage as configured

    boto3.client(
        "s3",
        endpoint_url=s3,
        aws_access_key_id="k",
        aws_secret_access_key="s",
        region_name="eu-west-1",
    ).create_bucket(Bucket="results", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for name, value in {
        "BUCKET": "results",
        "ENDPOINT": s3,
        "ACCESS_KEY": "k",
        "SECRET_KEY": "s",
        "REGION": "eu-west-1",
        "PREFIX": "portal",
    }.items():
        monkeypatch.setenv(f"RESULTS_STORAGE_{name}", value)
    settings.STORAGES = {**settings.STORAGES, "results": configured(Path("unused"))}
    policy(world, CopyPolicy.ALWAYS)
    output = finished(world, drain)
    assert output.copy, output.copy_error
    wps.stop()
    assert read(output) == (200, DATA)
    assert read(output, range_header="bytes=100-199") == (206, DATA[100:200])
    with django_capture_on_commit_callbacks(execute=True):
        copies.remove(actor=world.researcher, output=output)
    assert not results_storage().exists(str(output.copy.name))
