"""Quotes from a provider's own quotation, over real HTTP, and what becomes of hostile answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from accounting.models import Quote, Unit
from accounting.prices.price_lists import RateSpec, publish_rates
from jobs.lifecycle import quote_job, submit
from jobs.models import Job
from jobs.worker import run_one
from providers.process import InputDescription, LiteralDomain, LiteralValue, OutputDescription
from providers.services import discover
from tests.factories import CREDIT, ECHO, World
from tests.fakes import wps_documents as documents
from tests.fakes.wps_server import FakeWps, Reply, refusal

pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).parents[3] / "shared/schemas/tep-portal/wps"
QUOTABLE = replace(
    ECHO,
    inputs=(
        *ECHO.inputs,
        InputDescription("quotation", LiteralDomain("boolean"), min_occurs=0),
    ),
    outputs=(*ECHO.outputs, OutputDescription("QUOTATION", LiteralDomain())),
)
RECORD = {
    "id": "quote-1",
    "compound": {"id": "echo", "type": "WPS-QUOTATION"},
    "quantity": [{"id": "CPU_MILLISECONDS", "value": 90_000}, {"id": "MOON", "value": 1}],
    "status": "QUOTATION",
}


def quoting(inputs: Mapping[str, list[str]]) -> dict[str, str | bytes]:
    """Quotes 90 s of CPU when it is asked to, and echoes otherwise."""
    if inputs.get("quotation") == ["true"]:
        return {"QUOTATION": json.dumps([RECORD])}
    return {"message": inputs["message"][0]}


@pytest.fixture
def wps() -> Iterator[FakeWps]:
    with FakeWps(QUOTABLE) as server:
        server.add(QUOTABLE, quoting)
        yield server


@pytest.fixture
def world(wps: FakeWps) -> World:
    """2 credits a job, 36 a CPU hour (0.01 a second); 60 s of CPU are declared."""
    world = World(url=wps.url, description=QUOTABLE)
    price(world)
    return world


def price(world: World, **more: int) -> None:
    rates = {Unit.JOB: 2 * CREDIT, Unit.CPU_CORE_HOUR: 36 * CREDIT, **more}
    publish_rates(
        actor="test",
        provider_id=world.provider.pk,
        rates={(world.service.pk, unit): RateSpec(n) for unit, n in rates.items()},
    )


def quote(world: World, text: str = "hello", **extra: str) -> Quote:
    more = tuple(LiteralValue(name, value) for name, value in extra.items())
    return quote_job(
        actor=world.researcher,
        service=world.service,
        inputs=(*world.message(text), *more),
        account=world.account,
    )


def cpu(made: Quote) -> tuple[str, str]:
    line = next(line for line in made.lines if line["unit"] == "CPU_CORE_HOUR")
    return line["quantity"], line["source"]


def given(executed: Any) -> dict[str, str]:
    root = executed.xml
    names = {"w": documents.WPS_NS, "o": documents.OWS_NS}
    return {
        one.findtext("o:Identifier", namespaces=names): "".join(
            one.find("w:Data", names).itertext()
        ).strip()
        for one in root.iterfind(".//w:Input", names)
    }


def test_the_providers_quotation_is_priced_by_us(world: World, wps: FakeWps) -> None:
    made = quote(world)
    assert cpu(made) == ("90", "provider")
    assert (made.total, made.source) == (2 * CREDIT + CREDIT * 9 // 10, "provider")
    assert "quoted by the provider" in made.lines[1]["basis"]
    (asked,) = wps.executes
    assert given(asked) == {"quotation": "true", "message": "hello"}
    document = asked.xml.find(f".//{{{documents.WPS_NS}}}ResponseDocument")
    assert document.get("storeExecuteResponse", "false") == "false"
    assert not asked.reference, "a question is not a job"
    assert not Job.objects.exists()


def test_nobody_is_asked_when_nothing_is_priced_that_it_could_say(
    world: World, wps: FakeWps
) -> None:
    world.set_price(CREDIT)
    assert quote(world).source == "flat"
    assert not wps.executes


def test_the_reserved_input_belongs_to_the_portal(world: World, wps: FakeWps) -> None:
    """Hidden, and removed from what users send; a run is a run."""
    assert [i.identifier for i in world.service.current.description.inputs] == ["message"]
    plain = quote(world)
    assert quote(world, quotation="false").inputs_fingerprint == plain.inputs_fingerprint
    job = submit(
        actor=world.researcher,
        service=world.service,
        inputs=(*world.message(), LiteralValue("quotation", "true")),
        account=world.account,
        door="rest",
    )
    wps.requests("Execute").clear()
    while run_one(owner="test"):
        pass
    sent = given(wps.executes[-1])
    assert sent == {"message": "hello"}
    assert wps.executes[-1].reference == str(job.pk)


def test_a_process_that_insists_is_told_that_this_is_a_run(world: World, wps: FakeWps) -> None:
    inputs = (ECHO.inputs[0], InputDescription("quotation", LiteralDomain("string")))
    wps.add(replace(QUOTABLE, inputs=inputs), quoting)
    assert not discover(provider=world.provider, actor="test").error
    world.service.refresh_from_db()
    submit(
        actor=world.researcher,
        service=world.service,
        inputs=world.message(),
        account=world.account,
        door="rest",
    )
    while run_one(owner="test"):
        pass
    assert given(wps.executes[-1]) == {"quotation": "false", "message": "hello"}


# --- centres that do not keep to it ----------------------------------------------------------


def accepted(wps: FakeWps, location: str) -> Reply:
    body = documents.execute_response(
        QUOTABLE, documents.WPS.ProcessAccepted("ok"), base=wps.url, location=location
    )
    return Reply(200, body, {"Content-Type": "text/xml"})


def test_a_centre_that_starts_a_job_is_told_to_stop_and_not_asked_again(
    world: World, wps: FakeWps
) -> None:
    location = f"{wps.base}/status/1?request=GetExecutionStatus&executionId=1"
    wps.reply("Execute", accepted(wps, location))
    made = quote(world)
    assert cpu(made) == ("60", "declared")
    dismissals = [r for r in wps.requests("status") if "request=Dismiss" in r.target]
    assert len(dismissals) == 1
    world.service.refresh_from_db()
    assert world.service.unquotable_since is not None
    assert "ran the process" in world.service.unquotable_reason
    assert not world.service.quotable
    quote(world)
    assert len(wps.executes) == 1
    # Another description is another chance.
    wps.add(replace(QUOTABLE, version="2"), quoting)
    discover(provider=world.provider, actor="test")
    world.service.refresh_from_db()
    assert cpu(quote(world)) == ("90", "provider")


@pytest.mark.parametrize("location", ["", "https://elsewhere.example.org/status/1"])
def test_a_started_job_that_cannot_be_followed_counts_too(
    world: World, wps: FakeWps, location: str
) -> None:
    wps.reply("Execute", accepted(wps, location))
    assert cpu(quote(world)) == ("60", "declared")
    world.service.refresh_from_db()
    assert not world.service.quotable


def test_a_centre_that_runs_the_process_to_its_end_is_not_asked_again(
    world: World, wps: FakeWps
) -> None:
    wps.add(QUOTABLE, lambda inputs: {"message": inputs["message"][0]})
    assert cpu(quote(world)) == ("60", "declared")
    world.service.refresh_from_db()
    assert not world.service.quotable


def many(count: int) -> str:
    return json.dumps([{"quantity": [{"id": "CPU_MILLISECONDS", "value": 1}] * count}])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "{}",
        "[[]]",
        "[1]",
        "null",
        '[{"quantity": {}}]',
        '[{"quantity": [1]}]',
        '[{"quantity": [{"id": 5, "value": 1}]}]',
        '[{"quantity": [{"id": "", "value": 1}]}]',
        '[{"quantity": [{"id": "CPU_MILLISECONDS"}]}]',
        '[{"quantity": [{"id": "CPU_MILLISECONDS", "value": true}]}]',
        '[{"quantity": [{"id": "CPU_MILLISECONDS", "value": -1}]}]',
        '[{"quantity": [{"id": "CPU_MILLISECONDS", "value": "many"}]}]',
        '[{"quantity": [{"id": "CPU_MILLISECONDS", "value": NaN}]}]',
        '[{"quantity": [{"id": "CPU_MILLISECONDS", "value": Infinity}]}]',
        '[{"quantity": [{"id": "CPU_MILLISECONDS", "value": 1e999999999}]}]',
        '[{"quantity": [{"id": "CPU_MILLISECONDS", "value": 1e-999999999}]}]',
        '[{"quantity": [{"id": "CPU_MILLISECONDS", "value": "1e-999999999"}]}]',
        '[{"quantity": [{"id": "CPU_MILLISECONDS", "value": 0e999999999}]}]',
        '[{"quantity": [{"id": "CPU_MILLISECONDS", "value": ' + "9" * 5000 + "}]}]",
        '[{"quantity": [{"id": "CPU_MILLISECONDS", "value": "1e99"}]}]',
        "[" * 9000 + "]" * 9000,
        many(2000),
        " " * 2**21 + "[]",
    ],
)
def test_no_quotation_breaks_a_quote(world: World, wps: FakeWps, text: str) -> None:
    wps.add(QUOTABLE, lambda _inputs: {"QUOTATION": text})
    assert cpu(quote(world)) == ("60", "declared")
    world.service.refresh_from_db()
    assert world.service.quotable, "an answer that is wrong is no run"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, b"Traceback"),
        Reply(200, b"<html><body>hello</body></html>"),
        Reply(200, b"<a>" * 5000),
        refusal("InvalidParameterValue", "There is no data on Mars", "message"),
        Reply(hang_up=True),
    ],
)
def test_no_answer_breaks_a_quote(world: World, wps: FakeWps, reply: Reply) -> None:
    wps.reply("Execute", reply)
    assert cpu(quote(world)) == ("60", "declared")
    world.service.refresh_from_db()
    assert world.service.quotable


def test_it_is_waited_for_only_so_long(world: World, wps: FakeWps, settings: Any) -> None:
    settings.QUOTATION_SECONDS = 0.5
    wps.reply("Execute", Reply(200, b"late", delay=3))
    begun = monotonic()
    assert cpu(quote(world)) == ("60", "declared")
    assert monotonic() - begun < 2.5


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(1, "1"), ("1500", "2"), (0, "0"), (1000.0, "1"), (2.5, "1"), (10**15, str(10**12))],
)
def test_milliseconds_become_whole_seconds_upwards(
    world: World, wps: FakeWps, value: Any, seconds: str
) -> None:
    record = {**RECORD, "quantity": [{"id": "CPU_MILLISECONDS", "value": value}]}
    wps.add(QUOTABLE, lambda _inputs: {"QUOTATION": json.dumps(record)})
    price(world, CPU_CORE_HOUR=1)
    assert cpu(quote(world)) == (seconds, "provider")


@pytest.mark.parametrize("name", ["list", "single"])
def test_the_answers_of_the_reference(world: World, wps: FakeWps, name: str) -> None:
    sample = SAMPLES / f"quotation-response-{name}.xml"
    if not sample.exists():
        pytest.skip("shared samples are absent")
    wps.reply("Execute", Reply(200, sample.read_bytes(), {"Content-Type": "text/xml"}))
    price(world, INSTANCE=CREDIT)
    made = quote(world)
    assert {line["unit"]: line["quantity"] for line in made.lines} == {
        "JOB": "1",
        "CPU_CORE_HOUR": "9000",
        "INSTANCE": "2",
    }
