"""Every reader of providers' documents, by protocol, for tests that feed them anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from common.http import Response
from providers.drivers.ogcapi.capabilities import next_page, parse_list
from providers.drivers.ogcapi.describe import parse_description
from providers.drivers.ogcapi.documents import read_object, report_in
from providers.drivers.ogcapi.driver import _outcome
from providers.drivers.ogcapi.results import parse_results
from providers.drivers.ogcapi.status import parse_status as parse_job
from providers.drivers.wps1.capabilities import parse_capabilities as capabilities_1
from providers.drivers.wps1.describe import parse_descriptions as describe_1
from providers.drivers.wps1.status import parse_status as status_1
from providers.drivers.wps2.capabilities import parse_capabilities as capabilities_2
from providers.drivers.wps2.describe import parse_descriptions as describe_2
from providers.drivers.wps2.status import parse_answer as status_2
from providers.ows.documents import report_in as ows_report
from providers.ports import Endpoint
from tests.wps_proxy.schemas import SHARED

CENTRE = Endpoint("https://centre.example.org/wps", username="portal", password="s3cret")
HANDLE = "https://centre.example.org/jobs/46b7da90"
DIALECTS = Path(__file__).parent / "dialects"
LARGEST = 100_000  # bytes: what is longer only makes the tests slow
JSON_TYPE = "application/json"


def answer(data: bytes, kind: str = JSON_TYPE, status: int = 200, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, {"content-type": kind, **named}, data, f"{HANDLE}/results")


XML_READERS: dict[str, Callable[[bytes], object]] = {
    "capabilities 1": lambda data: capabilities_1(data, CENTRE),
    "capabilities 2": lambda data: capabilities_2(data, CENTRE),
    "describe 1": lambda data: describe_1(data, CENTRE),
    "describe 2": lambda data: describe_2(data, CENTRE),
    "status 1": lambda data: status_1(data, CENTRE),
    "status 1 again": lambda data: status_1(data, CENTRE, handle=HANDLE),
    "status 2": lambda data: status_2(data, CENTRE),
    "status 2 again": lambda data: status_2(data, CENTRE, job_id="j"),
    "report": lambda data: ows_report(answer(data, "text/xml", 400), CENTRE),
}
JSON_READERS: dict[str, Callable[[bytes], object]] = {
    "list": lambda data: parse_list(data, CENTRE),
    "next": lambda data: next_page(data, CENTRE, HANDLE),
    "process": lambda data: parse_description(data, CENTRE),
    "job": lambda data: parse_job(read_object(data), CENTRE, handle=HANDLE),
    "results": lambda data: parse_results(answer(data), CENTRE),
    "results of one": lambda data: parse_results(answer(data), CENTRE, "echo"),
    "raw": lambda data: parse_results(answer(data, "text/plain"), CENTRE, "echo"),
    "parts": lambda data: parse_results(answer(data, 'multipart/related; boundary="x"'), CENTRE),
    "taken": lambda data: _outcome(answer(data, status=201, location="/jobs/7"), CENTRE, "echo"),
    "taken without a place": lambda data: _outcome(answer(data, status=201), CENTRE, ""),
    "done": lambda data: _outcome(answer(data), CENTRE, ""),
    "problem": lambda data: report_in(answer(data, status=400), CENTRE),
}


def dialect(name: str) -> bytes:
    return (DIALECTS / name).read_bytes()


def samples(ending: str) -> dict[str, bytes]:
    """All documents of ours and of the shared schemas whose names end so."""
    found = {path.name: path.read_bytes() for path in sorted(DIALECTS.glob(f"*{ending}"))}
    shared = Path(SHARED) / "schemas"
    if shared.is_dir():
        for path in sorted(shared.rglob(f"*{ending}")):
            if path.stat().st_size < LARGEST:
                found[path.relative_to(shared).as_posix()] = path.read_bytes()
    return found
