"""The list of jobs, status, dismissal, results and outputs (18-062r2 §7.12, §7.13, §11, §13)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils.dateparse import parse_datetime
from pytest_django import DjangoAssertNumQueries

from common.clock import now
from jobs.lifecycle import submit
from jobs.models import Job, JobOutput
from jobs.states import State
from providers.process import LiteralValue
from tests.factories import World, give_credit
from tests.fakes.wps_server import FakeWps
from tests.wps_proxy.conftest import TIFF, work
from tests.wps_proxy.ogcapi.conftest import OGC, Api, MakeApi

ASYNC = {"Prefer": "respond-async"}


def made(world: World, count: int = 1, **fields: Any) -> list[Job]:
    """Jobs of the researcher, each a minute older than the one before."""
    give_credit(world.account, 100)
    jobs = [
        submit(
            actor=world.researcher,
            service=world.service,
            inputs=(LiteralValue("mode", "fast"),),
            account=world.account,
            door="web",
        )
        for _ in range(count)
    ]
    for number, job in enumerate(jobs):
        then = now() - timedelta(minutes=number)
        Job.objects.filter(pk=job.pk).update(**{"created_at": then, **fields})
        job.refresh_from_db()
    return jobs


def listed(api: Api, **query: Any) -> list[str]:
    response = api.get("jobs", **query)
    assert response.status_code == 200, response.body
    return [one["jobID"] for one in response.data["jobs"]]


def link(response: Any, rel: str) -> str:
    found = {one["rel"]: one["href"] for one in response.data["links"]}
    return str(found.get(rel, ""))


def test_only_the_caller_own_jobs_are_listed(api: Api, make_api: MakeApi, world: World) -> None:
    """/req/job-list/job-list-op; whatever door they came through, nobody else's."""
    job = made(world)[0]
    assert listed(api) == [str(job.pk)]
    for other in (world.admin, world.operator, world.stranger):
        assert listed(make_api(other)) == []


def test_jobs_are_listed_page_by_page_whatever_is_added(
    api: Api, world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """/req/job-list/job-list-limit-response, links; two queries whatever the page holds."""
    jobs = [str(one.pk) for one in made(world, 5)]
    api.get("jobs")  # the use of the key is noted once a minute
    for limit in (1, 5):
        with django_assert_num_queries(2):  # the key, the page
            api.get("jobs", limit=limit)
    first = api.get("jobs", limit=2)
    made(world)
    second = api.get(link(first, "next"))
    third = api.get(link(second, "next"))
    pages = [[one["jobID"] for one in page.data["jobs"]] for page in (first, second, third)]
    assert pages == [jobs[:2], jobs[2:4], jobs[4:]]
    assert not link(third, "next")
    assert api.get("jobs", after="x").status_code == 400


def test_jobs_are_found_by_process_and_status(api: Api, make_api: MakeApi, world: World) -> None:
    """/req/job-list/processID-…, status-…, type-…"""
    done, going, failed, dismissed = made(world, 4)
    for job, state in (
        (done, State.COMPLETED),
        (going, State.IN_PRODUCTION),
        (failed, State.SUBMIT_REJECTED),
        (dismissed, State.CANCELLING),
    ):
        Job.objects.filter(pk=job.pk).update(state=state)
    assert listed(api, status="running") == [str(going.pk)]
    assert listed(api, status=["failed", "successful"]) == [str(done.pk), str(failed.pk)]
    assert listed(api, status="dismissed,running") == [str(going.pk), str(dismissed.pk)]
    assert listed(api, status="accepted") == []
    assert len(listed(api, type="process", processID=api.identifier)) == 4
    assert listed(api, processID="x.y") == []
    assert len(listed(api, processID=f"x.y,{api.identifier}")) == 4
    own = make_api(root=f"/ogcapi/providers/{world.provider.slug}/")
    assert len(listed(own, processID="eo:all.kinds")) == 4
    assert listed(make_api(root=f"/apps/{world.app.slug}/ogcapi/")) == []


def test_jobs_are_found_by_when_they_were_created(api: Api, world: World) -> None:
    """/req/job-list/datetime-response."""
    job = made(world, created_at=parse_datetime("2026-03-31T12:00:00.500Z"))[0]
    found = [str(job.pk)]
    for inside in (
        "2026-03-31",
        "2026-03-31T12:00:00Z",
        "2026-03-31T14:00:00+02:00",
        "2026-03-31T12:00:00.5Z",
        "2026-03-01/2026-03-31",
        "2026-03-31T12:00:00Z/..",
        "../2026-03-31t12:00:01z",
        "/2026-04-01",
        "2026-03-01/",
    ):
        assert listed(api, datetime=inside) == found, inside
    for outside in ("2026-03-30", "2026-03-31T12:00:01Z/..", "../2026-03-31T11:59:59Z"):
        assert listed(api, datetime=outside) == [], outside
    for wrong in ("x", "..", "../..", "2026-13-01", "0001-01-01T00:00:00+14:00", "9999-12-31"):
        status = api.get("jobs", datetime=wrong).status_code
        assert status in ((400, 200) if wrong == "9999-12-31" else (400,)), wrong


def test_jobs_are_found_by_how_long_they_took(api: Api, world: World) -> None:
    """/req/job-list/duration-response: what runs counts to now, what never ran is in no list."""
    short, long, running, waiting = made(world, 4)
    moment = now()
    for job, started, finished in (
        (short, 100, 90),
        (long, 100, 10),
        (running, 50, None),
    ):
        Job.objects.filter(pk=job.pk).update(
            started_at=moment - timedelta(seconds=started),
            finished_at=None if finished is None else moment - timedelta(seconds=finished),
        )
    ids = {str(short.pk): "short", str(long.pk): "long", str(running.pk): "running"}

    def told(**query: Any) -> set[str]:
        return {ids[one] for one in listed(api, **query)}

    assert told(minDuration=0) == {"short", "long", "running"}
    assert told(minDuration=30) == {"long", "running"}
    assert told(maxDuration=10) == {"short"}
    assert told(minDuration=20, maxDuration=80) == {"running"}
    assert told(maxDuration=10**9) == {"short", "long", "running"}
    assert str(waiting.pk) not in listed(api, maxDuration=10**10 - 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("type", "service"), ("status", "done"), ("minDuration", "-1"), ("maxDuration", "1.5")),
        *(
            ("datetime", "now"),
            ("datetime", "2030-01-01/2020-01-01"),
            ("limit", "none"),
            ("after", str(UUID(int=0))),
        ),
    ],
)
def test_a_wrong_filter_is_named(api: Api, name: str, value: str) -> None:
    response = api.get("jobs", **{name: value})
    assert response.status_code == 400
    assert response.data["type"] == f"{OGC}invalid-query-parameter-value"
    assert list(response.data["errors"]) == [name]


