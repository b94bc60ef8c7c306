"""What the provider knows of a request by the reference that came with it, also after a kill."""

from __future__ import annotations

import base64
import signal
import time
import uuid
from collections import Counter

import pytest
from lxml import etree
from owslib.wps import ASYNC, SYNC, BoundingBoxDataInput, WPSExecution

from portal.demo.references import Received, References
from providers.drivers.wps1.driver import Wps1Driver
from providers.ports import Endpoint, Found, RemoteState
from providers.process import ExecuteRequest, LiteralValue
from tests.demo.conftest import Provider, wait_until


def execute(process, *inputs, mode=ASYNC):
    """An Execute document."""
    return etree.tostring(WPSExecution().buildRequest(process, list(inputs), output=[], mode=mode))


def change(pause):
    box = BoundingBoxDataInput([14.27, 48.28, 14.32, 48.32], crs="urn:ogc:def:crs:OGC:1.3:CRS84")
    return execute("change", ("bbox", box), ("pause", str(pause)))


def received(provider: Provider) -> Counter[str]:
    lines = (provider.folder / "requests.log").read_text().splitlines()
    return Counter(line.split()[-1] for line in lines)


def ended(provider: Provider, reference: str) -> bool:
    status, body, _ = provider.get(f"/lookup/{reference}")
    return status == 200 and (b"ProcessSucceeded" in body or b"ProcessFailed" in body)


@pytest.fixture
def endpoint(provider):
    return Endpoint(
        url=f"{provider.base}/wps",
        reference_header="X-Remote-Ref",
        lookup_url=f"{provider.base}/lookup/{{reference}}",
    )


def test_a_reference_finds_its_job_and_no_other(provider):
    reference = str(uuid.uuid4())
    assert provider.get(f"/lookup/{reference}")[0] == 404
    status, answer, _ = provider.post(change(2), reference)
    assert status == 200
    location = etree.fromstring(answer).get("statusLocation")
    status, found, _ = provider.get(f"/lookup/{reference}")
    assert status == 200
    assert etree.fromstring(found).get("statusLocation") == location
    wait_until(lambda: ended(provider, reference), "the end", provider)
    (message,) = wait_until(lambda: provider.messages_of(reference), "the record", provider)
    assert f"LocalJobId: {reference}\n" in message


def test_a_second_request_with_a_reference_is_not_run(provider):
    reference = str(uuid.uuid4())
    assert provider.post(execute("hello", ("name", "Ada"), mode=SYNC), reference)[0] == 200
    for _ in range(3):
        status, body, _ = provider.post(execute("hello", ("name", "Bob"), mode=SYNC), reference)
        assert status == 409
        assert b"ExceptionReport" in body
    status, found, _ = provider.get(f"/lookup/{reference}")
    assert b"Hello Ada" in found, "the answer of a synchronous request is kept"
    assert received(provider)[reference] == 4, "the log tells what came, not what ran"
    time.sleep(0.2)
    assert len(provider.messages_of(reference)) == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(execute("nothing"), id="unknown process"),
        pytest.param(execute("hello"), id="missing input"),
        pytest.param(b"<Execute", id="not XML"),
        pytest.param(b"<Execute/>", id="not WPS"),
    ],
)
def test_a_refused_request_leaves_nothing_behind(provider, body):
    reference = f"refused-{uuid.uuid4()}"
    status, answer, _ = provider.post(body, reference)
    assert status >= 400
    assert b"Exception" in answer
    assert provider.get(f"/lookup/{reference}")[0] == 404
    assert provider.post(execute("hello", ("name", "Ada"), mode=SYNC), reference)[0] == 200


@pytest.mark.parametrize("reference", ["../x", "a/b", "x" * 101, ".hidden", "a b"])
def test_a_reference_is_a_plain_word(provider, reference):
    assert provider.post(execute("hello", ("name", "Ada")), reference)[0] == 400


def test_the_portals_driver_finds_what_it_sent(provider, endpoint):
    driver = Wps1Driver()
    reference = str(uuid.uuid4())
    assert driver.find(endpoint, reference) == Found.NEVER_ARRIVED
    hello = driver.describe(endpoint, ["hello"]).found["hello"]
    request = ExecuteRequest("hello", (LiteralValue("name", "Ada"),))
    sent = driver.submit(endpoint, hello, request, reference)
    status = sent
    while status.state in (RemoteState.ACCEPTED, RemoteState.RUNNING):
        status = driver.status(endpoint, sent.handle)
    assert status.state == RemoteState.SUCCEEDED
    found = driver.find(endpoint, reference)
    assert not isinstance(found, Found)
    assert (found.state, found.outputs) == (status.state, status.outputs)
    assert found.outputs[0].value.value == "Hello Ada"


@pytest.fixture
def own(scene, tmp_path):
    """A provider that a test may kill."""
    one = Provider(tmp_path, scene.folder)
    one.start()
    yield one
    one.stop()


def test_killed_with_its_jobs_it_runs_them_again_after_a_restart(own):
    references = [f"job-{number}" for number in range(10)]  # more than run at once
    for reference in references:
        assert own.post(change(3), reference)[0] == 200
    wait_until(
        lambda: any(b"strips" in own.get(f"/lookup/{one}")[1] for one in references),
        "some progress",
        own,
    )
    before = own.get("/lookup/job-9")[1]
    own.stop(signal.SIGKILL)
    own.start()
    location = etree.fromstring(before).get("statusLocation")
    assert own.get(location.removeprefix(own.base))[0] == 200, "the same address as before"
    for reference in references:
        wait_until(lambda one=reference: ended(own, one), reference, own)
        assert b"ProcessSucceeded" in own.get(f"/lookup/{reference}")[1]
    wait_until(lambda: len(own.messages()) >= 10, "ten records", own)
    time.sleep(0.3)
    assert len(own.messages()) == 10, "one each, although some were begun twice"
    assert received(own) == dict.fromkeys(references, 1)


def test_jobs_outlive_their_server_and_are_not_run_twice(own):
    assert own.post(change(8), "job")[0] == 200
    wait_until(lambda: b"strips" in own.get("/lookup/job")[1], "some progress", own)
    own.stop(signal.SIGKILL, jobs=False)
    own.start()  # on the same port: the job's process does not hold it
    assert not (own.folder / "log").read_text().count("running on: job")
    wait_until(lambda: ended(own, "job"), "the end", own)
    wait_until(own.messages, "the record", own)
    assert len(own.messages()) == 1


def test_a_request_that_was_written_down_but_not_begun_is_run_after_a_restart(own):
    own.stop()
    body = base64.b64encode(execute("hello", ("name", "Ada"))).decode()
    request = Received("POST", "", "text/xml", body, named=True)
    assert References(own.folder / "references").arrive("lost", request)
    own.start()
    wait_until(lambda: ended(own, "lost"), "the job", own)
    assert b"Hello Ada" in own.get("/lookup/lost")[1]
