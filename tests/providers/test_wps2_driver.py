"""The WPS 2.0 driver: what it sends, how it follows a job, what becomes of everything else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from lxml import etree

from common.errors import (
    ProviderError,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
)
from providers.drivers.wps2 import Wps2Driver
from providers.drivers.wps2.describe import parse_descriptions
from providers.drivers.wps2.execute import execute_document
from providers.drivers.wps2.status import parse_answer
from providers.ports import Endpoint, RemoteState
from providers.process import (
    BoundingBoxValue,
    ComplexDomain,
    ComplexValue,
    ExecuteRequest,
    Format,
    InputDescription,
    LiteralDomain,
    LiteralValue,
    OutputDescription,
    OutputRequest,
    ProcessDescription,
    ReferenceValue,
)
from tests.fakes.http_server import Reply
from tests.fakes.wps2_server import NAMES, FakeWps2, refusal, xml
from tests.providers.documents import HERE
from tests.wps_proxy.schemas import valid

DRIVER = Wps2Driver()
ECHO = ProcessDescription(
    "echo",
    inputs=(InputDescription("message", LiteralDomain()),),
    outputs=(OutputDescription("message", LiteralDomain()),),
    status_supported=True,
)
HELLO = ExecuteRequest("echo", (LiteralValue("message", "hello"),))


@pytest.fixture
def server() -> Iterator[FakeWps2]:
    with FakeWps2() as server:
        yield server


# --- requests -----------------------------------------------------------------------------------

FILE = OutputDescription("map", ComplexDomain((Format("image/tiff"), Format("image/png"))))
EVERYTHING = ExecuteRequest(
    "urn:x:process/1",
    (
        LiteralValue("n", "1 & 2", "xs:integer", "m"),
        LiteralValue("n", "2"),
        ComplexValue("doc", '<a xmlns="urn:a">ä</a>', "application/xml"),
        ComplexValue("json", '{"a": "<&"}', "application/json"),
        ComplexValue("png", "iVBORw0KGgo=", "image/png", "base64"),
        ReferenceValue("scene", "https://data.example.net/a.tif?x=1&y=2", "image/tiff"),
        BoundingBoxValue("aoi", (11.0, 45.0), (12.5, 46.0), "urn:ogc:def:crs:OGC:1.3:CRS84"),
    ),
    (OutputRequest("map", format=Format("image/png")), OutputRequest("area")),
)


@pytest.mark.parametrize("store", [True, False])
@pytest.mark.parametrize("asynchronous", [True, False])
def test_requests_are_valid(store: bool, asynchronous: bool) -> None:
    area = OutputDescription("area", LiteralDomain("double"))
    process = ProcessDescription(
        "p", outputs=(FILE, area), store_supported=store, status_supported=asynchronous
    )
    document = execute_document(process, EVERYTHING)
    valid(document)
    root = etree.fromstring(document)
    assert root.get("mode") == ("async" if asynchronous else "sync")
    chosen = [(one.get("id"), one.get("transmission")) for one in root.findall("{*}Output")]
    assert chosen == [("map", "reference" if store else "value"), ("area", "value")]
    assert root.findall("{*}Output")[0].get("mimeType") == "image/png"
    values = [one.get("id") for one in root.findall("{*}Input")]
    assert values == ["n", "n", "doc", "json", "png", "scene", "aoi"]


def test_all_outputs_are_wanted_when_none_is_named() -> None:
    process = ProcessDescription("p", outputs=(FILE, OutputDescription("area", LiteralDomain())))
    root = etree.fromstring(execute_document(process, ExecuteRequest("p")))
    assert [one.get("id") for one in root.findall("{*}Output")] == ["map", "area"]


# --- a job --------------------------------------------------------------------------------------


def test_a_job_is_asked_for_at_the_endpoint(server: FakeWps2) -> None:
    here = Endpoint(f"{server.url}?map=a.map")
    first = DRIVER.submit(here, ECHO, HELLO, "ref")
    assert (first.state, first.handle, first.remote_id) == (RemoteState.ACCEPTED, "job-1", "job-1")
    going = DRIVER.status(here, first.handle)
    assert (going.state, going.percent) == (RemoteState.RUNNING, 50)
    asked = server.requests("GetStatus")[0]
    assert asked.query["map"] == "a.map"
    done = DRIVER.status(here, first.handle)
    assert done.state == RemoteState.SUCCEEDED
    assert [one.value for one in done.outputs] == [LiteralValue("message", "hello")]


def test_its_times_are_honoured(server: FakeWps2) -> None:
    server.extra = (
        "<wps:ExpirationDate>2026-03-09T10:15:00Z</wps:ExpirationDate>"
        "<wps:EstimatedCompletion>2026-03-02T12:00:00Z</wps:EstimatedCompletion>"
        "<wps:NextPoll>2026-03-02T10:16:00</wps:NextPoll>"
    )
    here = Endpoint(server.url)
    handle = DRIVER.submit(here, ECHO, HELLO, "ref").handle
    status = DRIVER.status(here, handle)
    assert status.next_poll == datetime(2026, 3, 2, 10, 16, tzinfo=UTC)
    assert status.expires_at == datetime(2026, 3, 9, 10, 15, tzinfo=UTC)
    assert DRIVER.status(here, handle).expires_at == status.expires_at


@pytest.mark.parametrize(
    "said", ["soon", "0000-00-00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "P1D"]
)
def test_a_time_that_is_none(said: str) -> None:
    document = (
        f"<wps:StatusInfo {NAMES}><wps:JobID>1</wps:JobID><wps:Status>Running</wps:Status>"
        f"<wps:ExpirationDate>{said}</wps:ExpirationDate><wps:NextPoll>{said}</wps:NextPoll>"
        "</wps:StatusInfo>"
    )
    status = parse_answer(document.encode(), HERE)
    assert (status.next_poll, status.expires_at) == (None, None)


def test_an_end_at_once_is_asked_for_afterwards(server: FakeWps2) -> None:
    """So that nothing can go wrong between the run and its result."""
    here = Endpoint(server.url)
    ended = (
        f"<wps:StatusInfo {NAMES}><wps:JobID>job-9</wps:JobID><wps:Status>Succeeded</wps:Status>"
    )
    server.reply("Execute", xml(f"{ended}</wps:StatusInfo>"))
    status = DRIVER.submit(here, ECHO, HELLO, "ref")
    assert (status.state, status.word) == (RemoteState.RUNNING, "Succeeded")
    assert len(server.received) == 1


def test_a_process_that_cannot_be_followed(server: FakeWps2) -> None:
    process = replace(ECHO, status_supported=False)
    done = DRIVER.submit(Endpoint(server.url), process, HELLO, "ref")
    assert (done.state, done.handle) == (RemoteState.SUCCEEDED, "")
    assert [one.value for one in done.outputs] == [LiteralValue("message", "hello")]


def test_why_it_failed_stands_in_place_of_the_result(server: FakeWps2) -> None:
    here = Endpoint(server.url)
    server.failure = f"No scene at {server.base}/x"
    handle = DRIVER.submit(here, ECHO, HELLO, "ref").handle
    DRIVER.status(here, handle)
    failed = DRIVER.status(here, handle)
    assert (failed.state, failed.handle) == (RemoteState.FAILED, "")
    assert failed.error == "No scene at …"
    server.reply("GetResult", Reply(500, b"Traceback"))
    assert DRIVER.status(here, handle).error == "The provider says only that the job failed."


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (refusal("ResultNotReady", "wait"), RemoteState.RUNNING),
        (refusal("NoSuchJob", "gone"), ProviderRefused),
        (Reply(503, b""), ProviderUnreachable),
        (xml("<wps:Cap/>".replace("wps:", "")), ProviderNonsense),
        (xml(f"<wps:StatusInfo {NAMES}><wps:Status>Running</wps:Status></wps:StatusInfo>"),
         ProviderNonsense),
    ],
)  # fmt: skip
def test_a_result_that_is_not_there(
    server: FakeWps2, reply: Reply, outcome: RemoteState | type[ProviderError]
) -> None:
    here = Endpoint(server.url)
    handle = DRIVER.submit(here, ECHO, HELLO, "ref").handle
    DRIVER.status(here, handle)
    server.reply("GetResult", reply)
    if isinstance(outcome, RemoteState):
        assert DRIVER.status(here, handle).state == outcome
    else:
        with pytest.raises(outcome):
            DRIVER.status(here, handle)
    assert DRIVER.status(here, handle).state == RemoteState.SUCCEEDED  # nothing is lost


def test_dismiss(server: FakeWps2) -> None:
    here = Endpoint(server.url)
    handle = DRIVER.submit(here, ECHO, HELLO, "ref").handle
    server.reply("Dismiss", refusal("OperationNotSupported", "no", status=501))
    assert DRIVER.dismiss(here, handle) is False
    assert DRIVER.dismiss(here, handle) is True
    assert DRIVER.status(here, handle).state == RemoteState.DISMISSED
    assert DRIVER.dismiss(here, "never heard of") is False


@pytest.mark.parametrize(
    ("reply", "error", "retryable"),
    [
        (refusal("NoSuchInput", "bad", "n"), ProviderRefused, False),
        (refusal("ServerBusy", "full", status=200), ProviderRefused, True),
        (Reply(429, b"slow"), ProviderRefused, True),
        (Reply(404, b"no"), ProviderRefused, False),
        (Reply(502, b"<html>"), ProviderTimeout, None),
        (Reply(hang_up=True), ProviderTimeout, None),
        (Reply(200, b"<wps:Res", cut=True), ProviderTimeout, None),
        (Reply(200, b"PNG"), ProviderNonsense, None),
        (xml(f"<wps:StatusInfo {NAMES}><wps:Status>Accepted</wps:Status></wps:StatusInfo>"),
         ProviderNonsense, None),
        (xml(f"<wps:StatusInfo {NAMES}><wps:JobID>1</wps:JobID></wps:StatusInfo>"),
         ProviderNonsense, None),
    ],
)  # fmt: skip
def test_what_may_have_happened(
    server: FakeWps2, reply: Reply, error: type[ProviderError], retryable: bool | None
) -> None:
    server.reply("Execute", reply)
    with pytest.raises(ProviderError) as caught:
        DRIVER.submit(Endpoint(server.url), ECHO, HELLO, "ref")
    assert isinstance(caught.value, error)
    assert caught.value.data.get("retryable") is retryable
    assert len(server.received) == 1


# --- descriptions -------------------------------------------------------------------------------


def _offering(inside: str) -> bytes:
    return (
        f"<wps:ProcessOfferings {NAMES}><wps:ProcessOffering jobControlOptions='async-execute'>"
        f"<wps:Process><ows:Title>P</ows:Title><ows:Identifier>p</ows:Identifier>{inside}"
        "</wps:Process></wps:ProcessOffering></wps:ProcessOfferings>"
    ).encode()


@pytest.mark.parametrize("kind", ["Input", "Output"])
def test_inputs_inside_inputs_are_a_problem_in_words(kind: str) -> None:
    inner = f"<wps:{kind}><ows:Identifier>b</ows:Identifier></wps:{kind}>"
    nested = f"<wps:{kind}><ows:Identifier>a</ows:Identifier>{inner}</wps:{kind}>"
    answered = parse_descriptions(_offering(nested), HERE)
    assert not answered.found
    assert answered.problems == {
        "p": "“a” has inputs or outputs inside it, which the portal cannot offer."
    }


@pytest.mark.parametrize("name", ["LiteralDataDomain", "wps:LiteralDataDomain"])
def test_of_several_domains_all_count_and_the_default_one_comes_first(name: str) -> None:
    domains = (
        f"<{name}><ows:AnyValue/><ows:DataType>string</ows:DataType></{name}>"
        f"<{name} default='true'><ows:AllowedValues><ows:Value>1</ows:Value></ows:AllowedValues>"
        f"<ows:DataType>integer</ows:DataType><ows:UOM>m</ows:UOM></{name}>"
        f"<{name}><ows:AllowedValues><ows:Value>1</ows:Value></ows:AllowedValues>"
        f"<ows:DataType>integer</ows:DataType><ows:UOM>km</ows:UOM></{name}>"
    )
    document = _offering(
        "<wps:Input><ows:Identifier>i</ows:Identifier>"
        f"<wps:LiteralData>{domains}</wps:LiteralData></wps:Input>"
    )
    answered = parse_descriptions(document, HERE)
    (one,) = answered.found["p"].inputs
    assert one.domain == LiteralDomain(
        "integer", ("1",), uoms=("m", "km"), alternatives=(LiteralDomain(),)
    )
    assert not answered.warnings
    process = answered.found["p"]
    assert (process.status_supported, process.sync_supported) == (True, False)
    assert ProcessDescription.from_json(json.loads(json.dumps(process.to_json()))) == process
