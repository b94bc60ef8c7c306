"""pygeoapi as a provider: the real server, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import ProviderError, ProviderRefused
from providers.detect import look
from providers.drivers.ogcapi import OgcApiDriver
from providers.ports import Endpoint, RemoteState, RemoteStatus
from providers.process import ExecuteRequest, LiteralValue, ProcessDescription
from tests.stack import free_port

pytest.importorskip("pygeoapi")
pytest.importorskip("waitress")

DRIVER = OgcApiDriver()
CONFIG = """
server:
  bind: {{host: 127.0.0.1, port: {port}}}
  url: http://127.0.0.1:{port}
  mimetype: application/json; charset=UTF-8
  encoding: utf-8
  languages: [en-US]
  pretty_print: false
  limits: {{default_items: 1000, max_items: 1000}}
  map: {{url: "https://tile.example.org/x.png", attribution: none}}
  manager: {{name: TinyDB, connection: {folder}/jobs.db, output_dir: {folder}}}
logging: {{level: CRITICAL}}
metadata:
  identification:
    {{title: Centre G, description: d, keywords: [a], keywords_type: theme,
      terms_of_service: none, url: "https://example.org"}}
  license: {{name: none, url: "https://example.org"}}
  provider: {{name: G, url: "https://example.org"}}
  contact:
    {{name: G, position: p, address: a, city: c, stateorprovince: s, postalcode: "1", country: c,
      phone: "1", fax: "1", email: a@example.org, url: "https://example.org", hours: h,
      instructions: i, role: pointOfContact}}
resources:
  hello-world: {{type: process, processor: {{name: HelloWorld}}}}
  echo: {{type: process, processor: {{name: Echo}}}}
"""
SERVE = """
import os, sys
from pathlib import Path
from pygeoapi.openapi import generate_openapi_document
config = Path(os.environ["PYGEOAPI_CONFIG"])
document = generate_openapi_document(config, "json")
Path(os.environ["PYGEOAPI_OPENAPI"]).write_text(document)
from waitress import serve
from pygeoapi.flask_app import APP
serve(APP, host="127.0.0.1", port=int(sys.argv[1]), threads=4)
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pygeoapi")
    port = free_port()
    config = folder / "config.yml"
    config.write_text(CONFIG.format(port=port, folder=folder))
    files = {"PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(folder / "openapi.json")}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(port)],
            env={**os.environ, **files},
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}", folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(base: str, log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            DRIVER.capabilities(Endpoint(base))
        except ProviderError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(log.read_text())


def _described(base: str, name: str) -> ProcessDescription:
    return DRIVER.describe(Endpoint(base), [name]).found[name]


def _followed(base: str, status: RemoteStatus) -> RemoteStatus:
    for _ in range(100):
        if not status.handle:
            return status
        time.sleep(0.1)
        status = DRIVER.status(Endpoint(base), status.handle)
    raise AssertionError(status)


HELLO = ExecuteRequest("hello-world", (LiteralValue("name", "Žofie"),))


@pytest.mark.parametrize("form", ["", "/", "/processes?f=html", "/processes/echo", "/conformance"])
def test_it_is_found_in_any_form(base: str, form: str) -> None:
    found = look(f"{base}{form}")
    assert (found.protocol, found.url) == ("ogcapi-processes", base)
    assert (found.title, found.processes) == ("Centre G", 2)


def test_what_it_offers(base: str) -> None:
    answered = DRIVER.describe(Endpoint(base), ["hello-world", "echo", "nothing"])
    assert set(answered.found) == {"hello-world", "echo"}
    assert answered.problems == {"nothing": "Identifier not found"}
    hello = answered.found["hello-world"]
    assert [(one.identifier, one.min_occurs) for one in hello.inputs] == [
        ("name", 1),
        ("message", 0),
    ]
    assert hello.status_supported
    assert hello.sync_supported


def test_a_run_is_followed_to_its_end(base: str) -> None:
    first = DRIVER.submit(Endpoint(base), _described(base, "hello-world"), HELLO, "job-1")
    assert first.state in (RemoteState.ACCEPTED, RemoteState.RUNNING)
    assert first.remote_id
    last = _followed(base, first)
    assert last.state == RemoteState.SUCCEEDED
    assert [one.value for one in last.outputs] == [LiteralValue("echo", "Hello Žofie!")]


def test_a_run_is_waited_for(base: str) -> None:
    process = replace(_described(base, "hello-world"), status_supported=False)
    done = DRIVER.submit(Endpoint(base), process, HELLO, "job-2")
    assert (done.state, done.handle) == (RemoteState.SUCCEEDED, "")
    assert [one.value for one in done.outputs] == [LiteralValue("echo", "Hello Žofie!")]


def test_a_run_that_fails(base: str) -> None:
    process = _described(base, "hello-world")
    asked = ExecuteRequest("hello-world")
    last = _followed(base, DRIVER.submit(Endpoint(base), process, asked, "job-3"))
    assert last.state == RemoteState.FAILED
    assert "without a name" in last.error
    with pytest.raises(ProviderRefused, match="without a name"):
        DRIVER.submit(Endpoint(base), replace(process, status_supported=False), asked, "job-4")


def test_a_run_is_dismissed(base: str) -> None:
    asked = ExecuteRequest("echo", (LiteralValue("echoInput", "x"), LiteralValue("pause", "5.5")))
    first = DRIVER.submit(Endpoint(base), _described(base, "echo"), asked, "job-5")
    assert DRIVER.dismiss(Endpoint(base), first.handle) is True
    with pytest.raises(ProviderRefused) as caught:
        DRIVER.status(Endpoint(base), first.handle)
    assert caught.value.data["http_status"] == 404
    assert DRIVER.dismiss(Endpoint(base), first.handle) is False
