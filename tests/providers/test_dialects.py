"""The habits of known servers: what their documents mean, completely."""

from __future__ import annotations

import pytest

from common.errors import ProviderNonsense, ProviderRefused
from providers.drivers.ogcapi.describe import parse_description
from providers.drivers.ogcapi.documents import read_object, report_in
from providers.drivers.ogcapi.results import parse_results
from providers.drivers.ogcapi.status import parse_status as parse_job
from providers.drivers.wps1.capabilities import parse_capabilities as capabilities_1
from providers.drivers.wps1.describe import parse_descriptions as describe_1
from providers.drivers.wps1.status import parse_status as status_1
from providers.drivers.wps2.capabilities import parse_capabilities as capabilities_2
from providers.drivers.wps2.describe import parse_descriptions as describe_2
from providers.drivers.wps2.status import parse_answer as status_2
from providers.ports import RemoteState
from providers.process import (
    BoundingBoxDomain,
    BoundingBoxValue,
    ComplexDomain,
    ComplexValue,
    Format,
    InputValue,
    LiteralDomain,
    LiteralValue,
    Metadata,
    ReferenceValue,
    ValueRange,
)
from tests.providers.readers import CENTRE, HANDLE, answer, dialect

BASE = "https://centre.example.org"


@pytest.mark.parametrize(
    ("name", "identifiers", "repaired"),
    [
        ("n52", ["org.n52.wps.server.algorithm.SimpleBufferAlgorithm",
                 "org.n52.wps.server.r.demo.heatmap"], False),
        ("geoserver", ["JTS:buffer", "gs:Clip"], False),
        ("deegree", ["Centroid"], False),
        ("finch", ["frost_days", "tx_max"], True),
        ("usgs", ["gov.usgs.example.algorithm.FeatureGrid/Statistics v2"], False),
    ],
)  # fmt: skip
def test_what_is_offered(name: str, identifiers: list[str], repaired: bool) -> None:
    info = capabilities_1(dialect(f"{name}-capabilities-1.xml"), CENTRE)
    assert [one.identifier for one in info.processes] == identifiers
    assert info.repaired is repaired
    assert all(one.title for one in info.processes)


def test_other_letters() -> None:
    info = capabilities_1(dialect("usgs-capabilities-1.xml"), CENTRE)
    assert info.title == "Geo Data Portal - résumé"
    assert info.processes[0].title == "Größe"


def test_what_is_offered_in_version_2() -> None:
    info = capabilities_2(dialect("n52-capabilities-2.xml"), CENTRE)
    assert [(one.identifier, one.version) for one in info.processes] == [
        ("org.n52.javaps.test.EchoProcess", "1.1.0")
    ]
    assert info.warnings == ("1 process has no usable identifier and is left out.",)
    with pytest.raises(ProviderNonsense, match=r"answers in WPS 1\.0\.0; WPS 2\.0"):
        capabilities_2(dialect("n52-capabilities-1.xml"), CENTRE)
    with pytest.raises(ProviderNonsense, match=r"answers in WPS 2\.0; WPS 1\.0\.0"):
        capabilities_1(dialect("n52-capabilities-2.xml"), CENTRE)


def test_descriptions_of_version_1() -> None:
    (n52,) = describe_1(dialect("n52-describe-1.xml"), CENTRE).found.values()
    data, width = n52.inputs
    gml = "http://schemas.opengis.net/gml/3.1.0/base/feature.xsd"
    assert data.domain == ComplexDomain(
        (
            Format("text/xml; subtype=gml/3.1.0", "", gml),
            Format("application/x-zipped-shp", "base64"),
        )
    )
    # Up to infinity is up to wherever.
    assert width.domain == LiteralDomain("double", ranges=(ValueRange("0", None, "open-closed"),))
    assert n52.metadata == (Metadata("spatial", "https://vocabulary.example.net/spatial"),)
    (buffer,) = describe_1(dialect("geoserver-describe-1.xml"), CENTRE).found.values()
    style, ids = buffer.inputs[1:]
    assert style.domain == LiteralDomain(allowed_values=("Round", "Flat"), default="Round")
    assert (ids.min_occurs, ids.max_occurs) == (0, None)
    (centroid,) = describe_1(dialect("deegree-describe-1.xml"), CENTRE).found.values()
    box, length = centroid.inputs
    assert box.domain == BoundingBoxDomain(("EPSG:4326", "EPSG:25832"))
    assert length.domain == LiteralDomain("double", default="10", uoms=("meters", "feet"))
    assert (centroid.store_supported, centroid.status_supported) == (True, False)
    assert centroid.metadata == ()


