"""Execute requests: valid against the official schema, and what they ask for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from common.errors import InvalidInput
from common.xml import text_ok
from providers.drivers.wps1.execute import execute_document
from providers.process import (
    BoundingBoxValue,
    ComplexDomain,
    ComplexValue,
    ExecuteRequest,
    Format,
    InputValue,
    LiteralValue,
    OutputRequest,
    ProcessDescription,
    ReferenceValue,
)
from tests.factories import ECHO, NDVI
from tests.wps_proxy.schemas import valid

NS = {
    "wps": "http://www.opengis.net/wps/1.0.0",
    "ows": "http://www.opengis.net/ows/1.1",
    "xlink": "http://www.w3.org/1999/xlink",
}
FULL = ExecuteRequest(
    "ndvi",
    inputs=(
        LiteralValue("threshold", "0.4", "double", "1"),
        LiteralValue("index", "NDVI"),
        BoundingBoxValue("area", (11.0, 45.0), (12.5, 46.0), "urn:ogc:def:crs:OGC:1.3:CRS84"),
        ComplexValue("parcels", '{"a": "]]> & <"}', "application/geo+json"),
        ComplexValue("parcels", "AAEC", "image/tiff", "base64"),
        ComplexValue("zones", "<a xmlns='urn:x'><b>1</b></a>", "text/xml", "UTF-8"),
        ReferenceValue("scene", "https://data.example.org/1.tif?a=1&b=2", "image/tiff"),
    ),
)


def written(process: ProcessDescription, request: ExecuteRequest) -> etree._Element:
    return valid(execute_document(process, request))


def xpath(element: etree._Element, path: str) -> list[str]:
    return [str(one) for one in element.xpath(path, namespaces=NS)]


def test_values_of_every_kind_are_written_as_the_standard_has_them() -> None:
    root = written(NDVI, FULL)
    assert xpath(root, "ows:Identifier/text()") == ["ndvi"]
    identifiers = xpath(root, "wps:DataInputs/wps:Input/ows:Identifier/text()")
    assert identifiers == [value.identifier for value in FULL.inputs]
    assert xpath(root, "//wps:LiteralData/@uom") == ["1"]
    assert xpath(root, "//wps:LiteralData[@dataType='xs:double']/text()") == ["0.4"]
    assert xpath(root, "//wps:BoundingBoxData/@crs") == ["urn:ogc:def:crs:OGC:1.3:CRS84"]
    assert xpath(root, "//ows:LowerCorner/text()") == ["11 45"]
    assert xpath(root, "//ows:UpperCorner/text()") == ["12.5 46"]
    json, binary = xpath(root, "//wps:ComplexData[not(*)]/text()")
    assert (json, binary) == ('{"a": "]]> & <"}', "AAEC")
    assert xpath(root, "//wps:ComplexData[@encoding='base64']/@mimeType") == ["image/tiff"]
    assert xpath(root, "//wps:ComplexData/*[namespace-uri()='urn:x']/*/text()") == ["1"]
    assert xpath(root, "//wps:Reference/@xlink:href") == ["https://data.example.org/1.tif?a=1&b=2"]


@pytest.mark.parametrize(
    ("store", "status", "asynchronous", "by_reference"),
    [
        (True, True, True, True),
        (True, False, False, True),
        (False, True, False, False),
        (False, False, False, False),
    ],
)
def test_asks_to_follow_the_job_and_to_keep_files_where_the_process_can(
    store: bool, status: bool, asynchronous: bool, by_reference: bool
) -> None:
    process = replace(NDVI, store_supported=store, status_supported=status)
    root = written(process, ExecuteRequest("ndvi"))
    document = "wps:ResponseForm/wps:ResponseDocument"
    flags = xpath(root, f"{document}/@storeExecuteResponse | {document}/@status")
    assert flags == (["true", "true"] if asynchronous else [])
    by = xpath(root, f"{document}/wps:Output[@asReference='true']/ows:Identifier/text()")
    assert by == (["result"] if by_reference else [])
    assert xpath(root, f"{document}/wps:Output/ows:Identifier/text()") == ["result", "mean"]


def test_only_the_outputs_asked_for_in_the_format_asked_for() -> None:
    wanted = OutputRequest("result", format=Format("image/png", "base64", "http://x.example/s"))
    root = written(NDVI, ExecuteRequest("ndvi", outputs=(wanted,)))
    output = "//wps:Output"
    assert xpath(root, f"{output}/@mimeType") == ["image/png"]
    assert xpath(root, f"{output}/@encoding") == ["base64"]
    assert xpath(root, f"{output}/@schema") == ["http://x.example/s"]
    assert xpath(root, f"{output}/ows:Identifier/text()") == ["result"]


def test_a_description_without_outputs_still_gives_a_valid_request() -> None:
    root = written(replace(ECHO, outputs=()), ExecuteRequest("echo"))
    assert not xpath(root, "wps:ResponseForm")


def test_xml_that_is_none_goes_in_as_text() -> None:
    hostile = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    value = ComplexValue("parcels", hostile, "text/xml")
    root = written(NDVI, ExecuteRequest("ndvi", (value,)))
    assert xpath(root, "//wps:ComplexData/text()") == [hostile]


texts = st.text(max_size=40)
uris = st.sampled_from(["", "m", "urn:ogc:def:uom:OGC:1.0:metre", "a\x00b"])  # xs:anyURI
values: st.SearchStrategy[InputValue] = st.one_of(
    st.builds(LiteralValue, texts, texts, st.just("string"), uris),
    st.builds(ComplexValue, texts, texts, st.sampled_from(["text/plain", "text/xml", ""])),
    st.builds(
        BoundingBoxValue,
        texts,
        st.tuples(st.floats(-180, 180), st.floats(-90, 90)),
        st.tuples(st.floats(-180, 180), st.floats(-90, 90)),
    ),
)


@given(st.lists(values, max_size=4))
def test_whatever_the_values_the_request_is_valid_or_refused(inputs: list[InputValue]) -> None:
    request = ExecuteRequest("ndvi", tuple(inputs))
    texts = [t for v in inputs for t in (v.identifier, getattr(v, "value", ""), _data(v))]
    uoms = [v.uom for v in inputs if isinstance(v, LiteralValue)]
    if all(map(text_ok, [*texts, *uoms])):
        valid(execute_document(NDVI, request))
    else:
        with pytest.raises(InvalidInput):
            execute_document(NDVI, request)


def _data(value: InputValue) -> str:
    return value.data if isinstance(value, ComplexValue) else ""


def test_any_domain_of_an_output_may_be_absent() -> None:
    unknown = OutputRequest("other")
    root = written(NDVI, ExecuteRequest("ndvi", outputs=(unknown,)))
    assert isinstance(NDVI.outputs[0].domain, ComplexDomain)
    assert not xpath(root, "//wps:Output/@asReference")
