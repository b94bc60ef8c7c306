"""Every kind of error in the words of the protocol (06-121r3 §8)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from common import errors
from common.errors import PortalError
from tests.wps_proxy.conftest import Door, refusal
from tests.wps_proxy.schemas import valid
from wps_proxy import faults
from wps_proxy.negotiation import no_such_operation
from wps_proxy.views import wps1

SUMS = {"required": Decimal(3), "available": Decimal(1), "shortfall": Decimal(2), "account": "G"}


@pytest.mark.parametrize(
    ("error", "status", "code", "locator"),
    [
        (errors.InvalidInput("x", locator="a"), 400, "InvalidParameterValue", "a"),
        (errors.InvalidInput("x", locator="a", missing=True), 400, "MissingParameterValue", "a"),
        (no_such_operation("GetMap"), 501, "OperationNotSupported", "GetMap"),
        (errors.NotAuthenticated(), 401, "NoApplicableCode", "Authentication"),
        (errors.Forbidden(), 403, "NoApplicableCode", ""),
        (errors.NotFound(), 404, "InvalidParameterValue", ""),
        (errors.Conflict(), 409, "NoApplicableCode", ""),
        (errors.InsufficientCredit("x", **SUMS), 402, "NoApplicableCode", "credit"),
        (errors.MemberLimitReached("x"), 402, "NoApplicableCode", "credit"),
        (errors.TooLarge(), 413, "FileSizeExceeded", ""),
        (errors.RateLimited(), 429, "ServerBusy", ""),
        (errors.ServerBusy(), 503, "ServerBusy", ""),
        (errors.ProviderUnreachable(), 502, "NoApplicableCode", "provider"),
        (errors.ProviderTimeout(), 504, "NoApplicableCode", "provider"),
        (errors.ProviderNonsense(), 502, "NoApplicableCode", "provider"),
        (errors.ConfigurationError(), 500, "NoApplicableCode", ""),
        (PortalError("a\x00<&>"), 500, "NoApplicableCode", ""),
    ],
)
def test_status_code_and_locator(error: PortalError, status: int, code: str, locator: str) -> None:
    response = faults.refusal(error)
    root = valid(response.content)
    told = (response.status_code, root[0].get("exceptionCode"), root[0].get("locator", ""))
    assert told == (status, code, locator)
    assert response.headers["Content-Type"] == "text/xml"  # OWSLib raises the text for nothing else
    assert ("WWW-Authenticate" in response.headers) is (status == 401)
    assert ("Retry-After" in response.headers) is (code == "ServerBusy")


def test_who_cannot_pay_reads_price_balance_and_what_is_missing() -> None:
    text = faults.refusal(errors.InsufficientCredit("Too little.", **SUMS)).content.decode()
    assert "Too little. Price 3, available 1, missing 2 credits." in text


def test_a_fault_of_ours_tells_nothing(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> bytes:
        raise RuntimeError("/var/lib/secret")

    monkeypatch.setattr(wps1, "capabilities", broken)
    query = {"service": "WPS", "request": "GetCapabilities"}
    response = door.client.get("/wps", query, headers=door.headers)
    assert response.status_code == 500
    assert b"secret" not in response.content
    assert valid(response.content)[0].get("exceptionCode") == "NoApplicableCode"


def test_head_starts_nothing(door: Door) -> None:
    query = {"service": "WPS", "version": "1.0.0", "request": "Execute", "DataInputs": "mode=fast"}
    address = "/wps"
    response = door.client.head(
        address, {**query, "identifier": door.identifier}, headers=door.headers
    )
    assert response.status_code == 403
    assert refusal(door.get(**{**query, "identifier": "no.such"}))[0] == 400