def test_what_is_wrong_is_told() -> None:
    answered = describe_1(dialect("emu-describe-1.xml"), CENTRE)
    assert answered.found["sleep"].outputs == ()
    assert answered.warnings == {
        "sleep": "“delay” is described more than once; the first one counts."
    }


def test_descriptions_of_version_2() -> None:
    (echo,) = describe_2(dialect("n52-describe-2.xml"), CENTRE).found.values()
    literal, box = echo.inputs
    assert literal.domain == LiteralDomain(allowed_values=("a", "b"), default="a")
    assert (literal.min_occurs, literal.max_occurs) == (0, None)
    epsg = "http://www.opengis.net/def/crs/EPSG/0/"
    assert box.domain == BoundingBoxDomain((f"{epsg}4326", f"{epsg}4258"))
    xml = ComplexDomain((Format("application/xml"), Format("text/xml")), 20)
    assert echo.outputs[0].domain == xml
    assert (echo.store_supported, echo.status_supported, echo.sync_supported) == (True,) * 3
    assert "centre.example.org" not in echo.abstract


@pytest.mark.parametrize(
    ("name", "handle", "remote_id", "state", "percent"),
    [
        ("n52-accepted", f"{BASE}:443/wps/RetrieveResultServlet?id=7d3c2a10-11", "7d3c2a10-11",
         RemoteState.ACCEPTED, None),
        ("geoserver-started", f"{BASE}/geoserver/ows?service=WPS&version=1.0.0"
         "&request=GetExecutionStatus&executionId=0c596a4d-7ddb", "0c596a4d-7ddb",
         RemoteState.RUNNING, 50),
        ("zoo-accepted", f"{BASE}/cgi-bin/zoo_loader.cgi?request=Execute&service=WPS&version=1.0.0"
         "&Identifier=GetStatus&DataInputs=sid=9f31a2c4&RawDataOutput=Result", "9f31a2c4",
         RemoteState.ACCEPTED, None),
        ("usgs-started", f"{BASE}:8080/gdp/RetrieveResultServlet?id=1394", "1394",
         RemoteState.RUNNING, 42),
    ],
)  # fmt: skip
def test_a_job_is_asked_for_byte_for_byte(
    name: str, handle: str, remote_id: str, state: RemoteState, percent: int | None
) -> None:
    status = status_1(dialect(f"{name}-1.xml"), CENTRE)
    assert (status.handle, status.remote_id) == (handle, remote_id)
    assert (status.state, status.percent) == (state, percent)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("n52-result-1.xml", [ReferenceValue("result",
            f"{BASE}:443/wps/RetrieveResultServlet?id=7d3c2a10-11result.0f",
            "application/vnd.geo+json")]),
        ("geoserver-result-1.xml", [ReferenceValue("result",
            f"{BASE}/geoserver/ows?service=WPS&version=1.0.0&request=GetExecutionResult"
            "&executionId=0c596a4d-7ddb&outputId=result&mimetype=application%2Fwkt",
            "application/wkt")]),
        ("pywps3-result-1.xml", [
            ReferenceValue("map", f"{BASE}/wpsoutputs/map-140123.tif", "image/tiff")]),
        ("n52-result-2.xml", [
            LiteralValue("literalOutput", "a", "xs:string"),
            ComplexValue("complexOutput", '<feature xmlns="urn:example"><name>x</name></feature>',
                         "application/xml"),
            BoundingBoxValue("boxOutput", (45.0, 11.0), (46.0, 12.0),
                             "http://www.opengis.net/def/crs/EPSG/0/4326"),
            ReferenceValue("file", f"{BASE}/wps/data/1.tif", "image/tiff")]),
        ("zoo-result-2.xml", [
            LiteralValue("Result", "Hello from the centre"),
            ComplexValue("Image", "iVBORw0KGgo=", "image/png", "base64")]),
    ],
)  # fmt: skip
def test_results(name: str, values: list[InputValue]) -> None:
    read = status_2 if name.endswith("-2.xml") else status_1
    status = read(dialect(name), CENTRE)
    assert status.state == RemoteState.SUCCEEDED
    found = [one.value for one in status.outputs]
    if name == "n52-result-2.xml":  # namespaces of the document around it come along
        inner = found.pop(1)
        values.pop(1)
        assert isinstance(inner, ComplexValue)
        assert "<name>x</name></feature>" in inner.data
    assert found == values


def test_times_of_a_job() -> None:
    status = status_2(dialect("n52-status-2.xml"), CENTRE)
    assert (status.state, status.percent, status.handle) == (RemoteState.RUNNING, 12, "c1e7f5")
    assert str(status.next_poll) == "2026-03-02 09:20:00+00:00"
    assert str(status.expires_at) == "2026-03-09 10:15:00+00:00"


