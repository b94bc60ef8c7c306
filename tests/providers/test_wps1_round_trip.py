"""Descriptions: written by a provider, read, stored, and the same again."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from providers.drivers.wps1.describe import parse_descriptions
from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    Format,
    InputDescription,
    LiteralDomain,
    OutputDescription,
    ProcessDescription,
    ValueRange,
)
from tests.fakes import wps_documents
from tests.providers.documents import (
    HERE,
)
from tests.wps_proxy.schemas import valid

names = st.text("abcdefgh-_.:", min_size=1, max_size=8)
words = st.text("abc déf<&>", min_size=1, max_size=12).map(str.strip).filter(bool)
formats = st.builds(
    Format,
    st.sampled_from(["text/xml", "image/tiff", "application/geo+json"]),
    st.sampled_from(["", "base64", "UTF-8"]),
    st.sampled_from(["", "http://x.example/s.xsd"]),
)
literals = st.builds(
    LiteralDomain,
    st.sampled_from(["string", "integer", "double", "boolean", "date", "dateTime", "time"]),
    st.lists(words, unique=True, max_size=3).map(tuple),
    st.lists(st.builds(ValueRange, words, words), max_size=2).map(tuple),
    st.none() | words,
    st.lists(st.sampled_from(["m", "km", "degree"]), unique=True, max_size=3).map(tuple),
)
documents = st.builds(
    ComplexDomain, st.lists(formats, min_size=1, unique=True, max_size=3).map(tuple)
)
boxes = st.builds(
    BoundingBoxDomain,
    st.lists(st.sampled_from(["EPSG:4326", "EPSG:3857"]), min_size=1, unique=True).map(tuple),
)
inputs = st.builds(
    InputDescription,
    identifier=names,
    domain=literals | documents | boxes,
    title=words,
    min_occurs=st.integers(0, 3),
    max_occurs=st.none() | st.integers(3, 1000),
)
outputs = st.builds(
    OutputDescription,
    identifier=names,
    domain=documents | boxes | st.just(LiteralDomain("double")),
    title=words,
)


def once(found: list[Any]) -> tuple[Any, ...]:
    return tuple({one.identifier: one for one in found}.values())


processes = st.builds(
    ProcessDescription,
    identifier=names,
    title=words,
    abstract=st.just("") | words,
    version=st.sampled_from(["1", "1.0.0"]),
    inputs=st.lists(inputs, max_size=3).map(once),
    outputs=st.lists(outputs, min_size=1, max_size=3).map(once),
    store_supported=st.booleans(),
    status_supported=st.booleans(),
)


@given(processes)
def test_a_description_written_by_a_provider_is_read_and_stored_without_loss(
    process: ProcessDescription,
) -> None:
    document = wps_documents.descriptions([process])
    if all(one.max_occurs is not None for one in process.inputs):
        valid(document)
    read = parse_descriptions(document, HERE).found[process.identifier]
    assert read == process
    assert ProcessDescription.from_json(json.loads(json.dumps(read.to_json()))) == read
