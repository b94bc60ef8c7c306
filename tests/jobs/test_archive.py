"""All outputs of a job as one archive."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from typing import Any

import pytest
from django.test import Client

from common.errors import ProviderTimeout
from jobs.archive import archive
from jobs.models import JobOutput
from providers.process import ComplexValue, LiteralValue
from tests.factories import World
from tests.fakes.wps_server import FakeWps, Reply
from tests.jobs.conftest import Drain
from tests.jobs.test_copies import DATA, finished
from tests.jobs.test_copies import world as _world

world = _world
pytestmark = pytest.mark.django_db


def add(output: JobOutput, number: int, value: Any, media_type: str = "") -> None:
    output.job.outputs.create(
        number=number,
        identifier=value.identifier,
        kind=value.kind,
        media_type=media_type,
        document=asdict(value),
    )


def test_files_have_safe_names_of_their_own_and_a_manifest(world: World, drain: Drain) -> None:
    output = finished(world, drain)
    add(output, 2, ComplexValue("../../etc/passwd", "{}"), "application/json")
    add(output, 3, ComplexValue("etc/passwd", "[]"), "application/json")
    add(output, 4, ComplexValue("ETC passwd", "1"), "application/json")
    add(output, 5, LiteralValue("manifest", "42"))
    browser = Client()
    browser.force_login(world.researcher)
    answer = browser.get(f"/jobs/{output.job_id}/outputs.zip")
    assert answer["Content-Type"] == "application/zip"
    packed = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert packed.testzip() is None
    names = packed.namelist()
    assert len(names) == len({name.lower() for name in names}) == 6
    assert not any("/" in name or name.startswith(".") for name in names)
    manifest = json.loads(packed.read("manifest.json"))
    assert names[-1] == "manifest.json"
    assert manifest["inputs"] == {"message": "hello"}
    assert manifest["process"]["identifier"] == world.service.public_identifier
    assert manifest["job"]["status"] == "successful"
    assert [f["file"] for f in manifest["files"]] == names[:-1]
    assert packed.read(manifest["files"][0]["file"]) == DATA
    assert manifest["files"][0]["size"] == len(DATA)
    assert world.provider.url not in json.dumps(manifest)


def test_what_is_gone_is_missing_and_said(world: World, wps: FakeWps, drain: Drain) -> None:
    output = finished(world, drain)
    wps.reply("output", Reply(410))
    packed = zipfile.ZipFile(io.BytesIO(b"".join(archive(output.job))))
    assert packed.namelist() == ["manifest.json"]
    (told,) = json.loads(packed.read("manifest.json"))["files"]
    assert "no longer" in told["error"]


def test_what_breaks_off_breaks_the_download_off(world: World, wps: FakeWps, drain: Drain) -> None:
    output = finished(world, drain)
    wps.reply("output", Reply(200, DATA[:1000], cut=True))
    with pytest.raises(ProviderTimeout):
        list(archive(output.job))


def test_nothing_is_read_before_it_is_sent(world: World, wps: FakeWps, drain: Drain) -> None:
    output = finished(world, drain)
    before = len(wps.requests("output"))
    parts = archive(output.job)
    assert len(wps.requests("output")) == before
    sizes = [len(part) for part in parts]
    assert max(sizes) <= 300_000
