"""The WPS 2.0 driver: requests over guarded HTTP, answers read by the modules beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from django.conf import settings
from django.utils.translation import gettext as _

from common.errors import ProviderError, ProviderNonsense, ProviderRefused
from providers import quotation, quoted
from providers.addresses import is_own
from providers.answers import body_of_question
from providers.calls import run_headers, run_seconds
from providers.drivers.wps2.capabilities import parse_capabilities
from providers.drivers.wps2.describe import parse_descriptions
from providers.drivers.wps2.execute import execute_document
from providers.drivers.wps2.status import SCHEME, parse_answer
from providers.lookup import look_up
from providers.ows import addressing, asking
from providers.ows.documents import log, report_in
from providers.ports import (
    Descriptions,
    Endpoint,
    Found,
    RemoteQuote,
    RemoteState,
    RemoteStatus,
    ServiceInfo,
)
from providers.process import ExecuteRequest, ProcessDescription

VERSION = "2.0.0"
_NOT_READY = "resultnotready"


class Wps2Driver:
    """See `providers.ports.Driver`; the handle of a job is its JobID."""

    scheme = SCHEME

    def capabilities(self, endpoint: Endpoint) -> ServiceInfo:
        return asking.capabilities(endpoint, VERSION, parse_capabilities)

    def describe(self, endpoint: Endpoint, identifiers: Sequence[str]) -> Descriptions:
        return asking.descriptions(endpoint, VERSION, identifiers, parse_descriptions)

    def submit(
        self,
        endpoint: Endpoint,
        process: ProcessDescription,
        request: ExecuteRequest,
        reference: str,
    ) -> RemoteStatus:
        """A job that is at its end at once is left to the first question for its status."""
        return _execute(
            endpoint,
            execute_document(process, request),
            headers=run_headers(endpoint, request, reference),
            patience=run_seconds(),
        )

    def can_quote(self, process: ProcessDescription) -> bool:
        return quotation.is_quotable(process)

    def quote(
        self, endpoint: Endpoint, process: ProcessDescription, request: ExecuteRequest
    ) -> RemoteQuote:
        """By the convention of the input `quotation`, in the answer itself where the process can
        run so."""
        brief, question = quoted.asked(process, request)
        seconds = settings.QUOTATION_SECONDS
        return quoted.answered(
            lambda: _execute(endpoint, execute_document(brief, question), patience=seconds),
            follow=(lambda job: self.status(endpoint, job)) if brief.status_supported else None,
            dismiss=lambda job: self.dismiss(endpoint, job),
        )

    def status(self, endpoint: Endpoint, handle: str) -> RemoteStatus:
        status = _about(endpoint, "GetStatus", handle)
        if status.state == RemoteState.SUCCEEDED and not status.outputs:
            return _with_result(endpoint, status)
        if status.state == RemoteState.FAILED:
            return replace(status, handle="", error=_failure(endpoint, handle))
        if status.state == RemoteState.DISMISSED:
            return replace(status, handle="")
        return status

    def dismiss(self, endpoint: Endpoint, handle: str) -> bool:
        try:
            return _about(endpoint, "Dismiss", handle).state == RemoteState.DISMISSED
        except (ProviderRefused, ProviderNonsense) as error:
            log.info("provider.not_dismissed", error=error.code, text=error.detail)
            return False

    def may_fetch(self, endpoint: Endpoint, href: str) -> bool:
        return is_own(endpoint, href)

    def find(self, endpoint: Endpoint, reference: str) -> RemoteStatus | Found:
        """404: never arrived; 202: cannot tell yet; 200: the job's StatusInfo or Result."""
        return look_up(
            endpoint,
            reference,
            lambda answer: parse_answer(body_of_question(answer, endpoint, report_in), endpoint),
        )


def _execute(
    endpoint: Endpoint, document: bytes, *, patience: float, headers: dict[str, str] | None = None
) -> RemoteStatus:
    body, http_status = asking.execute(endpoint, document, patience=patience, headers=headers)
    status = parse_answer(body, endpoint, http_status=http_status)
    ended = status.handle and status.state in (RemoteState.SUCCEEDED, RemoteState.FAILED)
    # Its result or the reason is still to be asked for.
    return replace(status, state=RemoteState.RUNNING) if ended else status


def _about(endpoint: Endpoint, operation: str, job: str) -> RemoteStatus:
    """What an operation on a job answers."""
    query = f"service=WPS&version={VERSION}&request={operation}&jobID={quote(job, safe='')}"
    answer = asking.get(endpoint, addressing.with_query(endpoint.url, query))
    body = body_of_question(answer, endpoint, report_in)
    return parse_answer(body, endpoint, job_id=job, http_status=answer.status)


def _with_result(endpoint: Endpoint, status: RemoteStatus) -> RemoteStatus:
    """The outputs of a run that succeeded; while the provider puts them together it is running."""
    try:
        result = _about(endpoint, "GetResult", status.handle)
    except ProviderRefused as error:
        if str(error.data.get("native_code", "")).lower() != _NOT_READY:
            raise
        return replace(status, state=RemoteState.RUNNING)
    if result.state != RemoteState.SUCCEEDED or result.handle:
        raise ProviderNonsense(_("Asked for the result, the provider answers something else."))
    return replace(result, word=status.word, expires_at=result.expires_at or status.expires_at)


def _failure(endpoint: Endpoint, job: str) -> str:
    """Why a run failed: WPS 2.0 says it in the place of the result (OGC 14-065 §9.8)."""
    try:
        _about(endpoint, "GetResult", job)
    except ProviderRefused as error:
        if error.data.get("native_code"):
            return error.detail
    except ProviderError as error:
        log.info("provider.no_reason", error=error.code)
    return _("The provider says only that the job failed.")
