"""Where an entry of another catalogue can be looked at, as it says itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from catalogue_client.offerings import of_document
from catalogue_client.sources.ports import Record
from catalogue_client.sources.records import web_address

MOST = 6
LONGEST_LABEL = 60
HTML = "text/html"


def opened_in(record: Record) -> list[tuple[str, str]]:
    """Label and address of pages that show it: its links `preview`, and offerings of viewers."""
    found: dict[str, str] = {}
    for label, href in _named(record):
        address = web_address(href)
        if address and len(found) < MOST:
            host = urlsplit(address).netloc.rpartition("@")[2]
            found.setdefault(address, (label.strip() or host)[:LONGEST_LABEL])
    return [(label, address) for address, label in found.items()]


def _named(record: Record) -> Iterator[tuple[str, object]]:
    for link in record.document["links"]:
        if link.get("rel") == "preview" and _is_page(link):
            yield str(link.get("title") or ""), link["href"]
    for offering in of_document(record.document, record.bbox):
        for operation in offering.operations:
            page = operation.type.startswith(HTML) and operation.method == "GET"
            if page and operation.code in ("View", "Open"):
                yield offering.token, operation.href


def _is_page(link: Mapping[str, Any]) -> bool:
    return str(link.get("type") or "").startswith(HTML)
