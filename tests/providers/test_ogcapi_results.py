"""Results of OGC API processes, in each form of an answer."""

from __future__ import annotations

import pytest

from providers.drivers.ogcapi.results import parse_results
from providers.process import (
    ComplexValue,
    InputValue,
    LiteralValue,
    ReferenceValue,
)
from tests.providers import readers
from tests.providers.documents import HERE


def test_the_official_results() -> None:
    data = readers.samples("examples/Result.json")
    if not data:
        pytest.skip("shared schemas are absent")
    found = parse_results(readers.answer(next(iter(data.values()))), HERE)
    names = [one.identifier for one in found]
    assert names.count("geometryOutput") == names.count("imagesOutput") == 2
    assert len(set(names)) == 10


def test_results_in_parts() -> None:
    body = (
        b"--x\r\nContent-ID: <area>\r\nContent-Type: text/plain\r\n\r\n41.7\r\n"
        b"--x\r\nContent-ID: map\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n"
        b"--x\r\nContent-ID: file\r\nContent-Type: image/tiff\r\n"
        b"Content-Location: https://centre-a.example.org/f.tif\r\n\r\n\r\n--x--\r\n"
    )
    found = parse_results(readers.answer(body, "multipart/related; boundary=x"), HERE)
    assert [one.value for one in found] == [
        ComplexValue("area", "41.7", "text/plain"),
        ComplexValue("map", "iVBORw==", "image/png", "base64"),
        ReferenceValue("file", "https://centre-a.example.org/f.tif", "image/tiff"),
    ]


def test_results_in_headers() -> None:
    link = '<https://a.example/1.tif>; rel="map"; type="image/tiff", </jobs/1>; rel=monitor'
    found = parse_results(readers.answer(b"", "", 204, link=link), HERE)
    assert [one.value for one in found] == [
        ReferenceValue("map", "https://a.example/1.tif", "image/tiff")
    ]


@pytest.mark.parametrize(
    ("kind", "body", "value"),
    [
        ("image/png", b"\x89PNG", ComplexValue("map", "iVBORw==", "image/png", "base64")),
        ("text/csv; charset=utf-8", b"a,b", ComplexValue("map", "a,b", "text/csv")),
        ("application/json", b"[1, 2]", ComplexValue("map", "[1, 2]", "application/json")),
        ("application/json", b'{"type": "Point"}',
         ComplexValue("map", '{"type": "Point"}', "application/json")),
        ("application/json", b"3.5", LiteralValue("map", "3.5")),
    ],
)  # fmt: skip
def test_the_bare_output(kind: str, body: bytes, value: InputValue) -> None:
    (found,) = parse_results(readers.answer(body, kind), HERE, "map")
    assert found.value == value
