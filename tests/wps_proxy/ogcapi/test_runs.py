"""Who pays for a run, what goes wrong with it, who is told of it (18-062r2 §7.11, §12)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounting.accounts import user_account
from jobs.models import Job, JobCallback
from jobs.states import State
from tests.factories import CREDIT, World, give_credit
from tests.fakes.wps_server import FakeWps
from tests.wps_proxy.conftest import only_job, work
from tests.wps_proxy.ogcapi.conftest import Api, MakeApi

pytestmark = pytest.mark.usefixtures("working")

MEAN = {"mean": {}}
ASYNC = {"Prefer": "respond-async"}


def document(api: Api, inputs: Any = None, **body: Any) -> Any:
    return api.run(inputs, response="document", **body)


FASTEST = {"mode": "fast"}


# --- who pays ------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_header", [True, False])
def test_the_account_that_is_named_pays(api: Api, world: World, by_header: bool) -> None:
    own = user_account(world.researcher)
    give_credit(own, 3)
    query = "" if by_header else f"?account={own.code}"
    headers = {"X-Tep-Account": own.code} if by_header else {}
    api.run(headers={**headers, **ASYNC}, query=query)
    assert only_job().account == own
    unknown = api.run(query="?account=group:9999")
    assert (unknown.status_code, list(unknown.data["errors"])) == (400, ["account"])


def test_no_credit_is_402_with_the_sums(api: Api, world: World) -> None:
    world.set_price(11 * CREDIT)
    response = document(api)
    assert response.status_code == 402
    assert response.data["type"] == "urn:tep-portal:problem:insufficient_credit"
    sums = [float(response.data[one]) for one in ("required", "available", "shortfall")]
    assert sums == [11, 10, 1]
    assert not Job.objects.exists()


def test_a_price_above_the_most_is_refused(api: Api) -> None:
    assert api.run(query="?max_cost=1").status_code == 409
    assert api.run(headers={"X-Tep-Max-Cost": "1.99"}).status_code == 409
    assert api.run(headers={"X-Tep-Max-Cost": "x"}).status_code == 400
    assert api.run(query="?max_cost=2", headers=ASYNC).status_code == 201


@pytest.mark.parametrize("by_input", [True, False])
def test_a_quotation_runs_nothing(api: Api, wps: FakeWps, by_input: bool) -> None:
    inputs = {**FASTEST, "quotation": True} if by_input else FASTEST
    query = "" if by_input else "?quotation=true"
    response = document(api, inputs, query=query)
    assert response.data == {"QUOTATION": {"value": "2.00", "uom": "credit"}}
    assert api.run(inputs, query=query).body == b"2.00"
    assert not Job.objects.exists()
    assert not wps.executes


def test_an_idempotency_key_makes_one_job_of_two_requests(api: Api, wps: FakeWps) -> None:
    key = {"Idempotency-Key": "k1"}
    first, second = (api.run(outputs=MEAN, headers=key) for _ in range(2))
    assert first.body == second.body == b"41.7"
    assert first.headers["Link"] == second.headers["Link"]
    assert len(wps.executes) == 1
    other = api.run({"mode": "exact"}, outputs=MEAN, headers=key)
    assert other.status_code == 409
    assert api.run(headers={"Idempotency-Key": "k " * 100}).status_code == 400


def test_a_job_asked_for_again_is_told_as_the_first_time(api: Api) -> None:
    """/req/core/process-execute-success-async: 201, and where the job is; it is the same one."""
    headers = {**ASYNC, "Idempotency-Key": "k1"}
    first, second = (api.run(headers=headers) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.headers["Location"] == second.headers["Location"]
    assert first.data == second.data
    assert Job.objects.count() == 1


def test_a_run_under_an_application_belongs_to_it(make_api: MakeApi, world: World) -> None:
    api = make_api(root=f"/apps/{world.app.slug}/ogcapi/")
    job = api.job_of(api.run(headers=ASYNC))
    assert Job.objects.get().application == world.app
    assert [one["jobID"] for one in api.get("jobs").data["jobs"]] == [job]


# --- what goes wrong -----------------------------------------------------------------------------


def test_a_failed_run_is_a_problem_that_tells_where_the_job_is(api: Api, wps: FakeWps) -> None:
    """/req/core/job-results-failed."""
    wps.failure = "No data there."
    response = document(api)
    assert response.status_code == 502
    assert "No data there." in response.data["detail"]
    job = only_job()
    assert response.headers["Link"] == f"<http://testserver/ogcapi/jobs/{job.pk}>; rel=monitor"
    assert api.get(f"jobs/{job.pk}").data["status"] == "failed"
    assert api.get(f"jobs/{job.pk}/results").status_code == 502


def test_an_unknown_process_cannot_be_run(api: Api, make_api: MakeApi, world: World) -> None:
    stranger = make_api(world.stranger)
    for client, process in ((api, "x.y"), (api, "x"), (stranger, api.identifier)):
        response = client.run(process=process)
        assert response.status_code == 404
        assert response.data["type"].endswith("/no-such-process")


def test_credentials_without_the_scope_run_nothing(make_api: MakeApi) -> None:
    assert make_api(scopes=("read",)).run().status_code == 403
    assert not Job.objects.exists()


def test_a_session_runs_something_only_from_the_portal(api: Api, world: World) -> None:
    """As at /wps: no foreign page spends credit."""
    api.client.force_login(world.researcher)
    api.headers = {}
    assert api.run().status_code == 403
    assert api.run(headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert api.run(headers={"Origin": "https://evil.example.org"}).status_code == 403
    assert not Job.objects.exists()
    assert api.run(headers={"Sec-Fetch-Site": "same-origin", **ASYNC}).status_code == 201


def test_other_methods_are_refused_in_the_words_of_the_protocol(api: Api) -> None:
    for path, method, allowed in (
        ("processes", "post", "GET, HEAD"),
        (f"processes/{api.identifier}", "put", "GET, HEAD"),
        ("jobs", "delete", "GET, HEAD"),
    ):
        response = getattr(api.client, method)(f"/ogcapi/{path}", headers=api.headers)
        assert response.status_code == 405
        assert response.headers["Allow"] == allowed
        assert response.headers["Content-Type"] == "application/problem+json"
    response = api.get(f"/ogcapi/processes/{api.identifier}/execution")
    assert response.status_code == 405


# --- callbacks -----------------------------------------------------------------------------------


def test_who_is_to_be_told_is_kept(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """§12 /req/callback/job-callback."""
    monkeypatch.setattr("jobs.callbacks.addresses_of", lambda _: [])
    subscriber = {
        "successUri": "https://me.example.org/done",
        "inProgressUri": "https://me.example.org/going",
        "failedUri": "https://me.example.org/failed",
    }
    assert api.run(subscriber=subscriber, headers=ASYNC).status_code == 201
    told = set(JobCallback.objects.values_list("event", "url"))
    assert told == {
        ("success", "https://me.example.org/done"),
        ("inProgress", "https://me.example.org/going"),
        ("failed", "https://me.example.org/failed"),
    }


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "https://127.0.0.1/x",
        "https://[::1]/",
        "ftp://x.example.org",
        "https://u:p@example.org/",
        "nonsense",
        5,
    ],
)
def test_nobody_inside_is_called(make_api: MakeApi, url: Any, settings: Any) -> None:
    settings.OUTBOUND_ALLOW = []
    api = make_api()
    response = api.client.post(
        f"/ogcapi/processes/{api.identifier}/execution",
        json.dumps({"inputs": FASTEST, "subscriber": {"successUri": url}}),
        content_type="application/json",
        headers=api.headers,
    )
    assert response.status_code == 400
    assert next(iter(response.json()["errors"])) in ("subscriber.successUri", "")
    assert not Job.objects.exists()


def test_a_dismissed_run_has_no_results(api: Api, wps: FakeWps) -> None:
    wps.hold = True
    job = api.job_of(api.run(headers=ASYNC))
    work(most=1)
    before = api.get(f"jobs/{job}").data
    told = api.delete(f"jobs/{job}").data
    assert told["status"] == "dismissed"
    assert told["updated"] > before["updated"]
    assert told == api.get(f"jobs/{job}").data
    assert api.get(f"jobs/{job}/results").status_code == 409
    work()
    assert Job.objects.get().state == State.CANCELLED
    assert api.delete(f"jobs/{job}").data["status"] == "dismissed"
