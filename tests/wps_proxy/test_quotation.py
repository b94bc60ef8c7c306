"""quotation=true and the most to pay, at the WPS door; also as OWSLib asks for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from accounting.models import Quote, Transfer, Unit
from accounting.prices.price_lists import RateSpec, publish_rates
from jobs.models import Job
from providers.process import InputDescription, LiteralDomain, LiteralValue, OutputRequest
from tests.factories import CREDIT, World, make_app, make_service
from tests.fakes.wps_server import FakeWps
from tests.wps_proxy.conftest import ALL_KINDS, Door, only_job, refusal, texts
from tests.wps_proxy.test_execute import FAST, outputs_of, state_of, wanted
from tests.wps_proxy.writing import to_query, to_xml
from wps_proxy.wps1.requests import ResponseForm

QUOTABLE = replace(
    ALL_KINDS,
    identifier="quotable",
    inputs=(*ALL_KINDS.inputs, InputDescription("quotation", LiteralDomain(), min_occurs=0)),
)
YES = LiteralValue("quotation", "Yes")


def quoting(inputs: Mapping[str, list[str]]) -> dict[str, str | bytes]:
    assert inputs["quotation"] == ["true"]
    record = {"quantity": [{"id": "CPU_MILLISECONDS", "value": 90_000}]}
    return {"QUOTATION": json.dumps(record)}


@pytest.fixture
def door(make_door: Any, world: World, wps: FakeWps) -> Door:
    """`quotable` asks its provider, `all.kinds` cannot; 2 credits a job and 0.01 a CPU second."""
    wps.add(QUOTABLE, quoting)
    service = make_service(world.provider, QUOTABLE)
    make_app(world.operator, (service,), group=world.group)
    rates = {(0, Unit.JOB): RateSpec(2 * CREDIT), (0, Unit.CPU_CORE_HOUR): RateSpec(36 * CREDIT)}
    publish_rates(actor="test", provider_id=world.provider.pk, rates=rates)
    made: Door = make_door()
    return made


def of(door: Door, process: str, **parts: Any) -> Any:
    asked = wanted(door, **{"inputs": (YES, *FAST), **parts})
    identifier = f"{door.world.provider.slug}.{process}"
    return replace(asked, request=replace(asked.request, process=identifier))


@pytest.mark.parametrize("encoding", ["xml", "kvp"])
@pytest.mark.parametrize(("process", "cost"), [("quotable", "2.90"), ("eo:all.kinds", "2.60")])
def test_the_price_comes_in_place_of_the_outputs(
    door: Door, wps: FakeWps, process: str, cost: str, encoding: str
) -> None:
    """tep-portal §4.4; also for a process that knows nothing of it: a question starts no run."""
    form = ResponseForm(store=True, status=True)
    asked = of(door, process, outputs=(OutputRequest("mean"),), form=form)
    response = (
        door.post(to_xml(asked)) if encoding == "xml" else door.raw_get(f"/wps?{to_query(asked)}")
    )
    assert state_of(response) == "ProcessSucceeded"
    assert texts(response.xml, "ProcessSucceeded") == ["The request has been quoted successfully."]
    assert "statusLocation" not in response.xml.attrib
    found = outputs_of(response)
    assert list(found) == ["QUOTATION"]
    assert found["QUOTATION"].text == cost
    assert found["QUOTATION"].attrib == {"dataType": "xs:decimal", "uom": "credit"}
    assert "Job Quotation" in texts(response.xml, "Title")
    assert len(wps.executes) == (1 if process == "quotable" else 0)
    assert not Job.objects.exists()
    assert not Transfer.objects.filter(kind="HOLD").exists()
    assert Quote.objects.get().source == ("provider" if process == "quotable" else "declared")


def test_raw_is_the_bare_price(door: Door) -> None:
    asked = of(door, "quotable", outputs=(OutputRequest("QUOTATION"),), form=ResponseForm(raw=True))
    response = door.post(to_xml(asked))
    assert (response.body, response.headers["Content-Type"]) == (b"2.90", "text/plain")


def test_what_is_wrong_with_the_inputs_is_said(door: Door) -> None:
    response = door.post(to_xml(of(door, "quotable", inputs=(YES,))))
    assert refusal(response) == (400, "MissingParameterValue", "mode")
    assert not Quote.objects.exists()


def test_a_key_that_may_only_read_asks_for_no_price(make_door: Any, door: Door) -> None:
    reader = make_door(scopes=("read",))
    assert reader.post(to_xml(of(door, "quotable"))).status_code == 403


def test_what_can_be_quoted_is_listed(door: Door) -> None:
    response = door.get(service="WPS", request="GetCapabilities")
    quotable = [
        process.findtext("{http://www.opengis.net/ows/1.1}Identifier")
        for process in response.xml.iter("{http://www.opengis.net/wps/1.0.0}Process")
        if any("quotation=true" in value for m in process for value in m.attrib.values())
    ]
    assert quotable == [f"{door.world.provider.slug}.quotable"]
    for process, listed in (("quotable", True), ("eo:all.kinds", False)):
        described = door.get(
            service="WPS",
            version="1.0.0",
            request="DescribeProcess",
            identifier=f"{door.world.provider.slug}.{process}",
        )
        assert ("quotation" in texts(described.xml, "Identifier")) is listed
        assert "QUOTATION" not in texts(described.xml, "Identifier")


def test_owslib_reads_the_price(door: Door) -> None:
    owslib = pytest.importorskip("owslib.wps")
    body = door.post(to_xml(of(door, "quotable"))).body
    execution = owslib.WPSExecution()
    execution.checkStatus(response=body, sleepSecs=0)
    assert execution.isSucceded()
    (output,) = execution.processOutputs
    assert (output.identifier, output.data, output.dataType) == (
        "QUOTATION",
        ["2.90"],
        "xs:decimal",
    )


# --- the most to pay -------------------------------------------------------------------------


@pytest.mark.parametrize("by_header", [True, False])
def test_the_most_to_pay_is_held(door: Door, by_header: bool) -> None:
    form = ResponseForm(store=True, status=True)
    asked = to_xml(of(door, "eo:all.kinds", inputs=FAST, form=form))
    if by_header:
        response = door.post(asked, headers={"X-Tep-Max-Cost": "5.5"})
    else:
        response = door.post(asked, path="/wps?max_cost=5.5")
    assert state_of(response) == "ProcessAccepted"
    bill = only_job().quote.bill
    assert (bill.quote.total, bill.limit_amount) == (2_600_000, 5_500_000)
    door.world.account.refresh_from_db()
    assert door.world.account.held == 5_500_000


@pytest.mark.parametrize(
    ("most", "status"),
    [("2.59", 409), ("-1", 400), ("much", 400), ("0.0000001", 400), ("NaN", 400)],
)
def test_a_price_above_it_or_nonsense_starts_nothing(door: Door, most: str, status: int) -> None:
    response = door.post(
        to_xml(of(door, "eo:all.kinds", inputs=FAST)), headers={"X-Tep-Max-Cost": most}
    )
    assert response.status_code == status
    if status == 409:
        assert "you would pay at most 2.59" in response.body.decode()
    else:
        assert refusal(response)[2] == "max_cost"
    assert not Job.objects.exists()
