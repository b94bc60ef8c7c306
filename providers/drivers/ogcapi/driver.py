"""The driver for OGC API – Processes: requests over guarded HTTP, answers read beside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus

from django.conf import settings
from django.utils.translation import gettext as _

from common.clock import now
from common.errors import ProviderError, ProviderNonsense, ProviderRefused
from common.http import Limits, Response
from providers import quotation, quoted
from providers.addresses import is_own
from providers.answers import body_of_execute, body_of_question
from providers.calls import fetch, run_headers, run_seconds
from providers.describing import describe_all
from providers.drivers.ogcapi.addressing import below, landing_page, resource
from providers.drivers.ogcapi.capabilities import next_page, parse_list, warnings
from providers.drivers.ogcapi.describe import parse_description
from providers.drivers.ogcapi.documents import log, public, read, read_object, report_in
from providers.drivers.ogcapi.execute import execute_document
from providers.drivers.ogcapi.results import parse_results
from providers.drivers.ogcapi.status import (
    ENDED,
    SCHEME,
    address_of_job,
    is_status,
    parse_status,
    taken_apart,
    with_output,
)
from providers.lookup import look_up
from providers.ports import (
    Descriptions,
    Endpoint,
    Found,
    RemoteQuote,
    RemoteState,
    RemoteStatus,
    ServiceInfo,
)
from providers.process import ExecuteRequest, ProcessDescription, ProcessSummary

MOST_PAGES = 100
PAGE = "1000"  # processes asked for at once
MOST_WAIT = 3600  # seconds of a Retry-After that are taken seriously
_JSON = {"Accept": "application/json"}


class OgcApiDriver:
    """See `providers.ports.Driver`; the handle of a job is the address of its status."""

    scheme = SCHEME

    def capabilities(self, endpoint: Endpoint) -> ServiceInfo:
        processes, said = _processes(endpoint)
        landing = _landing(endpoint)
        return ServiceInfo(
            title=public(landing, endpoint, "title"),
            abstract=public(landing, endpoint, "description"),
            processes=tuple(processes),
            warnings=said,
        )

    def describe(self, endpoint: Endpoint, identifiers: Sequence[str]) -> Descriptions:
        def ask(wanted: list[str]) -> Descriptions:
            answer = _get(endpoint, resource(endpoint.url, "processes", wanted[0]))
            return parse_description(_body(answer, endpoint), endpoint)

        return describe_all(identifiers, ask)

    def submit(
        self,
        endpoint: Endpoint,
        process: ProcessDescription,
        request: ExecuteRequest,
        reference: str,
    ) -> RemoteStatus:
        """A job that is at its end at once is left to the first question for its status."""
        headers = run_headers(endpoint, request, reference)
        return _execute(endpoint, process, request, patience=run_seconds(), headers=headers)

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
            lambda: _execute(endpoint, brief, question, patience=seconds),
            follow=(lambda job: self.status(endpoint, job)) if brief.status_supported else None,
            dismiss=lambda job: self.dismiss(endpoint, job),
        )

    def status(self, endpoint: Endpoint, handle: str) -> RemoteStatus:
        address, only = taken_apart(handle)
        if not self.may_fetch(endpoint, address):
            raise ProviderNonsense(_("The status address is not on the provider's own hosts."))
        answer = _get(endpoint, address)
        said = read_object(_body(answer, endpoint))
        status = parse_status(said, endpoint, handle=handle)
        if status.state == RemoteState.SUCCEEDED:
            return _with_results(endpoint, status, address, only)
        if status.state == RemoteState.FAILED:
            return replace(status, handle="", error=status.error or _failure(endpoint, address))
        if status.state == RemoteState.DISMISSED:
            return replace(status, handle="")
        return _later(status, answer)

    def dismiss(self, endpoint: Endpoint, handle: str) -> bool:
        """DELETE of the job (18-062r2 §13)."""
        address, _only = taken_apart(handle)
        if not self.may_fetch(endpoint, address):
            return False
        answer = fetch(endpoint, "DELETE", address, headers=_JSON)
        try:
            body = _body(answer, endpoint)
        except ProviderRefused as error:
            log.info("provider.not_dismissed", error=error.code, text=error.detail)
            return False
        return not body.strip() or _says_dismissed(body, endpoint)

    def may_fetch(self, endpoint: Endpoint, href: str) -> bool:
        return is_own(endpoint, href)

    def find(self, endpoint: Endpoint, reference: str) -> RemoteStatus | Found:
        """404: never arrived; 202: cannot tell yet; 200: the job's status information."""

        def understood(answer: Response) -> RemoteStatus:
            said = read_object(_body(answer, endpoint))
            return _going_on(
                parse_status(said, endpoint, handle=address_of_job(said, answer, endpoint))
            )

        return look_up(endpoint, reference, understood)


def _get(endpoint: Endpoint, url: str) -> Response:
    return fetch(endpoint, "GET", url, headers=_JSON)


def _body(answer: Response, endpoint: Endpoint) -> bytes:
    return body_of_question(answer, endpoint, report_in)


