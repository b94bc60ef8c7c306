"""Any bytes into each reader of WPS 1.0.0 documents: only the documented errors come out."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st

from common.errors import ProviderNonsense, ProviderRefused
from providers.drivers.wps1.capabilities import parse_capabilities
from providers.drivers.wps1.describe import parse_descriptions
from providers.drivers.wps1.status import parse_status
from tests.providers.documents import (
    HERE,
    capabilities,
    listed,
    response,
    succeeded,
    with_input,
)

PARSERS: list[Callable[[bytes], object]] = [
    lambda data: parse_capabilities(data, HERE),
    lambda data: parse_descriptions(data, HERE),
    lambda data: parse_status(data, HERE),
    lambda data: parse_status(data, HERE, handle="https://centre-a.example.org/s"),
]
GOOD = [
    capabilities(listed("a", "A"), listed("b")),
    with_input("<LiteralData><ows:AnyValue/></LiteralData>", 'minOccurs="0"'),
    with_input("<ComplexData><Default><Format><MimeType>a/b</MimeType></Format></Default></ComplexData>"),
    response("<wps:ProcessStarted percentCompleted='5'/>", location="https://centre-a.example.org/s"),
    succeeded("<wps:Data><wps:LiteralData>5</wps:LiteralData></wps:Data>"),
    succeeded("<wps:Data><wps:BoundingBoxData><ows:LowerCorner>1 2</ows:LowerCorner>"
              "<ows:UpperCorner>3 4</ows:UpperCorner></wps:BoundingBoxData></wps:Data>"),
    response("<wps:ProcessFailed><ows:ExceptionReport><ows:Exception exceptionCode='X'>"
             "<ows:ExceptionText>no</ows:ExceptionText></ows:Exception></ows:ExceptionReport>"
             "</wps:ProcessFailed>"),
]  # fmt: skip


def survives(data: bytes) -> None:
    for parser in PARSERS:
        try:
            parser(data)
        except (ProviderNonsense, ProviderRefused):
            continue


@given(st.binary(max_size=200))
@example(b"\xff\xfe<\x00a\x00")
@example(b"<a>&#0;</a>")
@example(b"<?xml version='1.0' encoding='no-such'?><a/>")
@example(b"<?xml version='1.0' encoding='utf-32'?><a/>")
def test_any_bytes(data: bytes) -> None:
    survives(data)


@given(st.sampled_from(GOOD), st.data())
def test_good_documents_with_pieces_changed(document: bytes, data: st.DataObject) -> None:
    """Bytes cut out, repeated, swapped for others, at several places."""
    marks = b"|<|>|&|&x;|\"|\x00|\xff|<!--|<![CDATA[|]]>|<Input>|</Output>|xmlns=''|a:b=''"
    words = b"-1|1e999|nan|unbounded|://[|_|\xc3\xa4"
    pieces = st.sampled_from([*marks.split(b"|"), *words.split(b"|")])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(document)))
        end = data.draw(st.integers(start, min(len(document), start + 60)))
        document = document[:start] + data.draw(pieces) + document[end:]
    survives(document)


texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<&"), max_size=30
)


@given(texts, texts)
def test_any_text_in_any_place(one: str, two: str) -> None:
    attribute = one.replace('"', "&quot;")
    survives(response(f'<wps:ProcessStarted percentCompleted="{attribute}"/>', location=attribute))
    survives(response(f"<wps:ProcessFailed>{one}</wps:ProcessFailed>"))
    survives(succeeded(f'<wps:Reference href="{attribute}" mimeType="{attribute}"/>'))
    survives(succeeded(
        f"<wps:Data><wps:BoundingBoxData><ows:LowerCorner>{one}</ows:LowerCorner>"
        f"<ows:UpperCorner>{two}</ows:UpperCorner></wps:BoundingBoxData></wps:Data>"
    ))  # fmt: skip
    survives(capabilities(listed(one, two)))
    survives(with_input(
        f'<LiteralData><ows:DataType ows:reference="{attribute}">{two}</ows:DataType>'
        f"<DefaultValue>{one}</DefaultValue></LiteralData>",
        f'minOccurs="{attribute}" maxOccurs="{attribute}"',
    ))  # fmt: skip
    survives(with_input(f'<ComplexData maximumMegabytes="{attribute}"/>'))
