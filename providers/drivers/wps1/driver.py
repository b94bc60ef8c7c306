"""The WPS 1.0.0 driver: requests over guarded HTTP, answers read by the modules beside."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.conf import settings
from django.utils.translation import gettext as _

from common.errors import ProviderNonsense
from providers import quotation, quoted
from providers.addresses import is_own
from providers.answers import body_of_question
from providers.calls import run_headers, run_seconds
from providers.drivers.wps1.addressing import dismiss_address
from providers.drivers.wps1.capabilities import parse_capabilities
from providers.drivers.wps1.describe import parse_descriptions
from providers.drivers.wps1.execute import execute_document
from providers.drivers.wps1.status import SCHEME, parse_status
from providers.lookup import look_up
from providers.ows import asking
from providers.ows.documents import report_in
from providers.ports import (
    Descriptions,
    Endpoint,
    Found,
    RemoteQuote,
    RemoteStatus,
    ServiceInfo,
)
from providers.process import ExecuteRequest, ProcessDescription

STATUS_TRIES = 4  # servers rewrite status documents in place; a reader may meet half of one
STATUS_PAUSE = 0.2  # seconds between the tries
VERSION = "1.0.0"


class Wps1Driver:
    """See `providers.ports.Driver`."""

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
        """By the convention of the input `quotation`, in a request that is not to be stored."""
        asked = quotation.question(process, request)
        process = replace(process, store_supported=False, status_supported=False, outputs=())
        document = execute_document(process, asked)
        seconds = settings.QUOTATION_SECONDS
        return quoted.answered(
            lambda: _execute(endpoint, document, patience=seconds),
            follow=None,
            dismiss=lambda handle: self.dismiss(endpoint, handle),
        )

    def status(self, endpoint: Endpoint, handle: str) -> RemoteStatus:
        if not self.may_fetch(endpoint, handle):
            raise ProviderNonsense(_("The status address is not on the provider's own hosts."))
        tries = STATUS_TRIES
        while True:
            answer = asking.get(endpoint, handle)
            body = body_of_question(answer, endpoint, report_in)
            try:
                return parse_status(body, endpoint, handle=handle, http_status=answer.status)
            except ProviderNonsense:
                tries -= 1
                if not tries or _is_another_document(body):
                    raise
                time.sleep(STATUS_PAUSE)

    def dismiss(self, endpoint: Endpoint, handle: str) -> bool:
        """WPS 1.0.0 has no such operation; GeoServer has its own."""
        address = dismiss_address(handle) if self.may_fetch(endpoint, handle) else ""
        if not address:
            return False
        answer = asking.get(endpoint, address)
        body_of_question(answer, endpoint, report_in)
        return b"ExceptionReport" not in answer.body

    def may_fetch(self, endpoint: Endpoint, href: str) -> bool:
        return is_own(endpoint, href)

    def find(self, endpoint: Endpoint, reference: str) -> RemoteStatus | Found:
        """404: never arrived; 202: cannot tell yet; 200: the job's ExecuteResponse."""
        return look_up(
            endpoint,
            reference,
            lambda answer: parse_status(body_of_question(answer, endpoint, report_in), endpoint),
        )


def _execute(
    endpoint: Endpoint,
    document: bytes,
    *,
    patience: float,
    headers: Mapping[str, str] | None = None,
) -> RemoteStatus:
    body, http_status = asking.execute(endpoint, document, patience=patience, headers=headers)
    return parse_status(body, endpoint, http_status=http_status)


def _is_another_document(body: bytes) -> bool:
    """Whether this is the whole of something else: then reading it again brings nothing new."""
    return body.rstrip().endswith(b">") and b"ExecuteResponse" not in body