def _processes(endpoint: Endpoint) -> tuple[list[ProcessSummary], tuple[str, ...]]:
    """All pages of the list; a server that wants no limit is asked without one."""
    address = resource(endpoint.url, "processes", limit=PAGE)
    try:
        body = _body(_get(endpoint, address), endpoint)
    except ProviderRefused as error:
        if error.data.get("http_status") in (401, 403, 404):
            raise
        address = resource(endpoint.url, "processes")
        body = _body(_get(endpoint, address), endpoint)
    found, unusable = parse_list(body, endpoint)
    seen = {address}
    for _page in range(MOST_PAGES):
        address = next_page(body, endpoint, address)
        if not address or address in seen:
            break
        seen.add(address)
        body = _body(_get(endpoint, address), endpoint)
        more, bad = parse_list(body, endpoint)
        found, unusable = [*found, *more], unusable + bad
    return found, warnings(len(found), unusable, paged=len(seen) > 1)


def _landing(endpoint: Endpoint) -> dict[str, object]:
    """Title and description; a server without a landing page has none."""
    try:
        return read_object(_body(_get(endpoint, landing_page(endpoint.url)), endpoint))
    except ProviderError as error:
        log.info("provider.no_landing_page", error=error.code)
        return {}


def _execute(
    endpoint: Endpoint,
    process: ProcessDescription,
    request: ExecuteRequest,
    *,
    patience: float,
    headers: dict[str, str] | None = None,
) -> RemoteStatus:
    prefer = {"Prefer": "respond-async"} if process.status_supported else {}
    answer = fetch(
        endpoint,
        "POST",
        resource(endpoint.url, "processes", request.process, "execution"),
        headers={**_JSON, "Content-Type": "application/json", **prefer, **(headers or {})},
        body=execute_document(process, request),
        limits=Limits(read=patience, total=patience),
    )
    body_of_execute(answer, endpoint, report_in)
    wanted = [one.identifier for one in request.outputs or process.outputs]
    # A bare answer is not taken for a quotation: it may be the result of a run.
    only = wanted[0] if len(wanted) == 1 and wanted[0] != quotation.OUTPUT else ""
    return _outcome(answer, endpoint, only)


def _outcome(answer: Response, endpoint: Endpoint, only: str) -> RemoteStatus:
    """What became of a request: a job that goes on, or the results themselves."""
    said = _status_in(answer)
    taken = answer.status in (HTTPStatus.CREATED, HTTPStatus.ACCEPTED)
    # Without a word on the job there is still where to ask for it.
    silent = answer.body.strip() in (b"", b"null") and "location" in answer.headers
    if not taken and not silent and said is None:
        return RemoteStatus(
            RemoteState.SUCCEEDED,
            SCHEME,
            "successful",
            outputs=parse_results(answer, endpoint, only),
        )
    address = address_of_job(said, answer, endpoint)
    known = said if said and said.get("status") else {"status": "accepted"}
    return _going_on(parse_status(known, endpoint, handle=with_output(address, only)))


def _status_in(answer: Response) -> dict[str, object] | None:
    """Status information in the body; some servers answer with `null` or nothing at all."""
    try:
        said = read(answer.body)
    except ProviderNonsense:
        return None
    taken = answer.status in (HTTPStatus.CREATED, HTTPStatus.ACCEPTED)
    return said if is_status(said) or (taken and isinstance(said, dict)) else None


def _going_on(status: RemoteStatus) -> RemoteStatus:
    """A job whose result, or the reason of its failure, is still to be asked for."""
    return replace(status, state=RemoteState.RUNNING) if status.state in ENDED else status


def _with_results(
    endpoint: Endpoint, status: RemoteStatus, address: str, only: str
) -> RemoteStatus:
    """The outputs of a run that succeeded; while the provider puts them together it is running."""
    answer = _get(endpoint, below(address, "results"))
    try:
        _body(answer, endpoint)
    except ProviderRefused as error:
        code = re.sub(r"[^a-z]", "", str(error.data.get("native_code", "")).lower())
        if code != "resultnotready":
            raise
        return replace(status, state=RemoteState.RUNNING)
    return replace(status, handle="", outputs=parse_results(answer, endpoint, only))


def _failure(endpoint: Endpoint, address: str) -> str:
    """Why a run failed: said in the place of the results (18-062r2 §7.13.4)."""
    try:
        _body(_get(endpoint, below(address, "results")), endpoint)
    except ProviderRefused as error:
        if error.data.get("native_code"):
            return error.detail
    except ProviderError as error:
        log.info("provider.no_reason", error=error.code)
    return _("The provider says only that the job failed.")


def _later(status: RemoteStatus, answer: Response) -> RemoteStatus:
    """With the moment from which on the provider wishes to be asked again."""
    wait = answer.headers.get("retry-after", "")
    if not re.fullmatch(r"\d{1,6}", wait, re.ASCII):
        return status
    return replace(status, next_poll=now() + timedelta(seconds=min(int(wait), MOST_WAIT)))


def _says_dismissed(body: bytes, endpoint: Endpoint) -> bool:
    """What the answer to DELETE says; one that says nothing of the job did what it was asked."""
    try:
        said = read(body)
    except ProviderNonsense:
        return True
    if not is_status(said):
        return True
    return parse_status(said, endpoint, handle="").state == RemoteState.DISMISSED
