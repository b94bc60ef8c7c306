"""Metalinks: version 4 (RFC 5854) and version 3."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from catalogue_client.publishing.reading.found import (
    LONGEST_TITLE,
    File,
    Reading,
    sha256,
    size,
)
from common.xml import Element

_LAST = 999_999  # the priority of what names none (RFC 5854 §4.2.16.1)


def read(root: Element, source: str) -> Reading:
    """The files; feeds among them are further documents, which say more of the others."""
    files, feeds = [], []
    for element in root.iter():
        if _name(element) != "file":
            continue
        href = _href(element, source)
        if not href:
            continue
        if urlsplit(href).path.lower().endswith(".atom"):
            feeds.append(href)
        else:
            files.append(_file(element, href))
    return Reading(tuple(files), tuple(feeds))


def _file(element: Element, href: str) -> File:
    return File(
        href,
        (element.get("name") or "")[:LONGEST_TITLE],
        _text(element, "type") if "/" in _text(element, "type") else "",
        size(_text(element, "size")),
        next((sha256(h.text) for h in element.iter() if _is_sha256(h)), ""),
    )


def _href(element: Element, source: str) -> str:
    """The address that is to be preferred; mirrors are the same file."""
    found: list[tuple[int, int, int, str]] = []
    for url in element.iter():
        if _name(url) == "url" and (url.text or "").strip():
            href = urljoin(source, url.text.strip())
            # Version 4 counts from the first, version 3 from the best: 100.
            first = size(url.get("priority")) or _LAST
            best = size(url.get("preference")) or 0
            if href.startswith(("http://", "https://")):
                found.append((first, -best, len(found), href))
    return min(found)[3] if found else ""


def _is_sha256(element: Element) -> bool:
    kind = (element.get("type") or "").lower().replace("-", "")
    return _name(element) == "hash" and kind == "sha256"


def _text(element: Element, name: str) -> str:
    found = next((e for e in element if _name(e) == name), None)
    return (found.text or "").strip() if found is not None else ""


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
