"""A provider's addresses: which are its own, and how they are kept out of what users see."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

from providers.ports import Endpoint
from providers.process import InputValue

MOST_CHARACTERS = 500

_HIDDEN = "…"
# Bounded repetitions: the texts are a provider's, and no pattern may take long on any of them.
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://[^\s<>\"']+", re.IGNORECASE)
_INTERNAL = re.compile(
    r"""
      (?<![\w/.])/(?:[\w.@~+%=-]+/)+[\w.@~+%=-]*        # /srv/wps/run.py
    | (?<!\w)[a-zA-Z]:\\[^\s"'<>|]+ | \\\\[\w.-]+\\\S*      # C:\data\run.py, \\server\share
    | \b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b          # 10.0.0.7:5432
    | \[[0-9a-f]{0,4}:[0-9a-f:.]{1,45}\](?::\d{1,5})?     # [fd00::7]:5432
    | \b(?:[\w-]{1,63}\.){1,9}[\w-]{1,63}:\d{2,5}\b       # db.internal:5432
    | \blocalhost(?::\d{1,5})?\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
# PyWPS at its default log level puts the place in its source before the message.
_SOURCE_PLACE = re.compile(r"^method=\S+, line=\d+, msg=")


def host_of(url: str) -> str:
    """The host name of a URL in lower case, "" when there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_own(endpoint: Endpoint, href: str) -> bool:
    """Whether an http(s) address is on the provider's own host or one that an operator confirmed.

    Ports may differ: many servers keep results beside the service. Which ports may be called at
    all is the guard's question. A confirmed host may name a port (`data.example.org:8080`).
    """
    try:
        parts = urlsplit(href)
        port = parts.port
    except ValueError:
        return False
    host = (parts.hostname or "").rstrip(".")
    if not host or parts.scheme not in ("http", "https") or parts.username or parts.password:
        return False
    confirmed = {one.lower() for one in endpoint.extra_hosts}
    return host == host_of(endpoint.url) or host in confirmed or f"{host}:{port}" in confirmed


def public_text(text: str, endpoint: Endpoint, *, most: int = MOST_CHARACTERS) -> str:
    """The first line of a provider's message as a user may see it.

    Addresses, file paths and hosts are left out; at most `most` characters. The whole text belongs
    in the log.
    """
    line = next((part.strip() for part in text.splitlines() if part.strip()), "")
    line = _SOURCE_PLACE.sub("", line)[: 10 * most]
    line = _INTERNAL.sub(_HIDDEN, _URL.sub(_HIDDEN, line))
    return _cut(_without_hosts(line, endpoint), most)


def without_own_addresses(text: str, endpoint: Endpoint) -> str:
    """A title or abstract without the provider's own addresses; those of others may stay."""
    kept = _URL.sub(lambda m: _HIDDEN if is_own(endpoint, m.group()) else m.group(), text)
    return _without_hosts(kept, endpoint)


def foreign(address: str, endpoint: Endpoint) -> str:
    """The address of a schema, unless the provider is in it: users see the formats of values."""
    return address if without_own_addresses(address, endpoint) == address else ""


def public_value(value: InputValue, endpoint: Endpoint) -> InputValue:
    """A value without the provider in what describes it; the value itself and the address of its
    file stay as they are."""
    kept: dict[str, str] = {}
    for name in ("media_type", "encoding", "schema", "data_type", "uom", "crs"):
        said = getattr(value, name, "")
        if said and not foreign(said, endpoint):
            kept[name] = ""
    return replace(value, **kept) if kept else value  # type: ignore[arg-type]


def _without_hosts(text: str, endpoint: Endpoint) -> str:
    hosts = {
        host_of(endpoint.url),
        *(one.lower().partition(":")[0] for one in endpoint.extra_hosts),
    }
    for host in sorted(filter(None, hosts), key=len, reverse=True):
        text = re.sub(rf"(?<![\w.-]){re.escape(host)}(?::\d+)?(?![\w-])", _HIDDEN, text, flags=re.I)
    return text


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
