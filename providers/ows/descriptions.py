"""Parts of process descriptions that WPS 1.0.0 and 2.0 have in common (OWS Common, 06-121)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.xml import Element
from providers.addresses import foreign, without_own_addresses
from providers.ows.documents import attribute, child, children, text
from providers.ports import Endpoint
from providers.process import (
    DataType,
    Format,
    InputDescription,
    Metadata,
    OutputDescription,
    ProcessSummary,
    ValueRange,
)

# Above this an input counts as unbounded; no form or request gets near it.
MOST_OCCURRENCES = 1000
MOST_IDENTIFIER = 255
MOST_LISTED = 200  # keywords and metadata of one thing

_UNSIGNED = ("unsignedlong", "unsignedint", "unsignedshort", "unsignedbyte")
_SIGNS = {
    **dict.fromkeys(("nonnegativeinteger", *_UNSIGNED), ValueRange(minimum="0")),
    "positiveinteger": ValueRange(minimum="1"),
    "nonpositiveinteger": ValueRange(maximum="0"),
    "negativeinteger": ValueRange(maximum="-1"),
}
_TYPES: dict[str, DataType] = {
    "boolean": "boolean",
    "bool": "boolean",
    "date": "date",
    "datetime": "dateTime",
    "time": "time",
    "anyuri": "anyURI",
    "uri": "anyURI",
    **dict.fromkeys(("float", "double", "decimal", "number", "angle", "scale"), "double"),
    **dict.fromkeys(("integer", "int", "long", "short", "byte", "biginteger"), "integer"),
    **dict.fromkeys(_SIGNS, "integer"),
}
_CREDENTIALS = re.compile(r"://[^/\s]*@")
_CLOSURES = frozenset({"closed", "open", "open-closed", "closed-open"})

Put = TypeVar("Put", InputDescription, OutputDescription)


def usable(identifier: str) -> bool:
    """Whether it can stand in an address, and tell nobody how to log in at a provider.

    One with a line break would fail every page with it; users send identifiers letter by letter.
    """
    if _CREDENTIALS.search(identifier):
        return False
    return 0 < len(identifier) <= MOST_IDENTIFIER and identifier.isprintable()


def summaries(
    elements: Iterable[Element], summary: Callable[[Element, str], ProcessSummary]
) -> tuple[tuple[ProcessSummary, ...], tuple[str, ...]]:
    """What is offered, and what is to be said of entries that cannot be."""
    found, bad = [], 0
    for element in elements:
        identifier = text(element, "Identifier")
        if usable(identifier):
            found.append(summary(element, identifier))
        else:
            bad += 1
    sentence = ngettext(
        "%(n)s process has no usable identifier and is left out.",
        "%(n)s processes have no usable identifier and are left out.",
        bad,
    )
    return tuple(found), ((sentence % {"n": bad},) if bad else ())


def titles(element: Element, identifier: str, endpoint: Endpoint) -> dict[str, Any]:
    """Identifier, title, abstract, keywords and metadata of a process, an input or an output."""
    return {
        "identifier": identifier,
        "title": without_own_addresses(text(element, "Title"), endpoint) or identifier,
        "abstract": without_own_addresses(text(element, "Abstract"), endpoint),
        "keywords": keywords(element, endpoint),
        "metadata": _metadata(element, endpoint),
    }


def keywords(element: Element | None, endpoint: Endpoint) -> tuple[str, ...]:
    """ows:Keywords, of which there may be several lists; some servers leave the list out."""
    listed = [one for group in children(element, "Keywords") for one in children(group, "Keyword")]
    words = (text(one) for one in (*listed, *children(element, "Keyword")))
    kept = (without_own_addresses(word, endpoint) for word in words if word)
    return tuple(dict.fromkeys(kept))[:MOST_LISTED]


def _metadata(element: Element, endpoint: Endpoint) -> tuple[Metadata, ...]:
    """ows:Metadata at addresses of others; what points into the provider is left out."""
    found = []
    for one in children(element, "Metadata"):
        href, role = attribute(one, "href"), attribute(one, "role")
        title = without_own_addresses(attribute(one, "title") or text(one), endpoint)
        kept = Metadata(title, public_address(href, endpoint), foreign(role, endpoint))
        if (not href and title) or kept.href:
            found.append(kept)
    return tuple(dict.fromkeys(found))[:MOST_LISTED]


def public_address(href: str, endpoint: Endpoint) -> str:
    """An http(s) address or a URN that is not the provider's own; else ""."""
    return foreign(href, endpoint) if re.match(r"https?://|urn:", href, re.IGNORECASE) else ""


