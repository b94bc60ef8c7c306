"""The pages of prices and estimates, and the most that one would pay for a run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounting.models import PriceList, Unit
from accounting.prices.formulas import current_formulas
from accounting.prices.price_lists import RateSpec, publish_default, publish_rates
from accounting.prices.pricing import current_rates
from common.clock import now
from jobs.models import Job
from people.models import User
from providers.services import note_not_quotable
from tests.factories import CREDIT, make_service
from tests.pages.stage import Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return Stage()


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def prices(stage: Stage) -> dict[str, int]:
    return {r.unit: r.price for r in current_rates(stage.provider.pk, stage.service.pk)}


def row(n: int, unit: str, price: str, **more: str) -> dict[str, str]:
    return {f"unit-{n}": unit, f"price-{n}": price} | {f"{k}-{n}": v for k, v in more.items()}


def test_a_provider_publishes_prices_of_a_service(stage: Stage) -> None:
    client = client_of(stage.provider_owner)
    address = f"/providers/{stage.provider.slug}/prices/"
    page = client.get(f"{address}?edit=ndvi").content.decode()
    for said in (
        "Vegetation index",
        "2.00 CRD per job",
        "6.00 CRD per hour",
        "rounded up",
        "Chiara",
    ):
        assert said in page, said
    posted = {
        "place": "ndvi",
        **row(0, "JOB", "3"),
        **row(1, "WALL_HOUR", "0,5", size="10", minimum="0.1", free="0.25"),
        **row(2, "HS23_HOUR", "1"),
    }
    answer = client.post(address, posted, follow=True)
    assert "Version 3 of the prices is published" in answer.content.decode()
    rates = {r.unit: r for r in current_rates(stage.provider.pk, stage.service.pk)}
    hour = rates["WALL_HOUR"]
    assert (hour.price, hour.unit_size, hour.minimum) == (CREDIT // 2, 10, CREDIT // 10)
    assert hour.free_quantity == 900  # seconds
    assert set(rates) == {"JOB", "WALL_HOUR", "HS23_HOUR"}
    page = client.get(f"{address}?edit=ndvi").content.decode()
    assert "at least 0.10 CRD, the first 900 s free" in page
    assert 'value="0.25"' in page
    # What is posted as it is shown changes nothing.
    again = {**posted, **row(1, "WALL_HOUR", "0.50", size="10", minimum="0.10", free="0.25")}
    client.post(address, again)
    assert PriceList.objects.filter(code__startswith="provider").count() == 3


@pytest.mark.parametrize(
    "wrong",
    [
        row(0, "JOB", "-1"),
        row(0, "JOB", "x"),
        row(0, "JOB", ""),
        row(0, "", "5"),
        row(0, "MOON", "5"),
        {**row(0, "JOB", "1"), **row(1, "JOB", "2")},
        row(0, "JOB", "1", size="0"),
        row(0, "JOB", "1", size="1.5"),
        row(0, "JOB", "1", minimum="-1"),
        row(0, "JOB", "1", free="many"),
        row(0, "JOB", "1", free="9" * 60),
        row(0, "JOB", "9" * 30),
        {**row(0, "JOB", "1"), "effective_from": "soon"},
        {**row(0, "JOB", "1"), "effective_from": "2001-01-01T00:00"},
    ],
)
def test_wrong_prices_are_said_and_nothing_is_published(
    stage: Stage, wrong: dict[str, str]
) -> None:
    client = client_of(stage.provider_owner)
    before = prices(stage)
    answer = client.post(f"/providers/{stage.provider.slug}/prices/", {"place": "ndvi", **wrong})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert prices(stage) == before
    assert PriceList.objects.filter(version=3).count() == 0


def test_prices_for_later_are_shown_and_withdrawn(stage: Stage) -> None:
    client = client_of(stage.provider_owner)
    address = f"/providers/{stage.provider.slug}/prices/"
    begin = f"{now() + timedelta(days=2):%Y-%m-%dT%H:%M}"
    client.post(address, {"place": "", **row(0, "JOB", "9"), "effective_from": begin})
    assert prices(stage)["JOB"] == 2 * CREDIT
    page = client.get(address).content.decode()
    assert "scheduled" in page
    assert "Withdraw" in page
    answer = client.post(f"{address}3/withdraw", follow=True)
    assert "Version 3 is withdrawn" in answer.content.decode()
    assert "withdrawn by Chiara Stone" in answer.content.decode()
    answer = client.post(f"{address}2/withdraw", follow=True)
    assert "toast--error" in answer.content.decode()
    assert client.post(f"{address}99/withdraw").status_code == 404
    assert client.get(f"{address}?edit=nothing").status_code == 404


def test_the_portals_own_list(stage: Stage) -> None:
    client = client_of(stage.operator)
    client.post("/operator/prices/", {"place": "", **row(0, "JOB", "0.5")})
    client.post("/operator/prices/", {"place": stage.provider.slug, **row(0, "NET_GB", "1")})
    public = stage.service.public_identifier
    client.post("/operator/prices/", {"place": public, **row(0, "AREA_KM2", "2")})
    page = client.get(f"/operator/prices/?edit={public}").content.decode()
    for said in ("0.50 CRD per job", "1.00 CRD per GB transferred", "2.00 CRD per km²"):
        assert said in page, said
    assert "Baltic processing centre: Vegetation index" in page
    assert prices(stage) == {"JOB": 2 * CREDIT, "WALL_HOUR": 6 * CREDIT}  # has its own
    publish_rates(actor="test", provider_id=stage.provider.pk, rates={})
    assert prices(stage) == {"JOB": CREDIT // 2, "NET_GB": CREDIT, "AREA_KM2": 2 * CREDIT}
    own = client_of(stage.provider_owner).get(f"/providers/{stage.provider.slug}/prices/")
    assert "version 3 of the portal's price list holds" in own.content.decode()
    app = client_of(stage.researcher).get(f"/apps/{stage.app.slug}/").content.decode()
    assert "2.00 CRD per km²" in app
    assert client_of(stage.provider_owner).get("/operator/prices/").status_code == 404


def test_pages_take_the_same_queries_however_many_versions(
    stage: Stage, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    publish_default(actor=stage.operator, rates={(0, 0, Unit.JOB): RateSpec(1)})
    client = client_of(stage.provider_owner)
    address = f"/providers/{stage.provider.slug}/prices/"
    client.get(address)
    with django_assert_max_num_queries(20) as few:
        client.get(address)
    for n in range(6):
        make_service(stage.provider, stage.echo.current.description.__class__(f"s{n}"))
        rates = {(stage.service.pk, unit): RateSpec(n + 1) for unit in (Unit.JOB, Unit.NET_GB)}
        publish_rates(actor="test", provider_id=stage.provider.pk, rates=rates)
    with django_assert_num_queries(len(few)):
        client.get(address)


# --- estimates -------------------------------------------------------------------------------


def test_formulas_are_tried_before_they_are_kept(stage: Stage) -> None:
    client = client_of(stage.provider_owner)
    address = f"/providers/{stage.provider.slug}/services/{stage.service.pk}/estimate/"
    page = client.get(address).content.decode()
    for said in ("area_km2(input)", "<code>threshold</code>", "0 successful runs"):
        assert said in page, said
    formula = {"action": "formula", "unit": "WALL_HOUR", "expression": "area_km2(area) / 100"}
    client.post(address, formula)
    assert current_formulas(stage.service.pk)["WALL_HOUR"].expression == "area_km2(area) / 100"
    assert "area_km2(area) / 100" in client.get(address).content.decode()
    for wrong in ({"expression": "count(x)"}, {"expression": "1 +"}, {"unit": "MOON"}):
        answer = client.post(address, {**formula, **wrong}, follow=True)
        assert "toast--error" in answer.content.decode(), wrong
    assert len(current_formulas(stage.service.pk)) == 1


def test_a_service_that_is_not_asked_any_more_can_be_again(stage: Stage) -> None:
    note_not_quotable(service=stage.service, reason="The provider ran it <b>instead</b>.")
    client = client_of(stage.provider_owner)
    address = f"/providers/{stage.provider.slug}/services/{stage.service.pk}/estimate/"
    assert "&lt;b&gt;instead" in client.get(address).content.decode()
    client.post(address, {"action": "quotable"})
    stage.service.refresh_from_db()
    assert stage.service.unquotable_since is None


# --- the most that one would pay -------------------------------------------------------------


def form(**more: str) -> dict[str, str]:
    west, south, east, north = ("13.2", "52.3", "13.7", "52.65")
    corners = {"west": west, "south": south, "east": east, "north": north}
    values = {f"in-0-0-{side}": n for side, n in corners.items()}
    return {**values, "in-1-0": "0.4", "in-2-0": "NDVI", "in-3-0": "10", "in-3-0-uom": "m", **more}


def field(page: str, name: str) -> str:
    return page.split(f'name="{name}" value="')[1].split('"', maxsplit=1)[0]


def test_a_run_holds_what_one_would_pay_at_most(stage: Stage) -> None:
    client = client_of(stage.researcher)
    address = f"/apps/{stage.app.slug}/services/{stage.service.public_identifier}/"
    page = client.post(address, form(action="quote", max_cost="7,5")).content.decode()
    assert "Run for at most 7.50 credits" in page
    assert "at most 60 s expected by the provider" in page
    assert "As the provider expects it at most" in page
    assert 'value="7,5"' in page
    submit = form(
        action="submit", max_cost="7,5", quote=field(page, "quote"), key=field(page, "key")
    )
    assert client.post(address, submit).status_code == 302
    job = Job.objects.get(quote_id=submit["quote"])
    assert (job.quote.total, job.quote.bill.limit_amount) == (21 * CREDIT // 10, 75 * CREDIT // 10)
    assert "Held: 7.50 credits" in client.get(f"/jobs/{job.pk}/?tab=cost").content.decode()


@pytest.mark.parametrize(
    ("most", "said"),
    [
        ("2", "you would pay at most 2.00"),
        ("-2", "cannot be negative"),
        ("a lot", 'role="alert"'),
        ("0.00000001", 'role="alert"'),
    ],
)
def test_nothing_starts_above_it(stage: Stage, most: str, said: str) -> None:
    client = client_of(stage.researcher)
    address = f"/apps/{stage.app.slug}/services/{stage.service.public_identifier}/"
    page = client.post(address, form(action="quote", max_cost=most)).content.decode()
    assert said in page
    assert 'id="submit-run"' not in page
    quoted = client.post(address, form(action="quote")).content.decode()
    keys = {"quote": field(quoted, "quote"), "key": field(quoted, "key")}
    before = Job.objects.count()
    client.post(address, form(action="submit", max_cost=most, **keys))
    assert Job.objects.count() == before
