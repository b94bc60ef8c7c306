"""A researcher's script: find a service, ask its price, run it, look at it, see what it cost."""

import uuid

import pytest
from django.urls import reverse

from accounting.check import findings
from accounting.models import Quote
from jobs.lifecycle import submit
from jobs.models import Job
from providers.process import ComplexValue, LiteralValue, ReferenceValue
from tests.api.runs import finish, take_in_hand
from tests.factories import NDVI, World, make_user

pytestmark = pytest.mark.django_db
MANY = 30
NESTED = b"[" * 9000 + b"]" * 9000


def test_services_are_listed_and_described_with_their_prices(world, api):
    client = api(world.researcher)
    listed = client.get("/api/services/").json()["results"]
    (service,) = [one for one in listed if one["identifier"] != "portal.echo"]
    assert len(listed) == 2  # the portal's own process is everybody's
    assert service["identifier"] == f"{world.provider.slug}.echo"
    detail = client.get(f"/api/services/{service['id']}/").json()
    assert [i["identifier"] for i in detail["description"]["inputs"]] == ["message"]
    assert [(p["unit"], p["price"]) for p in detail["prices"]] == [("JOB", "2.00")]
    (own,) = api(world.stranger).get("/api/services/").json()["results"]
    assert own["identifier"] == "portal.echo"
    assert api(world.stranger).get(f"/api/services/{service['id']}/").status_code == 404
    assert client.get("/api/services/99999999999999999999999/").status_code == 404
    for query, found in (
        (f"application={world.app.slug}", 1),
        (f"provider={world.provider.slug}", 1),
        ("provider=other", 0),
        (f"provider={world.provider.slug}&text=gives+back", 1),
        ("text=nothing", 0),
    ):
        assert client.get(f"/api/services/?{query}").json()["count"] == found


def test_from_quote_to_cost(world, api, run):
    client = api(world.researcher)
    answer = client.post("/api/quotes/", run())
    assert answer.status_code == 201
    quote = answer.json()
    assert quote["total"] == "2.00"
    assert (quote["available"], quote["available_after"]) == ("10.00", "8.00")
    assert quote["covered"] is True
    (line,) = quote["lines"]
    assert (line["unit"], line["quantity"], line["amount"]) == ("JOB", "1", "2.00")
    assert client.get(answer["Location"]).json() == quote

    world.set_price(5_000_000)
    answer = client.post(
        "/api/jobs/", run(quote=quote["id"], title="First", application=world.app.slug)
    )
    assert answer.status_code == 201
    job = answer.json()
    assert (job["state"], job["quoted"], job["title"]) == ("SUBMITTED", "2.00", "First")
    assert job["inputs"] == {"message": "hello"}
    assert client.get(f"/api/accounts/{world.account.pk}/").json()["held"] == "2.00"
    assert client.post("/api/jobs/", run(quote=quote["id"])).status_code == 409


def test_results_events_and_cost_of_a_job(world, api, run):
    client = api(world.researcher)
    answer = client.post("/api/jobs/", run())
    job = answer.json()
    take_in_hand(job["id"])
    finish(job["id"], LiteralValue("message", "hello"))
    assert client.get(answer["Location"]).json()["state"] == "COMPLETED"
    events = client.get(job["links"]["events"]).json()["results"]
    assert [e["number"] for e in events] == list(range(1, len(events) + 1))
    assert events[-1]["new_state"] == "COMPLETED"
    (output,) = client.get(job["links"]["outputs"]).json()["results"]
    assert (output["identifier"], output["value"]) == ("message", "hello")
    content = client.get(output["content"])
    assert b"".join(content.streaming_content) == b"hello"
    assert content["Content-Disposition"].startswith("attachment")

    cost = client.get(job["links"]["cost"]).json()
    assert cost["quote"]["total"] == "2.00"
    assert (cost["bill"]["state"], cost["bill"]["held"]) == ("AWAITING_USAGE", "2.00")
    assert [t["kind"] for t in cost["transfers"]] == ["HOLD"]
    assert findings() == []


@pytest.mark.parametrize("method", ["delete", "post"])
def test_dismissal_gives_the_hold_back(world, api, run, method):
    client = api(world.researcher)
    address = client.post("/api/jobs/", run())["Location"]
    target = address if method == "delete" else f"{address}dismiss/"
    for _ in range(2):
        answer = getattr(client, method)(target)
        assert (answer.status_code, answer.json()["state"]) == (202, "CANCELLED")
    account = client.get(f"/api/accounts/{world.account.pk}/").json()
    assert (account["held"], account["available"]) == ("0.00", "10.00")


def test_without_credit_the_answer_says_what_is_missing(api):
    world = World(credits=1)
    body = {
        "service": world.service.pk,
        "account": world.account.pk,
        "inputs": {"message": "hello"},
    }
    client = api(world.researcher)
    assert client.post("/api/quotes/", body).json()["covered"] is False
    answer = client.post("/api/jobs/", body)
    assert answer.status_code == 402
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "insufficient_credit"
    amounts = [problem[n] for n in ("required", "available", "shortfall")]
    assert [float(a) for a in amounts] == [2, 1, 1]
    assert all(isinstance(a, str) for a in amounts)
    assert not Job.objects.exists()


