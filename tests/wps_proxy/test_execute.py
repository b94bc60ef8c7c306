"""Execute through the door: the forms of its answers, its inputs, and who pays."""

from __future__ import annotations

import base64
from threading import BoundedSemaphore
from typing import Any

import pytest

from accounting.accounts import user_account
from accounting.check import findings
from common.xml import parse as parse_xml
from jobs.models import Job
from jobs.states import State
from providers.process import (
    ExecuteRequest,
    LiteralValue,
    OutputRequest,
)
from tests.factories import CREDIT, World, give_credit
from tests.fakes.wps_server import FakeWps, Reply
from tests.wps_proxy.conftest import (
    GEOJSON,
    GML,
    TIFF,
    Door,
    MakeDoor,
    only_job,
    refusal,
    texts,
    work,
)
from tests.wps_proxy.writing import to_query, to_xml
from wps_proxy import execute
from wps_proxy.wps1.requests import Execute, ResponseForm

FAST = (LiteralValue("mode", "fast"),)
WPS = "{http://www.opengis.net/wps/1.0.0}"
ASYNC = {"storeExecuteResponse": "true", "status": "true"}


def state_of(response: Any) -> str:
    status = response.xml.find(f"{WPS}Status")
    return str(status[0].tag).removeprefix(WPS)


def outputs_of(response: Any) -> dict[str, Any]:
    """The element in each output that holds or names its value."""
    found = {}
    for output in response.xml.iterfind(f"{WPS}ProcessOutputs/{WPS}Output"):
        last = output[-1]
        found[output[0].text] = last if last.tag == f"{WPS}Reference" else last[0]
    return found


def path_of(address: str) -> str:
    assert address.startswith("http://testserver/")
    return address.removeprefix("http://testserver")


def wanted(
    door: Door,
    *,
    inputs: tuple[Any, ...] = FAST,
    outputs: tuple[OutputRequest, ...] = (),
    form: ResponseForm | None = None,
) -> Execute:
    request = ExecuteRequest(door.identifier, inputs, outputs)
    return Execute(request, form or ResponseForm())


# --- the forms of the answer -----------------------------------------------------------------


