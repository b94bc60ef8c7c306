"""A WPS 1.0.0 provider on 127.0.0.1: real HTTP, and whatever behaviour a test asks of it.

    with FakeWps() as wps:
        provider = make_provider(owner, url=wps.url)
        …
        assert len(wps.executes) == 1
        assert wps.executes[0].reference == str(job.pk)

Without further words it offers `echo` (asynchronous): it accepts, says "started 50" to the first
status request and gives the result to the second. What can be changed, also while it runs:

    wps.add(description, run)       another process; run(inputs) gives outputs by identifier
                                    (str: literal, bytes: a file, served by reference)
    wps.polls = 3                   status requests answered "started" before the end
    wps.hold = True                 nothing ends until hold is False again
    wps.failure = "No data there."  jobs end with ProcessFailed
    wps.jobs[id].state = "paused"   say something else of one job
    wps.reply("Execute", Reply(503))            the next such request gets this answer instead …
    wps.reply("status", Reply(404), times=None) … or every one, until `wps.restore()`
    wps.reply("Execute", Reply(hang_up=True, after=True))     the job runs, the answer is lost
    wps.credentials = ("user", "password")      HTTP Basic is demanded
    wps.stop(); wps.start()         away and back, at the same address; jobs are kept

Kinds of requests for `reply` and `requests`: GetCapabilities, DescribeProcess, Execute, status,
output, lookup (`wps.lookup_url`: 200 and the status document, or 404), other.
"""

from __future__ import annotations

import base64
import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from providers.process import (
    ComplexDomain,
    InputDescription,
    LiteralDomain,
    OutputDescription,
    ProcessDescription,
)
from tests.fakes import wps_documents as documents
from tests.fakes.http_server import Received, Reply, ScriptedServer
from tests.fakes.wps_documents import OWS_NS, WPS, WPS_NS, XLINK, Reference

__all__ = ["ECHO", "FakeJob", "FakeWps", "Received", "Reply"]

ECHO = ProcessDescription(
    "echo",
    "Echo",
    "Gives back what it gets.",
    "1.0.0",
    inputs=(InputDescription("message", LiteralDomain(), "Message"),),
    outputs=(OutputDescription("message", LiteralDomain(), "Message"),),
    store_supported=True,
    status_supported=True,
)
Run = Callable[[Mapping[str, list[str]]], Mapping[str, str | bytes]]


def echo(inputs: Mapping[str, list[str]]) -> dict[str, str | bytes]:
    """The first value of every input, as an output of the same name."""
    return {name: values[0] for name, values in inputs.items()}


@dataclass
class FakeJob:
    """A run at the provider; state: accepted, started, paused, succeeded or failed."""

    id: str
    process: ProcessDescription
    reference: str
    outputs: Mapping[str, str | bytes]
    state: str = "accepted"
    percent: int = 0
    message: str = ""
    polls: int = 0


