"""Which protocol a server speaks, from whatever address of it somebody has at hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from common.errors import (
    AddressRefused,
    InvalidInput,
    ProviderError,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
)
from providers import detect
from providers.detect import look
from tests.fakes.http_server import Received, Reply, ScriptedServer
from tests.fakes.ogcapi_server import FakeOgcApi
from tests.fakes.wps2_server import FakeWps2
from tests.fakes.wps_server import FakeWps
from tests.providers.readers import dialect


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "{}?service=WPS&request=GetCapabilities",
        "{}?SERVICE=WPS&VERSION=1.0.0&REQUEST=DescribeProcess&IDENTIFIER=echo",
        "  {}?request=GetCapabilities&service=WPS&acceptVersions=2.0.0#top ",
    ],
)
@pytest.mark.parametrize(("kind", "protocol"), [(FakeWps, "wps-1.0"), (FakeWps2, "wps-2.0")])
def test_a_wps(kind: type[FakeWps | FakeWps2], protocol: str, form: str) -> None:
    with kind() as server:
        found = look(form.format(server.url))
        assert (found.protocol, found.url) == (protocol, server.url)
        assert found.title
        assert found.processes == 1
        assert found.tried[-1] == f"{protocol}: it answers."
        assert len(server.received) <= 8
        assert not server.requests("Execute")


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "{}/",
        "{}/processes",
        "{}/processes?f=json&limit=5",
        "{}/processes/echo",
        "{}/processes/echo/execution",
        "{}/jobs",
        "{}/conformance",
        "{}?f=html",
    ],
)
def test_an_api(form: str) -> None:
    with FakeOgcApi() as server:
        found = look(form.format(server.url))
        assert (found.protocol, found.url) == ("ogcapi-processes", server.url)
        assert found.title == "Centre C"
        assert len(server.received) <= 4


def test_a_map_parameter_stays() -> None:
    with FakeWps() as server:
        found = look(f"{server.url}?map=a.map&service=WPS&request=GetCapabilities")
        assert found.url == f"{server.url}?map=a.map"


def test_credentials_in_the_address() -> None:
    with FakeWps() as server:
        server.credentials = ("ada", "p@ss:word")
        inside = server.url.replace("//", "//ada:p%40ss%3Aword@")
        found = look(inside)
        assert (found.url, found.username, found.password) == (server.url, "ada", "p@ss:word")
        assert "word" not in repr(found)
        assert look(server.url, "ada", "p@ss:word").protocol == "wps-1.0"
        with pytest.raises(ProviderRefused, match="user name and password") as caught:
            look(inside, "eve", "guess")
        assert len(caught.value.data["tried"]) == 3


class Several(ScriptedServer):
    """A server that speaks more than one, or says so."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        super().__init__()
        self.answers = answers

    def work(self, got: Received) -> Reply:
        asked = f"{got.query.get('request', '')} {got.query.get('version', '')}".strip()
        asked = f"{asked} {got.query.get('acceptversions', '')}".strip()
        body = self.answers.get(asked)
        return Reply(200, body) if body else Reply(500, b"what?")


def test_the_one_that_says_most_is_taken() -> None:
    answers = {
        "GetCapabilities 2.0.0": dialect("n52-capabilities-2.xml"),
        "DescribeProcess 2.0.0": dialect("n52-describe-2.xml"),
        "GetCapabilities 1.0.0": dialect("n52-capabilities-1.xml"),
        "DescribeProcess 1.0.0": dialect("n52-describe-1.xml"),
    }
    with Several(answers) as server:
        assert look(f"{server.base}/wps/WebProcessingService").protocol == "wps-2.0"


def test_a_server_that_only_says_so_is_asked_in_what_it_speaks() -> None:
    """PyWPS lists its processes in 2.0, and describes them in 1.0.0 whatever it is asked for."""
    answers = {
        "GetCapabilities 2.0.0": dialect("pywps4-capabilities-2.xml"),
        "DescribeProcess 2.0.0": dialect("geoserver-describe-1.xml"),
        "GetCapabilities 1.0.0": dialect("geoserver-capabilities-1.xml"),
        "DescribeProcess 1.0.0": dialect("geoserver-describe-1.xml"),
    }
    with Several(answers) as server:
        assert look(f"{server.base}/wps").protocol == "wps-1.0"


def test_a_server_that_describes_nothing_is_still_known() -> None:
    with Several({"GetCapabilities 1.0.0": dialect("finch-capabilities-1.xml")}) as server:
        assert look(f"{server.base}/wps").protocol == "wps-1.0"


@pytest.fixture
def web() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def test_a_web_site_speaks_none(web: ScriptedServer) -> None:
    web.reply("any", Reply(200, b"<!DOCTYPE html><p>Welcome"), times=None)
    with pytest.raises(ProviderNonsense, match="none of the protocols") as caught:
        look(web.base)
    tried = caught.value.data["tried"]
    assert [one.partition(":")[0] for one in tried] == list(detect.PROTOCOLS)
    assert not any("127.0.0.1" in one for one in tried)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://169.254.169.254/latest", AddressRefused),
        ("file:///etc/passwd", AddressRefused),
        ("http://[::ffff:10.0.0.1]/wps", AddressRefused),
        ("http://[64:ff9b::a00:1]/wps", AddressRefused),
        ("https://no-such-host.invalid/wps", ProviderUnreachable),
        ("no-such-host.invalid/wps", ProviderUnreachable),
        ("http://127.0.0.1:1/wps", ProviderUnreachable),
    ],
)
def test_nobody_there(url: str, error: type[ProviderError]) -> None:
    with pytest.raises(error) as caught:
        look(url)
    assert len(caught.value.data["tried"]) == 1


@pytest.mark.parametrize("url", ["https://[::1/wps", "http://a:b:c@d:e/", ""])
def test_no_address(url: str) -> None:
    with pytest.raises((InvalidInput, AddressRefused, ProviderUnreachable)):
        look(url)


@pytest.mark.timeout(20)
def test_a_slow_server_does_not_hold_anybody_up(
    web: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detect, "SECONDS", 0.5)
    web.reply("any", Reply(200, [b" "] * 1000, pause=0.05), times=None)
    with pytest.raises(ProviderTimeout):
        look(web.base)


def test_the_network_of_the_portal_stays_closed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = []
    with FakeWps() as server:
        with pytest.raises(AddressRefused):
            look(server.url)
        assert not server.received
