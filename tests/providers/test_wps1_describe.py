"""Capabilities and descriptions: the official samples, and the dialects of real servers."""

from __future__ import annotations

import codecs

import pytest

from common.errors import ProviderNonsense, ProviderRefused
from providers.drivers.wps1.capabilities import parse_capabilities
from providers.drivers.wps1.describe import parse_descriptions
from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    Domain,
    Format,
    LiteralDomain,
    ProcessDescription,
    ProcessSummary,
    ValueRange,
)
from tests.fakes import wps_documents
from tests.providers.documents import (
    HERE,
    NAMES,
    capabilities,
    described,
    listed,
    sample,
    with_input,
)

EXAMPLES = "wps-proxy/ogc/wps/1.0.0/examples"


def domain_of(document: bytes) -> Domain:
    return parse_descriptions(document, HERE).found["p"].inputs[0].domain


# --- the official samples --------------------------------------------------------------------


def test_the_official_capabilities() -> None:
    info = parse_capabilities(sample(f"{EXAMPLES}/20_wpsGetCapabilities_response.xml"), HERE)
    assert info.title
    assert not info.repaired
    (buffer,) = info.processes
    assert (buffer.identifier, buffer.version) == ("buffer", "1")
    assert buffer.title == "Buffer a polygon feature"


def test_the_official_description() -> None:
    document = sample(f"{EXAMPLES}/40_wpsDescribeProcess_response.xml")
    (process,) = parse_descriptions(document, HERE).found.values()
    assert (process.identifier, process.version) == ("Buffer", "2")
    assert (process.store_supported, process.status_supported) == (True, False)
    polygon, distance = process.inputs
    schema = "http://foo.bar/gml/3.1.0/polygon.xsd"
    formats = (Format("text/xml", "base64", schema), Format("text/xml", "UTF-8", schema))
    assert polygon.domain == ComplexDomain(formats, maximum_megabytes=5)
    assert distance.domain == LiteralDomain("double", default="100", uoms=("meters", "feet"))
    assert (distance.min_occurs, distance.max_occurs) == (0, 1)
    assert process.outputs[0].domain == ComplexDomain(formats)


def test_the_other_official_description() -> None:
    document = sample(f"{EXAMPLES}/40_wpsDescribeProcess_response-extended.xml")
    for process in parse_descriptions(document, HERE).found.values():
        assert process.inputs
        assert process.outputs


# --- dialects: (what a server sends, what is meant) -------------------------------------------

