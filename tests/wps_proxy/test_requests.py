"""Execute and the other requests, read back from both of their encodings."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput, PortalError
from common.kvp import parameters
from common.xml import parse as parse_xml
from providers.process import (
    BoundingBoxDomain,
    BoundingBoxValue,
    ComplexDomain,
    ComplexValue,
    ExecuteRequest,
    Format,
    InputDescription,
    LiteralDomain,
    LiteralValue,
    OutputRequest,
    ProcessDescription,
    ReferenceValue,
)
from tests.wps_proxy.writing import to_query, to_xml
from wps_proxy.wps1 import kvp, parse
from wps_proxy.wps1.requests import (
    DescribeProcess,
    Execute,
    GetCapabilities,
    ResponseForm,
)

PROCESS = ProcessDescription(
    "any",
    inputs=(
        InputDescription("literal", LiteralDomain()),
        InputDescription("complex", ComplexDomain()),
        InputDescription("box", BoundingBoxDomain()),
    ),
)

# --- any request, there and back -------------------------------------------------------------

texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\ufffe\uffff")
    | st.sampled_from(";=@&%+[],#<"),
    max_size=30,
).filter(lambda text: all(c in "\t\n" or ord(c) >= 32 for c in text))
words = st.text("abcXYZ019.:/-_#;=@%+ é", min_size=1, max_size=20).map(str.strip).filter(bool)
absent_or_word = st.just("") | words
numbers = st.floats(-180, 180, allow_nan=False)
formats = st.builds(Format, absent_or_word, absent_or_word, absent_or_word)


@st.composite
def boxes(draw: st.DrawFn) -> BoundingBoxValue:
    size = draw(st.sampled_from([2, 3]))
    corner = st.tuples(*[numbers] * size)
    crs = draw(st.sampled_from(["", "EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84"]))
    return BoundingBoxValue("box", draw(corner), draw(corner), crs)


inputs = st.one_of(
    st.builds(LiteralValue, st.just("literal"), texts, absent_or_word, absent_or_word),
    st.builds(LiteralValue, words, texts),
    st.builds(ComplexValue, st.just("complex"), texts, words, absent_or_word, absent_or_word),
    st.builds(ReferenceValue, words, words, absent_or_word, absent_or_word, absent_or_word),
    boxes(),
)
outputs = st.builds(
    OutputRequest, words, st.booleans(), st.none() | formats.filter(lambda f: f != Format(""))
)


@st.composite
def executes(draw: st.DrawFn) -> Execute:
    # Only inputs that the process has are documents or boxes; KVP cannot tell it otherwise.
    values = tuple(draw(st.lists(inputs, max_size=4)))
    if draw(st.booleans()):
        wanted = (draw(outputs),)
        form = ResponseForm(raw=True)
        wanted = (OutputRequest(wanted[0].identifier, False, wanted[0].format),)
    else:
        wanted = tuple(draw(st.lists(outputs, max_size=3)))
        form = draw(st.builds(ResponseForm, st.just(False), *[st.booleans()] * 3))
    return Execute(ExecuteRequest(draw(words), values, wanted), form)


def misread(value: object) -> bool:
    """Written by KVP, these read as another input of the process."""
    known = ("literal", "complex", "box")
    return isinstance(value, LiteralValue | ReferenceValue) and value.identifier in known[1:]


@given(executes())
@settings(max_examples=300)
def test_execute_is_read_back_from_xml(wanted: Execute) -> None:
    assert parse.read(parse_xml(to_xml(wanted))) == wanted


@given(executes())
@settings(max_examples=300)
def test_execute_is_read_back_from_key_value_pairs(wanted: Execute) -> None:
    if any(map(misread, wanted.request.inputs)):
        return
    assert kvp.read(parameters(to_query(wanted)), lambda _: PROCESS) == wanted


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode(errors="ignore")))
def test_any_bytes_are_a_request_or_a_clear_refusal(data: bytes) -> None:
    for read in (
        lambda: parse.read(parse_xml(data)),
        lambda: kvp.read(parameters(data.decode("latin-1")), lambda _: PROCESS),
    ):
        with suppress(PortalError):
            read()


@given(st.text("ab;=@%,[]/:+1.0&é\x00", max_size=60))
def test_any_text_of_inputs_is_read_or_refused(text: str) -> None:
    given_text = {"service": "WPS", "request": "Execute", "version": "1.0.0", "identifier": "any"}
    for name in ("datainputs", "responsedocument", "rawdataoutput"):
        with suppress(InvalidInput):
            kvp.read({**given_text, name: text}, lambda _: PROCESS)


# --- spellings -------------------------------------------------------------------------------


def of(query: str) -> object:
    return kvp.read(parameters(query), lambda _: PROCESS)


START = "service=WPS&version=1.0.0&request=Execute&identifier=any"


def values_of(data_inputs: str) -> tuple[object, ...]:
    found = of(f"{START}&DataInputs={data_inputs}")
    assert isinstance(found, Execute)
    return found.request.inputs


def test_values_are_encoded_twice_on_the_wire() -> None:
    """05-007r7 §10.2.2: what separates items may stand in a value, encoded once more."""
    assert values_of("literal=a%253Bb%253Dc%2540d;literal=2") == (
        LiteralValue("literal", "a;b=c@d"),
        LiteralValue("literal", "2"),
    )
    # The whole parameter may be encoded, as every HTTP library does.
    assert values_of("literal%3Da%253Bb%3Bliteral%3D2") == values_of("literal=a%253Bb;literal=2")
    assert values_of("literal=x%3Dy") == (LiteralValue("literal", "x=y"),)
    assert values_of("literal=a+b%252Bc") == (LiteralValue("literal", "a b+c"),)
    assert values_of("[literal=1;literal=2]") == values_of("literal=1;literal=2")
    assert values_of("") == ()


def test_documents_references_and_boxes_in_key_value_pairs() -> None:
    assert values_of("complex=%257B%257D@mimeType=application/json") == (
        ComplexValue("complex", "{}", "application/json"),
    )
    href = "http%3A%2F%2Fdata.example.org%2Fa.tif%3Fx%3D1"
    wanted = (ReferenceValue("complex", "http://data.example.org/a.tif?x=1", "image/tiff"),)
    assert (
        values_of(f"complex=@xlink:href={href.replace('%', '%25')}@mimeType=image/tiff") == wanted
    )
    assert values_of(f"complex=@HREF={href.replace('%', '%25')}@Format=image/tiff") == wanted
    assert values_of("box=46,102,47,103,urn:ogc:def:crs:EPSG:6.6:4326,2") == (
        BoundingBoxValue("box", (46, 102), (47, 103), "urn:ogc:def:crs:EPSG:6.6:4326"),
    )
    assert values_of("box=1,2,3,4,5,6,,3") == (BoundingBoxValue("box", (1, 2, 3), (4, 5, 6)),)


@pytest.mark.parametrize(
    ("inputs", "locator"),
    [
        ("literal", "literal"),
        ("literal=me@example.org", "literal"),
        ("literal=a@colour=red", "literal"),
        ("complex=@xlink:href=http:%252F%252Fx@method=POST", "complex"),
        ("box=1,2,3", "box"),
        ("box=1,2,3,4,5", "box"),
        ("box=1,2,3,4,EPSG:4326,3", "box"),
        ("box=a,b,c,d", "box"),
        ("box=1,2,nan,4", "box"),
        ("literal=%25ff", ""),
    ],
)
def test_wrong_inputs_are_named(inputs: str, locator: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        values_of(inputs)
    assert caught.value.locator == locator


@pytest.mark.parametrize(
    ("query", "code", "locator"),
    [
        ("request=GetCapabilities", "missing", "service"),
        ("service=WFS&request=GetCapabilities", "invalid", "service"),
        ("service=WPS", "missing", "request"),
        ("service=WPS&request=GetMap", "OperationNotSupported", "GetMap"),
        (
            "service=WPS&request=GetCapabilities&AcceptVersions=3.0.0",
            "VersionNegotiationFailed",
            "",
        ),
        ("service=WPS&request=GetCapabilities&version=2.0.0", "VersionNegotiationFailed", ""),
        ("service=WPS&request=GetCapabilities&language=tlh", "invalid", "language"),
        ("service=WPS&request=DescribeProcess&identifier=any", "missing", "version"),
        ("service=WPS&request=DescribeProcess&version=9.9.9", "invalid", "version"),
        ("service=WPS&request=DescribeProcess&version=1.0.0", "missing", "identifier"),
        ("service=WPS&request=Execute&version=1.0.0", "missing", "identifier"),
        ("service=WPS&service=WFS&request=GetCapabilities", "invalid", "service"),
        (f"{START}&status=perhaps", "invalid", "status"),
        (f"{START}&RawDataOutput=a;b", "invalid", "RawDataOutput"),
        (f"{START}&RawDataOutput=a&ResponseDocument=b", "invalid", "RawDataOutput"),
        (f"{START}&ResponseDocument=a=1", "invalid", "a"),
        ("service=%ff", "invalid", ""),
        (
            "service=WPS&request=DescribeProcess&version=1.0.0&identifier=a%00",
            "invalid",
            "identifier",
        ),
    ],
)
def test_wrong_parameters_are_named(query: str, code: str, locator: str) -> None:
    with pytest.raises(PortalError) as caught:
        of(query)
    error = caught.value
    found = getattr(error, "locator", "") or error.data.get("locator", "")
    assert found == locator
    if "ows_code" in error.data:
        assert error.data["ows_code"] == code
    else:
        assert isinstance(error, InvalidInput)
        assert error.missing is (code == "missing")


def test_names_are_case_insensitive_and_versions_are_negotiated_in_the_clients_order() -> None:
    """05-007r7 §11.5.1, 06-121r3 §7.3.2."""
    assert of("SERVICE=wps&ReQuEsT=getcapabilities&AcceptVersions=2.0.0,1.0.0") == GetCapabilities()
    assert of("service=WPS&request=GetCapabilities") == GetCapabilities()
    assert of("service=WPS&request=GetCapabilities&AcceptFormats=text/strange") == GetCapabilities()
    assert of("service=WPS&request=GetCapabilities&language=en-GB") == GetCapabilities("en")
    describe = "service=WPS&request=DescribeProcess&version=1.0.0&identifier="
    assert of(describe + "a,b") == DescribeProcess(("a", "b"))
    assert of(describe + "ALL") == of(describe + "all") == DescribeProcess(())


def xml(body: str) -> object:
    names = (
        'xmlns="http://www.opengis.net/wps/1.0.0" xmlns:wps="http://www.opengis.net/wps/1.0.0"'
        ' xmlns:ows="http://www.opengis.net/ows/1.1" xmlns:xlink="http://www.w3.org/1999/xlink"'
    )
    head, _, tail = body.partition(">")
    return parse.read(parse_xml(f"{head} {names}>{tail}".encode()))


def execute(data: str) -> object:
    return xml(
        '<Execute service="WPS" version="1.0.0"><ows:Identifier>any</ows:Identifier><DataInputs>'
        f"<Input><ows:Identifier>x</ows:Identifier>{data}</Input></DataInputs></Execute>"
    )


def first(data: str) -> object:
    found = execute(data)
    assert isinstance(found, Execute)
    assert found.form == ResponseForm()
    return found.request.inputs[0]


def test_documents_in_xml() -> None:
    assert first(
        '<Data><ComplexData mimeType="a/b"><![CDATA[{"a":"<&"}]]></ComplexData></Data>'
    ) == (ComplexValue("x", '{"a":"<&"}', "a/b"))
    assert first("<Data><ComplexData>a &lt; b</ComplexData></Data>") == ComplexValue("x", "a < b")
    assert first("<Data><ComplexData>a<!-- no -->b</ComplexData></Data>") == ComplexValue("x", "ab")
    child = first(
        '<Data><ComplexData mimeType="text/xml">\n <g:p xmlns:g="urn:g" a="1">é<g:q/></g:p>\n'
        "</ComplexData></Data>"
    )
    assert isinstance(child, ComplexValue)
    root = parse_xml(child.data.encode())
    assert (root.tag, root.text, root[0].tag) == ("{urn:g}p", "é", "{urn:g}q")


@pytest.mark.parametrize(
    "data",
    [
        '<Reference xlink:href="http://a/"><Header key="Authorization" value="x"/></Reference>',
        '<Reference xlink:href="http://a/"><Body><Execute/></Body></Reference>',
        '<Reference xlink:href="http://a/"><BodyReference xlink:href="http://b/"/></Reference>',
        '<Reference xlink:href="http://a/" method="POST"/>',
        "<Reference/>",
        "<Data/>",
        "",
        "<Data><ComplexData><a/><b/></ComplexData></Data>",
        "<Data><ComplexData>text <a/></ComplexData></Data>",
        "<Data><ComplexData><a/> text</ComplexData></Data>",
        "<Data><BoundingBoxData><ows:LowerCorner>1 2</ows:LowerCorner></BoundingBoxData></Data>",
        '<Data><BoundingBoxData dimensions="3"><ows:LowerCorner>1 2</ows:LowerCorner>'
        "<ows:UpperCorner>3 4</ows:UpperCorner></BoundingBoxData></Data>",
        "<Data><BoundingBoxData><ows:LowerCorner>1 x</ows:LowerCorner>"
        "<ows:UpperCorner>3 4</ows:UpperCorner></BoundingBoxData></Data>",
    ],
)
def test_what_is_not_taken_names_its_input(data: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        execute(data)
    assert caught.value.locator == "x"


def test_the_namespace_and_the_attributes_decide_the_version() -> None:
    assert xml('<GetCapabilities service="WPS"></GetCapabilities>') == GetCapabilities()
    accepted = "<AcceptVersions><ows:Version>2.0.0</ows:Version></AcceptVersions>"
    with pytest.raises(InvalidInput) as caught:
        xml(f'<GetCapabilities service="WPS">{accepted}</GetCapabilities>')
    assert caught.value.data["ows_code"] == "VersionNegotiationFailed"
    with pytest.raises(InvalidInput) as caught:
        parse.read(parse_xml(b'<Execute xmlns="http://www.opengis.net/wps/2.0" version="2.0.0"/>'))
    assert caught.value.locator == "version"
    with pytest.raises(PortalError) as refused:
        parse.read(parse_xml(b'<Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"/>'))
    assert refused.value.data["ows_code"] == "OperationNotSupported"
    empty = xml(
        '<Execute service="WPS" version="1.0.0"><ows:Identifier> any </ows:Identifier>'
        "<ResponseForm><ResponseDocument lineage='1'/></ResponseForm></Execute>"
    )
    assert empty == Execute(ExecuteRequest("any"), ResponseForm(lineage=True))