STATES = {
    "accepted": (State.SUBMITTED, State.SUBMITTING, State.ACCEPTED),
    "running": (State.IN_PRODUCTION, State.SUSPENDED),
    "successful": (State.COMPLETED, State.DOWNLOADED, State.TERMINATED),
    "failed": (State.FAILED, State.SUBMIT_FAILED, State.SUBMIT_REJECTED),
    "dismissed": (State.CANCELLED, State.CANCELLING),
}


@pytest.mark.parametrize(("word", "state"), [(w, s) for w, some in STATES.items() for s in some])
def test_every_state_has_its_word(api: Api, world: World, word: str, state: State) -> None:
    """wps-proxy §6; /req/core/job-success."""
    job = made(world, state=state, percent=40)[0]
    status = api.get(f"jobs/{job.pk}").data
    assert status["status"] == word
    assert status["progress"] == 40
    assert status["processID"] == api.identifier
    assert status["created"].endswith("Z")
    assert (word == "successful") is bool(link(api.get(f"jobs/{job.pk}"), f"{REL}results"))


REL = "http://www.opengis.net/def/rel/ogc/1.0/"


def test_jobs_of_others_are_not_there(api: Api, make_api: MakeApi, world: World) -> None:
    """/req/core/job-exception-no-such-job; who may see the job on its page sees it here too."""
    job = made(world)[0]
    stranger = make_api(world.stranger)
    for client, number in ((stranger, job.pk), (api, "none"), (api, world.service.pk)):
        for path in (f"jobs/{number}", f"jobs/{number}/results"):
            response = client.get(path)
            assert response.status_code == 404
            assert response.data["type"] == f"{OGC}no-such-job"
        assert client.delete(f"jobs/{number}").status_code == 404
    admin = make_api(world.admin)
    assert admin.get(f"jobs/{job.pk}").status_code == 200
    assert admin.delete(f"jobs/{job.pk}").status_code == 403
    draft = made(world, state=State.VALIDATED)[0]
    assert api.get(f"jobs/{draft.pk}").status_code == 404
    elsewhere = make_api(root="/ogcapi/providers/portal/")
    assert elsewhere.get(f"jobs/{job.pk}").status_code == 404


def test_results_that_are_not_there_yet(api: Api, world: World) -> None:
    """/req/core/job-results-exception/results-not-ready."""
    job = made(world)[0]
    for path in (f"jobs/{job.pk}/results", f"jobs/{job.pk}/results/mean"):
        response = api.get(path)
        assert response.status_code == 404
        assert response.data["type"] == f"{OGC}result-not-ready"


def test_a_failed_job_says_what_went_wrong(api: Api, world: World) -> None:
    """/req/core/job-results-failed."""
    job = made(world, state=State.FAILED, error="No data there.")[0]
    assert api.get(f"jobs/{job.pk}").data["message"] == "No data there."
    response = api.get(f"jobs/{job.pk}/results")
    assert response.status_code == 502
    assert response.data["detail"] == "No data there."


