"""Runs through the OGC API door, to a provider that speaks another protocol and back (§7.11)."""

from __future__ import annotations

import base64
import json
from email import message_from_bytes
from typing import Any

import pytest

from jobs.models import Door
from tests.fakes.wps_server import FakeWps
from tests.wps_proxy.conftest import ALL_KINDS, GEOJSON, TIFF, only_job, work
from tests.wps_proxy.ogcapi.conftest import Api
from tests.wps_proxy.ogcapi.schemas import valid

pytestmark = pytest.mark.usefixtures("working")

MEAN = {"mean": {}}
ASYNC = {"Prefer": "respond-async"}


def document(api: Api, inputs: Any = None, **body: Any) -> Any:
    return api.run(inputs, response="document", **body)


# --- modes ---------------------------------------------------------------------------------------


def test_without_a_preference_the_answer_is_the_result(api: Api) -> None:
    """/req/core/job-creation-default-execution-mode, process-execute-sync-job."""
    response = document(api, outputs=MEAN)
    assert response.status_code == 200
    assert response.data == {"mean": 41.7}
    job = only_job()
    assert response.headers["Link"] == f"<http://testserver/ogcapi/jobs/{job.pk}>; rel=monitor"
    assert "Preference-Applied" not in response.headers
    assert job.door == Door.OGCAPI
    assert job.owner == api.world.researcher


def test_asked_for_asynchronously_the_answer_is_the_job(api: Api) -> None:
    """/req/core/process-execute-success-async: 201, Location, statusInfo."""
    response = document(api, outputs=MEAN, headers=ASYNC)
    assert response.status_code == 201
    assert response.headers["Preference-Applied"] == "respond-async"
    job = only_job()
    assert response.headers["Location"] == f"http://testserver/ogcapi/jobs/{job.pk}"
    assert response.data["jobID"] == str(job.pk)
    assert response.data["status"] == "accepted"
    assert response.data["processID"] == api.identifier
    work()
    status = api.get(f"jobs/{job.pk}").data
    assert status["status"] == "successful"
    assert status["progress"] == 100
    links = {one["rel"]: one["href"] for one in status["links"]}
    results = api.get(links["http://www.opengis.net/def/rel/ogc/1.0/results"])
    assert results.data == {"mean": 41.7}


def test_drafts_say_the_mode_in_the_body(api: Api) -> None:
    assert document(api, mode="async").status_code == 201
    assert document(api, mode="sync").status_code == 200


@pytest.mark.parametrize("prefer", ["wait=0", "respond-async", "respond-async, wait=0"])
def test_what_is_not_waited_for_is_answered_with_the_job(
    api: Api, wps: FakeWps, prefer: str
) -> None:
    """RFC 7240 §4.3: the client says how long it would wait."""
    response = document(api, headers={"Prefer": prefer})
    assert response.status_code == 201
    assert response.headers["Preference-Applied"] == prefer


@pytest.mark.parametrize("prefer", ["respond-async, wait=60", "wait=60", "WAIT=60; foo=bar"])
def test_who_waits_long_enough_gets_the_result(api: Api, prefer: str) -> None:
    response = document(api, outputs=MEAN, headers={"Prefer": prefer})
    assert response.status_code == 200
    assert response.headers["Preference-Applied"] == "wait=60"


def test_a_run_that_takes_too_long_becomes_a_job(api: Api, wps: FakeWps, settings: Any) -> None:
    settings.SYNC_WAIT_SECONDS = 0.3
    wps.hold = True
    response = document(api)
    assert response.status_code == 201
    job = only_job()
    assert response.headers["Location"].endswith(str(job.pk))
    wps.hold = False
    work()
    assert api.get(f"jobs/{job.pk}").data["status"] == "successful"


# --- the form of the answer ----------------------------------------------------------------------


def test_one_raw_value_is_the_body(api: Api) -> None:
    """/req/core/process-execute-sync-raw-value-one."""
    response = api.run(outputs={"change": {}})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/tiff"
    assert response.body == TIFF
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    plain = api.run(outputs=MEAN)
    assert plain.headers["Content-Type"].startswith("text/plain")
    assert plain.body == b"41.7"


