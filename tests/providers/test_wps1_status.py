"""What a provider says of a job: sample documents, dialects, failures, lies."""

from __future__ import annotations

import pytest
import structlog

from common.errors import ProviderNonsense
from providers.drivers.wps1.addressing import remote_id
from providers.drivers.wps1.status import parse_status
from providers.ports import Endpoint, RemoteState
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    InputValue,
    LiteralValue,
    ReferenceValue,
)
from tests.providers.documents import HERE, NAMES, response, sample, succeeded

WPS = "tep-portal/wps"
BASE = "https://centre-a.example.org"


def test_accepted() -> None:
    status = parse_status(sample(f"{WPS}/execute-accepted.xml"), HERE)
    assert (status.state, status.word) == (RemoteState.ACCEPTED, "ProcessAccepted")
    assert status.handle == f"{BASE}/wps?service=WPS&request=GetStatus&id=000017"
    assert status.remote_id == "000017"
    assert status.message == "The request has been accepted."


def test_started() -> None:
    status = parse_status(sample(f"{WPS}/execute-started.xml"), HERE)
    assert (status.state, status.percent, status.message) == (RemoteState.RUNNING, 42, "running")


def test_failed() -> None:
    status = parse_status(sample(f"{WPS}/execute-failed.xml"), HERE)
    assert (status.state, status.handle) == (RemoteState.FAILED, "")
    assert status.error == "No input product covers the region."


def test_several_results_under_one_identifier() -> None:
    status = parse_status(sample(f"{WPS}/result-metadata-reference.xml"), HERE)
    staged = f"{BASE}/staging/ada/000017"
    assert [output.value for output in status.outputs] == [
        ReferenceValue("production_result", f"{staged}/change.tif", "image/tiff"),
        ReferenceValue("production_result", f"{staged}/change.png", "image/png"),
        ReferenceValue("result_metadata", f"{staged}/metadata.atom", "application/atom+xml"),
    ]
    assert status.outputs[0].title == "production_result"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (
            "result-metadata-nested-reference.xml",
            ReferenceValue(
                "result_metadata",
                f"{BASE}/staging/ada/000017/metadata.atom",
                "application/atom+xml",
            ),
        ),
        (
            "result-osd-nested-reference.xml",
            ReferenceValue(
                "result_osd",
                f"{BASE}/results/000017/description",
                "application/opensearchdescription+xml",
            ),
        ),
        (
            "quotation-response-portal.xml",
            LiteralValue("QUOTATION", "27", "xs:decimal", "credit"),
        ),
    ],
)
def test_a_single_result(name: str, value: InputValue) -> None:
    (output,) = parse_status(sample(f"{WPS}/{name}"), HERE).outputs
    assert output.value == value


def test_xml_inside_stays_as_it_is() -> None:
    (output,) = parse_status(sample(f"{WPS}/result-metalink.xml"), HERE).outputs
    assert isinstance(output.value, ComplexValue)
    assert output.value.media_type == "application/metalink4+xml"
    assert output.value.data.startswith('<metalink xmlns="urn:ietf:params:xml:ns:metalink"')
    assert f"<url>{BASE}/staging/ada/000017/change.tif</url>" in output.value.data


def test_the_official_response() -> None:
    here = Endpoint("http://foo.bar/foo")
    status = parse_status(
        sample("wps-proxy/ogc/wps/1.0.0/examples/62_wpsExecute_response.xml"), here
    )
    assert (status.state, status.handle) == (RemoteState.SUCCEEDED, "")
    href = "http://foo.bar/buffered_polygon.xml"
    (output,) = status.outputs
    assert output.value == ReferenceValue("BufferedPolygon", href, "text/xml", "UTF-8")
    assert output.title == "Area serviced by playground."


