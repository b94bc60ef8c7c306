"""Subscribers are told how the job goes on (18-062r2 §12, requirements class callback)."""

from __future__ import annotations

import json

import pytest

from jobs.models import Due
from tests.fakes.http_server import Reply, ScriptedServer
from tests.fakes.wps_server import FakeWps
from tests.wps_proxy.conftest import work
from tests.wps_proxy.ogcapi.conftest import Api
from tests.wps_proxy.ogcapi.schemas import valid

ASYNC = {"Prefer": "respond-async"}


@pytest.mark.parametrize("failure", ["", "No data there."])
def test_subscribers_are_told_in_the_words_of_the_standard(
    api: Api, wps: FakeWps, failure: str
) -> None:
    """/req/callback/job-callback: results at successUri, statusInfo at the others."""
    wps.failure = failure
    wps.polls = 2
    with ScriptedServer() as receiver:
        receiver.reply("any", Reply(204), times=None)
        names = ("successUri", "inProgressUri", "failedUri")
        response = api.client.post(
            f"/ogcapi/processes/{api.identifier}/execution",
            json.dumps(
                {
                    "inputs": {"mode": "fast"},
                    "outputs": {"mean": {}},
                    "subscriber": {one: f"{receiver.base}/{one}" for one in names},
                }
            ),
            content_type="application/json",
            headers={**api.headers, **ASYNC},
        )
        assert response.status_code == 201
        work()
        Due.objects.filter(kind="callback", done_at=None).update(due_at=Due.objects.first().due_at)
        work()
        told: dict[str, list[object]] = {}
        for one in receiver.received:
            told.setdefault(one.path.strip("/"), []).append(json.loads(one.body))
    assert set(told) - {"inProgressUri"} == {"failedUri" if failure else "successUri"}
    for document in (*told.get("inProgressUri", ()), *told.get("failedUri", ())):
        valid(document, "statusInfo.yaml")
    for document in told.get("successUri", ()):
        valid(document, "results.yaml")
        assert document == {"mean": 41.7}
    if failure:
        (status,) = told["failedUri"]
        assert status["status"] == "failed"  # type: ignore[index]
