"""Whatever is sent to either version, in whatever encoding: a valid answer or a valid refusal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from common.xml import SOAP11, SOAP12
from providers.process import ExecuteRequest, LiteralValue, OutputRequest
from tests.wps_proxy.conftest import Door, MakeDoor
from tests.wps_proxy.test_wps2_inputs import EVERY_INPUT
from tests.wps_proxy.writing import in_envelope, of_job, to_xml, to_xml2
from wps_proxy.wps1.requests import Execute

FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
pieces = st.text("ab1.,:;=@&%[]{}<>'\"/ \t\x00é€\U0001f30d", max_size=12) | st.sampled_from(
    ["WPS", "1.0.0", "2.0.0", "portal.echo", "ALL", "true", "literal=a", "bbox=1,2,3,4", "en"]
)
names = st.sampled_from(
    [
        *("service", "version", "request", "identifier", "DataInputs", "ResponseDocument"),
        *("RawDataOutput", "language", "lang", "storeExecuteResponse", "status", "lineage"),
        *("AcceptVersions", "AcceptFormats", "AcceptLanguages", "Sections", "updateSequence"),
        *("jobID", "account", "max_cost"),
    ]
)
operations = st.sampled_from(
    ["GetCapabilities", "DescribeProcess", "Execute", "GetStatus", "GetResult", "Dismiss"]
)


@pytest.fixture(params=["/wps", "/wps/2.0"])
def door(make_door: MakeDoor, request: pytest.FixtureRequest, settings: Any) -> Door:
    settings.SYNC_WAIT_SECONDS = 0
    return make_door(path=request.param)


def answered(response: Any) -> None:
    """The door has checked every XML by its schema; this is about what is no XML, too."""
    assert response.status_code in (200, 304, 400, 401, 402, 403, 404, 409, 413, 429, 501, 502)
    if response.status_code >= 400:
        assert response.xml.tag.endswith("}ExceptionReport")


@FEW
@given(operations, st.dictionaries(names, pieces, max_size=6), st.booleans())
def test_any_key_value_pairs(
    door: Door, operation: str, given_pairs: dict[str, str], usual: bool
) -> None:
    version = "1.0.0" if door.path == "/wps" else "2.0.0"
    query = {"service": "WPS", "version": version, "request": operation} if usual else {}
    if operation == "GetCapabilities" and usual:
        given_pairs.pop("updateSequence", None)  # answered with less than the schema of WPS wants
    answered(door.get(**{**given_pairs, **query}))


@st.composite
def changed(draw: st.DrawFn, document: bytes) -> bytes:
    """A valid request after some accidents."""
    root = etree.fromstring(document)
    for _ in range(draw(st.integers(1, 3))):
        elements = list(root.iter())
        one = draw(st.sampled_from(elements))
        how = draw(st.integers(0, 4))
        safe = draw(pieces).replace("\x00", "")
        if how == 0 and one is not root:
            one.getparent().remove(one)
        elif how == 1:
            one.text = safe
        elif how == 2 and one.attrib:
            one.set(draw(st.sampled_from(sorted(one.attrib))), safe)
        elif how == 3:
            one.append(etree.fromstring(etree.tostring(draw(st.sampled_from(elements)))))
        else:
            one.tag = draw(st.sampled_from([e.tag for e in elements]))
    return etree.tostring(root)


REQUEST = ExecuteRequest("portal.echo", (*EVERY_INPUT, LiteralValue("literal", "x")), ())
SMALL = ExecuteRequest("portal.echo", (LiteralValue("literal", "x"),), (OutputRequest("literal"),))
DOCUMENTS = (
    to_xml(Execute(REQUEST)),
    to_xml(Execute(SMALL)),
    to_xml2(REQUEST),
    to_xml2(SMALL),
    to_xml2(SMALL, mode="async", response="raw"),
    of_job("GetStatus", "6f2c0c1e-5a7e-4f3b-9a50-0d6a3c6f4f11"),
    of_job("Dismiss", "x"),
    in_envelope(to_xml(Execute(SMALL))),
    in_envelope(to_xml2(SMALL), SOAP11, f"<e:Header><a e:mustUnderstand='{SOAP12}'/></e:Header>"),
)


@FEW
@given(st.sampled_from(DOCUMENTS).flatmap(changed))
def test_any_xml(door: Door, document: bytes) -> None:
    response = door.post(document)
    if response.headers["Content-Type"].startswith(("text/xml", "application/soap+xml")):
        answered(response)


@FEW
@given(st.binary(max_size=120) | pieces.map(lambda text: f"<a>{text}</a>".encode()))
def test_any_bytes(door: Door, body: bytes) -> None:
    for kind in ("text/xml", "application/soap+xml"):
        answered(door.post(body, content_type=kind))
