"""What every WPS 1.0.0 document is built of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from common.xml import WPS1, E, Element, name, only_xml
from providers.process import Metadata
from wps_proxy.elements import HREF, LINK_ROLE, LINK_TITLE, uri

PROCESS_VERSION = name(WPS1, "processVersion")


def brief(identifier: str, title: str, abstract: str) -> Iterator[Element]:
    """Identifier, title (required by the schema), abstract."""
    yield E.ows.Identifier(only_xml(identifier))
    yield E.ows.Title(only_xml(title or identifier))
    if abstract:
        yield E.ows.Abstract(only_xml(abstract))


def more(
    keywords: Sequence[str], metadata: Sequence[Metadata], notes: Sequence[str] = ()
) -> Iterator[Element]:
    """What comes after the abstract: metadata; and as such keywords and notes, for which the
    schema has no element."""
    for one in metadata:
        links = {HREF: uri(one.href), LINK_ROLE: uri(one.role), LINK_TITLE: only_xml(one.title)}
        if told := {name: value for name, value in links.items() if value}:
            yield E.ows.Metadata(told)
    if keywords:
        yield E.ows.Metadata({LINK_TITLE: only_xml("Keywords: " + ", ".join(keywords))})
    for note in notes:
        yield E.ows.Metadata({LINK_TITLE: only_xml(note)})


def process_version(version: str) -> dict[str, str]:
    """The attribute for the version of a process, which the schema requires."""
    return {PROCESS_VERSION: only_xml(version) or "1.0.0"}
