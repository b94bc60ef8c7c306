"""What became of a request: every kind of answer to Execute and to a status question."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from common.errors import (
    AddressRefused,
    ProviderError,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
)
from providers.ports import Endpoint
from tests.fakes.wps_server import ECHO, FakeWps, Reply, refusal, xml
from tests.providers.documents import NAMES, response
from tests.providers.test_wps1_driver import DRIVER, HELLO, JOB, endpoint

# --- submit: what became of it ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "error", "retryable"),
    [
        (refusal("InvalidParameterValue", "bad", "n"), ProviderRefused, False),
        (refusal("InvalidParameterValue", "bad", "n", status=200), ProviderRefused, False),
        (refusal("NoApplicableCode", "bad", status=500), ProviderRefused, False),
        (refusal("ServerBusy", "full"), ProviderRefused, True),
        (refusal("ServerBusy", "full", status=200), ProviderRefused, True),
        (refusal("NoApplicableCode", "full", status=503), ProviderRefused, True),
        (Reply(429, b"slow down"), ProviderRefused, True),
        (Reply(400, b"no"), ProviderRefused, False),
        (Reply(401, b"no"), ProviderRefused, False),
        (Reply(404, b"no"), ProviderRefused, False),
        (Reply(500, b"Traceback"), ProviderRefused, False),
        (Reply(302, b"", {"Location": "/elsewhere"}), ProviderRefused, False),
        (Reply(307, b"", {"Location": "/elsewhere"}), ProviderRefused, False),
        (Reply(502, b"<html>Bad gateway</html>"), ProviderTimeout, None),
        (Reply(503, b""), ProviderTimeout, None),
        (Reply(504, b"x"), ProviderTimeout, None),
        (Reply(hang_up=True), ProviderTimeout, None),
        (Reply(200, b"<wps:ExecuteRes", cut=True), ProviderTimeout, None),
        (Reply(200, b"<html>Welcome</html>"), ProviderNonsense, None),
        (Reply(200, b""), ProviderNonsense, None),
        (Reply(204, b""), ProviderNonsense, None),
        (Reply(200, b"<wps:ExecuteRes"), ProviderNonsense, None),
        (xml(response("<wps:ProcessAccepted/>")), ProviderNonsense, None),
        (
            xml(response("<wps:ProcessAccepted/>", location="http://169.254.169.254/x")),
            ProviderNonsense,
            None,
        ),
    ],
)
def test_submit_tells_apart_what_may_have_happened(
    wps: FakeWps, reply: Reply, error: type[ProviderError], retryable: bool | None
) -> None:
    wps.reply("Execute", reply)
    with pytest.raises(ProviderError) as caught:
        DRIVER.submit(endpoint(wps), ECHO, HELLO, JOB)
    assert isinstance(caught.value, error)
    assert caught.value.data.get("retryable") is retryable
    assert "127.0.0.1" not in caught.value.detail
    assert len(wps.received) == 1  # never sent twice, nothing else asked


def test_submit_to_nobody_certainly_did_not_arrive(wps: FakeWps) -> None:
    wps.stop()
    with pytest.raises(ProviderUnreachable):
        DRIVER.submit(endpoint(wps), ECHO, HELLO, JOB)


def test_submit_waits_only_so_long(wps: FakeWps, settings: Settings) -> None:
    settings.SYNC_WAIT_SECONDS = 0.3
    wps.reply("Execute", Reply(delay=5))
    with pytest.raises(ProviderTimeout):
        DRIVER.submit(endpoint(wps), ECHO, HELLO, JOB)


# --- status -------------------------------------------------------------------------------------


def test_half_a_status_document_is_read_again(wps: FakeWps) -> None:
    here = endpoint(wps)
    handle = DRIVER.submit(here, ECHO, HELLO, JOB).handle
    whole = response("<wps:ProcessStarted percentCompleted='7'>on</wps:ProcessStarted>")
    wps.reply("status", xml(b""), xml(whole[:300]), xml(whole[:-3]), xml(whole))
    assert DRIVER.status(here, handle).percent == 7
    wps.reply("status", xml(whole[:300]), times=None)
    with pytest.raises(ProviderNonsense):
        DRIVER.status(here, handle)
    assert len(wps.requests("status")) == 8


@pytest.mark.parametrize(
    ("reply", "error", "http_status"),
    [
        (Reply(404, b"gone"), ProviderRefused, 404),
        (Reply(410, b"gone"), ProviderRefused, 410),
        (refusal("NoSuchJob", "never heard"), ProviderRefused, 404),
        (refusal("NoApplicableCode", "no", status=200), ProviderRefused, 200),
        (Reply(500, b"Traceback"), ProviderUnreachable, 500),
        (Reply(503, b""), ProviderUnreachable, 503),
        (Reply(429, b""), ProviderUnreachable, 429),
        (Reply(200, b"<html><p>Welcome</p></html>"), ProviderNonsense, None),
        (Reply(200, f"<wps:Capabilities {NAMES}/>".encode()), ProviderNonsense, None),
    ],
)
def test_status_that_is_none(
    wps: FakeWps, reply: Reply, error: type[ProviderError], http_status: int | None
) -> None:
    here = endpoint(wps)
    handle = DRIVER.submit(here, ECHO, HELLO, JOB).handle
    wps.reply("status", reply, times=None)
    with pytest.raises(ProviderError) as caught:
        DRIVER.status(here, handle)
    assert isinstance(caught.value, error)
    assert caught.value.data.get("http_status") == http_status
    assert len(wps.requests("status")) == 1


def test_a_foreign_status_address_is_never_asked(wps: FakeWps) -> None:
    with FakeWps() as other:
        here = Endpoint("https://centre-a.example.org/wps")
        with pytest.raises(ProviderNonsense, match="own hosts"):
            DRIVER.status(here, f"{other.base}/status/job-1.xml")
        assert not other.received


def test_the_guard_stands_before_an_own_address_too(wps: FakeWps, settings: Settings) -> None:
    here = endpoint(wps)
    handle = DRIVER.submit(here, ECHO, HELLO, JOB).handle
    settings.OUTBOUND_ALLOW = ["127.0.0.1:1"]
    with pytest.raises(AddressRefused):
        DRIVER.status(here, handle)
