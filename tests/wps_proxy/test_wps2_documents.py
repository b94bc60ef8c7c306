"""What is written in WPS 2.0 is valid, whatever a provider called its processes and formats."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.xml import XLINK
from jobs.states import State
from providers.process import (
    BoundingBoxValue,
    ComplexDomain,
    Format,
    InputDescription,
    LiteralDomain,
    LiteralValue,
    Metadata,
    OutputDescription,
    OutputValue,
    ProcessDescription,
    ProcessSummary,
    ReferenceValue,
)
from tests.wps_proxy import test_documents as old
from tests.wps_proxy.schemas import valid
from wps_proxy.words import WPS1_WORDS, WPS2_WORDS
from wps_proxy.wps1.descriptions import descriptions
from wps_proxy.wps2.capabilities import Offering, capabilities
from wps_proxy.wps2.descriptions import offerings
from wps_proxy.wps2.requests import SECTIONS
from wps_proxy.wps2.responses import StatusInfo, result, status_info, value_document

WPS = "{http://www.opengis.net/wps/2.0}"
OWS = "{http://www.opengis.net/ows/2.0}"

times = st.none() | st.datetimes(timezones=st.just(UTC))
metadata = old.some(st.builds(Metadata, old.anything, old.anything, old.anything))
told = st.builds(
    ProcessDescription,
    old.names,
    old.anything,
    old.anything,
    st.sampled_from(["", "1", "1.2", "1.2.3", "1.2.3.4", "v1", "2024-01-01", "1.222.3"]),
    old.some(
        st.builds(
            InputDescription,
            old.names,
            old.domains,
            old.anything,
            old.anything,
            st.integers(0, 3),
            st.none() | st.integers(0, 9),
            old.some_names,
            metadata,
        )
    ),
    st.lists(
        st.builds(OutputDescription, old.names, old.domains, old.anything, old.anything),
        min_size=1,
        max_size=2,
    ).map(tuple),
    keywords=old.some_names,
    metadata=metadata,
)


@given(st.lists(told, min_size=1, max_size=2))
@settings(deadline=None)
def test_any_description_is_valid_in_both_versions(described: list[ProcessDescription]) -> None:
    root = valid(offerings(described, language="en"))
    for element, process in zip(root, described, strict=True):
        assert len(element.findall(f"{WPS}Process/{WPS}Input")) == len(process.inputs)
    valid(descriptions(described, language="en", most_values=1000))


@given(
    st.lists(
        st.builds(
            Offering,
            st.builds(
                ProcessSummary, old.names, old.anything, old.anything, old.anything, old.some_names
            ),
            old.some_names,
        ),
        min_size=1,
        max_size=3,
    ),
    st.sets(st.sampled_from(SECTIONS)).map(frozenset),
)
@settings(deadline=None)
def test_any_list_is_valid_with_any_sections(
    listed: list[Offering], sections: frozenset[str]
) -> None:
    root = valid(
        capabilities(
            address="http://testserver/wps/2.0",
            language="en",
            sections=sections,
            sequence="1.a",
            offerings=listed,
        )
    )
    shown = {e.tag.removeprefix(OWS) for e in root} - {f"{WPS}Contents"}
    assert shown == sections


words = st.sampled_from(sorted(set(WPS2_WORDS.values())))


@given(st.builds(StatusInfo, st.just("x"), words, times, times, st.none() | st.integers(-5, 200)))
@settings(deadline=None)
def test_any_status_is_valid(info: StatusInfo) -> None:
    root = valid(status_info(info))
    assert 0 <= int(root.findtext(f"{WPS}PercentCompleted") or 0) <= 100


@given(
    st.lists(st.builds(OutputValue, old.values), min_size=1, max_size=3),
    st.sampled_from(["", "6f2c0c1e-5a7e-4f3b-9a50-0d6a3c6f4f11"]),
    times,
)
@settings(deadline=None, max_examples=200)
def test_any_result_is_valid(
    outputs: list[OutputValue], job_id: str, expires: datetime | None
) -> None:
    root = valid(result(outputs, job_id=job_id, expires=expires))
    assert len(root.findall(f"{WPS}Output")) == len(outputs)


def test_values_have_the_forms_of_the_standard() -> None:
    values = (
        LiteralValue("mean", "41.7", "double", "%"),
        BoundingBoxValue("area", (1.5, -2.0), (3.0, 4.0), "EPSG:4326"),
        ReferenceValue("file", "http://testserver/o", "image/tiff"),
    )
    mean, area, file = valid(result([OutputValue(one) for one in values]))
    assert (mean[0].get("mimeType"), mean[0][0].text) == ("text/xml", "41.7")
    assert dict(mean[0][0].attrib) == {
        "dataType": "http://www.w3.org/2001/XMLSchema#double",
        "uom": "%25",
    }
    assert (area[0][0].tag, area[0][0][0].text) == (f"{OWS}BoundingBox", "1.5 -2")
    assert file[0].get(f"{{{XLINK}}}href") == "http://testserver/o"
    assert valid(value_document(values[0]) or b"").tag == f"{WPS}LiteralValue"
    assert valid(value_document(values[1]) or b"").tag == f"{OWS}BoundingBox"
    assert value_document(values[2]) is None


JSON = ComplexDomain((Format(""),), json_schema='{"type": "object"}')
RICH = ProcessDescription(
    "rich",
    "Rich",
    version="1.2",
    inputs=(
        InputDescription("depth", LiteralDomain("double", default="5", uoms=("m", "km"))),
        InputDescription("kind", LiteralDomain(values_reference="http://lists.example.org/k")),
        InputDescription("options", JSON, min_occurs=0, max_occurs=None, keywords=("a", "b")),
    ),
    outputs=(OutputDescription("out", JSON, metadata=(Metadata("More", "http://m.org/", "r"),)),),
    keywords=("water", "soil"),
    metadata=(Metadata("Manual", "http://m.org/manual", "http://m.org/role"),),
)


def links(element: object) -> list[dict[str, str]]:
    return [
        {name.removeprefix(f"{{{XLINK}}}"): value for name, value in one.attrib.items()}
        for one in element  # type: ignore[attr-defined]
        if one.tag.endswith("}Metadata")
    ]


NOTE = {"title": 'A JSON value of this JSON Schema: {"type": "object"}'}


def test_version_2_says_everything_there_is() -> None:
    offering = valid(offerings([RICH], language="en"))[0]
    assert dict(offering.attrib) == {
        "jobControlOptions": "sync-execute async-execute dismiss",
        "outputTransmission": "value reference",
        "processVersion": "1.2.0",
    }
    (process,) = offering
    assert [e.text for e in process.find(f"{OWS}Keywords")] == ["water", "soil"]
    assert links(process) == [
        {"title": "Manual", "href": "http://m.org/manual", "role": "http://m.org/role"}
    ]
    depth, kind, options = process.iterfind(f"{WPS}Input")
    first, second = depth.iter("LiteralDataDomain")  # in no namespace: so the schema
    assert (first.get("default"), first.findtext(f"{OWS}UOM")) == ("true", "m")
    assert (second.get("default"), second.findtext(f"{OWS}UOM")) == (None, "km")
    assert (first.findtext(f"{OWS}DefaultValue"), second.find(f"{OWS}DefaultValue")) == ("5", None)
    (listed,) = kind.iter(f"{OWS}ValuesReference")
    assert listed.get(f"{OWS}reference") == "http://lists.example.org/k"
    assert (options.get("minOccurs"), options.get("maxOccurs")) == ("0", "unbounded")
    assert options.find(f"{WPS}ComplexData/{WPS}Format").get("mimeType") == "application/json"
    assert links(options) == [NOTE]
    assert links(process.find(f"{WPS}Output"))[1] == NOTE


def test_version_1_says_in_notes_what_it_has_no_element_for() -> None:
    (process,) = valid(descriptions([RICH], language="en", most_values=1000))
    assert {"title": "Keywords: water, soil"} in links(process)
    assert links(process)[0]["href"] == "http://m.org/manual"
    _depth, kind, options = process.iter("Input")
    assert kind.find(".//ValuesReference") is not None
    assert options.get("maxOccurs") == "1000"
    assert links(options) == [
        {"title": "Keywords: a, b"},
        NOTE,
        {"title": "Any number of values is taken."},
    ]
    assert options.findtext(".//Default//MimeType") == "application/json"
    assert NOTE in links(process.find(".//Output"))


def test_every_state_after_submit_has_a_word_of_both_versions() -> None:
    assert set(WPS2_WORDS) == set(WPS1_WORDS)
    assert set(WPS2_WORDS.values()) == {"Accepted", "Running", "Succeeded", "Failed", "Dismissed"}


@pytest.mark.parametrize("state", [State.SUSPENDED, State.IN_PRODUCTION])
def test_a_paused_job_is_running(state: State) -> None:
    """14-065 knows no word for it."""
    assert WPS2_WORDS[state] == "Running"
