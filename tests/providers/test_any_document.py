"""Documents of others, whole and damaged, through every reader: only documented errors come out,
and nothing of the provider that users may not see."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ProviderError
from providers.drivers.ogcapi.driver import _outcome
from providers.ports import Descriptions, RemoteStatus, ServiceInfo
from providers.process import ProcessDescription
from tests.providers.readers import CENTRE, JSON_READERS, XML_READERS, answer, samples

XML = samples(".xml")
JSON = samples(".json")
READERS = {**XML_READERS, **JSON_READERS}

# Where the portal itself follows an address, or a provider's payload is passed on as it is; and
# what users must send back letter by letter.
PASSED = frozenset({"href", "handle", "data", "value", "identifier", "process", "remote_id"})
PASSED |= {"allowed_values", "default", "ranges", "found", "problems", "warnings"}


def read_by_all(data: bytes, readers: dict[str, Callable[[bytes], object]]) -> None:
    for name, reader in readers.items():
        try:
            found = reader(data)
        except ProviderError as error:
            told = [error.detail]
        else:
            told = list(_texts(found))
            _can_be_kept(found)
        assert not [text for text in told if "centre.example.org" in text.lower()], name


def _texts(found: object) -> Iterator[str]:
    """Every text that users may see."""
    if isinstance(found, ServiceInfo | Descriptions | RemoteStatus):
        yield from _inside(asdict(found))
    if isinstance(found, Descriptions):
        for process in found.found.values():
            yield from _inside(asdict(process))
        yield from (*found.problems.values(), *found.warnings.values())


def _inside(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in PASSED:
                yield from _inside(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _inside(inner)
    elif isinstance(value, str):
        yield value


def _can_be_kept(found: object) -> None:
    """In the database, as JSON, and read again."""
    if isinstance(found, Descriptions):
        for process in found.found.values():
            stored = json.dumps(process.to_json(), ensure_ascii=False)
            assert "\\u0000" not in stored
            stored.encode()
            assert ProcessDescription.from_json(json.loads(stored)) == process
    if isinstance(found, RemoteStatus):
        json.dumps([asdict(one) for one in found.outputs], ensure_ascii=False).encode()


@pytest.mark.parametrize("name", [*XML, *JSON])
def test_every_sample_through_every_reader(name: str) -> None:
    read_by_all({**XML, **JSON}[name], READERS)


MARKS = b"|<|>|&|&x;|\"|\x00|\xff|<!--|<![CDATA[|]]>|<Input>|</Output>|xmlns=''|a:b=''|{|}|[|]|,|:"
WORDS = (
    b"-1|1e999|nan|null|true|unbounded|://[|_|\xc3\xa4|\\ud800|\\u0000|http://[::1|#/|allOf|$ref"
)
PIECES = st.sampled_from([*MARKS.split(b"|"), *WORDS.split(b"|")])


def damaged(document: bytes, data: st.DataObject) -> bytes:
    """Bytes cut out, repeated, swapped for others, at several places."""
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(document)))
        end = data.draw(st.integers(start, min(len(document), start + 60)))
        document = document[:start] + data.draw(PIECES) + document[end:]
    return document


@given(st.sampled_from(sorted(XML)), st.data())
def test_damaged_xml(name: str, data: st.DataObject) -> None:
    read_by_all(damaged(XML[name], data), XML_READERS)


@given(st.sampled_from(sorted(JSON)), st.data())
def test_damaged_json(name: str, data: st.DataObject) -> None:
    read_by_all(damaged(JSON[name], data), JSON_READERS)


MEMBERS = re.findall(
    r"\S+",
    "id schema oneOf allOf items type format enum $ref href value bbox crs status links inputs "
    "outputs minItems default properties contentMediaType contentEncoding contentSchema minimum "
    "exclusiveMinimum title description keywords version message uom mediaType",
)
OWN = "see https://portal:s3cret@centre.example.org:8443/x?y#z"
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "unbounded", "array", "object", "#/", "ogc-bbox", "binary", OWN, "uri"])
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=5)
    ),
    max_leaves=12,
)


def swapped(document: Any, data: st.DataObject) -> Any:
    """The document with other values at some places, whatever their type."""
    if isinstance(document, dict) and document and data.draw(st.integers(0, 9)):
        name = data.draw(st.sampled_from(sorted(document)))
        return {**document, name: swapped(document[name], data)}
    if isinstance(document, list) and document and data.draw(st.integers(0, 9)):
        place = data.draw(st.integers(0, len(document) - 1))
        return [*document[:place], swapped(document[place], data), *document[place + 1 :]]
    return data.draw(VALUES)


@given(st.sampled_from(sorted(JSON)), st.data())
def test_json_with_other_values(name: str, data: st.DataObject) -> None:
    document = swapped(json.loads(JSON[name]), data)
    read_by_all(json.dumps(document).encode(), JSON_READERS)


@pytest.mark.parametrize("put", ["inputs", "outputs"])
def test_an_identifier_tells_nobody_how_to_log_in(put: str) -> None:
    process = {"id": "p", put: [{"id": OWN, "schema": {"type": "string"}}]}
    (found,) = JSON_READERS["process"](json.dumps(process).encode()).found.values()
    assert not getattr(found, put)
    with pytest.raises(ProviderError):
        JSON_READERS["process"](json.dumps({"id": OWN}).encode())


@given(VALUES)
def test_any_schema(schema: Any) -> None:
    process = {"id": "p", "inputs": {"i": {"schema": schema}}, "outputs": {"o": schema}}
    read_by_all(json.dumps(process).encode(), JSON_READERS)


HEADERS = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=60)
CONTENT = st.sampled_from(("", "multipart/related", "application/json", "text/xml", "image/png"))


@given(st.binary(max_size=80), HEADERS, HEADERS, CONTENT, st.sampled_from((200, 201, 202, 204)))
def test_any_headers(body: bytes, location: str, link: str, kind: str, status: int) -> None:
    said = answer(body, kind, status, location=location, link=f"<{link}>; rel={location}")
    read_by_all(b"", {"outcome": lambda _data: _outcome(said, CENTRE, "")})
    parts = answer(b"--x\r\nContent-ID: " + body + b"\r\n\r\n" + body + b"\r\n--x--", kind)
    parts.headers["content-type"] += '; boundary="x"'  # type: ignore[index]
    read_by_all(b"", {"parts": lambda _data: _outcome(parts, CENTRE, "")})
