"""Atom and OWS Context feeds of results, as leniently as centres write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin

from catalogue_client.owc import Link, Resource, dates, read_atom
from catalogue_client.publishing.reading.found import (
    LONGEST_TITLE,
    Entry,
    File,
    Reading,
    place,
    size,
)

# Last parts of offering codes whose content is a picture of the result.
PICTURES = frozenset({"png", "img", "jpg", "jpeg", "gif"})
_IDENTIFIER = re.compile(r"<(?:\w+:)?identifier\b[^>]*>\s*([^<]{1,255}?)\s*</")


def read(data: bytes, source: str) -> Reading:
    """The files of all entries. Raises InvalidInput."""
    context = read_atom(data, source=source)
    files: list[File] = []
    for resource in context.resources:
        files += _files(resource, source)
    return Reading(tuple(files))


def _files(resource: Resource, source: str) -> Iterator[File]:
    entry = _entry(resource)
    known = set()
    for link in resource.links:
        if link.rel in ("enclosure", "icon"):
            known.add(urljoin(source, link.href))
            yield _file(link, entry, source)
    for offering in resource.offerings:
        role = "thumbnail" if offering.token in PICTURES else "data"
        for content in offering.contents:
            href = urljoin(source, content.href) if content.href else ""
            if href and href not in known:
                known.add(href)
                yield File(href, entry.title, content.type, role=role, entry=entry)


def _file(link: Link, entry: Entry, source: str) -> File:
    role = "thumbnail" if link.rel == "icon" else "data"
    title = (link.title or entry.title)[:LONGEST_TITLE]
    return File(
        urljoin(source, link.href), title, link.type, size(link.length), role=role, entry=entry
    )


def _entry(resource: Resource) -> Entry:
    shape, box = place(resource.geometry)
    start, end = dates.interval(resource.date) or (None, None)
    return Entry(
        _identifier(resource),
        resource.title.value[:LONGEST_TITLE],
        shape,
        box,
        start or end,
        end or start,
        tuple(link.href for link in resource.linked("via")),
    )


def _identifier(resource: Resource) -> str:
    """`dc:identifier`, by which the centre knows the entry; else the entry's id."""
    for element in resource.foreign:
        if found := _IDENTIFIER.match(element):
            return found[1]
    return resource.id[:LONGEST_TITLE]