def test_the_same_key_is_the_same_job_and_another_body_a_conflict(world, api, run):
    client = api(world.researcher)
    key = {"HTTP_IDEMPOTENCY_KEY": "run-1"}
    first = client.post("/api/jobs/", run(title="A"), **key)
    again = client.post("/api/jobs/", run(title="A"), **key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    others = (
        run(inputs={"message": "other"}),
        run(title="B"),
        run(quote=str(uuid.uuid4())),
        run(outputs=["message"]),
    )
    for other in others:
        assert client.post("/api/jobs/", other, **key).status_code == 409
    assert Job.objects.count() == 1
    assert client.get(f"/api/accounts/{world.account.pk}/").json()["held"] == "2.00"
    assert api(world.operator).post("/api/jobs/", run(), **key).status_code in (403, 404)
    for bad in ("x" * 129, "käse"):
        answer = client.post("/api/jobs/", run(), HTTP_IDEMPOTENCY_KEY=bad)
        assert answer.status_code == 400


@pytest.mark.parametrize(
    ("inputs", "wrong"),
    [
        ({}, {"index", "area"}),
        ({"index": "NDVI", "area": [7, 46, 8, 47], "unknown": 1}, {"unknown"}),
        ({"index": "EVI", "area": [7, 46, 8, 47]}, {"index"}),
        ({"index": ["NDVI", "NDWI"], "area": [7, 46, 8, 47]}, {"index"}),
        ({"index": {"a": 1}, "area": [7, 46, 8, 47]}, {"index"}),
        ({"index": None, "area": [7, 46, 8, 47]}, {"index"}),
        ({"index": "NDVI", "area": "everywhere"}, {"area"}),
        ({"index": "NDVI", "area": [7, 46, 8]}, {"area"}),
        ({"index": "NDVI", "area": {"bbox": [7, 46, 8, "47"]}}, {"area"}),
        ({"index": "NDVI", "area": {"bbox": [8, 47, 7, 46]}}, {"area"}),
        ({"index": "NDVI", "area": {"bbox": [7, 46, 8, 10**400]}}, {"area"}),
        ({"index": "NDVI", "area": {"bbox": [7, 46, 8, 47], "crs": 4326}}, {"area"}),
        ({"index": "NDVI", "area": [7, 46, 8, 47], "threshold": 1.5}, {"threshold"}),
        ({"index": "NDVI", "area": [7, 46, 8, 47], "threshold": True}, {"threshold"}),
        ({"index": "NDVI", "area": [7, 46, 8, 47], "parcels": {"href": 5}}, {"parcels"}),
        ({"index": "NDVI", "area": [7, 46, 8, 47], "parcels": {"href": "ftp://x"}}, {"parcels"}),
        ({"index": "NDVI", "area": [7, 46, 8, 47], "parcels": "{not json"}, {"parcels"}),
        ({"index": "NDVI", "area": [7, 46, 8, 47], "parcels": [{}, {}, {}]}, {"parcels"}),
    ],
)
def test_wrong_inputs_are_named(api, inputs, wrong):
    world = World(description=NDVI)
    body = {"service": world.service.pk, "account": world.account.pk, "inputs": inputs}
    client = api(world.researcher)
    for address in ("/api/quotes/", "/api/jobs/"):
        answer = client.post(address, body)
        assert answer.status_code == 400
        assert set(answer.json()["errors"]) == wrong
    assert not Job.objects.exists()
    assert not Quote.objects.exists()


def test_inputs_come_back_as_they_were_given(api):
    world = World(description=NDVI)
    inputs = {
        "threshold": "0.5",
        "index": "NDWI",
        "area": {"bbox": [7.0, 46.0, 8.0, 47.0], "crs": "urn:ogc:def:crs:OGC:1.3:CRS84"},
        "parcels": [
            {"href": "https://data.example.org/a.geojson", "mediaType": "application/geo+json"},
            {"value": '{"type": "Point"}', "mediaType": "application/geo+json"},
        ],
    }
    body = {"service": world.service.pk, "account": world.account.pk, "inputs": inputs}
    client = api(world.researcher)
    first = client.post("/api/jobs/", body).json()
    assert first["inputs"] == inputs
    again = client.post("/api/jobs/", {**body, "inputs": first["inputs"]}).json()
    assert again["inputs"] == inputs
    given = {**inputs, "threshold": 0.5, "area": [7, 46, 8, 47]}
    given["parcels"] = [inputs["parcels"][0], {"value": {"type": "Point"}}]
    assert client.post("/api/jobs/", {**body, "inputs": given}).json()["inputs"] == inputs


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"{}",
        b"\xff\xfe",
        b'{"service": NaN}',
        b'{"service": "x", "account": {}, "inputs": []}',
        b'{"service": 99999999999999999999999999, "account": 1}',
        b'{"service": %d, "account": %d, "inputs": {"message": "\\u0000"}}',
        b'{"service": %d, "account": %d, "inputs": {"\\ud800": "x"}}',
        b'{"service": %d, "account": %d, "inputs": {"message": 1e999}}',
        b'{"service": %d, "account": %d, "outputs": ["nothing"]}',
        b'{"service": %d, "account": %d, "outputs": "message"}',
        b'{"service": %d, "account": %d, "inputs": {"message": "x"}, "quote": "no"}',
        b'{"service": %d, "account": %d, "inputs": {"message": "x"}, "title": {}}',
        b'{"service": %d, "account": %d, "inputs": {"message": '
        + b"[" * 9000
        + b"]" * 9000
        + b"}}",
    ],
)
def test_no_body_breaks_the_api(world, api, body):
    if b"%d" in body:
        body = body % (world.service.pk, world.account.pk)
    client = api(world.researcher)
    answer = client.generic("POST", "/api/jobs/", body, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert not Job.objects.exists()


def test_other_media_types_and_methods_are_refused(world, api, run):
    client = api(world.researcher)
    assert client.post("/api/jobs/", "a=b", content_type="text/plain").status_code == 415
    assert client.put("/api/jobs/", run()).status_code == 405
    answer = client.get("/api/jobs/", headers={"Accept": "text/html"})
    assert answer.status_code == 406


@pytest.mark.parametrize(
    "query",
    ["state=NONE", "phase=x", "service=a", "service=9" + "9" * 30, "since=yesterday", "text=%00"],
)
def test_wrong_filters_are_refused(world, api, query):
    assert api(world.researcher).get(f"/api/jobs/?{query}").status_code == 400


def test_jobs_are_filtered_and_paged(world, api, run):
    client = api(world.researcher)
    first = client.post("/api/jobs/", run(title="Rhone")).json()["id"]
    second = client.post("/api/jobs/", run(title="Aare")).json()["id"]
    client.delete(f"/api/jobs/{first}/")

    def ids(query):
        return [job["id"] for job in client.get(f"/api/jobs/?{query}").json()["results"]]

    assert ids("") == [second, first]
    assert ids("state=CANCELLED") == ids("phase=failed") == ids("text=rhone") == [first]
    assert ids("phase=running") == [second]
    assert ids(f"service={world.service.pk}&account={world.account.pk}") == [second, first]
    assert ids("service=999999") == ids("until=2020-01-01") == []
    page = client.get("/api/jobs/?limit=1").json()
    assert (page["count"], [job["id"] for job in page["results"]]) == (2, [second])
    assert [job["id"] for job in client.get(page["next"]).json()["results"]] == [first]
    assert client.get("/api/jobs/?page=9").status_code == 404


def test_lists_take_the_same_queries_whatever_their_length(
    world, api, django_assert_max_num_queries, django_assert_num_queries
):
    from tests.factories import give_credit

    give_credit(world.account, 1000)
    client = api(world.researcher)

    def more():
        submit(
            actor=world.researcher,
            service=world.service,
            inputs=world.message(),
            account=world.account,
            door="rest",
            application=world.app,
        )

    more()
    client.get("/api/jobs/")
    with django_assert_max_num_queries(4) as one:
        client.get("/api/jobs/")
    for _ in range(MANY - 1):
        more()
    with django_assert_num_queries(len(one)):
        assert len(client.get("/api/jobs/").json()["results"]) == MANY


def test_group_administrators_see_what_their_group_pays_for(world, api, run):
    address = api(world.researcher).post("/api/jobs/", run())["Location"]
    admin = api(world.admin)
    assert admin.get(address).status_code == 200
    assert admin.delete(address).status_code == 403
    other = make_user()
    for user in (world.stranger, world.provider_owner, other):
        client = api(user)
        for part in ("", "events/", "outputs/", "outputs/1/content/", "cost/"):
            assert client.get(f"{address}{part}").status_code == 404
        assert client.delete(address).status_code == 404


def test_what_a_provider_keeps_is_streamed_without_its_address(world, api, run, monkeypatch):
    client = api(world.researcher)
    job = client.post("/api/jobs/", run()).json()
    take_in_hand(job["id"])
    hidden = "https://wps.example.org/secret/result.tif"
    finish(
        job["id"],
        ReferenceValue("result", hidden, "image/tiff"),
        ComplexValue("table", "YSxi", "text/csv", "base64"),
    )
    answer = client.get(job["links"]["outputs"])
    assert "wps.example.org" not in answer.content.decode()
    reference, table = answer.json()["results"]
    assert b"".join(client.get(table["content"]).streaming_content) == b"a,b"
    missing = reverse("api:job-output-content", args=[job["id"], 99])
    assert client.get(missing).status_code == 404
    assert reference["media_type"] == "image/tiff"
