"""Inputs of WPS 1.0.0 as they reach the provider, and what is wrong with them."""

from __future__ import annotations

import base64

import pytest

from accounting.models import Transfer
from common.xml import parse as parse_xml
from common.xml import serialise
from jobs.models import Job
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    LiteralValue,
    OutputRequest,
    ReferenceValue,
)
from tests.fakes.wps_server import FakeWps
from tests.wps_proxy.conftest import ALL_KINDS, Door, refusal, texts
from tests.wps_proxy.test_execute import ASYNC, FAST, WPS, outputs_of, state_of, wanted
from tests.wps_proxy.writing import to_query, to_xml

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
def test_both_encodings_of_a_request_give_the_same_at_the_provider(
    door: Door, wps: FakeWps
) -> None:
    request = wanted(door, inputs=EVERY_INPUT)
    assert state_of(door.post(to_xml(request))) == "ProcessSucceeded"
    assert state_of(door.raw_get(f"/wps?{to_query(request)}")) == "ProcessSucceeded"
    by_xml, by_kvp = wps.executes
    assert by_xml.body == by_kvp.body
    assert texts(by_xml.xml, "LowerCorner") == ["45.5 11.25"]  # the axes as they were given
    assert texts(by_xml.xml, "ComplexData") == ['{"a":"<;=@&é"}']
    notes = [e for e in by_xml.xml.iter(f"{WPS}Input") if e[0].text == "note"]
    assert texts(notes[1], "LiteralData") == ["a;b=c@d%3B <&> é"]


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize("nested", [False, True])
def test_xml_arrives_as_it_was_sent(door: Door, wps: FakeWps, nested: bool) -> None:
    given = '<p:a xmlns:p="urn:p"><p:b c="é">1</p:b></p:a>'
    value = ComplexValue("parcels", "" if nested else given, "text/xml")
    root = parse_xml(to_xml(wanted(door, inputs=(*FAST, value))))
    if nested:
        root.find(f".//{WPS}ComplexData").append(parse_xml(given.encode()))
    assert state_of(door.post(serialise(root))) == "ProcessSucceeded"
    sent = wps.executes[0].xml.find(f".//{WPS}ComplexData")
    assert [(e.tag, dict(e.attrib), e.text) for e in sent[0].iter()] == [
        ("{urn:p}a", {}, None),
        ("{urn:p}b", {"c": "é"}, "1"),
    ]


@pytest.mark.usefixtures("working")
def test_text_is_utf8_whatever_its_declaration_says(door: Door, wps: FakeWps) -> None:
    """A declared encoding was that of a file; the text of a request has its own."""
    declared = '<?xml version="1.0" encoding="ISO-8859-1"?>'
    value = ComplexValue("parcels", f"{declared}<a>é</a>", "text/xml; charset=UTF-8")
    wps.add(ALL_KINDS, lambda _: {"shape": f"{declared}<b>ü</b>".encode("latin-1")})
    request = wanted(door, inputs=(*FAST, value), outputs=(OutputRequest("shape"),))
    response = door.post(to_xml(request))
    sent = wps.executes[0].xml.find(f".//{WPS}ComplexData")
    assert (sent[0].tag, sent[0].text, sent.get("mimeType")) == ("a", "é", "text/xml")
    assert outputs_of(response)["shape"][0].text == "ü"


INPUT = "<wps:Input><ows:Identifier>{}</ows:Identifier>{}</wps:Input>"
LITERAL = "<wps:LiteralData>{}</wps:LiteralData>"


@pytest.mark.parametrize(
    "value",
    [
        f"<wps:Data>{LITERAL.format('a<b/>c')}</wps:Data>",
        2 * f"<wps:Data>{LITERAL.format('a')}</wps:Data>",
        f"<wps:Data>{2 * LITERAL.format('a')}</wps:Data>",
        f"<wps:Data>{LITERAL.format('a')}</wps:Data><wps:Reference/>",
    ],
)
def test_what_would_be_lost_is_refused(door: Door, value: str) -> None:
    body = to_xml(wanted(door)).decode()
    prefix = body.partition(":DataInputs>")[0].rpartition("<")[2]
    end = f"</{prefix}:DataInputs>"
    assert end in body
    names = (
        'xmlns:wps="http://www.opengis.net/wps/1.0.0" xmlns:ows="http://www.opengis.net/ows/1.1"'
    )
    one = INPUT.format("note", value).replace("<wps:Input>", f"<wps:Input {names}>")
    response = door.post(body.replace(end, one + end))
    assert refusal(response) == (400, "InvalidParameterValue", "note")
    assert not Job.objects.exists()


@pytest.mark.usefixtures("working")
def test_base64_arrives_as_it_was_sent(door: Door, wps: FakeWps) -> None:
    data = base64.b64encode(b'{"x": 1}').decode()
    value = ComplexValue("parcels", data, "application/geo+json", "base64")
    assert state_of(door.post(to_xml(wanted(door, inputs=(*FAST, value))))) == "ProcessSucceeded"
    sent = wps.executes[0].xml.find(f".//{WPS}ComplexData")
    assert (sent.text, sent.get("encoding")) == (data, "base64")


@pytest.mark.parametrize(
    ("inputs", "code", "locator"),
    [
        ("", "MissingParameterValue", "mode"),
        ("mode=slow", "InvalidParameterValue", "mode"),
        ("mode=fast;depth=abc", "InvalidParameterValue", "depth"),
        ("mode=fast;depth=101", "InvalidParameterValue", "depth"),
        ("mode=fast;depth=1@uom=km", "InvalidParameterValue", "depth"),
        ("mode=fast;mode=fast", "InvalidParameterValue", "mode"),
        ("mode=fast;unknown=1", "InvalidParameterValue", "unknown"),
        ("mode=fast;area=45,11,46,12,EPSG:3035", "InvalidParameterValue", "area"),
        ("mode=fast;area=45,11,44,12", "InvalidParameterValue", "area"),
        ("mode=fast;parcels=nojson", "InvalidParameterValue", "parcels"),
        ("mode=fast;parcels=%7B%7D@mimeType=image/png", "InvalidParameterValue", "parcels"),
        ("mode=fast;parcels=@href=file:///etc/passwd", "InvalidParameterValue", "parcels"),
        ("mode=fast;note=a%00b", "InvalidParameterValue", "note"),
        ("mode=fast;depth", "MissingParameterValue", "depth"),
    ],
)
def test_wrong_inputs_are_named_and_cost_nothing(
    door: Door, inputs: str, code: str, locator: str
) -> None:
    assert refusal(door.execute(inputs)) == (400, code, locator)
    assert not Job.objects.exists()
    assert not Transfer.objects.filter(kind="HOLD").exists()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_occurrences_up_to_the_most(door: Door, count: int) -> None:
    response = door.execute(";".join(["mode=fast", *["parcels=%7B%7D"] * count]), **ASYNC)
    assert response.status_code == (400 if count == 3 else 200)


def test_every_wrong_input_is_told_at_once(door: Door) -> None:
    response = door.execute("mode=slow;depth=101;other=1")
    assert [e.get("locator") for e in response.xml] == ["depth", "mode", "other"]


def test_wrong_outputs_are_named(door: Door) -> None:
    for outputs, locator in (
        ("nothing", "nothing"),
        ("mean;mean", "mean"),
        ("change@mimeType=image/png", "change"),
        ("mean@mimeType=image/png", "mean"),
        ("mean@uom=km", "mean"),
    ):
        response = door.execute(ResponseDocument=outputs)
        assert refusal(response) == (400, "InvalidParameterValue", locator)
