"""What is written is valid, whatever a provider called its processes, formats and units."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.xml import XLINK
from jobs.models import Job
from jobs.states import State
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
    OutputDescription,
    OutputRequest,
    OutputValue,
    ProcessDescription,
    ProcessSummary,
    ReferenceValue,
    ValueRange,
)
from tests.wps_proxy.schemas import valid
from wps_proxy.words import WPS1_WORDS, wps1_text, wps1_word
from wps_proxy.wps1.capabilities import Offering, capabilities
from wps_proxy.wps1.descriptions import descriptions
from wps_proxy.wps1.responses import (
    ExecuteResponse,
    Status,
    bounding_box,
    execute_response,
)

WPS = "{http://www.opengis.net/wps/1.0.0}"
OWS = "{http://www.opengis.net/ows/1.1}"

anything = (
    st.text(max_size=12)
    | st.text("a1:/?#[]@%&+. -", max_size=8)
    | st.sampled_from(["%", "°C", "m s-1", "a\x00b", "\ufffe", "<&>"])
)
names = anything.map(lambda text: text or "x")
some = lambda one: st.lists(one, max_size=3).map(tuple)  # noqa: E731
some_names = some(names)
formats = st.builds(
    Format,
    st.sampled_from(["image/tiff", "text/xml; subtype=gml/3", "GeoTIFF", ""]),
    anything,
    anything,
)
ranges = st.builds(
    ValueRange,
    st.none() | names,
    st.none() | names,
    st.sampled_from(["closed", "open", "open-closed", "closed-open"]),
    st.none() | names,
)
literals = st.builds(
    LiteralDomain,
    st.sampled_from(["string", "boolean", "integer", "double", "date", "dateTime", "anyURI"]),
    some_names,
    some(ranges),
    st.none() | anything,
    some_names,
    alternatives=some(st.builds(LiteralDomain, st.sampled_from(["string", "double"]), some_names)),
)
domains = st.one_of(
    literals,
    st.builds(
        ComplexDomain,
        st.lists(formats, min_size=1, max_size=3).map(tuple),
        st.none() | st.integers(0, 10),
    ),
    st.builds(BoundingBoxDomain, st.lists(names, min_size=1, max_size=3).map(tuple)),
)
processes = st.builds(
    ProcessDescription,
    names,
    anything,
    anything,
    anything,
    some(
        st.builds(
            InputDescription,
            names,
            domains,
            anything,
            anything,
            st.integers(0, 3),
            st.none() | st.integers(0, 9),
        )
    ),
    st.lists(
        st.builds(OutputDescription, names, domains, anything, anything), min_size=1, max_size=3
    ).map(tuple),
)
finite = st.floats(-1e6, 1e6)
values = st.one_of(
    st.builds(LiteralValue, names, anything, anything, anything),
    st.builds(
        ComplexValue,
        names,
        anything | st.sampled_from(["<a/>", "<a>", '<?xml version="1.0"?><a xmlns="urn:x"/>']),
        st.sampled_from(["text/xml", "application/gml+xml", "text/plain", "odd"]),
        st.sampled_from(["", "base64", "UTF-8"]),
        anything,
    ),
    st.builds(ReferenceValue, names, names, anything, anything, anything),
    st.builds(
        BoundingBoxValue, names, st.tuples(finite, finite), st.tuples(finite, finite), anything
    ),
)
requests = st.builds(
    ExecuteRequest,
    names,
    some(values),
    st.lists(
        st.builds(OutputRequest, names, st.booleans(), st.none() | formats), min_size=1, max_size=3
    ).map(tuple),
)
responses = st.builds(
    ExecuteResponse,
    service_instance=st.just("http://testserver/wps?service=WPS&request=GetCapabilities"),
    process=st.builds(ProcessSummary, names, anything, anything, anything),
    status=st.builds(
        Status,
        st.sampled_from(sorted(set(WPS1_WORDS.values()))),
        st.datetimes(timezones=st.just(UTC)),
        anything,
        st.none() | st.integers(-5, 200),
    ),
    language=st.just("en"),
    status_location=st.sampled_from(["", "http://testserver/status?lineage=true"]),
    outputs=some(st.builds(OutputValue, values, anything, anything)),
    lineage=st.none() | requests,
)


@given(st.lists(processes, min_size=1, max_size=3))
@settings(deadline=None)
def test_any_description_is_valid(described: list[ProcessDescription]) -> None:
    root = valid(descriptions(described, language="en", most_values=1000))
    assert len(root) == len(described)
    for element, process in zip(root, described, strict=True):
        assert len(element.findall("./DataInputs/Input")) == len(process.inputs)


@given(
    st.lists(
        st.builds(Offering, st.builds(ProcessSummary, names), some_names), min_size=1, max_size=3
    )
)
@settings(deadline=None)
def test_any_list_is_valid(offerings: list[Offering]) -> None:
    valid(
        capabilities(
            address="http://testserver/wps", language="en", sequence="1.a", offerings=offerings
        )
    )


@given(responses)
@settings(deadline=None, max_examples=200)
def test_any_answer_is_valid(response: ExecuteResponse) -> None:
    root = valid(execute_response(response))
    assert len(root.findall(f"{WPS}ProcessOutputs/{WPS}Output")) == len(response.outputs)
    percent = root.find(f"{WPS}Status")[0].get("percentCompleted", "0")
    assert 0 <= int(percent) <= 99


def answer(value: object, **more: object) -> object:
    response = ExecuteResponse(
        "http://testserver/wps",
        ProcessSummary("p"),
        Status("ProcessSucceeded", datetime(2026, 3, 2, 10, 31, 5, 999, UTC)),
        "en",
        outputs=(OutputValue(value),),  # type: ignore[arg-type]
        **more,  # type: ignore[arg-type]
    )
    return valid(execute_response(response))


def test_values_and_references_are_where_the_standard_has_them() -> None:
    root = answer(ReferenceValue("o", "http://testserver/o", "image/tiff", schema="http://s/"))
    (reference,) = root.iter(f"{WPS}Reference")  # type: ignore[attr-defined]
    # An output's href is in no namespace, an input's is an xlink (05-007r7, schemas).
    assert dict(reference.attrib) == {
        "href": "http://testserver/o",
        "mimeType": "image/tiff",
        "schema": "http://s/",
    }
    status = root.find(f"{WPS}Status")  # type: ignore[attr-defined]
    assert status.get("creationTime") == "2026-03-02T10:31:05Z"
    asked = ExecuteRequest("p", (ReferenceValue("i", "http://d/"),), (OutputRequest("o"),))
    root = answer(LiteralValue("o", "41.7", "double", "km2"), lineage=asked)
    (literal,) = root.iter(f"{WPS}LiteralData")  # type: ignore[attr-defined]
    assert (literal.text, dict(literal.attrib)) == ("41.7", {"dataType": "xs:double", "uom": "km2"})
    (reference,) = root.iter(f"{WPS}Reference")  # type: ignore[attr-defined]
    assert reference.get(f"{{{XLINK}}}href") == "http://d/"
    box = valid(bounding_box(BoundingBoxValue("b", (1.5, -2.0), (3.0, 4.0), "EPSG:4326")))
    assert (box.tag, box[0].text, box.get("crs")) == (f"{OWS}BoundingBox", "1.5 -2", "EPSG:4326")


VISIBLE = set(State) - {
    State.DRAFT,
    State.VALIDATED,
    State.QUOTING,
    State.QUOTED,
    State.QUOTE_REJECTED,
    State.QUOTE_FAILED,
}


def test_every_state_after_submit_has_a_word_and_no_other() -> None:
    assert set(WPS1_WORDS) == VISIBLE


@pytest.mark.parametrize(
    ("state", "word", "text"),
    [
        (State.SUBMITTED, "ProcessAccepted", "Waiting to be sent to the provider."),
        (State.IN_PRODUCTION, "ProcessStarted", "reading"),
        (State.SUSPENDED, "ProcessPaused", "The provider has paused the job."),
        (State.COMPLETED, "ProcessSucceeded", "reading"),
        (State.FAILED, "ProcessFailed", "it broke"),
        (State.SUBMIT_REJECTED, "ProcessFailed", "it broke"),
        (State.CANCELLED, "ProcessFailed", "dismissed"),
    ],
)
def test_words_and_texts(state: State, word: str, text: str) -> None:
    job = Job(state=state, message="reading", error="it broke")
    assert (wps1_word(job), wps1_text(job)) == (word, text)
