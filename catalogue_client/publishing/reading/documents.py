"""Which form a document has, and what it says of files."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urljoin

from django.utils.translation import gettext as _

from catalogue_client.publishing.reading import feeds, metalink, objects
from catalogue_client.publishing.reading.found import File, Reading
from common.errors import InvalidInput
from common.xml import ATOM, XLINK, Element, parse

MOST_BYTES = 8 * 2**20  # of one document
_ADDRESS = re.compile(r"https?://[^\s<>\"]{1,2000}")


def read(data: bytes, *, source: str = "") -> Reading | None:
    """What the document says; None when it is no document of this kind, but a result itself.

    Relative addresses are completed with `source`. Raises InvalidInput for a document that is
    one of these and cannot be read.
    """
    if len(data) > MOST_BYTES:
        return None
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return _xml(data, source)
    if start.startswith((b"{", b"[")):
        return _json(data, source)
    text = data[:4096].decode(errors="replace").strip()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    if lines and len(data) <= 4096 and all(_ADDRESS.fullmatch(line.strip()) for line in lines):  # noqa: PLR2004
        return Reading(tuple(File(line.strip()) for line in lines))
    return None


def _xml(data: bytes, source: str) -> Reading | None:
    root = parse(data, what=_("the output"))
    name = _name(root)
    if root.tag in (f"{{{ATOM}}}feed", f"{{{ATOM}}}entry"):
        return feeds.read(data, source)
    if name == "metalink":
        return metalink.read(root, source)
    if name == "OpenSearchDescription":
        return Reading(search=True)
    if name in ("Reference", "ComplexData", "Data"):
        return _references(root, source)
    return None


def _references(root: Element, source: str) -> Reading | None:
    """`wps:Reference` where data were expected; its href with the XLink prefix or without."""
    found = []
    for element in root.iter():
        href = element.get(f"{{{XLINK}}}href") or element.get("href") or ""
        if _name(element) == "Reference" and href:
            kind = element.get("mimeType") or element.get("format") or ""
            found.append(File(urljoin(source, href.strip()), media_type=kind))
    return Reading(tuple(found)) if found else None


def _json(data: bytes, source: str) -> Reading | None:
    try:
        document: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None  # damaged, or no JSON at all: a result like any other
    try:
        return objects.read(document, source)
    except RecursionError:
        raise InvalidInput(_("The document is nested too deeply.")) from None


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
