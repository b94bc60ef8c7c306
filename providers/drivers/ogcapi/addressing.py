"""The URLs of an OGC API – Processes, made from whatever form of address was registered."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote, urljoin, urlsplit, urlunsplit

from providers.addresses import is_own
from providers.ports import Endpoint

# Resources below the landing page (18-062r2 §7): the first of them is cut off with what follows.
_RESOURCES = frozenset({"processes", "jobs", "conformance", "openapi"})
# Parameters of one request, not of the server.
_REQUEST = frozenset(
    ("f", "limit", "offset", "service", "request", "version", "acceptversions", "identifier")
)


def landing_page(url: str) -> str:
    """The landing page of a registered URL: of a process list, a process, a job, or itself."""
    parts = urlsplit(url)
    segments = parts.path.rstrip("/").split("/")
    for place, segment in enumerate(segments):
        if segment in _RESOURCES:
            segments = segments[:place]
            break
    query = "&".join(
        pair
        for pair in parts.query.split("&")
        if pair and pair.partition("=")[0].lower() not in _REQUEST
    )
    return urlunsplit(parts._replace(path="/".join(segments), query=query, fragment=""))


def resource(url: str, *segments: str, **parameters: str) -> str:
    """A resource below the landing page; every segment is percent-encoded as a whole."""
    parts = urlsplit(landing_page(url))
    path = "/".join([parts.path, *(quote(one, safe="") for one in segments)])
    query = "&".join(filter(None, [parts.query, *(f"{k}={v}" for k, v in parameters.items())]))
    return urlunsplit(parts._replace(path=path, query=query))


def below(address: str, segment: str) -> str:
    """The resource below a job's address, its query kept."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{segment}"))


def own(endpoint: Endpoint, href: str, base: str) -> str:
    """A link in an answer made complete, if it leads to the provider; else ""."""
    try:
        complete = href if "://" in href else urljoin(base, href)
    except ValueError:
        return ""
    return complete if is_own(endpoint, complete) else ""


def job_of(address: str) -> str:
    """The job identifier in an address `…/jobs/{id}`; "" for others."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    found = re.search(r"/jobs/([^/]+)", parts.path)
    if found:
        return unquote(found[1])
    query = {name.lower(): value for name, value in parse_qsl(parts.query)}
    return query.get("jobid", "")