LITERALS = [
    ("<LiteralData><ows:DataType>xs:int</ows:DataType></LiteralData>", LiteralDomain("integer")),
    ("<LiteralData><ows:DataType>Double</ows:DataType></LiteralData>", LiteralDomain("double")),
    (
        '<LiteralData><ows:DataType ows:reference="urn:ogc:def:dataType:OGC:1.1:float"/>'
        "</LiteralData>",
        LiteralDomain("double"),
    ),
    (
        '<LiteralData><ows:DataType ows:reference="http://www.w3.org/TR/xmlschema-2/#dateTime">'
        "x</ows:DataType></LiteralData>",
        LiteralDomain("dateTime"),
    ),
    (
        '<LiteralData><ows:DataType reference="">boolean</ows:DataType></LiteralData>',
        LiteralDomain("boolean"),
    ),
    ("<LiteralData><ows:DataType/></LiteralData>", LiteralDomain("string")),
    ("<LiteralData/>", LiteralDomain("string")),
    ("", LiteralDomain("string")),
    (
        "<LiteralData><ows:DataType>nonNegativeInteger</ows:DataType></LiteralData>",
        LiteralDomain("integer", ranges=(ValueRange(minimum="0"),)),
    ),
    # Namespaces everywhere, or nowhere.
    (
        "<wps:LiteralData><ows:AllowedValues><ows:Value>b</ows:Value><ows:Value>a</ows:Value>"
        "<ows:Value>b</ows:Value></ows:AllowedValues></wps:LiteralData>",
        LiteralDomain(allowed_values=("b", "a")),
    ),
    (
        "<LiteralData><AllowedValues><Value>a</Value></AllowedValues><DefaultValue/></LiteralData>",
        LiteralDomain(allowed_values=("a",), default=""),
    ),
    (
        '<LiteralData><ows:AllowedValues><ows:Range ows:rangeClosure="open-closed">'
        "<ows:MinimumValue>0</ows:MinimumValue><ows:MaximumValue>9</ows:MaximumValue>"
        "<ows:Spacing>3</ows:Spacing></ows:Range><ows:Range ows:rangeClosure='?'>"
        "<ows:MinimumValue>20</ows:MinimumValue></ows:Range></ows:AllowedValues></LiteralData>",
        LiteralDomain(
            ranges=(ValueRange("0", "9", "open-closed", "3"), ValueRange("20", None, "closed"))
        ),
    ),
    (
        '<LiteralData><ows:AnyValue/><UOMs><Default><ows:UOM ows:reference="urn:ogc:uom:m"/>'
        "</Default><Supported><ows:UOM>m</ows:UOM><ows:UOM>km</ows:UOM></Supported></UOMs>"
        "</LiteralData>",
        LiteralDomain(uoms=("m", "km")),
    ),
    (
        '<LiteralData><ValuesReference ows:reference="http://x.example/list"/></LiteralData>',
        LiteralDomain(values_reference="http://x.example/list"),
    ),
    ("<ComplexData/>", ComplexDomain()),
    ("<ComplexData maximumMegabytes='many'><Default/></ComplexData>", ComplexDomain()),
    (
        "<ComplexData><Default><Format><MimeType>text/csv</MimeType><Encoding>BASE64</Encoding>"
        "</Format></Default><Supported/></ComplexData>",
        ComplexDomain((Format("text/csv", "base64"),)),
    ),
    (
        '<ComplexData><Supported><Format mimeType="text/csv"/></Supported></ComplexData>',
        ComplexDomain((Format("text/csv"),)),
    ),
    ("<BoundingBoxData/>", BoundingBoxDomain()),
    (
        '<BoundingBoxData><Default><CRS xlink:href="EPSG:4326"/></Default><Supported>'
        "<CRS>EPSG:3857</CRS></Supported></BoundingBoxData>",
        BoundingBoxDomain(("EPSG:4326", "EPSG:3857")),
    ),
]


@pytest.mark.parametrize(("inside", "meant"), LITERALS)
def test_types_of_inputs(inside: str, meant: Domain) -> None:
    assert domain_of(with_input(inside)) == meant


@pytest.mark.parametrize(
    ("attributes", "meant"),
    [
        ("", (1, 1)),
        ('minOccurs="0"', (0, 1)),
        ('minOccurs="0" maxOccurs="unbounded"', (0, None)),
        ('minOccurs="2" maxOccurs="1"', (2, 2)),
        ('minOccurs="0" maxOccurs="0"', (0, 1)),
        ('minOccurs="few" maxOccurs="-1"', (1, 1)),
        ('minOccurs="999999999" maxOccurs="2147483647"', (1000, None)),
    ],
)
def test_occurrences(attributes: str, meant: tuple[int, int | None]) -> None:
    one = parse_descriptions(with_input("", attributes), HERE).found["p"].inputs[0]
    assert (one.min_occurs, one.max_occurs) == meant


def test_missing_titles_flags_and_outputs() -> None:
    (process,) = parse_descriptions(described(""), HERE).found.values()
    assert process == ProcessDescription("p", "p")


def test_an_input_offered_twice_counts_once() -> None:
    literal = "<Input><ows:Identifier>i</ows:Identifier><LiteralData/></Input>"
    box = "<Input><ows:Identifier>i</ows:Identifier><BoundingBoxData/></Input>"
    nameless = "<Input><LiteralData/></Input>"
    document = described(f"<DataInputs>{literal}{box}{nameless}</DataInputs>")
    (one,) = parse_descriptions(document, HERE).found["p"].inputs
    assert one.domain == LiteralDomain()


def test_the_providers_own_addresses_do_not_stand_in_texts() -> None:
    text = (
        "See https://centre-a.example.org/doc/1 or CENTRE-A.example.org, "
        "and https://doi.example.net/10.1"
    )
    document = described(f"<ows:Title>{text}</ows:Title><ows:Abstract>{text}</ows:Abstract>")
    process = parse_descriptions(document, HERE).found["p"]
    for shown in (process.title, process.abstract):
        assert "centre-a" not in shown.lower()
        assert "https://doi.example.net/10.1" in shown


