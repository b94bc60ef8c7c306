"""Providers that attack: every answer ends in a clear error, soon, and nothing leaks; whichever
protocol they speak."""

from __future__ import annotations

import gzip
import itertools
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from pytest_django import Settings

from common import http
from common.errors import AddressRefused, ProviderError, ProviderNonsense, ProviderTimeout
from providers import calls
from providers.drivers.ogcapi import OgcApiDriver
from providers.drivers.ogcapi import driver as ogcapi
from providers.drivers.wps1 import Wps1Driver
from providers.drivers.wps1 import driver as wps1
from providers.drivers.wps2 import Wps2Driver
from providers.ows import asking
from providers.ports import Driver, Endpoint
from providers.process import (
    ExecuteRequest,
    Identity,
    LiteralDomain,
    LiteralValue,
    OutputDescription,
    ProcessDescription,
)
from tests.fakes.http_server import Reply
from tests.fakes.ogcapi_server import FakeOgcApi
from tests.fakes.wps2_server import FakeWps2
from tests.fakes.wps_server import FakeWps

Server = FakeWps | FakeWps2 | FakeOgcApi


@dataclass
class Kind:
    """A protocol: its driver, a stand-in server, and what its requests are called there."""

    driver: Driver
    server: type[Server]
    offered: tuple[str, ...]
    described: str
    asked: tuple[str, ...]  # of a status


KINDS = {
    "wps-1.0": Kind(Wps1Driver(), FakeWps, ("GetCapabilities",), "DescribeProcess", ("status",)),
    "wps-2.0": Kind(
        Wps2Driver(), FakeWps2, ("GetCapabilities",), "DescribeProcess", ("GetStatus",)
    ),
    "ogcapi": Kind(OgcApiDriver(), FakeOgcApi, ("landing", "processes"), "process", ("status",)),
}
ECHO = ProcessDescription(
    "echo",
    outputs=(OutputDescription("message", LiteralDomain()),),
    store_supported=True,
    status_supported=True,
)
HELLO = ExecuteRequest("echo", (LiteralValue("message", "hello"),))
ENTITIES = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
LAUGHS = b'<!DOCTYPE a [<!ENTITY a0 "ha">' + ENTITIES + b"]><a>&a9;</a>"

HOSTILE: dict[str, tuple[Callable[[], Reply], type[ProviderError]]] = {
    "not XML": (lambda: Reply(200, b"\x00\x01\x02 nothing"), ProviderNonsense),
    "an image": (lambda: Reply(200, b"\x89PNG\r\n\x1a\n" + b"\x00" * 64), ProviderNonsense),
    "other JSON": (lambda: Reply(200, b'{"a": 1}'), ProviderNonsense),
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
    "redirects for ever": (lambda: Reply(302, b"", {"Location": "/loop"}), ProviderNonsense),
    "deeply nested JSON": (lambda: Reply(200, b"[" * 100_000), ProviderNonsense),
    "JSON in 100 levels": (lambda: Reply(200, b"[" * 100 + b"]" * 100), ProviderNonsense),
    "endless numbers": (lambda: Reply(200, b'{"processes": ' + b"9" * 10**6), ProviderNonsense),
}
SECRETS = ("127.0.0.1", "169.254", "passwd", "root:", "s3cret", "Traceback")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def server(kind: Kind) -> Iterator[Server]:
    with kind.server() as server:
        yield server


@pytest.fixture
def impatient(server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """The portal with a second of patience; only the provider's own port may be called."""
    settings.OUTBOUND_ALLOW = [f"127.0.0.1:{server.port}"]
    settings.SYNC_WAIT_SECONDS = 1
    limits = http.Limits(read=0.5, total=1.0)
    plain = calls.fetch

    def quick(*args: object, **kwargs: object) -> http.Response:
        return plain(*args, **{"limits": limits, **kwargs})  # type: ignore[arg-type]

    for module in (asking, ogcapi):
        monkeypatch.setattr(module, "fetch", quick)
    monkeypatch.setattr(wps1, "STATUS_TRIES", 2)
    return Endpoint(
        server.url, username="portal", password="s3cret", headers=(("X-Key", "s3cret-too"),)
    )


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("reply", "error"), HOSTILE.values(), ids=HOSTILE.keys())
def test_every_question_survives(
    kind: Kind,
    server: Server,
    impatient: Endpoint,
    caplog: pytest.LogCaptureFixture,
    reply: Callable[[], Reply],
    error: type[ProviderError],
) -> None:
    caplog.set_level(logging.DEBUG)
    handle = kind.driver.submit(impatient, ECHO, HELLO, "ref").handle
    questions = {
        kind.offered: lambda: kind.driver.capabilities(impatient),
        kind.asked: lambda: kind.driver.status(impatient, handle),
    }
    for kinds, ask in questions.items():
        server.restore()
        for one in (*kinds, "other"):
            server.reply(one, reply(), times=None)
        with pytest.raises(ProviderError) as caught:
            ask()
        assert isinstance(caught.value, error)
        assert caught.value.detail
        assert not any(secret in caught.value.detail for secret in SECRETS)
    server.restore()
    for one in (kind.described, "other"):
        server.reply(one, reply(), times=None)
    answered = kind.driver.describe(impatient, ["echo"])
    assert not answered.found
    assert answered.problems["echo"]
    assert "s3cret" not in caplog.text


