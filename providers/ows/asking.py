"""How a WPS is asked for its processes and for a run: the same in both versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from common.http import Limits, Response
from providers.answers import body_of_execute, body_of_question
from providers.calls import fetch
from providers.describing import describe_all
from providers.ows import addressing
from providers.ows.documents import report_in
from providers.ports import Descriptions, Endpoint, ServiceInfo

_XML = {"Accept": "text/xml, application/xml;q=0.9, */*;q=0.1"}


def get(endpoint: Endpoint, url: str) -> Response:
    return fetch(endpoint, "GET", url, headers=_XML)


def capabilities(
    endpoint: Endpoint, version: str, parse: Callable[[bytes, Endpoint], ServiceInfo]
) -> ServiceInfo:
    """What the provider offers, of its list in this version."""
    answer = get(endpoint, addressing.capabilities_address(endpoint.url, version))
    return parse(body_of_question(answer, endpoint, report_in), endpoint)


def descriptions(
    endpoint: Endpoint,
    version: str,
    identifiers: Sequence[str],
    parse: Callable[[bytes, Endpoint], Descriptions],
) -> Descriptions:
    """In few requests; what such a request does not bring is asked for one by one."""

    def ask(wanted: list[str]) -> Descriptions:
        answer = get(endpoint, addressing.describe_address(endpoint.url, version, wanted))
        return parse(body_of_question(answer, endpoint, report_in), endpoint)

    return describe_all(identifiers, ask, addressing.batches(identifiers))


def execute(
    endpoint: Endpoint,
    document: bytes,
    *,
    patience: float,
    headers: Mapping[str, str] | None = None,
) -> tuple[bytes, int]:
    """The answer to a run, and its HTTP status; within so many seconds."""
    answer = fetch(
        endpoint,
        "POST",
        addressing.service_address(endpoint.url),
        headers={**_XML, "Content-Type": "text/xml", **(headers or {})},
        body=document,
        limits=Limits(read=patience, total=patience),
    )
    return body_of_execute(answer, endpoint, report_in), answer.status
