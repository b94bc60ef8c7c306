"""WPS 2.0 through its door: lists, descriptions, Execute in every mode, jobs, refusals."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounting.check import findings
from common.clock import now
from jobs.models import Job
from jobs.states import State
from providers.process import (
    ExecuteRequest,
    Format,
    LiteralValue,
    OutputRequest,
)
from tests.factories import ECHO, World, make_service
from tests.fakes.wps_server import FakeWps
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
from tests.wps_proxy.writing import HREF, of_job, to_xml2

WPS = "{http://www.opengis.net/wps/2.0}"
OWS = "{http://www.opengis.net/ows/2.0}"
CAPS = {"service": "WPS", "request": "GetCapabilities"}
FAST = (LiteralValue("mode", "fast"),)


@pytest.fixture
def door(make_door: MakeDoor) -> Door:
    return make_door(path="/wps/2.0")


def run(door: Door, *outputs: str | OutputRequest, **how: Any) -> Any:
    inputs = how.pop("inputs", FAST)
    headers = how.pop("headers", {})
    wanted = tuple(OutputRequest(one) if isinstance(one, str) else one for one in outputs)
    request = ExecuteRequest(how.pop("process", door.identifier), inputs, wanted)
    return door.post(to_xml2(request, **how), headers=headers)


def ask(door: Door, operation: str, job_id: object, *, posted: bool = False) -> Any:
    if posted:
        return door.post(of_job(operation, str(job_id)))
    return door.get(service="WPS", version="2.0.0", request=operation, jobId=str(job_id))


def kind(response: Any) -> str:
    return str(response.xml.tag).removeprefix(WPS)


def status(response: Any) -> str:
    assert kind(response) == "StatusInfo"
    return str(response.xml.findtext(f"{WPS}Status"))


def job_id(response: Any) -> str:
    return str(response.xml.findtext(f"{WPS}JobID"))


def outputs_of(response: Any) -> dict[str, Any]:
    assert kind(response) == "Result"
    return {one.get("id"): one[0] for one in response.xml.iterfind(f"{WPS}Output")}


# --- lists and descriptions ------------------------------------------------------------------


def test_the_list_and_its_sections(door: Door, world: World, make_door: MakeDoor) -> None:
    response = door.get(**CAPS)
    root = response.xml
    assert (kind(response), root.get("version")) == ("Capabilities", "2.0.0")
    assert texts(root, "ServiceTypeVersion") == ["2.0.0"]
    contents = root.find(f"{WPS}Contents")
    assert texts(contents, "Identifier") == [door.identifier, "portal.echo"]
    links = {e.get(HREF) for e in root.iter()} - {None}
    assert links == {"http://testserver/wps/2.0?", "http://testserver/wps/2.0"}
    execute = root.find(f".//{OWS}Operation[@name='Execute']")
    assert texts(execute, "Value") == ["XML", "SOAP"]
    assert execute.find(f".//{OWS}Get") is None
    few = door.get(**CAPS, Sections="Contents,ServiceProvider").xml
    assert [e.tag for e in few] == [f"{OWS}ServiceProvider", f"{WPS}Contents"]
    own = make_door(path=f"/wps/2.0/{world.provider.slug}").get(**CAPS).xml
    assert texts(own.find(f"{WPS}Contents"), "Identifier") == ["eo:all.kinds"]
    assert make_door(path="/wps/2.0/nobody").get(**CAPS).status_code == 404


def test_an_unchanged_list_is_not_sent_again(door: Door, world: World) -> None:
    first = door.get(**CAPS)
    sequence = first.xml.get("updateSequence")
    query = {**CAPS, "updateSequence": sequence}
    same = door.client.get("/wps/2.0", query, headers=door.headers)
    # Only the attributes, as 06-121r9 §7.3.4 has it; the schema of WPS wants contents always.
    assert b"Contents" not in same.content
    assert f'updateSequence="{sequence}"'.encode() in same.content
    world.service.title = "Another title"
    world.service.save()
    other = door.get(**query)
    assert "Another title" in texts(other.xml, "Title")
    assert other.xml.get("updateSequence") != sequence
    for wrong in ("999999999999.x", "abc", "9" * 5000, "-1"):
        response = door.get(**CAPS, updateSequence=wrong)
        assert refusal(response) == (400, "InvalidUpdateSequence", "")
    assert door.get(**CAPS, headers={"If-None-Match": other.headers["ETag"]}).status_code == 304


def test_formats_of_the_list(door: Door) -> None:
    for wanted, got in (
        ("text/xml", "text/xml"),
        ("image/strange", "text/xml"),
        ("image/strange,application/xml,text/xml", "application/xml"),
    ):
        assert door.get(**CAPS, AcceptFormats=wanted).headers["Content-Type"] == got


def test_descriptions(door: Door, world: World) -> None:
    query = {"service": "WPS", "version": "2.0.0", "request": "DescribeProcess"}
    response = door.get(**query, identifier=f"{door.identifier},portal.echo")
    processes = response.xml.findall(f"{WPS}ProcessOffering/{WPS}Process")
    assert [p.findtext(f"{OWS}Identifier") for p in processes] == [door.identifier, "portal.echo"]
    everything = door.get(**query, identifier="ALL")
    assert everything.body == response.body
    posted = door.post(
        '<DescribeProcess xmlns="http://www.opengis.net/wps/2.0" service="WPS" version="2.0.0">'
        '<Identifier xmlns="http://www.opengis.net/ows/2.0">ALL</Identifier></DescribeProcess>'
    )
    assert posted.body == response.body
    unknown = door.get(**query, identifier="portal.echo,no.such")
    assert refusal(unknown) == (400, "NoSuchProcess", "no.such")
    bare = make_service(world.provider, ECHO.__class__("bare"))
    world.app.services.add(bare)
    assert door.get(**query, identifier="ALL").body == response.body
    response = door.get(**query, identifier=f"portal.echo,{world.provider.slug}.bare")
    assert refusal(response) == (400, "InvalidParameterValue", "identifier")


# --- Execute ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize("mode", ["sync", "auto"])
def test_documents_with_values_and_references(door: Door, mode: str) -> None:
    response = run(
        door,
        "mean",
        "zones",
        "shape",
        OutputRequest("change", as_reference=True),
        mode=mode,
    )
    found = outputs_of(response)
    assert job_id(response) == str(only_job().pk)
    assert found["mean"].findtext(f"{WPS}LiteralValue") == "41.7"
    assert found["zones"].text.encode() == GEOJSON
    assert found["shape"][0].tag == "{urn:g}Point"
    href = found["change"].get(HREF)
    assert href == f"http://testserver/wps/jobs/{only_job().pk}/outputs/2"
    assert door.raw_get(href.removeprefix("http://testserver")).body == TIFF
    assert findings() == []


@pytest.mark.usefixtures("working")
def test_every_output_in_every_transmission(door: Door) -> None:
    """14-065 §9.6.2: also a plain value may be given by reference, or as plain text."""
    asked = [OutputRequest(one, as_reference=True) for one in ("mean", "change", "zones", "shape")]
    bodies = []
    for found in outputs_of(run(door, *asked)).values():
        assert found.tag == f"{WPS}Reference"
        path = found.get(HREF).removeprefix("http://testserver")
        answer = door.client.get(path, headers=door.headers)
        bodies.append(b"".join(answer.streaming_content))
    assert bodies == [b"41.7", TIFF, GEOJSON, GML]
    plain = OutputRequest("mean", format=Format("text/plain"))
    found = outputs_of(run(door, plain, OutputRequest("change", format=Format("image/tiff"))))
    assert (found["mean"].text, found["mean"].get("mimeType")) == ("41.7", "text/plain")
    assert base64.b64decode(found["change"].text) == TIFF
    everything = outputs_of(run(door))  # no output named: all of them
    assert list(everything) == ["mean", "change", "zones", "shape"]


@pytest.mark.usefixtures("working")
def test_raw_outputs(door: Door) -> None:
    mean = run(door, "mean", response="raw")
    assert (mean.xml.tag, mean.xml.text) == (f"{WPS}LiteralValue", "41.7")
    plain = run(door, OutputRequest("mean", format=Format("text/plain")), response="raw")
    assert (plain.body, plain.headers["Content-Type"]) == (b"41.7", "text/plain; charset=utf-8")
    for name, body, media_type in (
        ("change", TIFF, "image/tiff"),
        ("zones", GEOJSON, "application/geo+json"),
    ):
        # By reference means nothing here: the answer is the output itself.
        response = run(door, OutputRequest(name, as_reference=True), response="raw", mode="auto")
        assert (response.body, response.headers["Content-Type"]) == (body, media_type)
    assert refusal(run(door, response="raw")) == (400, "MissingParameterValue", "Output")
    assert refusal(run(door, "mean", "zones", response="raw")) == (400, "TooManyOutputs", "zones")


def test_asynchronous_from_accepted_to_the_results(door: Door, wps: FakeWps) -> None:
    wps.polls, wps.hold = 1, True
    response = run(door, "mean", mode="async")
    assert status(response) == "Accepted"
    job = only_job()
    assert job_id(response) == str(job.pk)
    assert wps.executes == []  # nothing is called in the request
    polled = datetime.fromisoformat(response.xml.findtext(f"{WPS}NextPoll"))
    assert now() < polled < now() + timedelta(minutes=11)
    assert response.xml.find(f"{WPS}PercentCompleted") is None
    assert refusal(ask(door, "GetResult", job.pk)) == (400, "ResultNotReady", str(job.pk))
    work(most=1)
    (remote,) = wps.jobs.values()
    remote.state, remote.percent = "started", 40
    work(most=2)
    for posted in (False, True):
        response = ask(door, "GetStatus", job.pk, posted=posted)
        assert status(response) == "Running"
        assert response.xml.findtext(f"{WPS}PercentCompleted") == "40"
    wps.hold = False
    work()
    ends = datetime(2027, 3, 2, 10, 16, 5, tzinfo=UTC)
    Job.objects.filter(pk=job.pk).update(results_expire_at=ends)
    response = ask(door, "GetStatus", job.pk)
    assert status(response) == "Succeeded"
    assert response.xml.findtext(f"{WPS}PercentCompleted") == "100"
    assert response.xml.findtext(f"{WPS}ExpirationDate") == "2027-03-02T10:16:05Z"
    assert response.xml.find(f"{WPS}NextPoll") is None
    for posted in (False, True):
        response = ask(door, "GetResult", job.pk, posted=posted)
        assert outputs_of(response)["mean"].findtext(f"{WPS}LiteralValue") == "41.7"
        assert response.xml.findtext(f"{WPS}ExpirationDate") == "2027-03-02T10:16:05Z"
    assert "no-store" in response.headers["Cache-Control"]


def test_the_results_of_a_raw_run_are_raw(door: Door) -> None:
    first = job_id(run(door, "change", response="raw", mode="async"))
    work()
    response = ask(door, "GetResult", first)
    assert (response.body, response.headers["Content-Type"]) == (TIFF, "image/tiff")


@pytest.mark.usefixtures("working")
def test_a_run_past_the_limit_is_answered_as_accepted(
    door: Door, wps: FakeWps, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wps.hold = True
    settings.SYNC_WAIT_SECONDS = 0.3
    monkeypatch.setattr("wps_proxy.views.wps2.AUTO_SECONDS", 0.2)
    for mode in ("sync", "auto"):
        for response in ("document", "raw"):
            told = run(door, "mean", mode=mode, response=response)
            assert status(told) in ("Accepted", "Running")


@pytest.mark.usefixtures("working")
def test_a_failed_run_says_why(door: Door, wps: FakeWps) -> None:
    wps.failure = f"No data there; see {wps.url}/log"
    for response in ("document", "raw"):
        told = run(door, "mean", response=response)
        assert refusal(told) == (502, "NoApplicableCode", "provider")
        assert "No data there" in told.body.decode()
    failed = Job.objects.first()
    assert failed is not None
    assert status(ask(door, "GetStatus", failed.pk)) == "Failed"
    assert refusal(ask(door, "GetResult", failed.pk)) == (502, "NoApplicableCode", "provider")


def test_a_dismissed_job_is_no_more(door: Door, wps: FakeWps, world: World) -> None:
    """14-065 §12."""
    wps.hold = True
    waiting = job_id(run(door, "mean", mode="async"))
    assert status(ask(door, "Dismiss", waiting)) == "Dismissed"
    running = job_id(run(door, "mean", mode="async"))
    work(most=3)
    assert status(ask(door, "Dismiss", running, posted=True)) == "Dismissed"
    for gone in (waiting, running):
        for operation in ("GetStatus", "GetResult", "Dismiss"):
            assert refusal(ask(door, operation, gone)) == (400, "NoSuchJob", gone)
    wps.hold = False
    ended = job_id(run(door, "mean", mode="async"))
    work()
    assert status(ask(door, "Dismiss", ended)) == "Succeeded"  # it stays as it is
    assert status(ask(door, "GetStatus", ended)) == "Succeeded"


def test_jobs_are_their_owners_only(door: Door, world: World, make_door: MakeDoor) -> None:
    mine = job_id(run(door, "mean", mode="async"))
    stranger = make_door(world.stranger, path="/wps/2.0")
    admin = make_door(world.admin, path="/wps/2.0")  # the group pays: sees it
    elsewhere = make_door(path="/wps/2.0/portal")
    reader = make_door(path="/wps/2.0", scopes=("read",))
    for operation in ("GetStatus", "GetResult", "Dismiss"):
        for one in (stranger, elsewhere):
            assert refusal(ask(one, operation, mine)) == (400, "NoSuchJob", mine)
        for unknown in ("00000000-0000-4000-8000-000000000000", "x", "x" * 500):
            assert refusal(ask(door, operation, unknown)) == (400, "NoSuchJob", unknown[:100])
    assert status(ask(admin, "GetStatus", mine)) == "Accepted"
    assert ask(admin, "Dismiss", mine).status_code == 403
    assert status(ask(reader, "GetStatus", mine)) == "Accepted"
    assert ask(reader, "Dismiss", mine).status_code == 403
    assert status(ask(door, "GetStatus", mine)) == "Accepted"
    Job.objects.update(state=State.QUOTED)
    assert refusal(ask(door, "GetStatus", mine)) == (400, "NoSuchJob", mine)
