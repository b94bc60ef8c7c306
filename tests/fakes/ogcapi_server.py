"""An OGC API – Processes on 127.0.0.1, with the switches of `tests.fakes.http_server`.

It offers `echo` (a literal `message`, asynchronous): accepted, "running 50" to the first question,
then the end. Kinds of requests: landing, processes, process, Execute, status, results, dismiss,
lookup, other.
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.http_server import Received, Reply, ScriptedServer

ECHO = {
    "id": "echo",
    "title": "Echo",
    "version": "1.0.0",
    "jobControlOptions": ["sync-execute", "async-execute", "dismiss"],
    "outputTransmission": ["value"],
    "inputs": {"message": {"title": "Message", "schema": {"type": "string"}}},
    "outputs": {"message": {"title": "Message", "schema": {"type": "string"}}},
}


SHAPES = [
    (re.compile(shape), method, kind)
    for shape, method, kind in (
        (r"/lookup/[^/]+", "", "lookup"),
        (r"/api/v1", "", "landing"),
        (r"/api/v1/processes", "", "processes"),
        (r"/api/v1/processes/[^/]+", "", "process"),
        (r"/api/v1/processes/[^/]+/execution", "POST", "Execute"),
        (r"/api/v1/jobs/[^/]+", "DELETE", "dismiss"),
        (r"/api/v1/jobs/[^/]+", "", "status"),
        (r"/api/v1/jobs/[^/]+/results", "", "results"),
    )
]


@dataclass
class Run:
    id: str
    message: Any
    reference: str
    status: str = "accepted"
    asked: int = 0


class FakeOgcApi(ScriptedServer):
    """See the module's text."""

    main = "Execute"

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[str, Run] = {}
        self.failure = ""
        self._numbers = itertools.count(1)

    @property
    def url(self) -> str:
        return f"{self.base}/api/v1"

    @property
    def lookup_url(self) -> str:
        return f"{self.base}/lookup/{{reference}}"

    @property
    def executes(self) -> list[Received]:
        return self.requests("Execute")

    def kind_of(self, method: str, target: str) -> str:
        path = urlsplit(target).path.removesuffix("/")
        return next(
            (kind for shape, of, kind in SHAPES if of in ("", method) and shape.fullmatch(path)),
            "other",
        )

    def work(self, got: Received) -> Reply:
        last = got.path.rstrip("/").rpartition("/")[2]
        fixed = {
            "landing": {"title": "Centre C", "links": []},
            "processes": {"processes": [{"id": "echo", "version": "1.0.0"}], "links": []},
        }
        if got.kind in fixed:
            return answer(fixed[got.kind])
        if got.kind == "process":
            return answer(ECHO) if last == "echo" else problem("no-such-process", "Not here", 404)
        if got.kind == "Execute":
            return self._execute(got)
        if got.kind == "lookup":
            found = [one for one in self.runs.values() if one.reference == last]
            return self._status(found[-1]) if found else Reply(404, b"never seen")
        run = self.runs.get(last if got.kind != "results" else got.path.split("/")[-2])
        return self._about(got.kind, run) if run else problem("no-such-job", "No such job", 404)

    def _execute(self, got: Received) -> Reply:
        message = json.loads(got.body)["inputs"]["message"]
        run = Run(f"job-{next(self._numbers)}", message, got.reference)
        if got.headers.get("prefer") != "respond-async":
            return answer({"message": run.message})
        self.runs[run.id] = run
        reply = self._status(run)
        location = f"{self.url}/jobs/{run.id}"
        return Reply(201, reply.body, {**reply.headers, "Location": location})

    def _about(self, kind: str, run: Run) -> Reply:
        if kind == "dismiss":
            run.status = "dismissed"
        elif kind == "status" and run.status in ("accepted", "running"):
            run.asked += 1
            ended = "failed" if self.failure else "successful"
            run.status = "running" if run.asked == 1 else ended
        elif kind == "results" and run.status == "successful":
            return answer({"message": run.message})
        elif kind == "results":
            ready = run.status == "failed"
            kinds = ("failure", 500) if ready else ("result-not-ready", 404)
            return problem(kinds[0], self.failure or "not yet", kinds[1])
        return self._status(run)

    def _status(self, run: Run) -> Reply:
        said = {"jobID": run.id, "type": "process", "status": run.status}
        return answer({**said, "progress": 50 if run.status == "running" else 0})


def answer(document: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(document).encode(), {"Content-Type": "application/json"})


def problem(kind: str, detail: str, status: int) -> Reply:
    """A problem document (RFC 7807)."""
    place = f"http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/{kind}"
    body = json.dumps({"type": place, "title": kind, "detail": detail, "status": status})
    return Reply(status, body.encode(), {"Content-Type": "application/problem+json"})
