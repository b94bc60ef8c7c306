"""Prices, formulas, quotes with their bases, and the most to pay, over REST."""

from datetime import timedelta

import pytest

from accounting.models import PriceList
from common.clock import now
from jobs.models import Job
from tests.factories import CREDIT, make_provider, make_service

pytestmark = pytest.mark.django_db
LATER = {"service": None, "unit": "WALL_HOUR", "price": "6", "minimum": "0.1", "free_quantity": 60}


def soon(**ahead):
    return (now() + timedelta(**ahead)).isoformat()


def test_a_version_for_later_and_its_withdrawal(world, api):
    client = api(world.provider_owner)
    base = f"/api/providers/{world.provider.slug}/prices/"
    answer = client.put(base, {"prices": [LATER], "effective_from": soon(days=1)})
    assert answer.status_code == 200, answer.content
    assert (answer.json()["version"], client.get(base).json()["version"]) == (2, 1)
    versions = client.get(f"{base}versions/").json()["results"]
    assert [(v["version"], v["state"]) for v in versions] == [(2, "scheduled"), (1, "in force")]
    assert versions[1]["effective_until"] == versions[0]["effective_from"]
    (price,) = versions[0]["prices"]
    assert (price["unit"], price["price"], price["minimum"]) == ("WALL_HOUR", "6.00", "0.10")
    assert versions[0]["published_by"] == f"user:{world.provider_owner.pk}"

    withdrawn = client.delete(f"{base}versions/2/")
    assert (withdrawn.status_code, withdrawn.json()["state"]) == (200, "withdrawn")
    assert client.delete(f"{base}versions/2/").status_code == 409
    assert client.delete(f"{base}versions/1/").status_code == 409
    assert client.get(f"{base}versions/1/").json()["effective_until"] is None
    assert client.get(f"{base}versions/9/").status_code == 404
    for begin in (soon(days=-1), soon(days=9999), "tomorrow", 5):
        body = {"prices": [LATER], "effective_from": begin}
        assert client.put(base, body).status_code == 400
    assert api(world.stranger).get(f"{base}versions/").status_code == 404


def test_versions_take_the_same_queries_however_many(world, api, django_assert_num_queries):
    client = api(world.provider_owner)
    base = f"/api/providers/{world.provider.slug}/prices/"
    client.get(f"{base}versions/")

    def queries():
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as asked:
            assert client.get(f"{base}versions/").status_code == 200
        return len(asked)

    few = queries()
    for n in range(8):
        client.put(base, {"prices": [{**LATER, "price": str(n)}]})
    assert queries() == few


def test_the_default_list_is_everybodys_to_read_and_operators_to_publish(world, api):
    operator, reader = api(world.operator), api(world.researcher)
    other = make_service(make_provider(world.stranger))
    prices = [
        {"unit": "JOB", "price": "0.25"},
        {"provider": other.provider_id, "unit": "JOB", "price": "0.5"},
        {"service": other.pk, "unit": "AREA_KM2", "price": "0.01"},
    ]
    published = operator.put("/api/prices/", {"prices": prices})
    assert published.status_code == 200, published.content
    found = reader.get("/api/prices/").json()["prices"]
    assert [(p["provider"], p["service"], p["unit"], p["price"]) for p in found] == [
        (None, None, "JOB", "0.25"),
        (other.provider_id, None, "JOB", "0.50"),
        (other.provider_id, other.pk, "AREA_KM2", "0.01"),
    ]
    assert reader.put("/api/prices/", {"prices": []}).status_code == 403
    assert reader.delete("/api/prices/versions/1/").status_code == 403
    wrong = (
        {"unit": "MOON", "price": "1"},
        {"unit": "JOB", "price": "-1"},
        {"unit": "JOB", "price": "1", "provider": 10**6},
        {"unit": "JOB", "price": "1", "service": 10**6},
        {"unit": "JOB", "price": "1", "service": other.pk, "provider": world.provider.pk},
        {"unit": "JOB", "price": "1", "free_quantity": 10**30},
        {"unit": "JOB", "price": 0.1},
    )
    for one in wrong:
        assert operator.put("/api/prices/", {"prices": [one]}).status_code == 400, one
    assert operator.put("/api/prices/", {"prices": [prices[0]] * 2}).status_code == 400
    assert PriceList.objects.filter(code="default").count() == 1


