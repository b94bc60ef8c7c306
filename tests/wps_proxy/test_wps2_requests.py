"""Requests of WPS 2.0, read back from their encodings, and spellings that occur."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput, PortalError
from common.kvp import parameters
from common.xml import parse as parse_xml
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    ExecuteRequest,
    Format,
    LiteralDomain,
    LiteralValue,
    OutputDescription,
    OutputRequest,
    ProcessDescription,
    ReferenceValue,
)
from tests.wps_proxy import test_requests as old
from tests.wps_proxy.writing import to_xml2
from wps_proxy.wps2 import kvp, parse
from wps_proxy.wps2.requests import (
    DescribeProcess,
    Dismiss,
    Execute,
    GetCapabilities,
    GetResult,
    GetStatus,
    Request,
)

PROCESS = ProcessDescription(
    "any", inputs=old.PROCESS.inputs, outputs=(OutputDescription("out", LiteralDomain()),)
)


def described(identifier: str) -> ProcessDescription:
    return ProcessDescription(identifier, inputs=PROCESS.inputs, outputs=PROCESS.outputs)


# --- any request, there and back -------------------------------------------------------------


@st.composite
def executes(draw: st.DrawFn) -> Execute:
    values = tuple(draw(st.lists(old.inputs, max_size=4)))
    raw = draw(st.booleans())
    outputs = tuple(draw(st.lists(old.outputs, min_size=raw, max_size=1 if raw else 3)))
    request = ExecuteRequest(draw(old.words), values, outputs)
    return Execute(request, draw(st.sampled_from(["sync", "async", "auto"])), raw)


def misread(value: object) -> bool:
    """What is no input of the process: a value is then told from a document by its looks."""
    of_another_kind = {"literal": ComplexValue, "complex": LiteralValue, "box": LiteralValue}
    identifier = getattr(value, "identifier", "")
    wrong = of_another_kind.get(identifier)
    return wrong is not None and isinstance(value, wrong)


@given(executes())
@settings(max_examples=200, deadline=None)
def test_execute_is_read_back_from_xml(wanted: Execute) -> None:
    if any(map(misread, wanted.request.inputs)):
        return
    body = to_xml2(wanted.request, mode=wanted.mode, response="raw" if wanted.raw else "document")
    assert parse.read(parse_xml(body), described) == wanted


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode(errors="ignore")))
def test_any_bytes_are_a_request_or_a_clear_refusal(data: bytes) -> None:
    with suppress(PortalError):
        parse.read(parse_xml(data), described)
    with suppress(PortalError):
        kvp.read(parameters(data.decode("latin-1")))


# --- key-value pairs -------------------------------------------------------------------------


def of(query: str) -> Request:
    return kvp.read(parameters(query))


def test_key_value_pairs_of_every_operation() -> None:
    assert of("service=WPS&request=GetCapabilities") == GetCapabilities()
    asked = (
        "Service=wps&REQUEST=getcapabilities&AcceptVersions=3.0.0,2.0.2&Sections=Contents,languages"
        "&AcceptFormats=image/x,application/xml&AcceptLanguages=tlh,en-GB&updateSequence=1.x"
    )
    assert of(asked) == GetCapabilities("en", "1.x", frozenset({"Languages"}), "application/xml")
    start = "service=WPS&version=2.0.0&request="
    assert of(f"{start}DescribeProcess&identifier=a,b&lang=en") == DescribeProcess(("a", "b"))
    assert of(f"{start}DescribeProcess&identifier=a,ALL") == DescribeProcess(())
    assert of(f"{start}GetStatus&JobID=x") == GetStatus("x")
    assert of(f"{start}getresult&JOBID=x") == GetResult("x")
    assert of("service=WPS&version=2.0.2&request=Dismiss&jobid=x") == Dismiss("x")


@pytest.mark.parametrize(
    ("query", "code", "locator"),
    [
        ("request=GetCapabilities", "missing", "service"),
        ("service=WMS&request=GetCapabilities", "invalid", "service"),
        ("service=WPS", "missing", "request"),
        ("service=WPS&request=GetMap", "OperationNotSupported", "GetMap"),
        ("service=WPS&version=2.0.0&request=Execute", "OperationNotSupported", "Execute"),
        ("service=WPS&request=GetCapabilities&version=1.0.0", "VersionNegotiationFailed", ""),
        ("service=WPS&request=GetCapabilities&sections=Themes", "invalid", "Sections"),
        ("service=WPS&request=GetCapabilities&AcceptLanguages=tlh", "invalid", "AcceptLanguages"),
        ("service=WPS&request=DescribeProcess&identifier=a", "missing", "version"),
        ("service=WPS&request=DescribeProcess&version=1.0.0&identifier=a", "invalid", "version"),
        ("service=WPS&request=DescribeProcess&version=2.0.0", "missing", "identifier"),
        (
            "service=WPS&request=DescribeProcess&version=2.0.0&identifier=a&lang=tlh",
            "invalid",
            "lang",
        ),
        ("service=WPS&request=GetStatus&version=2.0.0", "missing", "jobID"),
        ("service=WPS&request=Dismiss&version=3.0.0&jobid=x", "invalid", "version"),
    ],
)
def test_wrong_key_value_pairs_are_named(query: str, code: str, locator: str) -> None:
    with pytest.raises(PortalError) as caught:
        of(query)
    error = caught.value
    told = "missing" if getattr(error, "missing", False) else error.data.get("ows_code", "invalid")
    place = error.data.get("locator", getattr(error, "locator", ""))
    assert (told, place) == (code, locator)


# --- XML -------------------------------------------------------------------------------------

NAMES = (
    'xmlns="http://www.opengis.net/wps/2.0" xmlns:w="http://www.opengis.net/wps/2.0"'
    ' xmlns:ows="http://www.opengis.net/ows/2.0" xmlns:old="http://www.opengis.net/ows/1.1"'
    ' xmlns:x="http://www.w3.org/1999/xlink"'
)


def xml(text: str) -> Request:
    return parse.read(
        parse_xml(text.replace(" service=", f" {NAMES} service=", 1).encode()), described
    )


def execute(content: str, *, attributes: str = 'mode="sync" response="document"') -> Execute:
    found = xml(
        f'<Execute service="WPS" version="2.0.0" {attributes}>'
        f"<ows:Identifier>any</ows:Identifier>{content}</Execute>"
    )
    assert isinstance(found, Execute)
    return found


def value_of(identifier: str, data: str) -> object:
    return execute(f'<Input id="{identifier}">{data}</Input>').request.inputs[0]


def test_every_operation_as_xml() -> None:
    assert xml('<GetCapabilities service="WPS"/>') == GetCapabilities()
    asked = xml(
        '<GetCapabilities service="WPS" updateSequence="4.a"><ows:AcceptVersions>'
        "<ows:Version>2.0.1</ows:Version></ows:AcceptVersions><ows:Sections><ows:Section>Contents"
        "</ows:Section></ows:Sections><ows:AcceptFormats><ows:OutputFormat>application/xml"
        "</ows:OutputFormat></ows:AcceptFormats><ows:AcceptLanguages><ows:Language>*"
        "</ows:Language></ows:AcceptLanguages></GetCapabilities>"
    )
    assert asked == GetCapabilities("en", "4.a", frozenset(), "application/xml")
    describe = (
        '<DescribeProcess service="WPS" version="2.0.0" xml:lang="en-US">{}</DescribeProcess>'
    )
    named = describe.format(
        "<ows:Identifier> a </ows:Identifier><ows:Identifier>b</ows:Identifier>"
    )
    assert xml(named) == DescribeProcess(("a", "b"))
    for name, wanted in (
        ("GetStatus", GetStatus("x")),
        ("GetResult", GetResult("x")),
        ("Dismiss", Dismiss("x")),
    ):
        assert xml(f'<{name} service="WPS" version="2.0.0"><JobID> x </JobID></{name}>') == wanted


def test_values_in_every_form() -> None:
    """A bare text is a value or a document as the description says (14-065 §9.6.1)."""
    assert value_of("literal", "<Data>12.5</Data>") == LiteralValue("literal", "12.5")
    literal = (
        '<Data mimeType="text/xml"><LiteralValue dataType="t" uom="m"> a </LiteralValue></Data>'
    )
    assert value_of("literal", literal) == LiteralValue("literal", " a ", "t", "m")
    assert value_of("complex", '<Data mimeType="a/b"><![CDATA[<&>]]></Data>') == ComplexValue(
        "complex", "<&>", "a/b"
    )
    nested = value_of("complex", '<Data mimeType="text/xml"> <p:a xmlns:p="urn:p">1</p:a> </Data>')
    assert nested == ComplexValue("complex", '<p:a xmlns:p="urn:p">1</p:a>', "text/xml")
    # So the conformance suite of 2.0 sends its document.
    cite = "<Data><ComplexData><testElement xmlns=''>hello</testElement></ComplexData></Data>"
    assert value_of("complex", cite) == ComplexValue("complex", "<testElement>hello</testElement>")
    corners = "<{0}:LowerCorner>1 2</{0}:LowerCorner><{0}:UpperCorner>3 4</{0}:UpperCorner>"
    for ows in ("ows", "old"):
        box = f'<Data><{ows}:BoundingBox crs="c">{corners.format(ows)}</{ows}:BoundingBox></Data>'
        assert value_of("box", box) == BoundingBoxValue("box", (1, 2), (3, 4), "c")
    address = '<Reference x:href=" http://data.example.org/ " mimeType="a/b" schema="s"/>'
    assert value_of("complex", address) == ReferenceValue(
        "complex", "http://data.example.org/", "a/b", "", "s"
    )


def test_names_in_texts_keep_their_meaning() -> None:
    value = value_of(
        "complex", '<Data><p:a xmlns:p="urn:p" type="ows:T" xmlns:q="urn:q">x:1</p:a></Data>'
    )
    assert isinstance(value, ComplexValue)
    assert parse_xml(value.data.encode()).nsmap == {
        "p": "urn:p",
        "ows": "http://www.opengis.net/ows/2.0",
        "x": "http://www.w3.org/1999/xlink",
    }


def test_outputs_modes_and_escaped_identifiers() -> None:
    wanted = execute(
        '<Output id="out" transmission="reference" mimeType="a/b"/><Output id="o%75t"/>',
        attributes='mode="async" response="document"',
    )
    assert wanted.mode == "async"
    assert wanted.request.outputs == (
        OutputRequest("out", True, Format("a/b")),
        OutputRequest("out"),
    )
    bare = execute("", attributes='mode="auto" response="raw"')
    assert bare == Execute(ExecuteRequest("any", (), (OutputRequest("out"),)), "auto", True)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("", ""),
        ("<Data><ows:BoundingBox/></Data>", "WrongInputData"),
        ("<Input id='b'><Data>1</Data></Input>", ""),
        ("<Reference/>", ""),
        ("<Reference x:href='http://d/'><Body>x</Body></Reference>", ""),
        ("<Reference x:href='http://d/'><BodyReference x:href='http://d/'/></Reference>", ""),
        ("<Reference x:href='http://d/' method='POST'/>", ""),
    ],
)
def test_what_is_not_taken_names_its_input(data: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        value_of("literal", data)
    assert caught.value.locator == "literal"
    assert caught.value.data.get("ows_code", "") == code


@pytest.mark.parametrize(
    ("attributes", "content", "code", "locator"),
    [
        ('response="raw"', "", "", "mode"),
        ('mode="sync"', "", "", "response"),
        ('mode="later" response="raw"', "", "NoSuchMode", "later"),
        ('mode="sync" response="rare"', "", "", "response"),
        (
            'mode="sync" response="raw"',
            '<Output id="out"/><Output id="b"/>',
            "TooManyOutputs",
            "b",
        ),
        (
            'mode="sync" response="document"',
            '<Output id="out" transmission="mail"/>',
            "",
            "transmission",
        ),
        ('mode="sync" response="document"', "<Output/>", "", "Output"),
        (
            'mode="sync" response="document"',
            '<Output id="out"><Output id="b"/></Output>',
            "",
            "out",
        ),
    ],
)
def test_wrong_executes_are_named(attributes: str, content: str, code: str, locator: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        execute(content, attributes=attributes)
    assert (caught.value.data.get("ows_code", ""), caught.value.locator) == (code, locator)


def test_the_namespace_decides_the_version() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse.read(
            parse_xml(b'<Execute xmlns="http://www.opengis.net/wps/1.0.0" version="1.0.0"/>'),
            described,
        )
    assert caught.value.locator == "version"
    with pytest.raises(InvalidInput) as caught:
        xml('<GetStatus service="WPS" version="1.0.0"><JobID>x</JobID></GetStatus>')
    assert caught.value.locator == "version"
