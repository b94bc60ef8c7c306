"""The URLs of WPS 1.0.0 requests, made from whatever form of address was registered."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

_OWN_PARAMETERS = frozenset(
    ("service", "request", "version", "acceptversions", "identifier", "language", "sections")
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


def capabilities_address(url: str) -> str:
    return _with_query(url, "service=WPS&request=GetCapabilities&AcceptVersions=1.0.0")


def describe_address(url: str, identifiers: list[str]) -> str:
    listed = ",".join(quote(one, safe="") for one in identifiers)
    query = f"service=WPS&request=DescribeProcess&version=1.0.0&identifier={listed}"
    return _with_query(url, query)


def lookup_address(template: str, reference: str) -> str:
    return template.replace("{reference}", quote(reference, safe=""))


def dismiss_address(handle: str) -> str:
    """GeoServer's vendor operation for a job with such a status address; "" for other servers."""
    parts = urlsplit(handle)
    query = parse_qsl(parts.query, keep_blank_values=True)
    changed = [
        (name, "Dismiss")
        if (name.lower(), value.lower()) == ("request", "getexecutionstatus")
        else (name, value)
        for name, value in query
    ]
    if changed == query:
        return ""
    return urlunsplit(parts._replace(query=urlencode(changed)))


def _with_query(url: str, query: str) -> str:
    base = service_address(url)
    return f"{base}&{query}" if "?" in base else f"{base}?{query}"