def test_failures_name_no_place() -> None:
    failed = status_1(dialect("pywps4-failed-1.xml"), CENTRE)
    assert failed.state == RemoteState.FAILED
    assert failed.error.startswith("Process error")
    assert "centre.example.org" not in failed.error
    with pytest.raises(ProviderRefused, match="Width must be positive") as caught:
        status_2(dialect("n52-failed-2.xml"), CENTRE)
    assert "centre.example.org" not in caught.value.detail
    assert caught.value.data["locator"] == "c1e7f5"
    job = parse_job(read_object(dialect("pygeoapi-job.json")), CENTRE, handle=HANDLE)
    assert job.state == RemoteState.FAILED
    assert "/srv" not in job.error


@pytest.mark.parametrize(
    ("name", "code", "detail"),
    [
        ("pygeoapi-error.json", "NoSuchProcess", "Identifier not found"),
        ("zoo-error-api.json", "no-such-process", "Unable to find … in …"),
    ],
)
def test_problems_in_every_form(name: str, code: str, detail: str) -> None:
    refused = report_in(answer(dialect(name), status=404), CENTRE)
    assert refused is not None
    assert (refused.data["native_code"], refused.detail) == (code, detail)
    assert refused.data["http_status"] == 404


@pytest.mark.parametrize(
    ("name", "state", "remote_id"),
    [
        ("zoo-job-api.json", RemoteState.SUCCEEDED, "9f31a2c4"),
        ("weaver-job.json", RemoteState.SUCCEEDED, "5c0e"),
        ("pygeoapi-job-20.json", RemoteState.RUNNING, "46b7da90"),
    ],
)
def test_jobs_of_an_api(name: str, state: RemoteState, remote_id: str) -> None:
    job = parse_job(read_object(dialect(name)), CENTRE, handle=HANDLE)
    assert (job.state, job.remote_id) == (state, remote_id)


def test_descriptions_of_an_api() -> None:
    (hello,) = parse_description(dialect("pygeoapi-process.json"), CENTRE).found.values()
    assert (hello.title, hello.inputs[0].keywords) == ("Hello World", ("full name",))
    domains = {one.identifier: one.domain for one in hello.inputs}
    assert domains["repeat"] == LiteralDomain(
        "integer", ranges=(ValueRange("1", "9"),), default="1"
    )
    assert domains["flag"] == LiteralDomain("boolean")
    (ndvi,) = parse_description(dialect("weaver-process.json"), CENTRE).found.values()
    red, gain = ndvi.inputs
    assert red.domain == ComplexDomain((Format("image/tiff"), Format("image/jp2")))
    assert (red.min_occurs, red.max_occurs) == (1, None)
    assert gain.domain == LiteralDomain("double", default="1.0")
    assert (ndvi.store_supported, ndvi.sync_supported) == (True, False)
    assert "centre.example.org" not in ndvi.abstract


@pytest.mark.parametrize(
    ("name", "only", "values"),
    [
        ("pygeoapi-results-document.json", "", [LiteralValue("echo", "Hello World!")]),
        ("pygeoapi-results-raw.json", "", [LiteralValue("echo", "Hello World!")]),
        ("pygeoapi-results-raw.json", "echo", [LiteralValue("echo", "Hello World!")]),
        ("zoo-results-api.json", "", [
            ComplexValue("Result", "Hello", "text/plain"),
            ReferenceValue("File", f"{BASE}/temp/9f.tif", "image/tiff")]),
        ("weaver-results.json", "", [
            ReferenceValue("map", f"{BASE}/wpsoutputs/5c0e/map.tif", "image/tiff"),
            LiteralValue("area", "12.5")]),
        ("weaver-results-map.json", "", [
            ReferenceValue("map", f"{BASE}/wpsoutputs/1.tif", "image/tiff"),
            ReferenceValue("map", f"{BASE}/wpsoutputs/2.tif", "image/tiff"),
            LiteralValue("area", "12.5", uom="km2"),
            BoundingBoxValue("box", (11.0, 45.0), (12.0, 46.0),
                             "http://www.opengis.net/def/crs/OGC/1.3/CRS84"),
            ComplexValue("counts", "[1, 2, 3]", "application/json")]),
    ],
)  # fmt: skip
def test_results_of_an_api(name: str, only: str, values: list[InputValue]) -> None:
    found = parse_results(answer(dialect(name)), CENTRE, only)
    assert [one.value for one in found] == values