@pytest.mark.parametrize(
    "encoded",
    [
        codecs.BOM_UTF8 + capabilities(listed("ä", "Höhe")),
        b"\n\n  " + capabilities(listed("ä", "Höhe")),
        b'<?xml version="1.0" encoding="ISO-8859-1"?>'
        + capabilities(listed("ä", "Höhe")).decode().encode("latin-1"),
        capabilities(listed("ä", "Höhe")).decode().encode("utf-16"),
        codecs.BOM_UTF16_BE
        + (
            '<?xml version="1.0" encoding="UTF-16"?>' + capabilities(listed("ä", "Höhe")).decode()
        ).encode("utf-16-be"),
        b"<?xml version='1.0'?><?xml-stylesheet href='a.xsl'?><!-- hi -->"
        + capabilities("<!-- none -->", listed("ä", "Höhe"), "<?pi?>"),
    ],
    ids=["bom", "white-space", "latin-1", "utf-16", "utf-16-be", "comments"],
)
def test_encodings_and_decoration(encoded: bytes) -> None:
    info = parse_capabilities(encoded, HERE)
    assert info.processes == (ProcessSummary("ä", "Höhe"),)
    assert not info.repaired


def test_a_schema_is_told_unless_the_provider_is_in_its_address() -> None:
    formats = "".join(
        f"<Format><MimeType>text/xml</MimeType><Schema>{schema}</Schema></Format>"
        for schema in ("https://schemas.example.com/a.xsd", "https://centre-a.example.org:8443/b")
    )
    inside = f"<ComplexData><Supported>{formats}</Supported></ComplexData>"
    (process,) = parse_descriptions(with_input(inside), HERE).found.values()
    domain = process.inputs[0].domain
    assert isinstance(domain, ComplexDomain)
    assert [one.schema for one in domain.formats] == ["https://schemas.example.com/a.xsd", ""]


def test_broken_capabilities_are_repaired_and_say_so() -> None:
    document = capabilities(listed("a", "less < more & so on"), listed("b"))
    info = parse_capabilities(document, HERE)
    assert info.repaired
    assert {one.identifier for one in info.processes} == {"a", "b"}


def test_broken_descriptions_are_repaired_and_say_so() -> None:
    answer = parse_descriptions(described("<ows:Abstract>a < b</ows:Abstract>"), HERE)
    assert answer.repaired
    assert set(answer.found) == {"p"}


def test_entries_without_an_identifier_are_passed_over() -> None:
    long = "x" * 256
    document = capabilities(
        listed(""), "<wps:Process/>", listed(long), listed(" a "), listed("b\nc")
    )
    assert [one.identifier for one in parse_capabilities(document, HERE).processes] == ["a"]


@pytest.mark.parametrize(
    ("document", "error", "words"),
    [
        (b"", ProviderNonsense, "empty"),
        (b"not XML at all", ProviderNonsense, "XML"),
        (b"<!DOCTYPE html><html><body>Welcome</body></html>", ProviderNonsense, "web page"),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'/>", ProviderNonsense, "web page"),
        (b"<?xml version='1.0'?><html><p>504</p></html>", ProviderNonsense, "web page"),
        (b"<WFS_Capabilities/>", ProviderNonsense, "WFS_Capabilities"),
        (f"<wps:Capabilities {NAMES}/>".encode(), ProviderNonsense, "no processes"),
        (
            b'<Capabilities xmlns="http://www.opengis.net/wps/2.0"/>',
            ProviderNonsense,
            "WPS 2.0",
        ),
        (
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
            ProviderNonsense,
            "DOCTYPE",
        ),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>', ProviderNonsense, "DOCTYPE"),
        (b"<a>" * 100_000, ProviderNonsense, "XML"),
        (b"<a>" + b"<b/>" * 300_000 + b"</a>", ProviderNonsense, "elements"),
        (wps_documents.exception_report("NoApplicableCode", "Down"), ProviderRefused, "Down"),
    ],
)
def test_what_is_no_capabilities_document(
    document: bytes, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        parse_capabilities(document, HERE)
