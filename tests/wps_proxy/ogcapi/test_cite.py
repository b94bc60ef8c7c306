"""The executable tests of the standard (ets-ogcapi-processes10), as they ask, on the portal's echo
process: landing page, processes, execution in every mode and form, jobs, results (wps-proxy §14.3).

The bodies are built as the suite builds them: from the description of the process, plain strings
for every input that takes one, all outputs by value.
"""

from __future__ import annotations

import time
from email import message_from_bytes
from typing import Any

import pytest

from jobs.models import Due, Job
from providers.models import Service
from tests.wps_proxy.conftest import work
from tests.wps_proxy.ogcapi.conftest import OGC, Api, MakeApi
from tests.wps_proxy.ogcapi.schemas import valid

ECHO = "portal.echo"
TEXT = "teststring"
PREFER = {"Prefer": "respond-async"}
JSON = {"Accept": "application/json"}

pytestmark = pytest.mark.usefixtures("portal")


@pytest.fixture
def api(make_api: MakeApi, portal: Service) -> Api:
    made = make_api()
    made.headers |= JSON
    return made


@pytest.fixture
def described(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"processes/{ECHO}").data
    return found


def types_of(schema: dict[str, Any]) -> set[str]:
    return {one["type"] for one in (schema, *schema.get("oneOf", ())) if "type" in one}


def strings(described: dict[str, Any]) -> dict[str, Any]:
    return {
        name: TEXT
        for name, one in described["inputs"].items()
        if "string" in types_of(one["schema"])
    }


def values(described: dict[str, Any]) -> dict[str, Any]:
    return {name: {"transmissionMode": "value"} for name in described["outputs"]}


def is_box(schema: dict[str, Any]) -> bool:
    return any(one.get("format") == "ogc-bbox" for one in schema.get("allOf", ()))


def test_landing_page(api: Api) -> None:
    """A.2.2: a link with the relation `processes`."""
    assert "processes" in {one["rel"] for one in api.get("").data["links"]}


def test_conformance_and_process_list(api: Api) -> None:
    """A.2.3, A.2.4: classes, limit, self and alternate."""
    assert api.get("conformance").data["conformsTo"]
    page = api.get("processes", limit=1).data
    assert len(page["processes"]) <= 1
    assert {"self", "alternate"} <= {one["rel"] for one in page["links"]}


def test_no_such_process(api: Api) -> None:
    """A.15 /conf/core/process-exception-no-such-process."""
    response = api.get("processes/invalid-process-1")
    assert (response.status_code, response.data["type"]) == (404, f"{OGC}no-such-process")


def test_description(described: dict[str, Any]) -> None:
    """A.13, A.14, A.48-A.53: valid as a whole and schema by schema; a literal, a complex of mixed
    type and a box, each an input and an output of the same name."""
    valid(described, "process.yaml")
    for one in (*described["inputs"].values(), *described["outputs"].values()):
        valid(one["schema"], "schema.yaml")
    mixed = [
        one["schema"]["oneOf"] for one in described["inputs"].values() if "oneOf" in one["schema"]
    ]
    assert mixed
    assert {"object", "string"} <= {part["type"] for one in mixed for part in one}
    assert any(is_box(one["schema"]) for one in described["inputs"].values())
    assert next(iter(described["inputs"])) in described["outputs"]
    assert "pause" in described["inputs"]


@pytest.mark.parametrize("headers", [{}, PREFER, {"Prefer": "respond-async "}])
@pytest.mark.parametrize("response", [None, "raw", "document"])
def test_execution_modes(
    api: Api, described: dict[str, Any], headers: dict[str, str], response: str | None
) -> None:
    """A.16-A.20, A.30-A.34: default and automatic mode; raw of several and document."""
    body = {"response": response} if response else {}
    answer = api.run(
        strings(described), process=ECHO, outputs=values(described), headers=headers, **body
    )
    if not headers:
        assert answer.status_code == 200
        assert "rel=monitor" in answer.headers["Link"]
        if response == "document":
            assert answer.data["literal"] == TEXT
            assert answer.data["complex"]["value"] == TEXT
        else:
            head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
            parts: Any = message_from_bytes(head + answer.body).get_payload()
            assert len(parts) == 2
            assert all(part.get_payload(decode=True) == TEXT.encode() for part in parts)
    else:
        assert answer.status_code == 201
        status = api.get(answer.headers["Location"])
        valid(status.data, "statusInfo.yaml")
        assert status.data["status"] == "successful"


