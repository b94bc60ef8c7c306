"""The OGC's conformance suites as tests of ours, clause by clause (ets-wps20, ets-wps10), with the
portal's own echo process.

What the suite for 1.0.0 asks of lists and descriptions is in test_door.py ("CITE").
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from lxml import etree

from common.http import Response
from tests.wps_proxy.conftest import Door, MakeDoor, refusal, texts
from wps_proxy import references

WPS = "{http://www.opengis.net/wps/2.0}"
ECHO = "portal.echo"
EXECUTE = (
    '<wps:Execute xmlns:wps="http://www.opengis.net/wps/2.0"'
    ' xmlns:ows="http://www.opengis.net/ows/2.0" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' service="WPS" version="2.0.0" response="{response}" mode="{mode}">'
    f"<ows:Identifier>{ECHO}</ows:Identifier>"
    '<wps:Input id="{name}">{content}</wps:Input>'
    '<wps:Output id="{name}" transmission="{transmission}"/></wps:Execute>'
)
LITERAL = "<wps:Data><wps:LiteralValue>hello_literal</wps:LiteralValue></wps:Data>"
COMPLEX = (
    "<wps:Data><wps:ComplexData><testElement>hello_complex</testElement></wps:ComplexData>"
    "</wps:Data>"
)


@pytest.fixture
def door(make_door: MakeDoor) -> Door:
    return make_door(path="/wps/2.0")


def execute(door: Door, **how: str) -> Any:
    usual = {
        "response": "document",
        "mode": "sync",
        "name": "literal",
        "content": LITERAL,
        "transmission": "value",
    }
    return door.post(EXECUTE.format(**{**usual, **how}), content_type="application/xml")


def kvp(door: Door, **query: str) -> Any:
    return door.get(**{"Service": "WPS", "Version": "2.0.0", **query})


def has(response: Any, local: str) -> bool:
    return any(True for _ in response.xml.iter(f"{WPS}{local}"))


# --- WPS 2.0 ---------------------------------------------------------------------------------


def test_a4_1_and_a4_3_the_echo_process_is_described_with_all_kinds_of_data(door: Door) -> None:
    """A.4.1, A.4.3: the answer is valid (the door checks that) and has all three kinds."""
    response = kvp(door, Request="DescribeProcess", Identifier=ECHO)
    for kind in ("LiteralData", "ComplexData", "BoundingBoxData"):
        assert has(response, kind)


def test_precondition_the_echo_process_echoes(door: Door) -> None:
    """Precondition of A.5, raw and at once."""
    assert b"hello_literal" in execute(door, response="raw").body
    body = EXECUTE.format(
        response="raw", mode="sync", name="complex", content=COMPLEX, transmission="value"
    )
    answer = door.client.post("/wps/2.0", body, content_type="text/xml", headers=door.headers)
    (element,) = etree.fromstring(b"".join(answer.streaming_content)).iter("testElement")
    assert element.text == "hello_complex"


def test_a5_1_service_name(door: Door) -> None:
    assert kvp(door, Request="GetCapabilities").status_code == 200
    assert kvp(door, Request="GetCapabilities", Service="WMS").status_code == 400


def test_a5_2_service_version(door: Door) -> None:
    assert kvp(door, Request="GetCapabilities").status_code == 200
    assert kvp(door, Request="GetCapabilities", Version="3.0.0").status_code == 400


def test_a5_3_input_by_value(door: Door) -> None:
    assert has(execute(door), "Data")


def test_a5_4_input_by_reference(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(_method: str, url: str, **_: Any) -> Response:
        return Response(200, {}, b"a car", url)

    monkeypatch.setattr(references, "fetch", fetch)
    href = "https://data.example.org/vehicle.txt"
    content = f'<wps:Reference mimeType="text/plain" xlink:href="{href}"/>'
    response = execute(door, content=content)
    assert has(response, "Result")
    assert texts(response.xml, "LiteralValue") == ["a car"]


def test_a5_5_and_a5_6_output_by_value_and_by_reference(door: Door) -> None:
    assert has(execute(door, transmission="value"), "Data")
    assert has(execute(door, transmission="reference"), "Reference")


def test_a5_7_identifiers_are_unique(door: Door) -> None:
    described = kvp(door, Request="DescribeProcess", Identifier="ALL")
    processes = described.xml.iter(f"{WPS}Process")
    found = [p.findtext("{http://www.opengis.net/ows/2.0}Identifier") for p in processes]
    assert len(set(found)) == len(found) > 1


def test_a5_8_job_ids_are_unique(door: Door) -> None:
    ids = [texts(execute(door, mode="async").xml, "JobID")[0] for _ in range(4)]
    assert len(set(ids)) == 4


def test_a5_9_and_a5_10_lists_and_descriptions_by_post(door: Door) -> None:
    names = (
        'xmlns:wps="http://www.opengis.net/wps/2.0" xmlns:ows="http://www.opengis.net/ows/2.0"'
        ' service="WPS"'
    )
    assert has(door.post(f"<wps:GetCapabilities {names}/>"), "Capabilities")
    described = door.post(
        f'<wps:DescribeProcess {names} version="2.0.0">'
        f"<ows:Identifier>{ECHO}</ows:Identifier></wps:DescribeProcess>"
    )
    assert has(described, "ProcessOfferings")


def test_a5_11_synchronous(door: Door) -> None:
    assert has(execute(door), "Result")
    raw = execute(door, response="raw")
    assert b"hello_literal" in raw.body
    assert has(raw, "LiteralValue")


def test_a5_12_asynchronous(door: Door) -> None:
    assert has(execute(door, mode="async"), "Status")


def test_a5_13_automatic_in_every_combination_that_is_offered(door: Door) -> None:
    offering = kvp(door, Request="DescribeProcess", Identifier=ECHO).xml[0]
    assert {"sync-execute", "async-execute"} <= set(offering.get("jobControlOptions").split())
    for transmission in offering.get("outputTransmission").split():
        for response in ("document", "raw"):
            told = execute(door, mode="auto", response=response, transmission=transmission)
            assert told.status_code == 200
            if response == "raw":
                assert b"hello_literal" in told.body


def test_a5_14_and_a5_18_status(door: Door) -> None:
    (job_id,) = texts(execute(door, mode="async").xml, "JobID")
    posted = door.post(
        '<wps:GetStatus xmlns:wps="http://www.opengis.net/wps/2.0" service="WPS" version="2.0.0">'
        f"<wps:JobID>{job_id}</wps:JobID></wps:GetStatus>"
    )
    assert has(posted, "Status")
    for case in (str.upper, str.lower):
        names = {case("Service"): "WPS", case("Version"): "2.0.0", case("JobID"): job_id}
        assert has(door.get(**names, **{case("Request"): "GetStatus"}), "Status")


def test_a5_15_and_a5_19_results(door: Door) -> None:
    """The status is asked for once, and must be Succeeded."""
    for response, posted in product(("raw", "document"), (True, False)):
        (job_id,) = texts(execute(door, mode="async", response=response).xml, "JobID")
        status = kvp(door, Request="GetStatus", JobID=job_id)
        assert texts(status.xml, "Status") == ["Succeeded"]
        if posted:
            result = door.post(
                '<wps:GetResult xmlns:wps="http://www.opengis.net/wps/2.0" service="WPS"'
                f' version="2.0.0"><wps:JobID>{job_id}</wps:JobID></wps:GetResult>'
            )
        else:
            result = kvp(door, Request="GetResult", JobID=job_id)
        assert has(result, "LiteralValue")
        assert has(result, "Result") is (response == "document")


# --- WPS 1.0.0 -------------------------------------------------------------------------------

KVP = {"service": "WPS", "version": "1.0.0", "request": "Execute", "identifier": ECHO}
OLD = (
    '<wps:Execute xmlns:wps="http://www.opengis.net/wps/1.0.0"'
    ' xmlns:ows="http://www.opengis.net/ows/1.1" service="WPS" version="1.0.0"'
    f' language="en"><ows:Identifier>{ECHO}</ows:Identifier><wps:DataInputs><wps:Input>'
    "<ows:Identifier>literal</ows:Identifier><wps:Data><wps:LiteralData>hello"
    "</wps:LiteralData></wps:Data></wps:Input></wps:DataInputs><wps:ResponseForm>{form}"
    "</wps:ResponseForm></wps:Execute>"
)
OUTPUT = "<ows:Identifier>literal</ows:Identifier>"
DOCUMENT = (
    '<wps:ResponseDocument storeExecuteResponse="{0}" status="{0}"><wps:Output>'
    f"{OUTPUT}</wps:Output></wps:ResponseDocument>"
)


def test_a4_1_posted_key_value_pairs_without_a_body(make_door: MakeDoor) -> None:
    """A.4.1, for Execute; for the others see test_door.py."""
    query = "&".join(f"{k}={v}" for k, v in KVP.items())
    assert refusal(make_door().post(b"", path=f"/wps?{query}"))[0] == 400


@pytest.mark.parametrize("posted", [False, True])
def test_a4_4_raw(make_door: MakeDoor, posted: bool) -> None:
    door = make_door()
    form = f"<wps:RawDataOutput>{OUTPUT}</wps:RawDataOutput>"
    if posted:
        response = door.post(OLD.format(form=form))
    else:
        response = door.get(**KVP, DataInputs="literal=hello", RawDataOutput="literal")
    assert response.body == b"hello"


@pytest.mark.parametrize("posted", [False, True])
@pytest.mark.parametrize("updating", [False, True])
def test_a4_4_documents(make_door: MakeDoor, posted: bool, updating: bool) -> None:
    """The updating document is fetched from its statusLocation, and valid there."""
    door = make_door()
    flag = str(updating).lower()
    if posted:
        response = door.post(OLD.format(form=DOCUMENT.format(flag)))
    else:
        flags = {"storeExecuteResponse": flag, "status": flag, "language": "en"}
        query = {**KVP, "DataInputs": "literal=hello", "ResponseDocument": "literal", **flags}
        response = door.get(**query)
    assert response.xml.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
    if updating:
        location = response.xml.get("statusLocation")
        response = door.raw_get(location.removeprefix("http://testserver"))
    assert texts(response.xml, "LiteralData") == ["hello"]
    assert len(texts(response.xml, "ProcessSucceeded")) == 1


def test_a4_4_an_unknown_language(make_door: MakeDoor) -> None:
    response = make_door().get(**KVP, DataInputs="literal=hello", language="tlh")
    assert refusal(response) == (400, "InvalidParameterValue", "language")
