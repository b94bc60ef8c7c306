"""The driver against a provider that speaks real HTTP."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from common.errors import (
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
)
from providers.drivers.wps1 import Wps1Driver
from providers.ports import Endpoint, Found, RemoteState
from providers.process import (
    ComplexDomain,
    ExecuteRequest,
    Format,
    LiteralValue,
    OutputDescription,
    ReferenceValue,
)
from tests.fakes.wps_server import ECHO, FakeWps, Reply, refusal, xml
from tests.providers.documents import capabilities, described, listed, response
from tests.wps_proxy.schemas import valid

DRIVER = Wps1Driver()
HELLO = ExecuteRequest("echo", (LiteralValue("message", "hello"),))
JOB = "6f2c0c1e-5a7e-4f3b-9a50-0d6a3c6f4f11"


def endpoint(wps: FakeWps, **fields: Any) -> Endpoint:
    return Endpoint(wps.url, reference_header="X-Remote-Ref", **fields)


def test_the_whole_way(wps: FakeWps) -> None:
    here = endpoint(wps)
    info = DRIVER.capabilities(here)
    assert [one.identifier for one in info.processes] == ["echo"]
    described = DRIVER.describe(here, ["echo"])
    assert described.found == {"echo": ECHO}
    accepted = DRIVER.submit(here, ECHO, HELLO, JOB)
    assert (accepted.state, accepted.remote_id) == (RemoteState.ACCEPTED, "job-1")
    started = DRIVER.status(here, accepted.handle)
    assert (started.state, started.percent) == (RemoteState.RUNNING, 50)
    done = DRIVER.status(here, accepted.handle)
    assert (done.state, done.handle) == (RemoteState.SUCCEEDED, "")
    assert done.remote_id == accepted.remote_id
    assert done.outputs[0].value == LiteralValue("message", "hello")
    for got in wps.received:
        assert got.headers["user-agent"].startswith("tep-portal/")
        assert "cookie" not in got.headers
        assert "authorization" not in got.headers


def test_only_execute_carries_the_reference_and_it_is_sent_once(wps: FakeWps) -> None:
    here = endpoint(wps)
    handle = DRIVER.submit(here, ECHO, HELLO, JOB).handle
    DRIVER.status(here, handle)
    assert [got.reference for got in wps.received] == [JOB, ""]
    valid(wps.executes[0].body)
    DRIVER.submit(Endpoint(wps.url), ECHO, HELLO, JOB)
    assert [got.reference for got in wps.executes] == [JOB, ""]


def test_a_process_that_cannot_be_followed_answers_at_once(wps: FakeWps) -> None:
    process = replace(ECHO, store_supported=False)
    wps.add(process)
    done = DRIVER.submit(endpoint(wps), process, HELLO, JOB)
    assert (done.state, done.handle) == (RemoteState.SUCCEEDED, "")
    assert done.outputs[0].value == LiteralValue("message", "hello")


def test_files_come_by_reference_and_may_be_elsewhere(wps: FakeWps) -> None:
    image = OutputDescription("message", ComplexDomain((Format("image/tiff"),)))
    process = replace(ECHO, outputs=(image,), store_supported=True)
    wps.add(process, lambda _inputs: {"message": b"II*"})
    here = endpoint(wps)
    for base, own in ((wps.base, True), ("https://evil.example.net", False)):
        wps.output_base = base
        wps.polls = 0
        handle = DRIVER.submit(here, process, HELLO, JOB).handle
        (output,) = DRIVER.status(here, handle).outputs
        assert isinstance(output.value, ReferenceValue)
        assert output.value.href.startswith(base)
        assert DRIVER.may_fetch(here, output.value.href) is own
        assert DRIVER.may_fetch(replace(here, extra_hosts=("evil.example.net",)), output.value.href)
    assert not wps.requests("output")


def test_credentials_go_to_the_registered_address(wps: FakeWps) -> None:
    wps.credentials = ("portal", "s:cret")
    here = endpoint(wps, username="portal", password="s:cret")
    DRIVER.capabilities(here)
    handle = DRIVER.submit(here, ECHO, HELLO, JOB).handle
    DRIVER.status(here, handle)
    wanted = "Basic " + base64.b64encode(b"portal:s:cret").decode()
    assert {got.headers["authorization"] for got in wps.received} == {wanted}
    with pytest.raises(ProviderRefused, match="user name and password"):
        DRIVER.capabilities(endpoint(wps))


def test_credentials_do_not_go_to_another_port_of_the_same_host(wps: FakeWps) -> None:
    with FakeWps() as beside:
        handle = f"{beside.base}/status/job-1.xml"
        here = endpoint(wps, username="portal", password="secret")
        with pytest.raises(ProviderRefused):
            DRIVER.status(here, handle)
        assert "authorization" not in beside.received[0].headers


def test_the_status_address_is_asked_byte_for_byte(wps: FakeWps) -> None:
    target = "/status/job-1.xml?a=b%20c+d&&empty=&bare&%C3%A4=%2f"
    wps.reply("Execute", xml(response("<wps:ProcessAccepted/>", location=_xml(wps.base + target))))
    here = endpoint(wps)
    handle = DRIVER.submit(here, ECHO, HELLO, JOB).handle
    assert handle == wps.base + target
    with pytest.raises(ProviderRefused):
        DRIVER.status(here, handle)
    assert wps.received[-1].target == target


def _xml(text: str) -> str:
    return text.replace("&", "&amp;")


@pytest.mark.parametrize(
    ("suffix", "execute", "query"),
    [
        ("", "/wps", "/wps?"),
        ("?", "/wps", "/wps?"),
        ("?service=WPS&request=GetCapabilities", "/wps", "/wps?"),
        ("?SERVICE=WPS&Request=GetCapabilities&version=1.0.0&", "/wps", "/wps?"),
        ("?map=/a/b.map&service=WPS&x=%2F", "/wps?map=/a/b.map&x=%2F", "/wps?map=/a/b.map&x=%2F&"),
    ],
)
def test_every_form_of_address(wps: FakeWps, suffix: str, execute: str, query: str) -> None:
    here = replace(endpoint(wps), url=wps.url + suffix)
    DRIVER.capabilities(here)
    DRIVER.describe(here, ["echo"])
    DRIVER.submit(here, ECHO, HELLO, JOB)
    caps, describe, sent = (got.target for got in wps.received)
    assert caps == f"{query}service=WPS&request=GetCapabilities&AcceptVersions=1.0.0"
    assert describe.startswith(f"{query}service=WPS&request=DescribeProcess&version=1.0.0")
    assert sent == execute


# --- descriptions ----------------------------------------------------------------------------


def test_one_bad_description_does_not_spoil_the_others(wps: FakeWps) -> None:
    wps.add(replace(ECHO, identifier="JTS:buffer"))
    wps.add(replace(ECHO, identifier="a b/ä,c&d"))
    names = ["echo", "JTS:buffer", "gone", "org.n52.X"]
    answered = DRIVER.describe(endpoint(wps), names)
    assert set(answered.found) == {"echo", "JTS:buffer"}
    assert set(answered.problems) == {"gone", "org.n52.X"}
    assert answered.problems["gone"] == "No such process"


def test_an_identifier_may_contain_nearly_anything(wps: FakeWps) -> None:
    odd = "urn:exa:wps::a b/ä&d?#+;"
    wps.add(replace(ECHO, identifier=odd))
    assert set(DRIVER.describe(endpoint(wps), [odd]).found) == {odd}


def test_many_processes_are_described_in_few_short_requests(wps: FakeWps) -> None:
    names = [f"org.n52.wps.server.algorithm.Algorithm{n}" for n in range(120)]
    for name in names:
        wps.add(replace(ECHO, identifier=name))
    assert set(DRIVER.describe(endpoint(wps), names).found) == set(names)
    asked = wps.requests("DescribeProcess")
    assert len(asked) < 6
    assert max(len(got.target) for got in asked) < 2000


def test_a_provider_that_falls_silent_is_not_asked_for_ever(wps: FakeWps) -> None:
    names = [f"p{n}" for n in range(50)]
    wps.reply("DescribeProcess", Reply(hang_up=True), times=None)
    answered = DRIVER.describe(endpoint(wps), names)
    assert not answered.found
    assert set(answered.problems) == set(names)
    assert len({got.target for got in wps.requests("DescribeProcess")}) == 4


def test_a_description_of_something_else_is_a_problem(wps: FakeWps) -> None:
    wps.reply("DescribeProcess", xml(described("")), times=None)
    answered = DRIVER.describe(endpoint(wps), ["echo"])
    assert "something else" in answered.problems["echo"]


# --- dismiss and find -----------------------------------------------------------------------------


def test_dismiss_is_geoservers_word_only(wps: FakeWps) -> None:
    here = endpoint(wps)
    handle = DRIVER.submit(here, ECHO, HELLO, JOB).handle
    assert not DRIVER.dismiss(here, handle)
    assert len(wps.received) == 1
    query = "service=WPS&version=1.0.0&request=GetExecutionStatus&executionId=e%2F1"
    wps.reply("other", xml(response("<wps:ProcessFailed>dismissed</wps:ProcessFailed>")))
    assert DRIVER.dismiss(here, f"{wps.url}?{query}")
    assert wps.received[-1].target == f"/wps?{query}".replace("GetExecutionStatus", "Dismiss")
    wps.reply("other", refusal("NoApplicableCode", "finished already"))
    with pytest.raises(ProviderRefused):
        DRIVER.dismiss(here, f"{wps.url}?{query}")
    assert not DRIVER.dismiss(here, f"https://evil.example.net/?{query}")


def test_a_lost_answer_is_found_by_its_reference(wps: FakeWps) -> None:
    here = endpoint(wps, lookup_url=wps.lookup_url)
    assert DRIVER.find(here, JOB) is Found.NEVER_ARRIVED
    wps.reply("Execute", Reply(hang_up=True, after=True))
    with pytest.raises(ProviderTimeout):
        DRIVER.submit(here, ECHO, HELLO, JOB)
    found = DRIVER.find(here, JOB)
    assert not isinstance(found, Found)
    assert (found.state, found.remote_id) == (RemoteState.ACCEPTED, "job-1")
    assert found.handle == f"{wps.base}/status/job-1.xml"
    wps.reply("lookup", Reply(202))
    assert DRIVER.find(here, JOB) is Found.UNKNOWN
    wps.reply("lookup", Reply(500))
    with pytest.raises(ProviderUnreachable):
        DRIVER.find(here, JOB)


def test_a_provider_that_broke_is_asked_what_became_of_the_request(wps: FakeWps) -> None:
    wps.reply("Execute", Reply(500, b"Traceback"))
    with pytest.raises(ProviderTimeout):
        DRIVER.submit(endpoint(wps, lookup_url=wps.lookup_url), ECHO, HELLO, JOB)


def test_without_a_lookup_address_nothing_is_known(wps: FakeWps) -> None:
    assert DRIVER.find(endpoint(wps), JOB) is Found.UNKNOWN
    elsewhere = endpoint(wps, lookup_url="https://evil.example.net/{reference}")
    assert DRIVER.find(elsewhere, JOB) is Found.UNKNOWN
    assert not wps.received


def test_capabilities_of_another_shape(wps: FakeWps) -> None:
    wps.reply("GetCapabilities", Reply(200, capabilities(listed("a")), {"Content-Type": "x/y"}))
    assert [one.identifier for one in DRIVER.capabilities(endpoint(wps)).processes] == ["a"]
