"""What every WPS 2.0 document is built of. Unlike in 1.0.0, titles come before identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lxml.builder import ElementMaker

from common.xml import OWS20, WPS2, XLINK, Element, only_xml
from providers.process import Metadata
from wps_proxy.elements import HREF, LINK_ROLE, LINK_TITLE, uri

_NAMES = {"wps": WPS2, "ows": OWS20, "xlink": XLINK}
WPS = ElementMaker(namespace=WPS2, nsmap=_NAMES)
OWS = ElementMaker(namespace=OWS20, nsmap=_NAMES)
PLAIN = ElementMaker()  # the schema has LiteralDataDomain in no namespace

# The portal waits for whoever does not, follows every run, keeps the job when the run is dismissed.
JOB_CONTROL = "sync-execute async-execute dismiss"
TRANSMISSION = "value reference"

_VERSION = re.compile(r"\d+\.\d?\d\.\d?\d", re.ASCII)


def described(
    identifier: str,
    title: str,
    abstract: str,
    keywords: Sequence[str] = (),
    metadata: Sequence[Metadata] = (),
) -> Iterator[Element]:
    """Title, abstract, keywords, identifier, metadata: the parts of wps:DescriptionType."""
    yield OWS.Title(only_xml(title or identifier))
    if abstract:
        yield OWS.Abstract(only_xml(abstract))
    if keywords:
        yield OWS.Keywords(*(OWS.Keyword(only_xml(one)) for one in keywords))
    yield OWS.Identifier(only_xml(identifier))
    for one in metadata:
        links = {HREF: uri(one.href), LINK_ROLE: uri(one.role), LINK_TITLE: only_xml(one.title)}
        if told := {name: value for name, value in links.items() if value}:
            yield OWS.Metadata(told)


def properties(version: str) -> dict[str, str]:
    """How a process can be run; its version where the schema has a way to say it."""
    told = {"jobControlOptions": JOB_CONTROL, "outputTransmission": TRANSMISSION}
    if shown := _version(version):
        told["processVersion"] = shown
    return told


def _version(version: str) -> str:
    """`1.2` is `1.2.0`; what has no such form cannot be said."""
    parts = version.strip().split(".")
    padded = ".".join([*parts, "0", "0"][: max(3, len(parts))])
    return padded if _VERSION.fullmatch(padded) else ""