@pytest.mark.timeout(60)
@pytest.mark.parametrize("reply", [value[0] for value in HOSTILE.values()], ids=HOSTILE.keys())
def test_a_run_is_sent_once_whatever_comes_back(
    kind: Kind, server: Server, impatient: Endpoint, reply: Callable[[], Reply]
) -> None:
    server.reply("Execute", reply(), times=None)
    server.reply("other", reply(), times=None)
    said = ""
    try:
        status = kind.driver.submit(impatient, ECHO, HELLO, "ref")
        said = f"{status.error} {status.message} {status.handle}"
    except ProviderError as error:
        said = error.detail
    assert not any(secret in said for secret in SECRETS)
    assert len(server.executes) == 1


def test_a_redirect_does_not_take_secrets_along(kind: Kind, server: Server) -> None:
    with kind.server() as thief:
        here = Endpoint(server.url, "portal", "s3cret", headers=(("X-Key", "k"),))
        moved = Reply(302, b"", {"Location": f"{thief.base}/elsewhere"})
        server.reply(kind.offered[-1], moved, times=None)
        with pytest.raises(ProviderError):
            kind.driver.capabilities(here)
        asked = server.requests(kind.offered[-1])[0]
        assert "authorization" in asked.headers
        assert asked.headers["x-key"] == "k"
        assert thief.received
        for stolen in thief.received:
            assert not {"authorization", "x-key", "cookie"} & stolen.headers.keys()


def test_a_run_is_not_sent_on(kind: Kind, server: Server) -> None:
    """A redirect of a POST is a refusal: what it led to would be another provider's job."""
    with kind.server() as thief:
        for status in (301, 302, 303, 307, 308):
            server.reply("Execute", Reply(status, b"", {"Location": thief.url}))
            with pytest.raises(ProviderError):
                kind.driver.submit(Endpoint(server.url), ECHO, HELLO, "ref")
        assert not thief.received


def test_headers_of_a_run_are_ours_alone(kind: Kind, server: Server) -> None:
    here = Endpoint(server.url, "u", "p", (("X-Key", "k"),), reference_header="X-Remote-Ref")
    told = ExecuteRequest("echo", HELLO.inputs, identity=Identity("ada", "group-1", "member"))
    kind.driver.submit(here, ECHO, told, "the-job")
    (got,) = server.executes
    mine = {name: got.headers[name] for name in got.headers if name.startswith("x-")}
    assert mine == {
        "x-key": "k",
        "x-remote-ref": "the-job",
        "x-remote-user": "ada",
        "x-remote-domain": "group-1",
        "x-remote-role": "member",
    }
    assert not {"cookie", "x-forwarded-for", "forwarded"} & got.headers.keys()
    kind.driver.submit(Endpoint(server.url), ECHO, HELLO, "another")
    assert not [name for name in server.executes[-1].headers if name.startswith("x-")]


@pytest.mark.parametrize(
    "handle",
    [
        "http://169.254.169.254/latest/meta-data/#x",
        "http://[::ffff:169.254.169.254]/jobs/1",
        "http://[64:ff9b::a9fe:a9fe]/jobs/1",
        "http://2130706433/jobs/1",
        "file:///etc/passwd",
        "//evil.example.net/jobs/1",
    ],
)
def test_a_handle_leads_nowhere_else(kind: Kind, server: Server, handle: str) -> None:
    """Addresses only come from the provider, and are looked at when they come; and again here."""
    before = len(server.received)
    with pytest.raises(ProviderError):
        kind.driver.status(Endpoint(server.url), handle)
    # A WPS 2.0 is asked at its own address, with whatever as the job's name.
    assert all(got.kind == "GetStatus" for got in server.received[before:])
    assert kind.driver.dismiss(Endpoint(server.url), handle) is False
