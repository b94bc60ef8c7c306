"""The quotation convention with every protocol: asked without running, a run instead is stopped."""

from __future__ import annotations

import json
from decimal import Decimal
from html import escape

import pytest
from lxml import etree
from pytest_django import Settings

from common.errors import ProviderNonsense
from providers import quoted
from providers.drivers.ogcapi import OgcApiDriver
from providers.drivers.wps1 import Wps1Driver
from providers.drivers.wps2 import Wps2Driver
from providers.ports import Driver, Endpoint, QuotingDriver
from providers.process import (
    ComplexDomain,
    ExecuteRequest,
    InputDescription,
    LiteralDomain,
    LiteralValue,
    OutputDescription,
    ProcessDescription,
)
from tests.fakes.ogcapi_server import FakeOgcApi, answer
from tests.fakes.wps2_server import NAMES, FakeWps2, xml

PROCESS = ProcessDescription(
    "echo",
    inputs=(
        InputDescription("message", LiteralDomain()),
        InputDescription("quotation", LiteralDomain("boolean"), min_occurs=0),
    ),
    outputs=(
        OutputDescription("message", LiteralDomain()),
        OutputDescription("QUOTATION", ComplexDomain()),
    ),
    status_supported=True,
)
HELLO = ExecuteRequest("echo", (LiteralValue("message", "hello"),))
RECORDS = [{"quantity": [{"id": "CPU_MILLISECONDS", "value": 9000}]}]
CPU = (("CPU_MILLISECONDS", Decimal(9000)),)


@pytest.mark.parametrize("driver", [Wps1Driver(), Wps2Driver(), OgcApiDriver()])
def test_every_driver_knows_the_convention(driver: Driver) -> None:
    assert isinstance(driver, QuotingDriver)
    assert driver.can_quote(PROCESS)
    assert not driver.can_quote(ProcessDescription("p"))


def test_wps2_is_asked_in_one_answer() -> None:
    document = (
        f"<wps:Result {NAMES}><wps:Output id='QUOTATION'><wps:Data mimeType='application/json'>"
        f"{escape(json.dumps(RECORDS))}</wps:Data></wps:Output></wps:Result>"
    )
    with FakeWps2() as server:
        server.reply("Execute", xml(document))
        quote = Wps2Driver().quote(Endpoint(server.url), PROCESS, HELLO)
        assert quote.quantities == CPU
        (got,) = server.received
    root = etree.fromstring(got.body)
    assert root.get("mode") == "sync"
    values = {one.get("id"): "".join(one.itertext()) for one in root.findall("{*}Input")}
    assert values == {"quotation": "true", "message": "hello"}
    assert [one.get("id") for one in root.findall("{*}Output")] == ["QUOTATION"]


def test_an_api_is_asked_in_one_answer() -> None:
    with FakeOgcApi() as server:
        server.reply("Execute", answer({"QUOTATION": {"value": RECORDS}}))
        quote = OgcApiDriver().quote(Endpoint(server.url), PROCESS, HELLO)
        assert quote.quantities == CPU
        (got,) = server.received
    assert "prefer" not in got.headers
    body = json.loads(got.body)
    assert body["inputs"] == {"quotation": True, "message": "hello"}
    assert list(body["outputs"]) == ["QUOTATION"]


@pytest.mark.parametrize("kind", [FakeWps2, FakeOgcApi])
def test_a_job_may_be_the_answer(
    kind: type[FakeWps2 | FakeOgcApi], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a process only runs asynchronously, its quotation is the result of a job."""
    monkeypatch.setattr(quoted, "PAUSE", 0.01)
    only = ProcessDescription(
        "echo", inputs=PROCESS.inputs, status_supported=True, sync_supported=False
    )
    driver = Wps2Driver() if kind is FakeWps2 else OgcApiDriver()
    with kind() as server:
        # The stand-in echoes: its result is no quotation, so it ran the process.
        with pytest.raises(ProviderNonsense) as caught:
            driver.quote(Endpoint(server.url), only, HELLO)
        assert caught.value.data["ignored"] is True
        assert len(server.executes) == 1


@pytest.mark.parametrize("kind", [FakeWps2, FakeOgcApi])
def test_a_run_instead_is_stopped(
    kind: type[FakeWps2 | FakeOgcApi], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = ProcessDescription(
        "echo", inputs=PROCESS.inputs, status_supported=True, sync_supported=False
    )
    driver = Wps2Driver() if kind is FakeWps2 else OgcApiDriver()
    settings.QUOTATION_SECONDS = 0.3
    monkeypatch.setattr(quoted, "PAUSE", 1.0)  # one question at most
    with kind() as server:
        with pytest.raises(ProviderNonsense) as caught:
            driver.quote(Endpoint(server.url), only, HELLO)
        assert caught.value.data["ignored"] is True
        assert len(server.requests("Dismiss") + server.requests("dismiss")) == 1
