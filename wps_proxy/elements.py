"""Values made fit for the schemas of both versions.

Titles, formats and units come from providers, who are not bound to the schemas; the portal is.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from common.errors import InvalidInput
from common.xml import XLINK, XML, Element, name, only_xml, parse
from providers.process import ComplexValue

LANG = name(XML, "lang")
HREF = name(XLINK, "href")
LINK_ROLE = name(XLINK, "role")
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


def boolean(value: bool) -> str:
    """An xs:boolean."""
    return "true" if value else "false"


def is_xml(given: str) -> bool:
    """Whether a media type is one of XML."""
    kind = given.partition(";")[0].strip().lower()
    return kind.endswith(("/xml", "+xml"))


def fill(element: Element, value: ComplexValue) -> Element:
    """Put a document into an element: XML as an element, so that clients can read it in place;
    everything else, and what is not well-formed, as text."""
    if is_xml(value.media_type) and not value.encoding:
        try:
            element.append(parse(value.data.encode()))
        except InvalidInput:
            element.text = only_xml(value.data)
    else:
        element.text = only_xml(value.data)
    return element
