"""A real PyWPS process that says what it would use, asked by the portal's driver and by OWSLib."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

import pytest
from owslib.wps import SYNC, BoundingBoxDataInput

from providers.drivers.wps1 import Wps1Driver
from providers.ports import Endpoint, RemoteState
from providers.process import BoundingBoxValue, ExecuteRequest, LiteralValue
from providers.quotation import for_users, is_quotable, run
from tests.demo.conftest import Provider

CRS84 = "urn:ogc:def:crs:OGC:1.3:CRS84"
BOX = BoundingBoxValue("bbox", (14.285, 48.295), (14.3, 48.305), CRS84)


def messages(provider: Provider) -> int:
    """How many usage messages the provider has written."""
    return sum(one.is_file() for one in Path(provider.folder / "queue").rglob("body"))


def wait_for_messages(provider: Provider, number: int) -> None:
    """The provider writes a run's usage when it has answered."""
    deadline = time.monotonic() + 20
    while messages(provider) < number and time.monotonic() < deadline:
        time.sleep(0.05)
    assert messages(provider) == number


def test_it_quotes_at_once_and_reports_no_usage(provider: Provider) -> None:
    driver, endpoint = Wps1Driver(), Endpoint(f"{provider.base}/wps")
    found = driver.describe(endpoint, ["change", "ndvi"]).found
    assert is_quotable(found["change"])
    assert not is_quotable(found["ndvi"])
    before = messages(provider)
    request = ExecuteRequest("change", (BOX, LiteralValue("pause", "300")))
    quote = dict(driver.quote(endpoint, found["change"], request).quantities)
    assert set(quote) == {"CPU_MILLISECONDS", "VM_MILLISECONDS"}
    assert quote["VM_MILLISECONDS"] > 300_000
    assert all(isinstance(value, Decimal) for value in quote.values())
    assert messages(provider) == before


def test_a_run_of_it_gives_results_and_no_quotation(provider: Provider) -> None:
    driver, endpoint = Wps1Driver(), Endpoint(f"{provider.base}/wps")
    full = driver.describe(endpoint, ["change"]).found["change"]
    before = messages(provider)
    request = run(full, ExecuteRequest("change", (BOX, LiteralValue("pause", "0"))))
    status = driver.submit(endpoint, for_users(full), request, "a-run-of-change")
    while status.handle:
        status = driver.status(endpoint, status.handle)
    assert status.state == RemoteState.SUCCEEDED, status.error
    identifiers = {one.identifier for one in status.outputs}
    assert {"result", "gain", "loss"} <= identifiers
    assert "QUOTATION" not in identifiers
    wait_for_messages(provider, before + 1)


@pytest.mark.parametrize("asked", ["true", "false"])
def test_owslib_asks_it_too(provider: Provider, asked: str) -> None:
    box = BoundingBoxDataInput([14.285, 48.295, 14.3, 48.305], crs=CRS84, dimensions=2)
    inputs = [("bbox", box), ("pause", "0"), ("quotation", asked)]
    before = messages(provider)
    execution = provider.run("change", inputs, mode=SYNC)
    assert execution.isSucceded(), [error.text for error in execution.errors]
    quoted = [one.identifier for one in execution.processOutputs] == ["QUOTATION"]
    assert quoted == (asked == "true")
    wait_for_messages(provider, before + (0 if quoted else 1))
