"""The WPS 1.0.0 driver: requests over guarded HTTP, answers read by the modules beside."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from django.conf import settings
from django.utils.translation import gettext as _

from common.errors import ProviderError, ProviderNonsense, ProviderTimeout, ProviderUnreachable
from common.http import Limits, Response, fetch
from providers.addresses import is_own
from providers.drivers.wps1 import addressing
from providers.drivers.wps1.answers import body_of_execute, body_of_question
from providers.drivers.wps1.capabilities import parse_capabilities
from providers.drivers.wps1.describe import parse_descriptions
from providers.drivers.wps1.documents import SCHEME, log
from providers.drivers.wps1.execute import execute_document
from providers.drivers.wps1.status import parse_status
from providers.ports import Descriptions, Endpoint, Found, RemoteStatus, ServiceInfo
from providers.process import ExecuteRequest, ProcessDescription

STATUS_TRIES = 4  # servers rewrite status documents in place; a reader may meet half of one
STATUS_PAUSE = 0.2  # seconds between the tries
MOST_SILENT = 3  # time-outs in one round of descriptions before the rest is given up
_SILENCE = (ProviderTimeout, ProviderUnreachable)
_XML = {"Accept": "text/xml, application/xml;q=0.9, */*;q=0.1"}


class Wps1Driver:
    """See `providers.ports.Driver`."""

    scheme = SCHEME

    def capabilities(self, endpoint: Endpoint) -> ServiceInfo:
        answer = _get(endpoint, addressing.capabilities_address(endpoint.url))
        return parse_capabilities(body_of_question(answer, endpoint), endpoint)

    def describe(self, endpoint: Endpoint, identifiers: Sequence[str]) -> Descriptions:
        """In few requests; what such a request does not bring is asked for one by one."""
        found: dict[str, ProcessDescription] = {}
        repaired = False
        for batch in _batches(identifiers):
            try:
                answered = _describe(endpoint, batch)
            except _SILENCE:
                break  # ask for single ones: describing many at once may take it too long
            except ProviderError as error:
                log.info("provider.batch_not_described", error=error.code, count=len(batch))
                continue
            found.update((i, d) for i, d in answered.found.items() if i in batch)
            repaired = repaired or answered.repaired
        single, problems = _one_by_one(endpoint, [i for i in identifiers if i not in found])
        for answered in single:
            found.update(answered.found)
            repaired = repaired or answered.repaired
        return Descriptions(found, problems, repaired)

    def submit(
        self,
        endpoint: Endpoint,
        process: ProcessDescription,
        request: ExecuteRequest,
        reference: str,
    ) -> RemoteStatus:
        headers = {**_XML, "Content-Type": "text/xml"}
        if endpoint.reference_header:
            headers[endpoint.reference_header] = reference
        # A process that cannot be followed answers when it is done; the worker's lease ends later.
        patience = min(settings.SYNC_WAIT_SECONDS, settings.DUE_LEASE_SECONDS - 10)
        answer = fetch(
            "POST",
            addressing.service_address(endpoint.url),
            headers={**headers, **dict(endpoint.headers)},
            body=execute_document(process, request),
            auth=_auth(endpoint),
            origin=endpoint.url,
            limits=Limits(read=patience, total=patience),
        )
        body = body_of_execute(answer, endpoint)
        return parse_status(body, endpoint, http_status=answer.status)

    def status(self, endpoint: Endpoint, handle: str) -> RemoteStatus:
        if not self.may_fetch(endpoint, handle):
            raise ProviderNonsense(_("The status address is not on the provider's own hosts."))
        tries = STATUS_TRIES
        while True:
            answer = _get(endpoint, handle)
            body = body_of_question(answer, endpoint)
            try:
                return parse_status(body, endpoint, handle=handle, http_status=answer.status)
            except ProviderNonsense:
                tries -= 1
                if not tries or _is_another_document(body):
                    raise
                time.sleep(STATUS_PAUSE)

    def dismiss(self, endpoint: Endpoint, handle: str) -> bool:
        """WPS 1.0.0 has no such operation; GeoServer has its own."""
        address = addressing.dismiss_address(handle) if self.may_fetch(endpoint, handle) else ""
        if not address:
            return False
        answer = _get(endpoint, address)
        body_of_question(answer, endpoint)
        return b"ExceptionReport" not in answer.body

    def may_fetch(self, endpoint: Endpoint, href: str) -> bool:
        return is_own(endpoint, href)

    def find(self, endpoint: Endpoint, reference: str) -> RemoteStatus | Found:
        """404: never arrived; 202: cannot tell yet; 200: the job's ExecuteResponse."""
        if not endpoint.lookup_url:
            return Found.UNKNOWN
        address = addressing.lookup_address(endpoint.lookup_url, reference)
        if not self.may_fetch(endpoint, address):
            return Found.UNKNOWN
        answer = _get(endpoint, address)
        if answer.status in (404, 202):
            return Found.NEVER_ARRIVED if answer.status == 404 else Found.UNKNOWN  # noqa: PLR2004
        return parse_status(body_of_question(answer, endpoint), endpoint)


def _get(endpoint: Endpoint, url: str) -> Response:
    return fetch(
        "GET",
        url,
        headers={**_XML, **dict(endpoint.headers)},
        auth=_auth(endpoint),
        origin=endpoint.url,
    )


def _auth(endpoint: Endpoint) -> tuple[str, str] | None:
    return (endpoint.username, endpoint.password) if endpoint.username else None


def _batches(identifiers: Sequence[str]) -> Iterator[list[str]]:
    """As many in one request as the length of its URL allows."""
    batch: list[str] = []
    length = 0
    for identifier in identifiers:
        more = len(quote(identifier, safe="")) + 1
        if batch and length + more > addressing.MOST_QUERY:
            yield batch
            batch, length = [], 0
        batch.append(identifier)
        length += more
    if batch:
        yield batch


def _describe(endpoint: Endpoint, identifiers: list[str]) -> Descriptions:
    answer = _get(endpoint, addressing.describe_address(endpoint.url, identifiers))
    return parse_descriptions(body_of_question(answer, endpoint), endpoint)


def _one_by_one(
    endpoint: Endpoint, identifiers: list[str]
) -> tuple[list[Descriptions], dict[str, str]]:
    """Descriptions found, and why the others were not."""
    found: list[Descriptions] = []
    problems: dict[str, str] = {}
    silent = 0
    for identifier in identifiers:
        if silent >= MOST_SILENT:
            problems[identifier] = _("Not asked for: the provider had stopped answering.")
            continue
        try:
            answered = _describe(endpoint, [identifier])
        except ProviderError as error:
            silent += isinstance(error, _SILENCE)
            problems[identifier] = error.detail
            continue
        if identifier in answered.found:
            found.append(answered)
        else:
            problems[identifier] = _("The provider's answer describes something else.")
    return found, problems


def _is_another_document(body: bytes) -> bool:
    """Whether this is the whole of something else: then reading it again brings nothing new."""
    return body.rstrip().endswith(b">") and b"ExecuteResponse" not in body