OUTPUTS = [
    (
        '<wps:Data><wps:LiteralData dataType="xs:double" uom="km2">41.7</wps:LiteralData>'
        "</wps:Data>",
        LiteralValue("out", "41.7", "xs:double", "km2"),
    ),
    ("<wps:Data><wps:LiteralData/></wps:Data>", LiteralValue("out", "")),
    ("<wps:Data><wps:LiteralData> a b </wps:LiteralData></wps:Data>", LiteralValue("out", " a b ")),
    (
        "<wps:Data><wps:LiteralData>\n   5\n  </wps:LiteralData></wps:Data>",
        LiteralValue("out", "5"),
    ),
    ("<Data><LiteralData>5</LiteralData></Data>", LiteralValue("out", "5")),
    (
        '<wps:Data><wps:ComplexData mimeType="application/json"><![CDATA[{"a": "<&]"}]]>'
        "</wps:ComplexData></wps:Data>",
        ComplexValue("out", '{"a": "<&]"}', "application/json"),
    ),
    (
        '<wps:Data><wps:ComplexData mimeType="text/csv" schema="s">a,b\n1,&lt;2\n'
        "</wps:ComplexData></wps:Data>",
        ComplexValue("out", "a,b\n1,<2\n", "text/csv", "", "s"),
    ),
    (
        '<wps:Data><wps:ComplexData mimeType="image/png" encoding="Base64">iVBO\nRw==\n'
        "</wps:ComplexData></wps:Data>",
        ComplexValue("out", "iVBO\nRw==\n", "image/png", "base64"),
    ),
    (
        '<wps:Data><wps:ComplexData><a xmlns="urn:x">1</a><b xmlns="">2</b></wps:ComplexData>'
        "</wps:Data>",
        None,  # compared by content below
    ),
    (
        '<wps:Data><wps:BoundingBoxData crs="EPSG:4326" dimensions="2">'
        "<ows:LowerCorner>45 11</ows:LowerCorner><ows:UpperCorner>46,12.5</ows:UpperCorner>"
        "</wps:BoundingBoxData></wps:Data>",
        BoundingBoxValue("out", (45.0, 11.0), (46.0, 12.5), "EPSG:4326"),
    ),
    (
        f'<wps:Reference xlink:href="{BASE}/o/1" mimeType="image/tiff"/>',
        ReferenceValue("out", f"{BASE}/o/1", "image/tiff"),
    ),
    (f'<wps:Reference href="{BASE}/o/1"/>', ReferenceValue("out", f"{BASE}/o/1")),
    (f'<Reference href="{BASE}/o/1"/>', ReferenceValue("out", f"{BASE}/o/1")),
    (
        '<wps:Data><wps:ComplexData mimeType="image/tiff">\n'
        f'<wps:Reference xlink:href="{BASE}/o/1"/>\n</wps:ComplexData></wps:Data>',
        ReferenceValue("out", f"{BASE}/o/1", "image/tiff"),
    ),
]


@pytest.mark.parametrize(("value", "meant"), OUTPUTS)
def test_outputs(value: str, meant: InputValue | None) -> None:
    (output,) = parse_status(succeeded(value), HERE).outputs
    if meant is not None:
        assert output.value == meant
    else:
        assert isinstance(output.value, ComplexValue)
        assert '<a xmlns="urn:x"' in output.value.data
        assert output.value.data.endswith(">2</b>")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "<wps:Data/>",
        '<wps:Reference href=""/>',
        "<wps:Data><wps:BoundingBoxData/></wps:Data>",
        "<wps:Data><wps:BoundingBoxData><ows:LowerCorner>a b</ows:LowerCorner>"
        "<ows:UpperCorner>1 nan</ows:UpperCorner></wps:BoundingBoxData></wps:Data>",
    ],
)
def test_an_output_without_a_value_is_passed_over(value: str) -> None:
    status = parse_status(succeeded(value), HERE)
    assert (status.state, status.outputs) == (RemoteState.SUCCEEDED, ())


@pytest.mark.parametrize(
    "element", ["Reference {} xlink:href='https://a.example'", "Data><wps:ComplexData {}"]
)
@pytest.mark.parametrize(
    ("schema", "kept"), [("https://schemas.example.com/a", True), (f"{BASE}/a.xsd", False)]
)
def test_an_output_does_not_name_its_provider_as_schema(
    element: str, schema: str, kept: bool
) -> None:
    inner, outer = "/wps:ComplexData></wps:Data", "/wps:Reference"
    value = f"<wps:{element}><{inner if 'Data' in element else outer}>"
    (output,) = parse_status(succeeded(value.format(f"schema='{schema}'")), HERE).outputs
    assert isinstance(output.value, ComplexValue | ReferenceValue)
    assert output.value.schema == (schema if kept else "")


@pytest.mark.parametrize(
    ("attribute", "percent"),
    [
        ('percentCompleted="50.0"', 50),
        ('percentCompleted="7 %"', 7),
        ('percentCompleted="250"', 100),
        ('percentCompleted="-3"', 0),
        ('percentCompleted="nan"', None),
        ('percentCompleted="soon"', None),
        ("", None),
    ],
)
def test_percent(attribute: str, percent: int | None) -> None:
    element = f"<wps:ProcessPaused {attribute}>waiting</wps:ProcessPaused>"
    status = parse_status(response(element, location=f"{BASE}/s/1.xml"), HERE)
    assert (status.state, status.percent) == (RemoteState.PAUSED, percent)


