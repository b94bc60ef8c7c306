"""The URLs of WPS requests, made from whatever form of address was registered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote, urlsplit, urlunsplit

_OWN_PARAMETERS = frozenset(
    (
        *("service", "request", "version", "acceptversions", "identifier", "language", "lang"),
        *("sections", "acceptformats", "acceptlanguages", "updatesequence", "jobid"),
    )
)
# A request line much longer than this is refused by some servers.
MOST_QUERY = 1500


def service_address(url: str) -> str:
    """The endpoint in a registered URL.

    A capabilities URL loses its WPS parameters, anything else of the query (`?map=…`) stays.
    """
    parts = urlsplit(url)
    kept = [
        pair
        for pair in parts.query.split("&")
        if pair and pair.partition("=")[0].lower() not in _OWN_PARAMETERS
    ]
    return urlunsplit(parts._replace(query="&".join(kept), fragment=""))


def with_query(url: str, query: str) -> str:
    """The endpoint with the parameters of a request."""
    base = service_address(url)
    return f"{base}&{query}" if "?" in base else f"{base}?{query}"


def capabilities_address(url: str, version: str) -> str:
    return with_query(url, f"service=WPS&request=GetCapabilities&AcceptVersions={version}")


def describe_address(url: str, version: str, identifiers: Sequence[str]) -> str:
    listed = ",".join(quote(one, safe="") for one in identifiers)
    query = f"service=WPS&request=DescribeProcess&version={version}&identifier={listed}"
    return with_query(url, query)


def batches(identifiers: Sequence[str]) -> Iterator[list[str]]:
    """As many in one request as the length of its URL allows."""
    batch: list[str] = []
    length = 0
    for identifier in identifiers:
        more = len(quote(identifier, safe="")) + 1
        if batch and length + more > MOST_QUERY:
            yield batch
            batch, length = [], 0
        batch.append(identifier)
        length += more
    if batch:
        yield batch