@pytest.mark.usefixtures("working")
def test_synchronous_with_everything_by_value(door: Door, wps: FakeWps) -> None:
    """Small files by value: XML as an element, text as text, the rest as base64."""
    response = door.execute(language="en-GB")
    assert state_of(response) == "ProcessSucceeded"
    assert response.xml.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
    assert "statusLocation" not in response.xml.attrib
    assert response.xml.get("serviceInstance").startswith("http://testserver/wps?")
    found = outputs_of(response)
    assert found["mean"].text == "41.7"
    assert base64.b64decode(found["change"].text) == TIFF
    assert found["change"].attrib == {"mimeType": "image/tiff", "encoding": "base64"}
    assert found["zones"].text.encode() == GEOJSON
    assert found["shape"][0].tag == "{urn:g}Point"
    assert len(wps.executes) == 1
    assert findings() == []


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(("store", "status"), [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("lineage", [False, True])
@pytest.mark.parametrize("encoding", ["xml", "kvp"])
def test_store_status_and_lineage(
    door: Door, store: bool, status: bool, lineage: bool, encoding: str
) -> None:
    """05-007r7 §10.2.1, table 50."""
    request = wanted(
        door,
        inputs=(LiteralValue("depth", "7", "xs:double", "%"), *FAST),
        outputs=(OutputRequest("mean"), OutputRequest("change", as_reference=True)),
        form=ResponseForm(store=store, status=status, lineage=lineage),
    )
    if encoding == "xml":
        response = door.post(to_xml(request))
    else:
        response = door.raw_get(f"/wps?{to_query(request)}")
    assert state_of(response) == ("ProcessAccepted" if status else "ProcessSucceeded")
    assert ("statusLocation" in response.xml.attrib) is store
    if store:
        work()
        response = door.raw_get(path_of(response.xml.get("statusLocation")))
        assert state_of(response) == "ProcessSucceeded"
    found = outputs_of(response)
    assert list(found) == ["mean", "change"]
    assert found["change"].tag == f"{WPS}Reference"
    assert (response.xml.find(f"{WPS}DataInputs") is not None) is lineage
    assert (response.xml.find(f"{WPS}OutputDefinitions") is not None) is lineage
    if lineage:
        told = response.xml.find(f"{WPS}DataInputs")
        assert texts(told, "Identifier") == ["depth", "mode"]
        assert texts(told, "LiteralData") == ["7", "fast"]
        assert told.find(f".//{WPS}LiteralData").get("uom") == "%25"  # an xs:anyURI
    assert door.raw_get(path_of(found["change"].get("href"))).body == TIFF


def test_status_without_store_is_contradictory(door: Door) -> None:
    assert refusal(door.execute(status="true")) == (400, "InvalidParameterValue", "status")
    assert not Job.objects.exists()


def test_asynchronous_from_accepted_to_the_end(door: Door, wps: FakeWps, world: World) -> None:
    wps.polls, wps.hold = 1, True
    response = door.execute(**ASYNC)
    assert state_of(response) == "ProcessAccepted"
    assert wps.executes == []  # nothing is called in the request
    status = path_of(response.xml.get("statusLocation"))
    assert status == f"/wps/jobs/{only_job().pk}/status.xml"
    work(most=1)
    assert state_of(door.raw_get(status)) == "ProcessAccepted"
    (remote,) = wps.jobs.values()
    remote.state, remote.percent, remote.message = "started", 100, f"at {wps.url} <half>"
    work(most=2)
    response = door.raw_get(status)
    assert state_of(response) == "ProcessStarted"
    assert response.xml.find(f".//{WPS}ProcessStarted").get("percentCompleted") == "99"
    remote.state = "paused"
    work(most=2)
    assert state_of(door.raw_get(status)) == "ProcessPaused"
    wps.hold, remote.state = False, "started"
    work()
    response = door.raw_get(status)
    assert state_of(response) == "ProcessSucceeded"
    assert response.xml.get("statusLocation") == f"http://testserver{status}"
    assert refusal(door.raw_get(status.replace("/wps/", "/wps/other/")))[0] == 404
    own = f"/wps/{world.provider.slug}/jobs/{only_job().pk}/status.xml"
    assert texts(door.raw_get(own).xml.find(f"{WPS}Process"), "Identifier") == ["eo:all.kinds"]


@pytest.mark.usefixtures("working")
def test_a_run_past_the_limit_is_answered_as_accepted(
    door: Door, wps: FakeWps, settings: Any
) -> None:
    wps.hold = True
    settings.SYNC_WAIT_SECONDS = 0.3
    for raw in ({}, {"RawDataOutput": "change"}):
        response = door.execute(**raw)
        assert state_of(response) in ("ProcessAccepted", "ProcessStarted")
        assert "statusLocation" in response.xml.attrib


@pytest.mark.usefixtures("working")
def test_when_too_many_wait_the_next_is_answered_at_once(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "_waiting", BoundedSemaphore(1))
    with execute._waiting:
        response = door.execute()
    assert state_of(response) == "ProcessAccepted"
    assert "statusLocation" in response.xml.attrib
    assert state_of(door.execute()) == "ProcessSucceeded"


@pytest.mark.usefixtures("working")
def test_failed_and_dismissed_runs_say_so(door: Door, wps: FakeWps, world: World) -> None:
    wps.failure = f"No data there; see {wps.url}/log and http://127.0.0.1/x"
    response = door.execute()
    assert state_of(response) == "ProcessFailed"
    assert "No data there" in texts(response.xml, "ExceptionText")[0]
    assert response.status_code == 200
    raw = door.execute(RawDataOutput="change")
    assert refusal(raw) == (502, "NoApplicableCode", "provider")
    assert "No data there" in raw.body.decode()
    wps.failure, wps.hold = "", True
    status = path_of(door.execute(**ASYNC).xml.get("statusLocation"))
    from jobs.lifecycle import dismiss

    job = Job.objects.order_by("created_at").last()
    assert job is not None
    dismiss(actor=world.researcher, job=job)
    response = door.raw_get(status)
    assert state_of(response) == "ProcessFailed"
    assert texts(response.xml, "ExceptionText") == ["dismissed"]
    world.account.refresh_from_db()
    assert world.account.available == 10 * CREDIT


@pytest.mark.usefixtures("working")
def test_raw_outputs_of_each_kind(door: Door) -> None:
    for name, body, kind in (
        ("mean", b"41.7", "text/plain; charset=utf-8"),
        ("change", TIFF, "image/tiff"),
        ("zones", GEOJSON, "application/geo+json"),
    ):
        response = door.execute(RawDataOutput=name)
        assert (response.status_code, response.body) == (200, body)
        assert response.headers["Content-Type"] == kind
        assert response.headers["Content-Security-Policy"].endswith("sandbox")
    xml = door.client.get(
        "/wps?"
        + to_query(wanted(door, outputs=(OutputRequest("shape"),), form=ResponseForm(True))),
        headers=door.headers,
    )
    assert b"".join(xml.streaming_content) == GML
    assert xml.headers["Content-Disposition"].startswith("attachment")
    response = door.execute(RawDataOutput="nothing")
    assert refusal(response) == (400, "InvalidParameterValue", "nothing")


# --- credit ----------------------------------------------------------------------------------


def test_without_credit_the_report_says_what_is_missing_and_nobody_is_called(
    wps: FakeWps, world: World, make_door: MakeDoor
) -> None:
    world.set_price(12 * CREDIT)
    door = make_door()
    response = door.execute()
    assert refusal(response) == (402, "NoApplicableCode", "credit")
    (text,) = texts(response.xml, "ExceptionText")
    for told in ("12", "10", "2", str(world.account)):
        assert told in text
    assert not Job.objects.exists()
    work()
    assert wps.received == []
    assert findings() == []


@pytest.mark.usefixtures("working")
def test_the_account_that_pays_can_be_named(world: World, door: Door, make_door: MakeDoor) -> None:
    own = user_account(world.researcher)
    give_credit(own, 3)
    group = world.account.code
    for named, payer in (
        ({}, group),  # the one with most credit
        ({"account": own.code}, own.code),
        ({"account": str(own.pk)}, own.code),
        ({"headers": {"X-Tep-Account": own.code}}, own.code),
        ({"account": group}, group),
    ):
        door.execute(**named, **ASYNC)
        job = Job.objects.order_by("created_at").last()
        assert job is not None
        assert job.account.code == payer
    response = door.execute(account=own.code)
    assert refusal(response) == (402, "NoApplicableCode", "credit")
    foreign = user_account(world.stranger)
    for wrong in ("group:999999", foreign.code, "x", str(foreign.pk)):
        response = door.execute(account=wrong)
        assert refusal(response) == (400, "InvalidParameterValue", "account")
        assert foreign.name not in response.body.decode()


def test_an_idempotency_key_makes_one_job_of_two_requests(door: Door, wps: FakeWps) -> None:
    key = {"Idempotency-Key": "run-1"}
    first = door.execute(headers=key, **ASYNC)
    again = door.execute(headers=key, **ASYNC)
    assert first.xml.get("statusLocation") == again.xml.get("statusLocation")
    assert Job.objects.count() == 1
    work()
    assert len(wps.executes) == 1
    other = door.execute("mode=exact", headers=key, **ASYNC)
    assert refusal(other)[0] == 409
    response = door.execute(headers={"Idempotency-Key": "two words"})
    assert refusal(response) == (400, "InvalidParameterValue", "Idempotency-Key")


@pytest.mark.usefixtures("working")
def test_nothing_of_the_client_reaches_the_provider(door: Door, wps: FakeWps, world: World) -> None:
    door.client.force_login(world.researcher)  # a session cookie besides the key
    response = door.execute(
        headers={"X-Api-Key": "their-key", "X-Forwarded-For": "1.2.3.4", "Referer": "http://r/"},
        ResponseDocument="change@asReference=true",
    )
    href = path_of(outputs_of(response)["change"].get("href"))
    door.get(href, headers={"X-Api-Key": "their-key", "Range": "bytes=0-3"})
    assert {one.kind for one in wps.received} >= {"Execute", "status", "output"}
    session = door.client.cookies["sessionid"].value
    for got in wps.received:
        told = repr(got.headers) + got.target + got.body.decode()
        for secret in (door.key, session, "their-key", "1.2.3.4", "http://r/", "testserver"):
            assert secret not in told
        assert "cookie" not in got.headers
        assert got.headers["authorization"].startswith("Basic ")  # the portal's own
    assert parse_xml(wps.executes[0].body)[0].text == "eo:all.kinds"


# --- outputs ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("working")
def test_outputs_are_streamed_in_parts_and_harmless(door: Door) -> None:
    response = door.execute(ResponseDocument="change@asReference=true;shape@asReference=true")
    found = outputs_of(response)
    address = path_of(found["change"].get("href"))
    assert address == f"/wps/jobs/{only_job().pk}/outputs/{2}"
    part = door.get(address, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.body) == (206, TIFF[4:8])
    assert part.headers["Content-Range"] == f"bytes 4-7/{len(TIFF)}"
    for href in found.values():
        answer = door.client.get(path_of(href.get("href")), headers=door.headers)
        list(answer.streaming_content)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["Content-Disposition"].startswith("attachment")
    assert refusal(door.get(address[:-1] + "99"))[0] == 404


@pytest.mark.usefixtures("working")
def test_large_and_unreachable_outputs_become_references(
    door: Door, wps: FakeWps, world: World
) -> None:
    wps.add(
        world.description, lambda _: {"change": b"x" * (2**20 + 1), "zones": b"{}", "mean": "1"}
    )
    wps.reply("output", Reply(503), times=None)
    found = outputs_of(door.execute(ResponseDocument="change;zones;mean"))
    assert found["zones"].tag == f"{WPS}Reference"
    assert refusal(door.raw_get(path_of(found["zones"].get("href")))) == (
        502,
        "NoApplicableCode",
        "provider",
    )
    wps.restore()
    found = outputs_of(door.execute(ResponseDocument="change;zones;mean"))
    assert found["zones"].text == "{}"
    assert found["change"].tag == f"{WPS}Reference"
    assert len(door.raw_get(path_of(found["change"].get("href"))).body) == 2**20 + 1
    asked = "change@mimeType=image/tiff@asReference=true"
    assert outputs_of(door.execute(ResponseDocument=asked))["change"].tag == f"{WPS}Reference"


@pytest.mark.usefixtures("working")
def test_jobs_are_their_owners_only(world: World, door: Door, make_door: MakeDoor) -> None:
    door.execute(ResponseDocument="change@asReference=true")
    job = only_job()
    stranger = make_door(world.stranger)
    admin = make_door(world.admin)  # the group pays, so its administrator sees the job
    assert state_of(admin.raw_get(f"/wps/jobs/{job.pk}/status.xml")) == "ProcessSucceeded"
    for path in (f"/wps/jobs/{job.pk}/status.xml", f"/wps/jobs/{job.pk}/outputs/2"):
        unseen = stranger.raw_get(path)
        unknown = stranger.raw_get(
            path.replace(str(job.pk), "00000000-0000-4000-8000-000000000000")
        )
        assert unseen.status_code == unknown.status_code == 404
        assert unseen.body == unknown.body
    # Still there, as the service is withdrawn from the list.
    world.app.services.clear()
    assert state_of(door.raw_get(f"/wps/jobs/{job.pk}/status.xml")) == "ProcessSucceeded"


def test_a_job_that_was_never_submitted_is_not_visible(world: World, door: Door) -> None:
    door.execute(**ASYNC)
    job = only_job()
    Job.objects.filter(pk=job.pk).update(state=State.QUOTED)
    assert refusal(door.raw_get(f"/wps/jobs/{job.pk}/status.xml"))[0] == 404