def test_a_provider_prices_only_its_own(world, api):
    client = api(world.provider_owner)
    base = f"/api/providers/{world.provider.slug}/prices/"
    other = make_service(make_provider(world.stranger))
    for one in ({"service": other.pk}, {"provider": other.provider_id}):
        body = {"prices": [{"unit": "JOB", "price": "1", **one}]}
        assert client.put(base, body).status_code == 400


def test_formulas(world, api):
    client = api(world.provider_owner)
    slug, pk = world.provider.slug, world.service.pk
    base = f"/api/providers/{slug}/services/{pk}/formulas/"
    assert client.get(base).json() == []
    body = {"unit": "JOB", "expression": "count(message)"}
    assert client.put(base, body).json() == [body]
    for wrong in (
        {"unit": "JOB", "expression": "count(mistake)"},
        {"unit": "JOB", "expression": "__import__('os')"},
        {"unit": "JOB", "expression": "1" * 501},
        {"unit": "MOON", "expression": "1"},
        {"expression": "1"},
    ):
        assert client.put(base, wrong).status_code == 400, wrong
    assert client.get(base).json() == [body]
    assert client.put(base, {"unit": "JOB", "expression": ""}).json() == []
    assert api(world.stranger).get(base).status_code == 404
    missing = f"/api/providers/{slug}/services/{pk + 1}/formulas/"
    assert client.get(missing).status_code == 404


def test_a_quote_says_of_every_line_where_it_comes_from(world, api, run):
    owner, client = api(world.provider_owner), api(world.researcher)
    prices = [
        {"unit": "JOB", "price": "2"},
        {"unit": "WALL_HOUR", "price": "6"},
        {"unit": "AREA_KM2", "price": "1"},
        {"unit": "GPU_HOUR", "price": "9", "minimum": "0.5"},
    ]
    owner.put(f"/api/providers/{world.provider.slug}/prices/", {"prices": prices})
    base = f"/api/providers/{world.provider.slug}/services/{world.service.pk}/formulas/"
    owner.put(base, {"unit": "WALL_HOUR", "expression": "0.1 * count(message)"})
    answer = client.post("/api/quotes/", run())
    quote = client.get(answer["Location"]).json()
    lines = {line["unit"]: line for line in quote["lines"]}
    assert {unit: line["source"] for unit, line in lines.items()} == {
        "JOB": "flat",
        "WALL_HOUR": "formula",
        "AREA_KM2": "inputs",
        "GPU_HOUR": "flat",
    }
    assert quote["source"] == "formula"
    hour = lines["WALL_HOUR"]
    assert (hour["quantity"], hour["counted_in"], hour["price"]) == ("360", "seconds", "6.00")
    assert (hour["amount"], hour["basis"]) == ("0.60", "formula: 0.1 * count(message)")
    assert lines["GPU_HOUR"]["amount"] == "0.50"
    assert quote["total"] == "3.10"


def test_the_most_to_pay_is_held_and_a_price_above_it_refused(world, api, run):
    client = api(world.researcher)
    refused = client.post("/api/jobs/", run(max_cost="1.99"))
    assert refused.status_code == 409
    problem = refused.json()
    assert (problem["required"], problem["max_cost"]) == ("2.00", "1.99")
    assert "at most 1.99" in problem["detail"]
    assert not Job.objects.exists()
    for wrong in ("-1", "much", 0.5, "0.0000001"):
        assert client.post("/api/jobs/", run(max_cost=wrong)).status_code == 400
    assert client.post("/api/jobs/", run(max_cost="11")).status_code == 402

    key = {"HTTP_IDEMPOTENCY_KEY": "one"}
    first = client.post("/api/jobs/", run(max_cost="3.5"), **key)
    assert first.status_code == 201, first.content
    job = first.json()
    cost = client.get(job["links"]["cost"]).json()
    assert (cost["quote"]["total"], cost["bill"]["held"]) == ("2.00", "3.50")
    assert client.post("/api/jobs/", run(max_cost="3.5"), **key).json()["id"] == job["id"]
    for other in ({}, {"max_cost": "4"}):
        assert client.post("/api/jobs/", run(**other), **key).status_code == 409
    account = client.get(f"/api/accounts/{world.account.pk}/").json()
    assert account["held"] == "3.50"
    assert Job.objects.count() == 1
    world.account.refresh_from_db()
    assert world.account.held == 35 * CREDIT // 10
