"""From a provider's files to the portal's downloads, pictures and catalogue entry."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from django.core.management import call_command
from rasterio.io import MemoryFile
from rasterio.transform import from_bounds

from catalogue_client.models import Item
from jobs.lifecycle import submit
from jobs.models import Job
from jobs.outputs import file_name, open_output
from jobs.states import State
from providers.process import BoundingBoxValue, LiteralValue
from tests.factories import NDVI, World
from tests.fakes.wps_server import FakeWps, Reply
from tests.jobs.conftest import Drain

pytestmark = pytest.mark.django_db
BOX = (11.0, 45.0, 11.5, 45.25)


def geotiff() -> bytes:
    rows = np.linspace(0, 1, 64, dtype="float32")
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            width=64,
            height=64,
            count=1,
            dtype="float32",
            crs="EPSG:4326",
            transform=from_bounds(*BOX, 64, 64),
        ) as file:
            file.write(np.tile(rows, (64, 1)), 1)
        return bytes(memory.read())


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def finish(wps: FakeWps, drain: Drain, tiff: bytes) -> Job:
    """Run the process whose `result` is this file."""
    wps.add(NDVI, lambda inputs: {"result": tiff, "mean": "0.5"})
    world = World(url=wps.url, description=NDVI)
    job = submit(
        actor=world.researcher,
        service=world.service,
        inputs=(
            LiteralValue("index", "NDVI"),
            BoundingBoxValue("area", BOX[:2], BOX[2:], "urn:ogc:def:crs:OGC:1.3:CRS84"),
        ),
        account=world.account,
        application=world.app,
        door="web",
    )
    drain()
    return Job.objects.get(pk=job.pk)


TIFF = geotiff()


@pytest.fixture
def finished(wps: FakeWps, db: None, drain: Drain) -> Job:
    return finish(wps, drain, TIFF)


def test_a_raster_is_described_pictured_and_published(finished: Job, wps: FakeWps) -> None:
    assert finished.state == State.COMPLETED
    assert finished.published_at is not None
    result = finished.outputs.get(identifier="result")
    assert result.footprint == pytest.approx(BOX)
    assert result.sha256 == hashlib.sha256(TIFF).hexdigest()
    assert result.size == len(TIFF)
    with rasterio.open(result.preview.path) as picture:
        assert picture.driver == "PNG"
    item = Item.objects.get()
    text = str(item.document)
    assert str(finished.pk) in text
    assert wps.base.removeprefix("http://") not in text
    assert (item.west, item.north) == pytest.approx((BOX[0], BOX[3]))


def test_a_download_is_streamed_in_whole_or_in_part(finished: Job) -> None:
    result = finished.outputs.get(identifier="result")
    with open_output(result) as stream:
        assert stream.status == 200
        assert b"".join(stream.chunks) == TIFF
    with open_output(result, range_header="bytes=0-3") as stream:
        assert stream.status == 206
        assert b"".join(stream.chunks) == TIFF[:4]
    assert file_name(result) == f"result-{str(finished.pk)[:8]}.tif"
    mean = finished.outputs.get(identifier="mean")
    with open_output(mean) as stream:
        assert b"".join(stream.chunks) == b"0.5"


@pytest.mark.parametrize("length", ["many", "-1", f"{len(TIFF)}, {len(TIFF)}"])
def test_a_length_that_is_no_number_is_not_passed_on(
    finished: Job, wps: FakeWps, length: str
) -> None:
    wps.reply("output", Reply(200, [TIFF], {"Content-Length": length}))
    with open_output(finished.outputs.get(identifier="result")) as stream:
        assert "content-length" not in stream.headers
        assert b"".join(stream.chunks) == TIFF


@pytest.mark.parametrize("text", ['"a\x01"', '"\xff"', "x" * 600])
def test_headers_that_no_server_would_send_on_are_left_out(
    finished: Job, wps: FakeWps, text: str
) -> None:
    wps.reply("output", Reply(200, [TIFF], {"ETag": text, "Last-Modified": "yesterday"}))
    with open_output(finished.outputs.get(identifier="result")) as stream:
        assert stream.headers.get("last-modified") == "yesterday"
        assert "etag" not in stream.headers


@pytest.mark.parametrize("body", [b"", b"II*\x00 and then nothing", b"<VRTDataset/>"])
def test_a_result_that_is_not_what_it_says_is_published_without_a_picture(
    wps: FakeWps, drain: Drain, body: bytes
) -> None:
    job = finish(wps, drain, body)
    assert job.state == State.COMPLETED
    assert job.published_at is not None
    assert not job.outputs.get(identifier="result").preview
    assert Item.objects.count() == 1


def test_a_file_that_is_gone_does_not_keep_the_entry_from_being_published(
    wps: FakeWps, drain: Drain
) -> None:
    wps.reply("output", Reply(404, b"expired"), times=None)
    job = finish(wps, drain, TIFF)
    assert job.published_at is not None
    assert Item.objects.count() == 1


def test_a_provider_that_stumbles_is_asked_again(wps: FakeWps, drain: Drain) -> None:
    wps.reply("output", Reply(503, b"busy"), times=2)
    job = finish(wps, drain, TIFF)
    assert job.outputs.get(identifier="result").preview


def test_the_command_publishes_what_was_not_and_what_it_is_told_to(
    finished: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: str) -> str:
        call_command("publish_results", *arguments)
        return capsys.readouterr().out.splitlines()[-1]

    assert said() == "0 published, 0 failed"
    Job.objects.update(published_at=None)
    Item.objects.all().delete()
    assert said(str(finished.pk)) == "1 published, 0 failed"
    assert Item.objects.get().job_id == finished.pk
    assert said("--again") == "1 published, 0 failed"
    assert Item.objects.count() == 1
