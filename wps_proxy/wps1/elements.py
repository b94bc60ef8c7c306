"""What every WPS 1.0.0 document is built of, and values made fit for its schema.

Titles, formats and units come from providers, who are not bound to the schema; the portal is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from common.xml import WPS1, XLINK, XML, E, Element, name, only_xml

LANG = name(XML, "lang")
PROCESS_VERSION = name(WPS1, "processVersion")
HREF = name(XLINK, "href")
LINK_TITLE = name(XLINK, "title")

_MEDIA_TYPE = re.compile(r"(application|audio|image|text|video|message|multipart|model)/\S.*")
# RFC 3986 without IPv6 hosts: an absolute URI, or a relative one with no colon in its first part.
_CHARACTER = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_URI = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*:(?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?=[/?#]|$)|(?!//))"
    r"|(?![^/?#]*:|//))"
    rf"(?:{_CHARACTER}|/)*(?:\?(?:{_CHARACTER}|[/?])*)?(?:#(?:{_CHARACTER}|[/?])*)?"
)


def uri(value: str) -> str:
    """A value where the schema wants an xs:anyURI: what is none, such as the unit %, is escaped."""
    value = only_xml(value).strip()
    return value if _URI.fullmatch(value) else quote(value, safe="")


def media_type(value: str) -> str:
    """A media type that ows:MimeType allows; "" for anything else."""
    value = only_xml(value).strip()
    return value if _MEDIA_TYPE.fullmatch(value) else ""


def encoding_attributes(given: str, encoding: str, schema: str) -> dict[str, str]:
    """mimeType, encoding and schema, as far as they are known."""
    known = {"mimeType": media_type(given), "encoding": uri(encoding), "schema": uri(schema)}
    return {attribute: value for attribute, value in known.items() if value}


def brief(identifier: str, title: str, abstract: str) -> Iterator[Element]:
    """Identifier, title (required by the schema), abstract."""
    yield E.ows.Identifier(only_xml(identifier))
    yield E.ows.Title(only_xml(title or identifier))
    if abstract:
        yield E.ows.Abstract(only_xml(abstract))


def process_version(version: str) -> dict[str, str]:
    """The attribute for the version of a process, which the schema requires."""
    return {PROCESS_VERSION: only_xml(version) or "1.0.0"}


def boolean(value: bool) -> str:
    """An xs:boolean."""
    return "true" if value else "false"
