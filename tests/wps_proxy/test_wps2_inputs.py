"""Inputs of WPS 2.0 as they reach the provider, what is wrong with them, and who pays."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from accounting.check import findings
from common.errors import ProviderUnreachable
from common.http import Response
from jobs.models import Job
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    ExecuteRequest,
    Format,
    LiteralValue,
    OutputRequest,
    ReferenceValue,
)
from tests.factories import World, make_service
from tests.fakes.wps_server import FakeWps
from tests.wps_proxy.conftest import Door, MakeDoor, refusal, texts
from tests.wps_proxy.test_quotation import QUOTABLE
from tests.wps_proxy.test_wps2_door import CAPS, FAST, WPS, job_id, kind, outputs_of, run
from tests.wps_proxy.writing import to_xml, to_xml2
from wps_proxy import references
from wps_proxy.wps1.requests import Execute, ResponseForm


@pytest.fixture
def door(make_door: MakeDoor) -> Door:
    return make_door(path="/wps/2.0")


# --- inputs ----------------------------------------------------------------------------------

EVERY_INPUT = (
    LiteralValue("depth", "12.5", "", "%"),
    LiteralValue("mode", "exact"),
    BoundingBoxValue("area", (45.5, 11.25), (46.5, 12.25), "urn:ogc:def:crs:EPSG::4326"),
    ComplexValue("parcels", '{"a":"<;=@&é"}', "application/geo+json"),
    ReferenceValue("parcels", "https://data.example.org/a.json?x=1;y=2", "application/geo+json"),
    LiteralValue("note", "one"),
    LiteralValue("note", "a;b=c@d%3B <&> é"),
)


@pytest.mark.usefixtures("working")
def test_both_versions_of_a_request_give_the_same_at_the_provider(
    door: Door, make_door: MakeDoor, wps: FakeWps
) -> None:
    request = ExecuteRequest(door.identifier, EVERY_INPUT, (OutputRequest("mean"),))
    assert kind(door.post(to_xml2(request))) == "Result"
    make_door().post(to_xml(Execute(request, ResponseForm())))
    first, second = wps.executes
    assert first.body == second.body
    assert texts(first.xml, "LowerCorner") == ["45.5 11.25"]  # the axes as they were given
    jobs = Job.objects.values_list("fingerprint", flat=True)
    assert len(jobs) == 2
    assert len(set(jobs)) == 1


@pytest.mark.usefixtures("working")
def test_bytes_and_texts_arrive_as_they_were_sent(door: Door, wps: FakeWps) -> None:
    data = base64.b64encode(b'{"x": 1}').decode()
    cdata = '<Data mimeType="application/geo+json"><![CDATA[{"a": "<&>]]]]><![CDATA[>"}]]></Data>'
    value = ComplexValue("parcels", data, "application/geo+json", "base64")
    request = ExecuteRequest(door.identifier, (*FAST, value), (OutputRequest("mean"),))
    body = to_xml2(request).decode()
    first = body.index("<ns0:Output") if "<ns0:Output" in body else body.index("<Output")
    prefix = "ns0:" if "<ns0:Output" in body else ""
    second = f'<{prefix}Input id="parcels">{cdata}</{prefix}Input>'.replace("Data", f"{prefix}Data")
    second = second.replace(f"C{prefix}Data", "CData").replace("![CDATA", "![CDATA")
    assert kind(door.post(body[:first] + second + body[first:])) == "Result"
    sent = [e for e in wps.executes[0].xml.iter() if str(e.tag).endswith("}ComplexData")]
    assert [e.text for e in sent] == [data, '{"a": "<&>]]>"}']
    assert sent[0].get("encoding") == "base64"


@pytest.mark.parametrize(
    ("inputs", "code", "locator"),
    [
        ((), "MissingParameterValue", "mode"),
        ((LiteralValue("mode", "slow"),), "WrongInputData", "mode"),
        ((*FAST, *FAST), "TooManyInputs", "mode"),
        ((*FAST, LiteralValue("other", "1")), "NoSuchInput", "other"),
        ((*FAST, LiteralValue("depth", "abc")), "WrongInputData", "depth"),
        ((*FAST, LiteralValue("depth", "1", "", "km")), "WrongInputData", "depth"),
        ((*FAST, ComplexValue("parcels", "{}", "image/png")), "NoSuchFormat", "parcels"),
        (
            (*FAST, ComplexValue("parcels", "no", "application/geo+json")),
            "WrongInputData",
            "parcels",
        ),
        (
            (*FAST, ComplexValue("parcels", f'"{"x" * 2**20}"', "application/geo+json")),
            "SizeExceeded",
            "parcels",
        ),
        (
            (*FAST, *3 * (ComplexValue("parcels", "{}", "application/geo+json"),)),
            "TooManyInputs",
            "parcels",
        ),
        ((*FAST, BoundingBoxValue("area", (4, 5), (3, 6))), "WrongInputData", "area"),
        ((*FAST, ReferenceValue("parcels", "file:///etc/passwd")), "WrongInputData", "parcels"),
    ],
)
def test_wrong_inputs_have_the_codes_of_the_standard(
    door: Door, inputs: tuple[Any, ...], code: str, locator: str
) -> None:
    assert refusal(run(door, "mean", inputs=inputs)) == (400, code, locator)
    assert not Job.objects.exists()


def test_every_wrong_input_has_its_own_code(door: Door) -> None:
    wrong = (
        LiteralValue("mode", "slow"),
        LiteralValue("other", "1"),
        *2 * (LiteralValue("depth", "1"),),
    )
    response = run(door, "mean", inputs=wrong)
    assert {e.get("locator"): e.get("exceptionCode") for e in response.xml} == {
        "depth": "TooManyInputs",
        "mode": "WrongInputData",
        "other": "NoSuchInput",
    }


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_occurrences_up_to_the_most(door: Door, count: int) -> None:
    parcels = (ComplexValue("parcels", "{}", "application/geo+json"),) * count
    response = run(door, "mean", inputs=(*FAST, *parcels), mode="async")
    assert response.status_code == (400 if count == 3 else 200)


def test_wrong_outputs_and_modes(door: Door) -> None:
    assert refusal(run(door, "nothing")) == (400, "NoSuchOutput", "nothing")
    assert refusal(run(door, "mean", "mean")) == (400, "TooManyOutputs", "mean")
    png = OutputRequest("change", format=Format("image/png"))
    assert refusal(run(door, png)) == (400, "NoSuchFormat", "change")
    plain_png = OutputRequest("mean", format=Format("image/png"))
    assert refusal(run(door, plain_png)) == (400, "NoSuchFormat", "mean")
    assert refusal(run(door, "mean", mode="later")) == (400, "NoSuchMode", "later")
    assert refusal(run(door, "mean", process="no.such")) == (400, "NoSuchProcess", "no.such")
    assert refusal(run(door, "mean", response="x")) == (400, "InvalidParameterValue", "response")
    kvp = door.get(service="WPS", version="2.0.0", request="Execute", identifier=door.identifier)
    assert refusal(kvp) == (501, "OperationNotSupported", "Execute")
    assert door.get(service="WPS", request="GetCapabilities", version="1.0.0").status_code == 400
    assert not Job.objects.exists()


@pytest.mark.usefixtures("working")
def test_a_plain_value_by_reference_is_fetched(
    door: Door, wps: FakeWps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """14-065 §9.6.1, conformance test A.5.4; WPS 1.0.0 providers take no such reference."""
    bodies = {
        "https://data.example.org/mode.txt": b"fast\r\n",
        "https://data.example.org/depth.xml": (
            b'<w:LiteralValue xmlns:w="http://www.opengis.net/wps/2.0" uom="%">7</w:LiteralValue>'
        ),
    }

    def fetch(_method: str, url: str, **_: Any) -> Response:
        return Response(200 if url in bodies else 404, {}, bodies.get(url, b""), url)

    monkeypatch.setattr(references, "fetch", fetch)
    inputs = (
        ReferenceValue("mode", "https://data.example.org/mode.txt"),
        ReferenceValue("depth", "https://data.example.org/depth.xml", "text/xml"),
    )
    assert kind(run(door, "mean", inputs=inputs)) == "Result"
    assert texts(wps.executes[0].xml, "LiteralData") == ["7", "fast"]
    gone = (ReferenceValue("mode", "https://data.example.org/gone"),)
    assert refusal(run(door, "mean", inputs=gone)) == (400, "DataNotAccessible", "mode")
    many = (ReferenceValue("note", "https://data.example.org/mode.txt"),) * 11
    assert refusal(run(door, "mean", inputs=many))[1] == "TooManyInputs"

    def unreachable(*_: Any, **__: Any) -> Response:
        raise ProviderUnreachable

    monkeypatch.setattr(references, "fetch", unreachable)
    assert refusal(run(door, "mean", inputs=gone)) == (400, "DataNotAccessible", "mode")


def test_a_plain_value_behind_the_guard_is_not_fetched(door: Door, wps: FakeWps) -> None:
    for href in ("http://127.0.0.1:1/x", "file:///etc/passwd", "http://169.254.169.254/x"):
        response = run(door, "mean", inputs=(ReferenceValue("mode", href),))
        assert refusal(response) == (400, "DataNotAccessible", "mode")
    assert wps.received == []


# --- credit and quotation --------------------------------------------------------------------


def test_credit_payer_ceiling_and_key_work_as_in_the_other_version(
    door: Door, world: World
) -> None:
    keyed = {"Idempotency-Key": "run-1"}
    first = run(door, "mean", mode="async", headers=keyed)
    assert job_id(run(door, "mean", mode="async", headers=keyed)) == job_id(first)
    assert Job.objects.count() == 1
    body = to_xml2(ExecuteRequest(door.identifier, FAST, ()), mode="async")
    dear = door.post(body, headers={"X-Tep-Max-Cost": "0.01"})
    assert dear.status_code == 409
    unknown = door.post(body, path="/wps/2.0?account=group:999")
    assert refusal(unknown) == (400, "InvalidParameterValue", "account")
    world.set_price(12_000_000)
    poor = door.post(body)
    assert refusal(poor) == (402, "NoApplicableCode", "credit")
    assert findings() == []


def test_a_quotation_comes_in_place_of_the_outputs(door: Door, wps: FakeWps) -> None:
    asked = (LiteralValue("quotation", "true"), *FAST)
    for mode in ("sync", "async", "auto"):
        found = outputs_of(run(door, "mean", inputs=asked, mode=mode))
        literal = found["QUOTATION"].find(f"{WPS}LiteralValue")
        assert (literal.text, literal.get("uom")) == ("2.00", "credit")
    wrong = run(door, "mean", inputs=(asked[0], LiteralValue("mode", "slow")))
    assert refusal(wrong) == (400, "WrongInputData", "mode")
    raw = run(door, "mean", inputs=asked, response="raw")
    assert (raw.body, raw.headers["Content-Type"]) == (b"2.00", "text/plain")
    assert not Job.objects.exists()
    assert wps.executes == []


def test_a_quotable_process_lists_the_question(door: Door, world: World) -> None:
    world.app.services.add(make_service(world.provider, replace(QUOTABLE, identifier="priced")))
    notes = [e.get("{http://www.w3.org/1999/xlink}title") for e in door.get(**CAPS).xml.iter()]
    assert sum("quotation=true" in (note or "") for note in notes) == 1
    described = door.get(
        service="WPS",
        version="2.0.0",
        request="DescribeProcess",
        identifier=f"{world.provider.slug}.priced",
    )
    assert "quotation" in texts(described.xml, "Identifier")