def test_an_unknown_word_counts_as_running_and_is_kept() -> None:
    document = response("<wps:ProcessQueuedAgain/>", location=f"{BASE}/s/1.xml")
    with structlog.testing.capture_logs() as logs:
        status = parse_status(document, HERE)
    assert (status.state, status.word) == (RemoteState.RUNNING, "ProcessQueuedAgain")
    assert [entry["event"] for entry in logs] == ["provider.unknown_status"]


def test_outputs_without_a_status_are_a_success() -> None:
    document = (
        f"<wps:ExecuteResponse {NAMES}><wps:ProcessOutputs><wps:Output>"
        "<ows:Identifier>out</ows:Identifier><wps:Data><wps:LiteralData>5</wps:LiteralData>"
        "</wps:Data></wps:Output></wps:ProcessOutputs></wps:ExecuteResponse>"
    )
    status = parse_status(document.encode(), HERE)
    assert (status.state, len(status.outputs)) == (RemoteState.SUCCEEDED, 1)


def test_an_answer_that_says_nothing_of_the_job() -> None:
    with pytest.raises(ProviderNonsense, match="how the job"):
        parse_status(f"<wps:ExecuteResponse {NAMES}/>".encode(), HERE)


@pytest.mark.parametrize(
    "location",
    [
        f"{BASE}/s/1.xml",
        f"{BASE}:8443/s/1.xml",
        "http://centre-a.example.org/s?a=b%20c+d&amp;&amp;empty=&amp;bare",
        "https://CENTRE-A.example.org./s",
        "https://store.example.net/1.xml",
        "https://other.example.net:9000/1.xml",
    ],
)
def test_an_own_address_is_kept_byte_for_byte(location: str) -> None:
    here = Endpoint(f"{BASE}/wps", extra_hosts=("store.example.net", "other.example.net:9000"))
    status = parse_status(response("<wps:ProcessAccepted/>", location=location), here)
    assert status.handle == location.replace("&amp;", "&")


def test_a_relative_address_is_completed() -> None:
    status = parse_status(response("<wps:ProcessAccepted/>", location="s/1.xml?a=b"), HERE)
    assert status.handle == f"{BASE}/s/1.xml?a=b"


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example.net/s",
        "https://centre-a.example.org.evil.example.net/s",
        "https://evil.example.net/centre-a.example.org",
        "https://centre-a.example.org@evil.example.net/s",
        "https://user:pw@centre-a.example.org/s",
        "https://store.example.net:1/s",
        "//evil.example.net/s",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:8000/admin",
        "file:///etc/passwd",
        "gopher://centre-a.example.org/x",
        "javascript:alert(1)",
        "https://[::1/s",
    ],
)
def test_another_address_is_refused_and_not_named(location: str) -> None:
    here = Endpoint(f"{BASE}/wps", extra_hosts=("store.example.net:443",))
    with pytest.raises(ProviderNonsense, match=r"another host|did not say") as caught:
        parse_status(response("<wps:ProcessAccepted/>", location=location), here)
    assert "evil" not in caught.value.detail


def test_a_running_job_without_an_address_cannot_be_followed() -> None:
    with pytest.raises(ProviderNonsense, match="where its status"):
        parse_status(response("<wps:ProcessStarted/>"), HERE)


@pytest.mark.parametrize(
    ("location", "identifier"),
    [
        (f"{BASE}/wps?request=GetStatus&id=000017", "000017"),
        (f"{BASE}/wps/RetrieveResultServlet?id=abc-1", "abc-1"),
        (f"{BASE}/ows?service=WPS&request=GetExecutionStatus&executionId=e-1", "e-1"),
        (f"{BASE}/x?JobId=j%201", "j 1"),
        (f"{BASE}/wpsoutputs/6f2c0c1e.xml", "6f2c0c1e"),
        (f"{BASE}/wpsoutputs/pywps-12.xml", "12"),
        (f"{BASE}/cgi?Identifier=GetStatus&DataInputs=sid=z-9&RawDataOutput=Result", "z-9"),
        (f"{BASE}/api/jobs/77?f=xml", "77"),
        (f"{BASE}/status/now", f"{BASE}/status/now"),
        ("", ""),
        ("https://[::1/s", "https://[::1/s"),
    ],
)
def test_the_providers_own_identifier(location: str, identifier: str) -> None:
    assert remote_id(location) == identifier
