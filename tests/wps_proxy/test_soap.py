"""Both versions in envelopes of SOAP 1.2 and 1.1: the same requests, the same jobs, Faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from common.xml import SOAP11, SOAP12
from common.xml import parse as parse_xml
from jobs.models import Job
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    ExecuteRequest,
    LiteralValue,
    OutputRequest,
)
from tests.factories import World, give_credit
from tests.fakes.wps_server import FakeWps
from tests.wps_proxy.conftest import Door, MakeDoor, refusal, texts
from tests.wps_proxy.schemas import FOLDER
from tests.wps_proxy.writing import in_envelope, of_job, to_query, to_xml, to_xml2
from wps_proxy.wps1.requests import Execute, ResponseForm

INPUTS = (
    LiteralValue("depth", "7"),
    LiteralValue("mode", "fast"),
    BoundingBoxValue("area", (45.5, 11.25), (46.5, 12.25), "urn:ogc:def:crs:EPSG::4326"),
    ComplexValue("parcels", '{"a":"<;=@&é"}', "application/geo+json"),
    LiteralValue("note", " a;b=c@d "),
)
KINDS = {
    SOAP12: "application/soap+xml; charset=utf-8",
    SOAP11: "text/xml; charset=utf-8",
}
OPEN = '<w:{0} xmlns:w="http://www.opengis.net/wps/{1}" service="WPS" {2}>'
CAPS = {version: OPEN.format("GetCapabilities", version, "") for version in ("1.0.0", "2.0")}


def post(door: Door, document: bytes | str, namespace: str = SOAP12, **more: Any) -> Any:
    return door.post(in_envelope(document, namespace, more.pop("header", "")), **more)


def fault_of(response: Any) -> dict[str, str]:
    """The texts of a Fault beside its detail."""
    fault = etree.fromstring(response.body)[0][0]
    assert etree.QName(fault).localname == "Fault"
    return {
        etree.QName(e).localname: "".join(e.itertext())
        for e in fault
        if etree.QName(e).localname not in ("Detail", "detail")
    }


@pytest.fixture(params=[SOAP12, SOAP11], ids=["1.2", "1.1"])
def namespace(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("path", ["/wps", "/wps/2.0"])
def test_lists_and_descriptions_are_the_bare_ones_in_an_envelope(
    make_door: MakeDoor, path: str, namespace: str
) -> None:
    door = make_door(path=path)
    version = "2.0" if path.endswith("2.0") else "1.0.0"
    bare = door.get(service="WPS", request="GetCapabilities")
    response = post(door, CAPS[version] + "</w:GetCapabilities>", namespace)
    assert response.headers["Content-Type"] == KINDS[namespace]
    assert etree.fromstring(response.body).tag == f"{{{namespace}}}Envelope"
    assert etree.tostring(response.xml, method="c14n2") == etree.tostring(bare.xml, method="c14n2")
    number = "2.0.0" if version == "2.0" else version
    ows = "http://www.opengis.net/ows/" + ("2.0" if version == "2.0" else "1.1")
    described = post(
        door,
        OPEN.format("DescribeProcess", version, f'version="{number}"')
        + f'<o:Identifier xmlns:o="{ows}">ALL</o:Identifier></w:DescribeProcess>',
        namespace,
    )
    assert door.identifier in texts(described.xml, "Identifier")


@pytest.mark.usefixtures("working")
def test_every_encoding_of_a_request_gives_the_same_job(
    world: World, make_door: MakeDoor, wps: FakeWps, namespace: str
) -> None:
    give_credit(world.account, 10)
    door = make_door()
    nested = '<p:a xmlns:p="urn:p"><p:b c="é">1</p:b></p:a>'
    inputs = (*INPUTS, ComplexValue("parcels", nested, "text/xml"))
    request = ExecuteRequest(door.identifier, inputs, (OutputRequest("mean"),))
    first, second = Execute(request, ResponseForm()), to_xml2(request)

    def unescaped(document: bytes) -> bytes:
        """The nested document as an element in place of its text."""
        text = document.decode()
        escaped = nested.replace("<", "&lt;").replace(">", "&gt;")
        escaped = escaped if escaped in text else escaped.replace("é", "&#233;")
        assert escaped in text
        return text.replace(escaped, nested).encode()

    answers = (
        door.raw_get(f"/wps?{to_query(first)}"),
        door.post(to_xml(first)),
        door.post(unescaped(to_xml(first))),
        post(door, unescaped(to_xml(first)), namespace),
        door.post(second, path="/wps/2.0"),
        post(door, unescaped(second), namespace, path="/wps/2.0"),
    )
    assert [texts(one.xml, "ExceptionText") for one in answers] == [[]] * 6
    assert len(wps.executes) == 6
    assert len({one.body for one in wps.executes}) == 1
    assert len(set(Job.objects.values_list("fingerprint", flat=True))) == 1


@pytest.mark.usefixtures("working")
def test_the_life_of_a_job_in_envelopes(make_door: MakeDoor, namespace: str) -> None:
    door = make_door(path="/wps/2.0")
    request = ExecuteRequest(door.identifier, (LiteralValue("mode", "fast"),), ())
    result = post(door, to_xml2(request), namespace)
    assert texts(result.xml, "LiteralValue") == ["41.7"]
    assert etree.QName(result.xml).localname == "Result"
    accepted = post(door, to_xml2(request, mode="async"), namespace)
    (job_id,) = texts(accepted.xml, "JobID")
    status = post(door, of_job("GetStatus", job_id), namespace)
    assert texts(status.xml, "Status") == ["Accepted"]
    early = post(door, of_job("GetResult", job_id), namespace)
    assert refusal(early) == (400, "ResultNotReady", job_id)
    assert texts(post(door, of_job("Dismiss", job_id), namespace).xml, "Status") == ["Dismissed"]


def test_a_refusal_is_a_fault_with_the_report(make_door: MakeDoor, namespace: str) -> None:
    for path, code in (("/wps", "InvalidParameterValue"), ("/wps/2.0", "NoSuchProcess")):
        door = make_door(path=path)
        request = ExecuteRequest("no.such", (), (OutputRequest("x"),))
        body = to_xml2(request) if path.endswith("2.0") else to_xml(Execute(request))
        response = post(door, body, namespace)
        assert response.headers["Content-Type"] == KINDS[namespace]
        assert refusal(response)[:2] == (400, code)
        told = fault_of(response)
        if namespace == SOAP12:
            assert told["Code"] == "soap:Sender"
            assert "no.such" in told["Reason"]
        else:
            assert told["faultcode"] == "soap:Client"
            assert "no.such" in told["faultstring"]


def test_a_failed_provider_is_the_receivers_fault(
    make_door: MakeDoor, wps: FakeWps, working: None, namespace: str
) -> None:
    wps.failure = "No data there"
    door = make_door(path="/wps/2.0")
    request = ExecuteRequest(door.identifier, (LiteralValue("mode", "fast"),), ())
    response = post(door, to_xml2(request), namespace)
    assert refusal(response) == (502, "NoApplicableCode", "provider")
    code = fault_of(response)["Code" if namespace == SOAP12 else "faultcode"]
    assert code == ("soap:Receiver" if namespace == SOAP12 else "soap:Server")


def test_who_is_not_known_gets_a_fault_too(make_door: MakeDoor) -> None:
    """Nothing is read before: the headers alone tell which envelope was sent."""
    for path in ("/wps", "/wps/2.0"):
        door = make_door(path=path)
        door.headers = {}
        body = in_envelope("<x/>")
        response = door.post(body, content_type="application/soap+xml")
        assert refusal(response) == (401, "NoApplicableCode", "Authentication")
        assert fault_of(response)["Code"] == "soap:Sender"
        assert "WWW-Authenticate" in response.headers
        response = door.post(body, headers={"SOAPAction": '""'})
        assert fault_of(response)["faultcode"] == "soap:Client"
        assert door.post(body).body.startswith(b"<?xml")


@pytest.mark.parametrize(
    ("header", "refused"),
    [
        ("", False),
        ("<e:Header><a xmlns='urn:a'/></e:Header>", False),
        ("<e:Header><a xmlns='urn:a' e:mustUnderstand='0'/></e:Header>", False),
        ("<e:Header><a xmlns='urn:a' e:mustUnderstand='1'/></e:Header>", True),
        ("<e:Header><a xmlns='urn:a' e:mustUnderstand='true'/></e:Header>", True),
        (
            f"<e:Header><a xmlns='urn:a' e:mustUnderstand='1' e:role='{SOAP12}/role/none'/>"
            "</e:Header>",
            False,
        ),
    ],
)
def test_headers_that_must_be_understood(make_door: MakeDoor, header: str, refused: bool) -> None:
    """SOAP 1.2 part 1, §5.2.3."""
    door = make_door()
    response = post(door, CAPS["1.0.0"] + "</w:GetCapabilities>", header=header)
    assert response.status_code == (400 if refused else 200)
    if refused:
        assert fault_of(response)["Code"] == "soap:MustUnderstand"


def test_envelopes_with_none_or_many_requests(make_door: MakeDoor) -> None:
    door = make_door()
    one = CAPS["1.0.0"] + "</w:GetCapabilities>"
    for content in ("", one + one, "text"):
        response = post(door, content)
        assert refusal(response)[:2] == (400, "MissingParameterValue")
        assert fault_of(response)["Code"] == "soap:Sender"
    foreign = in_envelope(one).replace(SOAP12.encode(), b"urn:another-envelope")
    assert refusal(door.post(foreign)) == (501, "OperationNotSupported", "Envelope")
    for wrong in (b"<e:Envelope", in_envelope("<!DOCTYPE a><a/>")):
        response = door.post(wrong, content_type="application/soap+xml")
        assert refusal(response) == (400, "NoApplicableCode", "")
        assert fault_of(response)["Code"] == "soap:Sender"


@pytest.mark.usefixtures("working")
def test_raw_outputs_in_an_envelope(make_door: MakeDoor, wps: FakeWps, namespace: str) -> None:
    """XML has a place there, everything else is refused before it costs anything."""

    def raw(door: Door, output: str) -> Any:
        request = ExecuteRequest(
            door.identifier, (LiteralValue("mode", "fast"),), (OutputRequest(output),)
        )
        if door.path == "/wps":
            return door.post(
                in_envelope(to_xml(Execute(request, ResponseForm(raw=True))), namespace)
            )
        return door.post(in_envelope(to_xml2(request, response="raw"), namespace))

    for path in ("/wps", "/wps/2.0"):
        door = make_door(path=path)
        for output in ("change", "zones", *(("mean",) if path == "/wps" else ())):
            assert refusal(raw(door, output)) == (400, "InvalidParameterValue", output)
    assert not Job.objects.exists()
    literal = raw(make_door(path="/wps/2.0"), "mean")
    assert texts(literal.xml, "LiteralValue") or literal.xml.text == "41.7"
    shape = make_door()
    body = in_envelope(
        to_xml(
            Execute(
                ExecuteRequest(
                    shape.identifier, (LiteralValue("mode", "fast"),), (OutputRequest("shape"),)
                ),
                ResponseForm(raw=True),
            )
        ),
        namespace,
    )
    answer = shape.client.post("/wps", body, content_type="text/xml", headers=shape.headers)
    assert parse_xml(answer.content)[0][0].tag == "{urn:g}Point"


def test_the_official_samples_are_read(make_door: MakeDoor) -> None:
    folder = FOLDER / "ogc" / "wps" / "1.0.0" / "examples"
    if not folder.is_dir():
        pytest.skip("shared schemas are absent")
    door = make_door()
    samples: list[Path] = sorted(folder.glob("[13]0_*_SOAP.xml"))
    assert len(samples) == 2
    listed = door.post(samples[0].read_bytes())
    assert etree.QName(listed.xml).localname == "Capabilities"
    unknown = door.post(samples[1].read_bytes())
    assert refusal(unknown)[1] == "InvalidParameterValue"  # it asks for somebody else's process
