"""The process list (18-062r2 §7.9), as capabilities."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.errors import ProviderNonsense
from providers.drivers.ogcapi.addressing import own
from providers.drivers.ogcapi.documents import keywords, links, public, read, text
from providers.ows.descriptions import usable
from providers.ports import Endpoint
from providers.process import ProcessSummary

# pygeoapi shows no more unless its configuration says so, and no way to the rest.
CUT_AT = 10


def parse_list(data: bytes, endpoint: Endpoint) -> tuple[list[ProcessSummary], int]:
    """The processes on one page, and how many entries have no usable identifier.

    Raises ProviderNonsense.
    """
    said = read(data)
    listed = said.get("processes") if isinstance(said, dict) else said
    if not isinstance(listed, list):
        raise ProviderNonsense(_("This is no OGC API – Processes: there is no list of processes."))
    entries = [one for one in listed if isinstance(one, dict)]
    found = [_summary(one, endpoint) for one in entries if usable(text(one, "id"))]
    return found, len(listed) - len(found)


def _summary(entry: dict[str, Any], endpoint: Endpoint) -> ProcessSummary:
    identifier = text(entry, "id")
    return ProcessSummary(
        identifier=identifier,
        title=public(entry, endpoint, "title") or identifier,
        abstract=public(entry, endpoint, "description", "abstract"),
        version=public(entry, endpoint, "version")[:100],
        keywords=keywords(entry.get("keywords"), endpoint),
    )


def next_page(data: bytes, endpoint: Endpoint, base: str) -> str:
    """Where the list goes on, at the provider; "" at its end."""
    for link in links(read(data)):
        if text(link, "rel") == "next":
            return own(endpoint, text(link, "href"), base)
    return ""


def warnings(count: int, unusable: int, *, paged: bool) -> tuple[str, ...]:
    """What is to be said of a list to the provider's owner."""
    found = []
    if unusable:
        sentence = ngettext(
            "%(n)s process has no usable identifier and is left out.",
            "%(n)s processes have no usable identifier and are left out.",
            unusable,
        )
        found.append(sentence % {"n": unusable})
    if count == CUT_AT and not paged:
        found.append(
            _(
                "The list ends after %(n)s processes. If there are more, let the server list them "
                "all (pygeoapi: server.limits.max_items)."
            )
            % {"n": CUT_AT}
        )
    return tuple(found)
