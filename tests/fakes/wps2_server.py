"""A WPS 2.0 provider on 127.0.0.1, with the switches of `tests.fakes.http_server`.

It offers `echo` (a literal `message`, asynchronous): accepted, "Running 50" to the first GetStatus,
then the end. Kinds of requests: GetCapabilities, DescribeProcess, Execute, GetStatus, GetResult,
Dismiss, lookup, other.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qs, urlsplit

from tests.fakes.http_server import Received, Reply, ScriptedServer

NAMES = (
    'xmlns:wps="http://www.opengis.net/wps/2.0" xmlns:ows="http://www.opengis.net/ows/2.0" '
    'xmlns:xlink="http://www.w3.org/1999/xlink"'
)
ECHO = (
    '<wps:ProcessOffering jobControlOptions="sync-execute async-execute dismiss" '
    'outputTransmission="value reference" processVersion="1.0.0"><wps:Process>'
    "<ows:Title>Echo</ows:Title><ows:Identifier>echo</ows:Identifier>"
    "<wps:Input><ows:Title>Message</ows:Title><ows:Identifier>message</ows:Identifier>"
    "<wps:LiteralData><wps:Format mimeType='text/plain' default='true'/>"
    "<LiteralDataDomain default='true'><ows:AnyValue/><ows:DataType>string</ows:DataType>"
    "</LiteralDataDomain></wps:LiteralData></wps:Input>"
    "<wps:Output><ows:Title>Message</ows:Title><ows:Identifier>message</ows:Identifier>"
    "<wps:LiteralData><wps:Format mimeType='text/plain' default='true'/>"
    "<LiteralDataDomain><ows:AnyValue/><ows:DataType>string</ows:DataType></LiteralDataDomain>"
    "</wps:LiteralData></wps:Output></wps:Process></wps:ProcessOffering>"
)
CAPABILITIES = (
    f"<wps:Capabilities {NAMES} service='WPS' version='2.0.0'><ows:ServiceIdentification>"
    "<ows:Title>Centre B</ows:Title></ows:ServiceIdentification><wps:Contents>"
    "<wps:ProcessSummary jobControlOptions='async-execute'><ows:Title>Echo</ows:Title>"
    "<ows:Identifier>echo</ows:Identifier></wps:ProcessSummary></wps:Contents></wps:Capabilities>"
)
OPERATIONS = ("GetCapabilities", "DescribeProcess", "GetStatus", "GetResult", "Dismiss")


@dataclass
class Run:
    id: str
    message: str
    reference: str
    status: str = "Accepted"
    asked: int = 0


class FakeWps2(ScriptedServer):
    """See the module's text."""

    main = "Execute"

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[str, Run] = {}
        self.failure = ""
        self.extra = ""  # XML inside every StatusInfo
        self._numbers = itertools.count(1)

    @property
    def url(self) -> str:
        return f"{self.base}/wps"

    @property
    def lookup_url(self) -> str:
        return f"{self.base}/lookup/{{reference}}"

    @property
    def executes(self) -> list[Received]:
        return self.requests("Execute")

    def kind_of(self, method: str, target: str) -> str:
        parts = urlsplit(target)
        if parts.path.startswith("/lookup/"):
            return "lookup"
        if parts.path != "/wps":
            return "other"
        if method == "POST":
            return "Execute"
        query = {name.lower(): values[0] for name, values in parse_qs(parts.query).items()}
        wanted = query.get("request", "")
        return wanted if wanted in OPERATIONS else "other"

    def work(self, got: Received) -> Reply:
        if got.kind == "GetCapabilities":
            return xml(CAPABILITIES)
        if got.kind == "DescribeProcess":
            wanted = got.query["identifier"]
            offered = xml(f"<wps:ProcessOfferings {NAMES}>{ECHO}</wps:ProcessOfferings>")
            return offered if wanted == "echo" else refusal("NoSuchProcess", "None such", wanted)
        if got.kind == "Execute":
            return self._execute(got)
        if got.kind == "lookup":
            reference = got.path.removeprefix("/lookup/")
            found = [one for one in self.runs.values() if one.reference == reference]
            return self._status(found[-1]) if found else Reply(404, b"never seen")
        job = got.query.get("jobid", "")
        run = self.runs.get(job)
        return self._about(got.kind, run) if run else refusal("NoSuchJob", "No such job", job)

    def _execute(self, got: Received) -> Reply:
        message = "".join(got.xml.find("{*}Input").itertext())
        run = Run(f"job-{next(self._numbers)}", message, got.reference)
        if got.xml.get("mode") == "sync":
            return self._result(run)
        self.runs[run.id] = run
        return self._status(run)

    def _about(self, kind: str, run: Run) -> Reply:
        if kind == "Dismiss":
            run.status = "Dismissed"
        elif kind == "GetStatus" and run.status in ("Accepted", "Running"):
            run.asked += 1
            ended = "Failed" if self.failure else "Succeeded"
            run.status = "Running" if run.asked == 1 else ended
        elif kind == "GetResult" and run.status == "Succeeded":
            return self._result(run)
        elif kind == "GetResult":
            code = "NoApplicableCode" if run.status == "Failed" else "ResultNotReady"
            return refusal(code, self.failure or "not yet", run.id)
        return self._status(run)

    def _status(self, run: Run) -> Reply:
        percent = "<wps:PercentCompleted>50</wps:PercentCompleted>" * (run.status == "Running")
        return xml(
            f"<wps:StatusInfo {NAMES}><wps:JobID>{run.id}</wps:JobID>"
            f"<wps:Status>{run.status}</wps:Status>{self.extra}{percent}</wps:StatusInfo>"
        )

    def _result(self, run: Run) -> Reply:
        return xml(
            f"<wps:Result {NAMES}><wps:JobID>{run.id}</wps:JobID><wps:Output id='message'>"
            f"<wps:Data><wps:LiteralValue>{escape(run.message)}</wps:LiteralValue></wps:Data>"
            "</wps:Output></wps:Result>"
        )


def xml(text: str, status: int = 200) -> Reply:
    return Reply(status, text.encode(), {"Content-Type": "text/xml; charset=utf-8"})


def refusal(code: str, text: str, locator: str = "", status: int = 400) -> Reply:
    """An ExceptionReport."""
    return xml(
        f"<ows:ExceptionReport {NAMES} version='2.0.0'><ows:Exception exceptionCode='{code}' "
        f"locator='{escape(locator)}'><ows:ExceptionText>{escape(text)}</ows:ExceptionText>"
        "</ows:Exception></ows:ExceptionReport>",
        status,
    )
