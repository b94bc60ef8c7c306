"""Exception reports and boxes."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from common import errors, ows
from common.xml import OWS11, OWS20, E, parse, serialise

SCHEMAS = Path(os.environ.get("TEP_SHARED", Path(__file__).parents[3] / "shared")) / "schemas"
finite = st.floats(allow_nan=False, allow_infinity=False)


class _Offline(etree.Resolver):
    """Schemas import each other by their addresses; they lie in the shared folder."""

    def resolve(self, url, public_id, context):
        for start, folder in (("//schemas.opengis.net/", "ogc"), ("//www.w3.org/", "w3c")):
            if start in url:
                path = SCHEMAS / "wps-proxy" / folder / url.partition(start)[2]
                return self.resolve_filename(str(path), context)
        return None


@lru_cache(maxsize=1)
def _ows_schema() -> etree.XMLSchema:
    parser = etree.XMLParser()
    parser.resolvers.add(_Offline())
    path = SCHEMAS / "wps-proxy/ogc/ows/1.1.0/owsAll.xsd"
    return etree.XMLSchema(etree.parse(str(path), parser))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.InvalidInput("no", locator="x"), ("InvalidParameterValue", "x", 400)),
        (errors.InvalidInput("no", locator="x", missing=True), ("MissingParameterValue", "x", 400)),
        (
            errors.InvalidInput("no", locator="request", ows_code="OperationNotSupported"),
            ("OperationNotSupported", "request", 501),
        ),
        (errors.NotAuthenticated(), ("NoApplicableCode", "Authentication", 401)),
        (errors.InsufficientCredit(), ("NoApplicableCode", "credit", 402)),
        (errors.TooLarge(locator="doc"), ("FileSizeExceeded", "doc", 413)),
        (errors.ServerBusy(), ("ServerBusy", "", 503)),
        (errors.ProviderUnreachable(), ("NoApplicableCode", "provider", 502)),
        (
            errors.ProviderRefused("full", native_code="NotEnoughStorage"),
            ("NotEnoughStorage", "provider", 502),
        ),
        (errors.ConfigurationError(), ("NoApplicableCode", "", 500)),
    ],
)
def test_every_error_has_its_code_place_and_status(error, expected):
    code, locator, status = expected
    document = parse(ows.exception_report(error))
    assert ows.parse_exception_report(document) == (code, locator, error.detail)
    assert ows.exception_status(error) == status
    if not SCHEMAS.is_dir():
        pytest.skip("shared schemas are absent")
    _ows_schema().assertValid(document)


def test_several_faults_are_several_exceptions_and_texts_are_escaped():
    error = errors.InvalidInput(errors={"a": ["<not> a number", "\x00"], "b": ["missing"]})
    document = parse(ows.exception_report(error, version="2.0.0"))
    assert document.get("version") == "2.0.0"
    assert document.tag == f"{{{OWS20}}}ExceptionReport"
    assert [e.get("locator") for e in document] == ["a", "b"]
    assert document[0][0].text == "<not> a number"


@pytest.mark.parametrize(
    "document",
    [
        b'<ExceptionReport><Exception exceptionCode="C" locator="l">'
        b"<ExceptionText>t</ExceptionText></Exception></ExceptionReport>",
        b'<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows"><ows:Exception'
        b' exceptionCode="C" locator="l"><ows:ExceptionText> t\n</ows:ExceptionText>'
        b"</ows:Exception></ows:ExceptionReport>",
        b'<w:ExceptionReport xmlns:w="http://www.opengis.net/wps/1.0.0"'
        b' xmlns:o="http://www.opengis.net/ows/1.1"><o:Exception exceptionCode="C" locator="l">'
        b"<o:ExceptionText>t</o:ExceptionText></o:Exception></w:ExceptionReport>",
        b'<ServiceExceptionReport><ServiceException code="C" locator="l">t</ServiceException>'
        b"</ServiceExceptionReport>",
    ],
)
def test_reports_of_other_servers_are_understood(document):
    assert ows.parse_exception_report(parse(document)) == ("C", "l", "t")


def test_what_is_no_report_is_none():
    assert ows.parse_exception_report(parse(b"<Capabilities/>")) is None
    assert ows.parse_exception_report(parse(b"<ExceptionReport/>")).code == "NoApplicableCode"


@pytest.mark.parametrize(
    ("crs", "box"),
    [
        ("", (10.0, 50.0, 11.0, 51.0)),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", (10.0, 50.0, 11.0, 51.0)),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", (10.0, 50.0, 11.0, 51.0)),
        ("CRS:84", (10.0, 50.0, 11.0, 51.0)),
        ("EPSG:4326", (10.0, 50.0, 11.0, 51.0)),
        ("epsg:4326", (10.0, 50.0, 11.0, 51.0)),
        ("http://www.opengis.net/gml/srs/epsg.xml#4326", (10.0, 50.0, 11.0, 51.0)),
        ("urn:ogc:def:crs:EPSG::4326", (50.0, 10.0, 51.0, 11.0)),
        ("urn:ogc:def:crs:EPSG:6.6:4326", (50.0, 10.0, 51.0, 11.0)),
        ("urn:x-ogc:def:crs:EPSG:4326", (50.0, 10.0, 51.0, 11.0)),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", (50.0, 10.0, 51.0, 11.0)),
        ("urn:ogc:def:crs:EPSG::4258", (50.0, 10.0, 51.0, 11.0)),
    ],
)
def test_axis_order_follows_the_spelling(crs, box):
    assert ows.to_lonlat_bbox((10.0, 50.0), (11.0, 51.0), crs) == box


def test_web_mercator_is_turned_into_degrees():
    box = ows.to_lonlat_bbox(
        (1113194.9079, 6446275.8410), (1224514.3987, 6621293.7227), "EPSG:3857"
    )
    assert box == pytest.approx((10, 50, 11, 51), abs=1e-6)


@pytest.mark.parametrize("crs", ["EPSG:32632", "urn:ogc:def:crs:EPSG::25832", "my grid", "4326"])
def test_other_systems_are_refused(crs):
    with pytest.raises(errors.InvalidInput):
        ows.to_lonlat_bbox((1, 2), (3, 4), crs)


@given(
    lower=st.lists(finite, min_size=2, max_size=3).map(tuple),
    data=st.data(),
    crs=st.sampled_from(["", "EPSG:4326", ows.CRS84]),
)
def test_a_box_comes_back_as_it_was_given(lower, data, crs):
    upper = data.draw(st.tuples(*[finite] * len(lower)))
    element = ows.write_box(E.wps.BoundingBoxData(), lower, upper, crs)
    assert {child.tag for child in element} == {
        f"{{{OWS11}}}LowerCorner",
        f"{{{OWS11}}}UpperCorner",
    }
    assert ows.read_box(parse(serialise(element))) == (lower, upper, crs)


@pytest.mark.parametrize(
    "box",
    [
        b"<b/>",
        b"<b><LowerCorner>1 2</LowerCorner></b>",
        b"<b><LowerCorner>1 x</LowerCorner><UpperCorner>3 4</UpperCorner></b>",
        b"<b><LowerCorner>1 NaN</LowerCorner><UpperCorner>3 4</UpperCorner></b>",
        b"<b><LowerCorner>1 2</LowerCorner><UpperCorner>3 4 5</UpperCorner></b>",
        b"<b><LowerCorner>1</LowerCorner><UpperCorner>3</UpperCorner></b>",
    ],
)
def test_a_faulty_box_is_refused(box):
    with pytest.raises(errors.InvalidInput):
        ows.read_box(parse(box))