def test_a_job_at_its_end_keeps_what_it_gave(api: Api, world: World) -> None:
    for state in (State.COMPLETED, State.FAILED):
        job = made(world, state=state)[0]
        assert api.delete(f"jobs/{job.pk}").status_code == 409


def test_a_job_that_was_not_sent_is_dismissed_at_once(api: Api, world: World) -> None:
    """/req/dismiss/job-dismiss-op."""
    job = made(world)[0]
    response = api.delete(f"jobs/{job.pk}")
    assert (response.status_code, response.data["status"]) == (200, "dismissed")
    assert Job.objects.get(pk=job.pk).state == State.CANCELLED


def test_dismissing_needs_the_scope(make_api: MakeApi, world: World) -> None:
    job = made(world)[0]
    assert make_api(scopes=("read",)).delete(f"jobs/{job.pk}").status_code == 403


@pytest.mark.usefixtures("working")
class TestOutputs:
    def test_each_output_has_an_address_that_streams(self, api: Api) -> None:
        reference = {"transmissionMode": "reference"}
        response = api.run(outputs={"change": reference}, response="document")
        address = response.data["change"]["href"]
        whole = api.get(address)
        assert (whole.body, whole.headers["Content-Type"]) == (TIFF, "image/tiff")
        assert whole.headers["Content-Disposition"].startswith("attachment")
        assert "sandbox" in whole.headers["Content-Security-Policy"]
        part = api.get(address, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.body) == (206, TIFF[10:20])
        assert part.headers["Content-Range"] == f"bytes 10-19/{len(TIFF)}"

    def test_outputs_are_found_by_their_name_too(self, api: Api) -> None:
        """Draft of version 2.0: /jobs/{jobID}/results/{outputID}."""
        job = api.job_of(api.run())
        assert api.get(f"jobs/{job}/results/change").body == TIFF
        assert api.get(f"jobs/{job}/results/none").status_code == 404
        assert api.get(f"jobs/{job}/outputs/99").status_code == 404

    def test_outputs_of_others_are_not_there(self, api: Api, make_api: MakeApi) -> None:
        job = api.job_of(api.run())
        stranger = make_api(api.world.stranger)
        for path in (f"jobs/{job}/outputs/1", f"jobs/{job}/results/mean"):
            assert stranger.get(path).status_code == 404
            assert api.get(path).status_code == 200

    def test_results_have_the_form_that_was_asked_for(self, api: Api) -> None:
        """/req/core/job-results-async-raw-value-one and -document."""
        raw = api.job_of(api.run(outputs={"change": {}}, headers=ASYNC))
        document = api.job_of(api.run(outputs={"mean": {}}, response="document", headers=ASYNC))
        work()
        assert api.get(f"jobs/{raw}/results").body == TIFF
        assert set(api.get(f"jobs/{raw}/results", f="json").data) == {"change"}
        assert api.get(f"jobs/{document}/results").data == {"mean": 41.7}

    def test_an_output_that_came_twice_is_an_array(self, api: Api) -> None:
        job = Job.objects.get(pk=api.job_of(api.run(response="document")))
        first = job.outputs.get(identifier="mean")
        JobOutput.objects.create(
            job=job, number=9, identifier="mean", kind="literal", document=first.document
        )
        assert api.get(f"jobs/{job.pk}/results").data["mean"] == [41.7, 41.7]

    def test_boxes_are_json_wherever_they_are(self, api: Api) -> None:
        job = Job.objects.get(pk=api.job_of(api.run(outputs={"mean": {}})))
        box = {
            "identifier": "mean",
            "lower": [1, 2],
            "upper": [3, 4],
            "crs": "urn:ogc:def:crs:OGC:1.3:CRS84",
            "kind": "bbox",
        }
        job.outputs.filter(identifier="mean").update(kind="bbox", document=box)
        wanted = {"bbox": [1, 2, 3, 4], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}
        number = job.outputs.get(identifier="mean").number
        assert api.get(f"jobs/{job.pk}/results").data == wanted
        assert api.get(f"jobs/{job.pk}/results", f="json").data == {"mean": wanted}
        assert api.get(f"jobs/{job.pk}/outputs/{number}").data == wanted

    def test_what_the_provider_does_not_give_is_a_link_or_a_refusal(
        self, api: Api, wps: FakeWps
    ) -> None:
        job = api.job_of(api.run(response="document"))
        several = api.job_of(api.run())
        wps.stop()
        response = api.get(f"jobs/{job}/results").data
        assert response["mean"] == 41.7
        assert api.get(response["change"]["href"]).status_code == 502
        parts = api.get(f"jobs/{several}/results").body
        assert parts.count(b"Content-Location: ") == 3
        wps.start()
