"""Status addresses of WPS 1.0.0 and what can be read from them."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

_ID_PARAMETERS = ("executionid", "jobid", "id", "sid")


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


def remote_id(location: str) -> str:
    """The provider's own identifier of a job, as its usage records name it; if it is not in the
    status address in any known way, the address itself.

    Only for matching records: the whole status address is what a job is followed by.
    """
    try:
        parts = urlsplit(location)
    except ValueError:
        return location[:255]
    query = {name.lower(): value for name, value in parse_qsl(parts.query)}
    zoo = re.search(r"(?:^|;)sid=([^;@]+)", query.get("datainputs", ""), re.IGNORECASE)
    if zoo:
        return zoo[1][:255]
    for name in _ID_PARAMETERS:
        if query.get(name):
            return query[name][:255]
    jobs = re.search(r"/jobs/([^/]+)", parts.path)
    if jobs:
        return unquote(jobs[1])[:255]
    last = parts.path.rpartition("/")[2]
    if last.lower().endswith(".xml"):
        return unquote(last[:-4]).removeprefix("pywps-")[:255]
    return location[:255]
