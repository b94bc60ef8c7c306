"""Quotes from a service's last runs, from formulas, and from what can be counted."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from accounting.models import JobBill, Quote, Unit
from accounting.prices.formulas import set_formula
from accounting.prices.price_lists import RateSpec, publish_rates
from accounting.usage.apel import write
from accounting.usage.importer import import_message
from accounting.usage.records import Sender
from common.clock import now
from jobs.estimates.counting import dates_in, products_in, samples
from jobs.lifecycle import quote_job, submit
from jobs.models import Job
from jobs.transitions import apply
from providers.ports import RemoteState, RemoteStatus
from providers.process import (
    BoundingBoxDomain,
    BoundingBoxValue,
    ComplexDomain,
    ComplexValue,
    Format,
    InputDescription,
    InputValue,
    LiteralDomain,
    LiteralValue,
    OutputDescription,
    OutputValue,
    ProcessDescription,
    ReferenceValue,
)
from tests.factories import CREDIT, World

pytestmark = pytest.mark.django_db

CRS84 = "urn:ogc:def:crs:OGC:1.3:CRS84"
STACK = ProcessDescription(
    "stack",
    "Stack of scenes",
    inputs=(
        InputDescription(
            "products", ComplexDomain((Format("image/tiff"),)), min_occurs=0, max_occurs=None
        ),
        InputDescription("area", BoundingBoxDomain(), min_occurs=0),
        InputDescription("from", LiteralDomain("date"), min_occurs=0),
        InputDescription("to", LiteralDomain("date"), min_occurs=0),
        InputDescription(
            "minimum-size", LiteralDomain("double", default="2.5", uoms=("ha", "m2")), min_occurs=0
        ),
    ),
    outputs=(
        OutputDescription("result", ComplexDomain((Format("image/tiff"),))),
        OutputDescription("table", ComplexDomain((Format("text/csv"),))),
        OutputDescription("mean", LiteralDomain("double")),
    ),
    store_supported=True,
    status_supported=True,
)


@pytest.fixture
def world() -> World:
    world = World(description=STACK, credits=1000)
    price(world, Unit.CPU_CORE_HOUR, Unit.PRODUCT_OUT)
    return world


def price(world: World, *units: str) -> None:
    publish_rates(
        actor="test",
        provider_id=world.provider.pk,
        rates={(world.service.pk, unit): RateSpec(CREDIT) for unit in units},
    )


def scene(name: str) -> ReferenceValue:
    return ReferenceValue("products", f"https://data.example.org/{name}.tif", "image/tiff")


def scenes(count: int) -> tuple[InputValue, ...]:
    return tuple(scene(f"S2A_2015070{n + 1}T101006") for n in range(count))


def box(width: float) -> BoundingBoxValue:
    return BoundingBoxValue("area", (7.0, 0.0), (7.0 + width, 1.0), CRS84)


def quote(world: World, inputs: Sequence[InputValue] = ()) -> Quote:
    return quote_job(
        actor=world.researcher, service=world.service, inputs=tuple(inputs), account=world.account
    )


def line(made: Quote, unit: str = Unit.CPU_CORE_HOUR) -> dict[str, Any]:
    return next(one for one in made.lines if one["unit"] == unit)


def ran(world: World, inputs: Sequence[InputValue], *cpu: int, outputs: int = 2) -> JobBill:
    """A successful job with a usage record of so many CPU seconds for every step."""
    job = submit(
        actor=world.researcher,
        service=world.service,
        inputs=tuple(inputs),
        account=world.account,
        door="rest",
    )
    Job.objects.filter(pk=job.pk).update(state="SUBMITTING")
    given = [ReferenceValue("result", "https://wps.example.org/r.tif", "image/tiff")] * outputs
    values = tuple(OutputValue(v) for v in (*given, LiteralValue("mean", "1")))
    apply(job.pk, RemoteStatus(RemoteState.SUCCEEDED, "test", "done", outputs=values), actor="test")
    end = int(now().timestamp())
    records = [
        {
            "Site": world.provider.usage_site,
            "SubmitHost": f"host/{n}",
            "LocalJobId": str(job.pk),
            "WallDuration": seconds,
            "CpuDuration": seconds,
            "Processors": 1,
            "NodeCount": 1,
            "StartTime": end - seconds,
            "EndTime": end - n,
        }
        for n, seconds in enumerate(cpu)
    ]
    report = import_message(
        write(records), source="rest", sender=Sender(provider_id=world.provider.pk)
    )
    assert report.matched == len(cpu), report
    return JobBill.objects.get(pk=job.pk)


# --- history ---------------------------------------------------------------------------------


def test_history_is_the_median_per_run(world: World) -> None:
    for seconds in (100, 40):
        ran(world, (), seconds)
    assert line(quote(world))["source"] == "declared"  # two runs say little
    ran(world, (), 50, 21)  # two steps are one run
    made = quote(world)
    found = line(made)
    assert (found["quantity"], found["source"], made.source) == ("71", "history", "history")
    assert "last 3 runs" in found["basis"]
    assert found["low"] < found["amount"] < found["high"]
    ran(world, (), 90)
    assert line(quote(world))["quantity"] == "81"  # 80.5: the middle of 71 and 90, upwards


def test_history_is_per_input_product_where_all_have_some(world: World) -> None:
    for count, seconds in ((1, 10), (2, 22), (4, 36)):
        ran(world, scenes(count), seconds)
    found = line(quote(world, scenes(3)))
    assert (found["quantity"], found["source"]) == ("30", "history")
    assert "per input product" in found["basis"]
    assert line(quote(world))["quantity"] == "22"  # without products: per run
    ran(world, (), 500)
    assert "per" not in line(quote(world, scenes(3)))["basis"].removeprefix("median of")


def test_history_is_per_area_else(world: World) -> None:
    for width, seconds in ((1.0, 100), (2.0, 200), (0.5, 50)):
        ran(world, (box(width),), seconds)
    found = line(quote(world, (box(4.0),)))
    assert 399 <= int(found["quantity"]) <= 401
    assert "per area" in found["basis"]


def test_only_the_last_twenty_count(world: World) -> None:
    for _ in range(3):
        ran(world, (), 1000)
    JobBill.objects.update(created_at=now() - timedelta(days=1))
    for _ in range(20):
        ran(world, (), 7)
    found = line(quote(world))
    assert (found["quantity"], found.get("low")) == ("7", None)
    assert "last 20 runs" in found["basis"]


def test_results_are_estimated_from_history_and_counted_at_the_end(world: World) -> None:
    made = quote(world)
    out = line(made, Unit.PRODUCT_OUT)
    assert (out["quantity"], out["source"]) == ("2", "declared")  # files in the description
    for outputs in (1, 1, 5):
        bill = ran(world, (), 10, outputs=outputs)
        assert bill.products_out == outputs
    assert line(quote(world), Unit.PRODUCT_OUT)["quantity"] == "1"
    assert bill.used == 5 * CREDIT + -(-10 * CREDIT // 3600)
    assert bill.charged == bill.limit_amount < bill.used, "never above what was held"


def test_an_estimate_takes_the_same_queries_however_many_ran(
    world: World, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        ran(world, scenes(1), 10)
    with django_assert_max_num_queries(25) as few:
        quote(world, scenes(1))
    for _ in range(9):
        ran(world, scenes(1), 10, 10)
    with django_assert_num_queries(len(few)):
        quote(world, scenes(1))


# --- formulas --------------------------------------------------------------------------------


def formula(world: World, unit: str, expression: str) -> None:
    set_formula(
        actor=world.provider_owner,
        service_id=world.service.pk,
        unit=unit,
        expression=expression,
        samples=samples(STACK),
    )


@pytest.mark.parametrize(
    ("expression", "inputs", "seconds"),
    [
        ("count(products) * 30 / 3600", scenes(3), "90"),
        ("dates(products) / 60", (*scenes(2), scene("S2A_20150701T2")), "120"),
        ("pairs(products)", scenes(3), "5400"),
        ("area_km2(area) / 3600", (box(1.0),), "12364"),
        ("minimum_size / 3600", (), "3"),
        ("minimum_size / 3600", (LiteralValue("minimum-size", "1e1"),), "10"),
        (
            "days(_from, to) / 3600",
            (LiteralValue("from", "2026-01-01"), LiteralValue("to", "2026-02-01")),
            "31",
        ),
    ],
)
def test_a_formula_goes_before_history(
    world: World, expression: str, inputs: tuple[InputValue, ...], seconds: str
) -> None:
    for _ in range(3):
        ran(world, (), 7)
    formula(world, Unit.CPU_CORE_HOUR, expression)
    found = line(quote(world, inputs))
    assert (found["quantity"], found["source"]) == (seconds, "formula")
    assert expression in found["basis"]


@pytest.mark.parametrize(
    ("expression", "inputs"),
    [
        ("1 / (3 - minimum_size)", (LiteralValue("minimum-size", "3"),)),
        ("minimum_size - 2", (LiteralValue("minimum-size", "0.5"),)),
        ("minimum_size", (LiteralValue("minimum-size", "2.5", uom="m2"),)),
        ("minimum_size", (LiteralValue("minimum-size", "1e-300000"),)),
        ("minimum_size", (LiteralValue("minimum-size", "0." + "3" * 5000),)),
    ],
)
def test_inputs_that_a_formula_cannot_take_break_nothing(
    world: World, expression: str, inputs: tuple[InputValue, ...]
) -> None:
    formula(world, Unit.CPU_CORE_HOUR, expression)
    assert line(quote(world, inputs))["source"] == "declared"


# --- counted ---------------------------------------------------------------------------------


def test_units_of_the_classic_price_kinds_are_counted(world: World) -> None:
    """PerInput, PerInputPair (n × price ÷ 2), PerJob, PerAcquisitionDate."""
    price(world, Unit.PRODUCT_IN, Unit.PRODUCT_PAIR, Unit.JOB, Unit.ACQUISITION_DATE)
    made = quote(world, (*scenes(2), scene("S2B_20150701T999999")))
    amounts = {one["unit"]: one["amount"] for one in made.lines}
    assert amounts == {
        "JOB": CREDIT,
        "PRODUCT_IN": 3 * CREDIT,
        "PRODUCT_PAIR": 3 * CREDIT // 2,
        "ACQUISITION_DATE": 2 * CREDIT,
    }
    assert made.source == "inputs"
    price(world, Unit.JOB)
    assert quote(world).source == "flat"


def test_products_are_files_references_and_web_addresses() -> None:
    values = (
        scene("S2A_MSIL1C_20150704T101006_N0204_20160101T000000"),
        LiteralValue("x", "https://catalogue.example.org/search?uid=S1A_20150704&format=atom"),
        LiteralValue("x", "a text of 20150705"),
        ComplexValue("y", "{}", "application/json"),
        ReferenceValue("z", "https://x.example.org/LC81900282015185LGN00"),
    )
    assert products_in(values) == 4
    assert dates_in(values) == 3  # one date twice, and two without a date


# --- what a quote is bound to ---------------------------------------------------------------


def test_a_quote_is_bound_to_version_units_order_and_every_value(world: World) -> None:
    first, second = scenes(2)
    base = (first, second, LiteralValue("minimum-size", "1", uom="ha"))

    def mark(*inputs: InputValue) -> str:
        return quote(world, inputs).inputs_fingerprint

    same = mark(*base)
    assert mark(base[2], first, second) == same  # the process's order counts, not the caller's
    assert mark(first, second, LiteralValue("minimum-size", "1")) == same  # the usual unit
    others = {
        mark(second, first, base[2]),
        mark(first, base[2]),
        mark(first, second, second, base[2]),
        mark(first, second, LiteralValue("minimum-size", "1", uom="m2")),
        mark(first, second, LiteralValue("minimum-size", "1.0", uom="ha")),
        mark(first, ComplexValue("products", "AAAA", "image/tiff", "base64"), base[2]),
        mark(first, ComplexValue("products", "AAAA", "image/tiff"), base[2]),
    }
    version = world.service.current
    version.pk, version.number, version.fingerprint = None, 2, uuid.uuid4().hex * 2
    version._state.adding = True
    version.save()
    world.service.current = version
    world.service.save()
    others.add(mark(*base))
    assert len(others) == 8
    assert same not in others