def once(found: list[Put], warnings: list[str]) -> tuple[Put, ...]:
    """The first of each identifier: some centres offer one input twice, in two types."""
    by_identifier: dict[str, Put] = {}
    for one in found:
        if not usable(one.identifier):
            warnings.append(_("An input or output without a usable identifier is left out."))
        elif one.identifier in by_identifier:
            sentence = _("“%(name)s” is described more than once; the first one counts.")
            warnings.append(sentence % {"name": one.identifier})
        else:
            by_identifier[one.identifier] = one
    return tuple(by_identifier.values())


def occurrences(element: Element) -> tuple[int, int | None]:
    """How often an input must and may be given; None for as often as one likes."""
    low = _count(attribute(element, "minOccurs"))
    high = attribute(element, "maxOccurs").lower()
    most = None if high == "unbounded" else max(_count(high), low, 1)
    return min(low, MOST_OCCURRENCES), None if most is None or most > MOST_OCCURRENCES else most


def _count(number: str) -> int:
    """A count of occurrences; 1 when it is missing or no number, as the standard's habit is."""
    return int(number) if re.fullmatch(r"\d{1,18}", number, re.ASCII) else 1


def megabytes(number: str) -> int | None:
    return int(number) if re.fullmatch(r"\d{1,9}", number, re.ASCII) else None


def format_of(media_type: str, encoding: str, schema: str, endpoint: Endpoint) -> Format:
    return Format(
        foreign(media_type, endpoint) or "application/octet-stream",
        "base64" if encoding.lower() == "base64" else foreign(encoding, endpoint),
        foreign(schema, endpoint),
    )


def data_type(element: Element | None) -> tuple[DataType, str]:
    """XSD names stand in URIs, URNs, with a prefix or bare: the last word of either spelling."""
    for spelling in (attribute(element, "reference"), text(element)):
        words = re.findall(r"[A-Za-z]+", spelling)
        if words and words[-1].lower() in _TYPES:
            return _TYPES[words[-1].lower()], words[-1].lower()
    return "string", "string"


def allowed(element: Element | None, word: str) -> tuple[tuple[str, ...], tuple[ValueRange, ...]]:
    """Values and ranges of ows:AllowedValues; `word` is the XSD type, which may have a sign."""
    values = (text(one) for one in children(element, "Value"))
    ranges = tuple(_range(one) for one in children(element, "Range"))
    listed = tuple(dict.fromkeys(value for value in values if value))
    if not ranges and not listed and word in _SIGNS:
        ranges = (_SIGNS[word],)
    return listed, ranges


def values_reference(element: Element | None, endpoint: Endpoint) -> str:
    """Where the allowed values are listed (ows:ValuesReference), unless the provider is in it."""
    reference = child(element, "ValuesReference")
    return public_address(attribute(reference, "reference", "href") or text(reference), endpoint)


def uom(element: Element, endpoint: Endpoint) -> str:
    named = text(element) or re.split(r"[/#:]", attribute(element, "reference"))[-1]
    return foreign(named, endpoint)


def _range(element: Element) -> ValueRange:
    closure = attribute(element, "rangeClosure")
    return ValueRange(
        minimum=_bound(element, "MinimumValue"),
        maximum=_bound(element, "MaximumValue"),
        closure=closure if closure in _CLOSURES else "closed",
        spacing=text(element, "Spacing") or None,
    )


def _bound(element: Element, name: str) -> str | None:
    """An infinite bound is none."""
    bound = text(element, name)
    return bound if bound.lower().lstrip("+-") not in ("", "inf", "infinity") else None
