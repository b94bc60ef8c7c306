"""The provider's kind of PyWPS process: its usage is reported, its status files are never half."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dirq.Exceptions import QueueError
from pywps import Process, Service
from pywps.app.exceptions import ProcessError
from pywps.exceptions import InvalidParameterValue, NoApplicableCode
from pywps.inout.storage.file import FileStorage, FileStorageBuilder
from pywps.response.status import WPS_STATUS

from portal.demo import quotation, usage
from portal.demo.references import References
from portal.demo.scene import SceneInfo

log = logging.getLogger("provider")

Handler = Callable[[Any, Any], None]
Expected = Callable[[Any], quotation.Quantities]
# In the WSGI environment:
REFERENCE = "tep.reference"  # what the request is known by
RUN_AS = "tep.run_as"  # this is the job's own process; the identifier that the job has


@dataclass(frozen=True, slots=True)
class Site:
    """What every process needs to know of its server."""

    scene: SceneInfo
    references: References
    usage_queue: Path
    host: str
    start: Callable[[str], None]  # begins the stored request of a reference


class AtomicStatusFiles(FileStorage):
    """PyWPS rewrites status documents in place, so that readers see halves; this replaces them."""

    def write(self, data: str, destination: str, data_format: object = None) -> str:
        path = Path(self.location(destination))
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        part.write_text(data, encoding="utf-8")
        part.replace(path)
        return str(self.url(destination))


class DemoProcess(Process):
    """A process that can be stored and followed, and whose run is reported when it has ended."""

    outputs: list[Any]

    def __init__(  # noqa: PLR0913 (what describes a process)
        self,
        site: Site,
        handler: Handler,
        identifier: str,
        *,
        title: str,
        abstract: str,
        inputs: Sequence[Any] = (),
        outputs: Sequence[Any] = (),
        keywords: Sequence[str] = (),
        expected: Expected | None = None,
    ) -> None:
        """`expected` says what a request would use: the process can then be asked for that."""
        self.site = site
        self.work = handler
        self.expected = expected
        self.own_process = False
        if expected is not None:
            inputs, outputs = [*inputs, quotation.question()], [*outputs, quotation.answer()]
        super().__init__(
            self._handler,
            identifier,
            title,
            abstract=abstract,
            keywords=list(keywords),
            inputs=list(inputs),
            outputs=list(outputs),
            version="1.0.0",
            store_supported=True,
            status_supported=True,
        )

    def _handler(self, request: Any, response: Any) -> Any:
        if self.expected is None:
            self.work(request, response)
            return response
        asked = quotation.is_asked(request)
        kept = [o for o in self.outputs if (o.identifier == quotation.OUTPUT) == asked]
        if asked:
            document = quotation.document(self.expected(request), self.identifier)
            response.outputs[quotation.OUTPUT].data = document
        else:
            self.work(request, response)
        self.outputs = kept
        response.outputs = {one.identifier: response.outputs[one.identifier] for one in kept}
        return response

    def _setup_status_storage(self) -> None:
        plain = FileStorageBuilder().build()
        self._status_store = AtomicStatusFiles(plain.target, plain.output_url, plain.copy_function)

    def _execute_process(self, async_: bool, wps_request: Any, wps_response: Any) -> Any:
        """In place of PyWPS's fork and queue: the job begins in a process without threads."""
        environ = wps_request.http_request.environ
        if RUN_AS in environ:
            self.own_process = True
            return self._run_process(wps_request, wps_response)
        if not async_:
            return super()._execute_process(async_, wps_request, wps_response)
        wps_response._update_status(WPS_STATUS.ACCEPTED, "Accepted", 0)
        self.site.start(environ[REFERENCE])
        return wps_response

    def launch_next_process(self) -> None:
        """Nothing: PyWPS's own queue is not used, and looking into it keeps a transaction open."""

    def _run_process(self, wps_request: Any, wps_response: Any) -> Any:
        meter = usage.Meter(own_process=self.own_process)
        try:
            wps_response = super()._run_process(wps_request, wps_response)
        except NoApplicableCode:
            # An output could not be stored: without this the job would seem to run for ever.
            log.exception("the outputs of job %s cannot be stored", self.uuid)
            self.outputs = []
            wps_response.outputs = {}
            wps_response._update_status(WPS_STATUS.FAILED, "The results cannot be stored.", 100)
        ended = wps_response.status in (WPS_STATUS.SUCCEEDED, WPS_STATUS.FAILED)
        if ended and not quotation.is_asked(wps_request):
            self._report(meter)
        return wps_response

    def _report(self, meter: usage.Meter) -> None:
        uuid = str(self.uuid)
        if not self.site.references.first_report(uuid):
            return
        job = self.site.references.of_job(uuid) or uuid
        text = usage.message(meter, job=job, process=self.identifier, host=self.site.host)
        try:
            usage.send(self.site.usage_queue, text, job=job)
        except (QueueError, OSError):
            log.exception("the usage of job %s is not in the queue", job)


class DemoService(Service):
    """PyWPS, remembering under which reference a request runs, and choosy about input addresses."""

    def __init__(
        self,
        processes: Sequence[Process],
        config: Path,
        site: Site,
        may_read: Callable[[str], bool],
    ) -> None:
        super().__init__(list(processes), [str(config)])
        self.site = site
        self.may_read = may_read

    def execute(self, identifier: str, wps_request: Any, uuid: Any) -> Any:
        environ = wps_request.http_request.environ
        if RUN_AS in environ:
            return super().execute(identifier, wps_request, environ[RUN_AS])
        for values in wps_request.inputs.values():
            for value in values:
                if value.get("href") and not self.may_read(value["href"]):
                    raise _refused_input(value["identifier"])
        if identifier in self.processes:
            self.site.references.assign(environ[REFERENCE], str(uuid))
        return super().execute(identifier, wps_request, str(uuid))


def _refused_input(identifier: str) -> Exception:
    text = "This address may not be read. Give a public one, or the data itself."
    refusal: Exception = InvalidParameterValue(text, identifier)
    return refusal


def failed(text: str) -> ProcessError:
    """An end with words for the user."""
    return ProcessError(text)
