"""Providers that attack: every answer ends in a clear error, soon, and nothing leaks."""

from __future__ import annotations

import gzip
import itertools
import logging
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_django import Settings

from common import http
from common.errors import (
    AddressRefused,
    ProviderError,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimeout,
)
from providers.drivers.wps1 import Wps1Driver
from providers.drivers.wps1 import driver as wps1
from providers.drivers.wps1.capabilities import parse_capabilities
from providers.drivers.wps1.describe import parse_descriptions
from providers.drivers.wps1.status import parse_status
from providers.ports import Endpoint
from tests.fakes.wps_server import FakeWps, Reply
from tests.providers.documents import (
    HERE,
    capabilities,
    listed,
    response,
    succeeded,
    with_input,
)

DRIVER = Wps1Driver()
ENTITIES = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
LAUGHS = b'<!DOCTYPE a [<!ENTITY a0 "ha">' + ENTITIES + b"]><a>&a9;</a>"

HOSTILE: dict[str, tuple[Callable[[], Reply], type[ProviderError]]] = {
    "not XML": (lambda: Reply(200, b"\x00\x01\x02 nothing"), ProviderNonsense),
    "an image": (lambda: Reply(200, b"\x89PNG\r\n\x1a\n" + b"\x00" * 64), ProviderNonsense),
    "JSON": (lambda: Reply(200, b'{"a": 1}'), ProviderNonsense),
    "other XML": (lambda: Reply(200, b"<rss><channel/></rss>"), ProviderNonsense),
    "billion laughs": (lambda: Reply(200, LAUGHS), ProviderNonsense),
    "external entity": (
        lambda: Reply(200, b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'),
        ProviderNonsense,
    ),
    "100,000 nested elements": (lambda: Reply(200, b"<a>" * 100_000), ProviderNonsense),
    "a million elements": (lambda: Reply(200, b"<a>" + b"<b/>" * 10**6), ProviderNonsense),
    "100 MB": (lambda: Reply(200, itertools.repeat(b" " * 2**20, 100)), ProviderNonsense),
    "announces 100 GB": (
        lambda: Reply(200, b"<a>", {"Content-Length": str(10**11)}),
        ProviderNonsense,
    ),
    "gzip bomb": (
        lambda: Reply(200, gzip.compress(b"<a>" * 30_000_000, 1), {"Content-Encoding": "gzip"}),
        ProviderNonsense,
    ),
    "false gzip": (lambda: Reply(200, b"<a/>", {"Content-Encoding": "gzip"}), ProviderNonsense),
    "a slow drip": (lambda: Reply(200, itertools.repeat(b" ", 10**6), pause=0.05), ProviderTimeout),
    "silence": (lambda: Reply(delay=20), ProviderTimeout),
    "redirect to metadata": (
        lambda: Reply(302, b"", {"Location": "http://169.254.169.254/latest/meta-data/"}),
        AddressRefused,
    ),
    "redirect to another port": (
        lambda: Reply(302, b"", {"Location": "http://127.0.0.1:1/admin"}),
        AddressRefused,
    ),
    "redirect to a file": (
        lambda: Reply(302, b"", {"Location": "file:///etc/passwd"}),
        AddressRefused,
    ),
    "redirects for ever": (lambda: Reply(302, b"", {"Location": "/wps"}), ProviderNonsense),
}
SECRETS = ("127.0.0.1", "169.254", "passwd", "root:", "s3cret", "Traceback")


@pytest.fixture
def impatient(wps: FakeWps, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """The portal with a second of patience; only the provider's own port may be called."""
    settings.OUTBOUND_ALLOW = [f"127.0.0.1:{wps.port}"]
    settings.SYNC_WAIT_SECONDS = 1
    limits = http.Limits(read=0.5, total=1.0)
    plain = http.fetch

    def quick(*args: object, **kwargs: object) -> http.Response:
        return plain(*args, **{"limits": limits, **kwargs})  # type: ignore[arg-type]

    monkeypatch.setattr(wps1, "fetch", quick)
    monkeypatch.setattr(wps1, "STATUS_TRIES", 2)
    return Endpoint(wps.url, username="portal", password="s3cret")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("reply", "error"), HOSTILE.values(), ids=HOSTILE.keys())
def test_every_question_survives(
    wps: FakeWps,
    impatient: Endpoint,
    caplog: pytest.LogCaptureFixture,
    reply: Callable[[], Reply],
    error: type[ProviderError],
) -> None:
    caplog.set_level(logging.DEBUG)
    questions = {
        "GetCapabilities": lambda: DRIVER.capabilities(impatient),
        "status": lambda: DRIVER.status(impatient, f"{wps.base}/status/1.xml"),
    }
    for kind, ask in questions.items():
        wps.restore()
        wps.reply("other", reply(), times=None)
        wps.reply(kind, reply(), times=None)
        with pytest.raises(ProviderError) as caught:
            ask()
        assert isinstance(caught.value, error)
        assert caught.value.detail
        assert not any(secret in caught.value.detail for secret in SECRETS)
    assert "s3cret" not in caplog.text
    wps.restore()
    wps.reply("DescribeProcess", reply(), times=None)
    answered = DRIVER.describe(impatient, ["echo"])
    assert not answered.found
    assert answered.problems["echo"]


def test_a_redirect_does_not_take_credentials_along(wps: FakeWps) -> None:
    with FakeWps() as thief:
        elsewhere = {"Location": f"{thief.url}?request=GetCapabilities"}
        wps.reply("GetCapabilities", Reply(302, b"", elsewhere))
        here = Endpoint(wps.url, username="portal", password="s3cret", headers=(("X-Key", "k"),))
        DRIVER.capabilities(here)
        assert "authorization" in wps.received[0].headers
        assert wps.received[0].headers["x-key"] == "k"
        (stolen,) = thief.received
        assert not {"authorization", "x-key", "cookie"} & stolen.headers.keys()


# --- any bytes into each parser -----------------------------------------------------------------

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