def test_without_outputs_all_come(api: Api, described: dict[str, Any]) -> None:
    """A.27 /conf/core/job-creation-default-outputs."""
    answer = api.run(strings(described), process=ECHO, response="document")
    assert set(answer.data) == {"literal", "complex"}


def test_one_raw_value(api: Api, described: dict[str, Any]) -> None:
    """A.28, A.40: the first input alone, and the output of its name."""
    first = next(iter(described["inputs"]))
    outputs = {first: {"transmissionMode": "value"}}
    answer = api.run({first: TEXT}, process=ECHO, outputs=outputs, response="raw")
    assert (answer.status_code, answer.body) == (200, TEXT.encode())
    later = api.run({first: TEXT}, process=ECHO, outputs=outputs, response="raw", headers=PREFER)
    assert api.get(f"{later.headers['Location']}/results").body == TEXT.encode()


def test_raw_by_reference(api: Api, described: dict[str, Any]) -> None:
    """A.31: 204 and a Link for each."""
    outputs = {one: {"transmissionMode": "reference"} for one in ("literal", "complex")}
    answer = api.run(strings(described), process=ECHO, outputs=outputs, response="raw")
    assert answer.status_code == 204
    for one in answer.headers["Link"].split(", ")[1:]:
        assert api.get(one.partition(">")[0][1:]).body == TEXT.encode()


def test_input_of_every_kind(api: Api) -> None:
    """A.21-A.27: array, box, binary, mixed, object; each comes back as it was given."""
    box = {"bbox": [51.9, 7, 52, 7.1], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}
    point = {"type": "Point", "coordinates": [1, 2]}
    for name, given, back in (
        ("literal", ["test1", "test2", "test3"], ["test1", "test2", "test3"]),
        ("bbox", box, box),
        ("complex", {"value": TEXT}, {"value": TEXT, "mediaType": "text/plain"}),
        ("complex", {"value": point}, {"value": point, "mediaType": "application/json"}),
        (
            "complex",
            {"value": "AAEC", "encoding": "base64", "mediaType": "image/tiff"},
            {"value": "AAEC", "encoding": "base64", "mediaType": "image/tiff"},
        ),
    ):
        answer = api.run({name: given}, process=ECHO, response="document")
        assert answer.status_code == 200, answer.body
        assert answer.data == {name: back}


def test_wrong_input(api: Api, described: dict[str, Any]) -> None:
    """A.24 /conf/core/job-creation-input-validation: 400, a problem under application/json."""
    inputs = {**strings(described), "complex": {"type": "wrong/type_1"}}
    answer = api.run(inputs, process=ECHO, outputs=values(described))
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/json"
    assert list(answer.data["errors"]) == ["complex"]


def test_what_is_no_request(api: Api) -> None:
    """A.47 as the suite has it: an execute request with a member that there is not."""
    assert api.post('{"invalid-execute-request": "true"}', process=ECHO).status_code > 200


def test_no_such_job(api: Api) -> None:
    """A.37, A.45."""
    for path in ("jobs/invalid-job-1", "jobs/invalid-job-1/results"):
        response = api.get(path)
        assert (response.status_code, response.data["type"]) == (404, f"{OGC}no-such-job")


def test_results_that_are_not_ready(api: Api) -> None:
    """A.46: a run that pauses."""
    answer = api.run({"literal": TEXT, "pause": 5}, process=ECHO, response="raw", headers=PREFER)
    assert api.get(answer.headers["Location"]).data["status"] == "running"
    response = api.get(f"{answer.headers['Location']}/results")
    assert (response.status_code, response.data["type"]) == (404, f"{OGC}result-not-ready")
    dismissed = api.delete(f"jobs/{api.job_of(answer)}")
    assert dismissed.data["status"] == "dismissed"


def test_a_paused_run_ends(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = api.run({"literal": TEXT, "pause": 0.2}, process=ECHO, headers=PREFER)
    time.sleep(0.3)
    Due.objects.filter(kind="poll").update(due_at=Job.objects.get().created_at)
    work()
    status = api.get(answer.headers["Location"]).data
    assert (status["status"], status["progress"]) == ("successful", 100)


def test_job_list(api: Api, described: dict[str, Any]) -> None:
    """A.64-A.71."""
    api.run(strings(described), process=ECHO)
    jobs = api.get("jobs").data["jobs"]
    assert [one["processID"] for one in jobs] == [ECHO]
