"""The driver for OGC API – Processes: what it sends, how it follows a job, what schemas mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from common.clock import now
from common.errors import (
    ProviderError,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
)
from providers.drivers.ogcapi import OgcApiDriver
from providers.drivers.ogcapi.execute import crs_url, execute_document
from providers.ports import Endpoint, RemoteState
from providers.process import (
    BoundingBoxDomain,
    BoundingBoxValue,
    ComplexDomain,
    ComplexValue,
    ExecuteRequest,
    Format,
    InputDescription,
    InputValue,
    LiteralDomain,
    LiteralValue,
    OutputDescription,
    OutputRequest,
    ProcessDescription,
    ReferenceValue,
)
from tests.fakes.http_server import Reply
from tests.fakes.ogcapi_server import FakeOgcApi, answer, problem

DRIVER = OgcApiDriver()
ECHO = ProcessDescription(
    "echo",
    inputs=(InputDescription("message", LiteralDomain()),),
    outputs=(OutputDescription("message", LiteralDomain()),),
    status_supported=True,
)
HELLO = ExecuteRequest("echo", (LiteralValue("message", "hello"),))
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


@pytest.fixture
def server() -> Iterator[FakeOgcApi]:
    with FakeOgcApi() as server:
        yield server


# --- requests -----------------------------------------------------------------------------------

INPUTS = (
    InputDescription("n", LiteralDomain("integer"), max_occurs=None),
    InputDescription("x", LiteralDomain("double")),
    InputDescription("yes", LiteralDomain("boolean")),
    InputDescription("day", LiteralDomain("date")),
    InputDescription("doc", ComplexDomain((Format("application/json"),))),
    InputDescription("aoi", BoundingBoxDomain((CRS84,))),
)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([LiteralValue("n", "7")], {"n": [7]}),
        ([LiteralValue("n", "7"), LiteralValue("n", "-8")], {"n": [7, -8]}),
        ([LiteralValue("n", "seven")], {"n": ["seven"]}),
        ([LiteralValue("x", "1.50")], {"x": 1.5}),
        ([LiteralValue("x", "3")], {"x": 3}),
        ([LiteralValue("x", "1e999")], {"x": "1e999"}),
        ([LiteralValue("x", "2", uom="m")], {"x": {"value": 2, "uom": "m"}}),
        ([LiteralValue("yes", "TRUE")], {"yes": True}),
        ([LiteralValue("yes", "0")], {"yes": False}),
        ([LiteralValue("day", "2026-03-02")], {"day": "2026-03-02"}),
        ([LiteralValue("other", "1", "xs:integer")], {"other": 1}),
        ([ComplexValue("doc", '{"a": [1, null]}', "application/json")],
         {"doc": {"value": {"a": [1, None]}, "mediaType": "application/json"}}),
        ([ComplexValue("doc", "<a/>", "application/xml", "", "urn:s")],
         {"doc": {"value": "<a/>", "mediaType": "application/xml", "schema": "urn:s"}}),
        ([ComplexValue("doc", "iVBO", "image/png", "base64")],
         {"doc": {"value": "iVBO", "mediaType": "image/png", "encoding": "base64"}}),
        ([ReferenceValue("doc", "https://d.example/a", "image/png")],
         {"doc": {"href": "https://d.example/a", "type": "image/png"}}),
        ([BoundingBoxValue("aoi", (11.0, 45.0), (12.0, 46.0))],
         {"aoi": {"bbox": [11.0, 45.0, 12.0, 46.0], "crs": CRS84}}),
    ],
)  # fmt: skip
def test_values_in_json(values: list[InputValue], said: dict[str, Any]) -> None:
    process = ProcessDescription("p", inputs=INPUTS)
    body = json.loads(execute_document(process, ExecuteRequest("p", tuple(values))))
    assert body == {"inputs": said, "response": "document"}


@pytest.mark.parametrize(
    ("crs", "url"),
    [
        ("", CRS84),
        ("EPSG:4326", CRS84),  # longitude first, as the short form means
        ("urn:ogc:def:crs:OGC:1.3:CRS84", CRS84),
        ("urn:ogc:def:crs:EPSG::4326", "http://www.opengis.net/def/crs/EPSG/0/4326"),
        ("urn:ogc:def:crs:EPSG:6.6:4326", "http://www.opengis.net/def/crs/EPSG/6.6/4326"),
        ("EPSG:3857", "http://www.opengis.net/def/crs/EPSG/0/3857"),
        ("http://www.opengis.net/def/crs/EPSG/0/25832",) * 2,
    ],
)
def test_systems_of_coordinates(crs: str, url: str) -> None:
    assert crs_url(crs) == url


@pytest.mark.parametrize(("store", "mode"), [(True, "reference"), (False, "value")])
def test_files_by_reference_where_the_process_can(store: bool, mode: str) -> None:
    outputs = (OutputDescription("map", ComplexDomain((Format("image/tiff"),))),)
    process = ProcessDescription("p", outputs=outputs, store_supported=store)
    wanted = ExecuteRequest("p", (), (OutputRequest("map", format=Format("image/png")),))
    assert json.loads(execute_document(process, wanted))["outputs"] == {
        "map": {"transmissionMode": mode, "format": {"mediaType": "image/png"}}
    }
    assert json.loads(execute_document(process, ExecuteRequest("p")))["outputs"] == {
        "map": {"transmissionMode": mode}
    }


def test_any_identifier_is_one_part_of_the_path(server: FakeOgcApi) -> None:
    name = "urn:x/y z?#é%2F"
    DRIVER.describe(Endpoint(server.url), [name])
    assert server.received[-1].target.endswith("/processes/urn%3Ax%2Fy%20z%3F%23%C3%A9%252F")


# --- the list -----------------------------------------------------------------------------------


def test_all_pages_of_the_list(server: FakeOgcApi) -> None:
    def page(names: list[str], to: str) -> Reply:
        links = [{"rel": "next", "href": to}] if to else []
        return answer({"processes": [{"id": one} for one in names], "links": links})

    server.reply("processes", page(["a", "b"], "/api/v1/processes?page=2"))
    server.reply("processes", page(["c"], f"{server.url}/processes?page=3"))
    server.reply("processes", page(["d"], "http://169.254.169.254/processes?page=4"))
    info = DRIVER.capabilities(Endpoint(server.url))
    assert [one.identifier for one in info.processes] == ["a", "b", "c", "d"]


def test_pages_in_a_circle(server: FakeOgcApi) -> None:
    again = {"processes": [{"id": "a"}], "links": [{"rel": "next", "href": "?limit=1000"}]}
    server.reply("processes", answer(again), times=None)
    assert len(DRIVER.capabilities(Endpoint(server.url)).processes) == 1


def test_a_server_that_wants_no_limit(server: FakeOgcApi) -> None:
    server.reply("processes", problem("invalid-query-parameter-value", "limit", 400))
    assert len(DRIVER.capabilities(Endpoint(server.url)).processes) == 1


def test_a_list_that_may_be_cut_is_told(server: FakeOgcApi) -> None:
    ten = [*({"id": f"p{n}"} for n in range(10)), {"id": ""}]
    server.reply("processes", answer({"processes": ten}))
    info = DRIVER.capabilities(Endpoint(server.url))
    assert len(info.warnings) == 2
    assert "max_items" in info.warnings[1]


# --- a job --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "handle"),
    [
        (Reply(201, b"null", {"Location": "{base}/api/v1/jobs/j-1?f=json"}),
         "{base}/api/v1/jobs/j-1?f=json#message"),
        (Reply(201, b"", {"Location": "/api/v1/jobs/j-1"}), "{base}/api/v1/jobs/j-1#message"),
        (Reply(200, b"null", {"Location": "{base}/jobs/j-1"}), "{base}/jobs/j-1#message"),
        (answer({"jobID": "j-1", "status": "accepted"}, 201), "{base}/api/v1/jobs/j-1#message"),
        (answer({"id": "j-1", "type": "process", "status": "accepted"}, 201),
         "{base}/api/v1/jobs/j-1#message"),
        (answer({"jobID": "j-1", "status": "running"}), "{base}/api/v1/jobs/j-1#message"),
        # An address of the server's inner network: it is asked at the registered one.
        (Reply(201, b"{}", {"Location": "http://10.0.0.5:5000/jobs/j-1"}),
         "{base}/api/v1/jobs/j-1#message"),
        (Reply(201, b'{"links": [{"rel": "monitor", "href": "/api/v1/jobs/j-1"}]}'),
         "{base}/api/v1/jobs/j-1#message"),
    ],
)  # fmt: skip
def test_where_a_job_can_be_asked_for(server: FakeOgcApi, reply: Reply, handle: str) -> None:
    headers = {name: value.format(base=server.base) for name, value in reply.headers.items()}
    server.reply("Execute", replace(reply, headers=headers))
    status = DRIVER.submit(Endpoint(server.url), ECHO, HELLO, "ref")
    assert status.handle == handle.format(base=server.base)
    assert status.remote_id == "j-1"
    assert status.state in (RemoteState.ACCEPTED, RemoteState.RUNNING)
    assert server.executes[0].headers["prefer"] == "respond-async"


def test_a_job_from_beginning_to_end(server: FakeOgcApi) -> None:
    here = Endpoint(server.url)
    handle = DRIVER.submit(here, ECHO, HELLO, "ref").handle
    going = DRIVER.status(here, handle)
    assert (going.state, going.percent, going.word) == (RemoteState.RUNNING, 50, "running")
    server.reply("results", problem("result-not-ready", "wait", 404))
    assert DRIVER.status(here, handle).state == RemoteState.RUNNING
    done = DRIVER.status(here, handle)
    assert [one.value for one in done.outputs] == [LiteralValue("message", "hello")]


def test_the_providers_wish_for_the_next_question(server: FakeOgcApi) -> None:
    here = Endpoint(server.url)
    handle = DRIVER.submit(here, ECHO, HELLO, "ref").handle
    said = answer({"jobID": "job-1", "status": "running"})
    server.reply("status", replace(said, headers={**said.headers, "Retry-After": "30"}))
    wished = DRIVER.status(here, handle).next_poll
    assert wished is not None
    assert 25 < (wished - now()).total_seconds() <= 30


def test_why_it_failed(server: FakeOgcApi) -> None:
    here = Endpoint(server.url)
    server.failure = f"No scene at {server.base}/x"
    handle = DRIVER.submit(here, ECHO, HELLO, "ref").handle
    DRIVER.status(here, handle)
    assert DRIVER.status(here, handle).error == "No scene at …"
    inside = {"jobID": "j", "status": "failed", "exception": {"title": "Out of memory"}}
    server.reply("status", answer(inside))
    assert DRIVER.status(here, handle).error == "Out of memory"
    server.reply("results", Reply(500, b"Traceback"))
    assert DRIVER.status(here, handle).error == "The provider says only that the job failed."


def test_dismiss(server: FakeOgcApi) -> None:
    here = Endpoint(server.url)
    handle = DRIVER.submit(here, ECHO, HELLO, "ref").handle
    for reply in (Reply(405, b""), Reply(403, b""), problem("no-such-job", "", 404)):
        server.reply("dismiss", reply)
        assert DRIVER.dismiss(here, handle) is False
    server.reply("dismiss", answer({"jobID": "1", "type": "process", "status": "running"}))
    assert DRIVER.dismiss(here, handle) is False
    assert DRIVER.dismiss(here, handle) is True
    server.reply("dismiss", Reply(204, b""))
    assert DRIVER.dismiss(here, handle) is True


@pytest.mark.parametrize(
    ("reply", "error", "retryable"),
    [
        (problem("no", "bad", 400), ProviderRefused, False),
        (answer({"code": "Full", "description": "later"}, 503), ProviderRefused, True),
        (Reply(429, b"slow"), ProviderRefused, True),
        (Reply(404, b"no"), ProviderRefused, False),
        (Reply(500, b"Traceback"), ProviderRefused, False),
        (Reply(502, b"<html>"), ProviderTimeout, None),
        (Reply(hang_up=True), ProviderTimeout, None),
        (Reply(200, b'{"a"', cut=True), ProviderTimeout, None),
        (Reply(201, b""), ProviderNonsense, None),
        (Reply(200, b"null"), ProviderNonsense, None),
        (Reply(201, b"{}", {"Location": "http://169.254.169.254/x"}), ProviderNonsense, None),
    ],
)
def test_what_may_have_happened(
    server: FakeOgcApi, reply: Reply, error: type[ProviderError], retryable: bool | None
) -> None:
    server.reply("Execute", reply)
    with pytest.raises(ProviderError) as caught:
        DRIVER.submit(Endpoint(server.url), ECHO, HELLO, "ref")
    assert isinstance(caught.value, error)
    assert caught.value.data.get("retryable") is retryable
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(404, b"gone"), ProviderRefused),
        (Reply(410, b"gone"), ProviderRefused),
        (Reply(503, b""), ProviderUnreachable),
        (Reply(200, b"<html>"), ProviderNonsense),
        (answer({"jobID": "1"}), ProviderNonsense),
    ],
)
def test_a_status_that_is_none(
    server: FakeOgcApi, reply: Reply, error: type[ProviderError]
) -> None:
    here = Endpoint(server.url)
    handle = DRIVER.submit(here, ECHO, HELLO, "ref").handle
    server.reply("status", reply)
    with pytest.raises(error):
        DRIVER.status(here, handle)