class FakeWps(ScriptedServer):
    """See the module's text."""

    def __init__(self, *processes: ProcessDescription, path: str = "/wps") -> None:
        super().__init__()
        self.path = path
        self.processes: dict[str, tuple[ProcessDescription, Run]] = {}
        self.jobs: dict[str, FakeJob] = {}
        self.polls = 1
        self.hold = False
        self.failure = ""
        self.credentials: tuple[str, str] | None = None
        self.output_base = ""  # e.g. another host, to lie about where the outputs are
        self._numbers = itertools.count(1)
        for process in processes or (ECHO,):
            self.add(process)

    def add(self, process: ProcessDescription, run: Run = echo) -> None:
        self.processes[process.identifier] = (process, run)

    @property
    def executes(self) -> list[Received]:
        return self.requests("Execute")

    @property
    def url(self) -> str:
        return f"{self.base}{self.path}"

    @property
    def lookup_url(self) -> str:
        return f"{self.base}/lookup/{{reference}}"

    def kind_of(self, method: str, target: str) -> str:
        parts = urlsplit(target)
        for folder, kind in (("status", "status"), ("outputs", "output"), ("lookup", "lookup")):
            if parts.path.startswith(f"/{folder}/"):
                return kind
        if parts.path != self.path:
            return "other"
        if method == "POST":
            return "Execute"
        query = {name.lower(): values[0] for name, values in parse_qs(parts.query).items()}
        names = {n.lower(): n for n in ("GetCapabilities", "DescribeProcess", "Execute")}
        return names.get(query.get("request", "").lower(), "other")

    def work(self, got: Received) -> Reply:
        if self.credentials is not None:
            pair = base64.b64encode(":".join(self.credentials).encode()).decode()
            if got.headers.get("authorization") != f"Basic {pair}":
                return Reply(401, b"who are you?", {"WWW-Authenticate": 'Basic realm="wps"'})
        answers = {
            "GetCapabilities": self._capabilities,
            "DescribeProcess": self._describe,
            "Execute": self._execute,
            "status": self._status,
            "output": self._output,
            "lookup": self._lookup,
        }
        return answers[got.kind](got) if got.kind in answers else Reply(404, b"nothing here")

    def _capabilities(self, _: Received) -> Reply:
        return xml(documents.capabilities(self.url, (p for p, _run in self.processes.values())))

    def _describe(self, got: Received) -> Reply:
        wanted = got.query.get("identifier", "").split(",")
        known = list(self.processes) if wanted == ["ALL"] else wanted
        for identifier in known:
            if identifier not in self.processes:
                return refusal("InvalidParameterValue", "No such process", "identifier")
        return xml(documents.descriptions(self.processes[one][0] for one in known))

    def _execute(self, got: Received) -> Reply:
        root = got.xml
        identifier = root.findtext(f"{{{OWS_NS}}}Identifier")
        if identifier not in self.processes:
            return refusal("InvalidParameterValue", "No such process", "Identifier")
        process, run = self.processes[identifier]
        job = FakeJob(f"job-{next(self._numbers)}", process, got.reference, run(_inputs(root)))
        self.jobs[job.id] = job
        form = root.find(f".//{{{WPS_NS}}}ResponseDocument")
        flags = ("storeExecuteResponse", "status")
        if form is not None and all(form.get(flag) == "true" for flag in flags):
            return self._document(job)
        self._end(job)
        return self._document(job, stored=False)

    def _status(self, got: Received) -> Reply:
        job = self.jobs.get(got.path.split("/")[-1].removesuffix(".xml"))
        if job is None:
            return Reply(404, b"no such job")
        if job.state in ("accepted", "started") and not self.hold:
            job.polls += 1
            if job.polls > self.polls:
                self._end(job)
            else:
                job.state, job.percent = "started", 50
        return self._document(job)

    def _lookup(self, got: Received) -> Reply:
        reference = got.path.removeprefix("/lookup/")
        found = [job for job in self.jobs.values() if job.reference == reference]
        return self._document(found[-1]) if found else Reply(404, b"never seen")

    def _end(self, job: FakeJob) -> None:
        job.state = "failed" if self.failure else "succeeded"
        job.message = self.failure or job.message

    def _document(self, job: FakeJob, *, stored: bool = True) -> Reply:
        percent = {"percentCompleted": str(job.percent)}
        told = {
            "accepted": WPS.ProcessAccepted("accepted"),
            "started": WPS.ProcessStarted(job.message, **percent),
            "paused": WPS.ProcessPaused(job.message, **percent),
            "succeeded": WPS.ProcessSucceeded(job.message or "done"),
            "failed": documents.failed(job.message),
        }
        done = job.state == "succeeded"
        return xml(
            documents.execute_response(
                job.process,
                told[job.state],
                base=self.url,
                location=f"{self.base}/status/{job.id}.xml" if stored else "",
                outputs={name: self._given(job, name) for name in job.outputs} if done else None,
            )
        )

    def _given(self, job: FakeJob, name: str) -> documents.Output:
        value = job.outputs[name]
        if isinstance(value, str):
            return value
        known = job.process.output(name)
        kind = known.domain if known else None
        media_type = kind.formats[0].media_type if isinstance(kind, ComplexDomain) else ""
        return Reference(f"{self.output_base or self.base}/outputs/{job.id}/{name}", media_type)

    def _output(self, got: Received) -> Reply:
        _, _, job_id, name = [*got.path.split("/"), "", ""][:4]
        value = self.jobs[job_id].outputs.get(name) if job_id in self.jobs else None
        if not isinstance(value, bytes):
            return Reply(404, b"gone")
        asked = got.headers.get("range", "")
        if asked.startswith("bytes=") and "," not in asked:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            begin, end = int(first or 0), min(int(last or len(value) - 1), len(value) - 1)
            part = {"Content-Range": f"bytes {begin}-{end}/{len(value)}"}
            return Reply(206, value[begin : end + 1], part)
        return Reply(200, value, {"Accept-Ranges": "bytes"})


def xml(body: bytes) -> Reply:
    """A document with status 200."""
    return Reply(200, body, {"Content-Type": "text/xml; charset=utf-8"})


def refusal(code: str, text: str, locator: str = "", status: int = 400) -> Reply:
    """An ExceptionReport."""
    body = documents.exception_report(code, text, locator)
    return Reply(status, body, {"Content-Type": "text/xml"})


def _inputs(root: Any) -> dict[str, list[str]]:
    """The values of an Execute: text of literals and documents, address of references."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in root.iter(f"{{{WPS_NS}}}Input"):
        name = one.findtext(f"{{{OWS_NS}}}Identifier")
        reference = one.find(f"{{{WPS_NS}}}Reference")
        data = one.find(f"{{{WPS_NS}}}Data")
        text = "".join(data.itertext()) if reference is None else reference.get(f"{{{XLINK}}}href")
        found[name].append(text)
    return dict(found)