def test_several_raw_values_are_parts(api: Api) -> None:
    """/req/core/process-execute-sync-raw-value-multi, -raw-mixed-multi (RFC 2387)."""
    outputs: Any = {"mean": {}, "change": {"transmissionMode": "reference"}, "zones": {}}
    response = api.run(outputs=outputs, response="raw")
    assert response.status_code == 200
    head = f"Content-Type: {response.headers['Content-Type']}\r\n\r\n".encode()
    message = message_from_bytes(head + response.body)
    assert message.get_content_type() == "multipart/related"
    parts: Any = {part["Content-ID"]: part for part in message.get_payload()}
    assert set(parts) == {"mean", "change", "zones"}
    assert parts["mean"].get_payload(decode=True) == b"41.7"
    assert parts["zones"].get_payload(decode=True) == GEOJSON
    assert parts["zones"].get_content_type() == "application/geo+json"
    assert parts["change"].get_payload(decode=True) == b""
    address = parts["change"]["Content-Location"]
    assert address.startswith(f"http://testserver/ogcapi/jobs/{only_job().pk}/outputs/")
    assert api.get(address).body == TIFF


def test_raw_by_reference_is_links_alone(api: Api) -> None:
    """/req/core/process-execute-sync-raw-ref: 204 and Link."""
    reference = {"transmissionMode": "reference"}
    response = api.run(outputs={"change": reference, "mean": reference})
    assert response.status_code == 204
    assert response.body == b""
    monitor, mean, change = response.headers["Link"].split(", ")
    assert monitor.endswith("; rel=monitor")
    assert 'title="mean"' in mean
    assert 'type="image/tiff"' in change
    assert api.get(change.partition(">")[0][1:]).body == TIFF


def test_a_document_has_values_of_every_kind(api: Api) -> None:
    """/req/core/process-execute-sync-document: results.yaml."""
    response = document(api)
    assert response.data == {
        "mean": 41.7,
        "change": {
            "value": base64.b64encode(TIFF).decode(),
            "mediaType": "image/tiff",
            "encoding": "base64",
        },
        "zones": {"value": json.loads(GEOJSON), "mediaType": "application/geo+json"},
        "shape": {
            "value": '<?xml version="1.0"?><g:Point xmlns:g="urn:g"><g:pos>1 2</g:pos></g:Point>',
            "mediaType": "text/xml",
        },
    }
    valid(response.data, "results.yaml")


def test_by_reference_a_document_has_links(api: Api) -> None:
    outputs = {one: {"transmissionMode": "reference"} for one in ("mean", "zones")}
    response = document(api, outputs=outputs)
    assert set(response.data) == {"mean", "zones"}
    assert response.data["zones"]["type"] == "application/geo+json"
    assert api.get(response.data["zones"]["href"]).body == GEOJSON
    assert api.get(response.data["mean"]["href"]).body == b"41.7"


def test_what_is_large_is_a_link_whatever_was_asked_for(api: Api, wps: FakeWps) -> None:
    large = bytes(2**20 + 1)
    wps.add(ALL_KINDS, lambda _: {"change": large})
    response = document(api, outputs={"change": {"transmissionMode": "value"}})
    assert api.get(response.data["change"]["href"]).body == large


@pytest.mark.parametrize(
    ("returned", "outputs", "kind"),
    [
        ("representation", {"change": {}}, "image/tiff"),
        ("representation", {"change": {}, "mean": {}}, "application/json"),
        ("minimal", {"change": {}}, "application/json"),
    ],
)
def test_the_draft_of_version_2_prefers_in_a_header(
    api: Api, returned: str, outputs: Any, kind: str
) -> None:
    """18-062r3: no `response`, but Prefer: return=…"""
    prefer = {"Prefer": f"return={returned}"}
    response = api.run(outputs=outputs, headers=prefer)
    assert response.headers["Content-Type"] == kind
    assert response.headers["Preference-Applied"] == f"return={returned}"
    if returned == "minimal":
        assert api.get(response.data["change"]["href"]).body == TIFF
    # What the body says comes first.
    said = api.run(outputs=outputs, headers=prefer, response="document")
    assert said.headers["Content-Type"] == "application/json"
    assert "value" in said.data["change"]
