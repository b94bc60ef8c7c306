"""The description document: templates, their parameters named by extension and not by prefix."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from common.xml import Element, local_name

# Extension → the prefix under which its parameters are known here; "" for the core.
_KNOWN = {"geo": "geo", "time": "time", "eo": "eo", "opensearch": "", "": ""}
# What pycsw writes where it means "%2B".
_ESCAPED_TWICE = re.compile(r"%(?=%[0-9A-Fa-f]{2})")
_PLACEHOLDER = re.compile(r"\{([^{}?]{1,100})(\??)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """An address with `{name}` or `{name?}` in it, names in the form `geo:box`."""

    template: str
    media_type: str
    rels: tuple[str, ...] = ("results",)
    first_index: int = 1
    first_page: int = 1

    @property
    def names(self) -> frozenset[str]:
        return frozenset(found[1] for found in _PLACEHOLDER.finditer(self.template))

    @property
    def required(self) -> frozenset[str]:
        return frozenset(one[1] for one in _PLACEHOLDER.finditer(self.template) if not one[2])

    def filled(self, values: Mapping[str, str]) -> str:
        """The address with these values. Optional parameters without one are left out whole;
        required ones become empty, but a wildcard for the words."""
        base, mark, query = self.template.partition("?")
        pairs = [pair for pair in query.split("&") if self._is_given(pair, values)]
        written = "&".join(_filled(pair, values) for pair in pairs)
        return f"{_filled(base, values)}{mark}{written}"

    def _is_given(self, pair: str, values: Mapping[str, str]) -> bool:
        found = list(_PLACEHOLDER.finditer(pair))
        return not found or any(not one[2] or values.get(one[1]) for one in found)


def templates_in(root: Element) -> list[Template]:
    """The templates for answers that can be read, Atom first."""
    found = []
    for url in root.iter():
        if local_name(url) != "Url" or not url.get("template"):
            continue
        rels = tuple((url.get("rel") or "results").split())
        kind = (url.get("type") or "").partition(";")[0].strip().lower()
        method = next((v for k, v in url.attrib.items() if str(k).endswith("}method")), "GET")
        if kind in READABLE and str(method).upper() == "GET":
            found.append(
                Template(
                    _canonical(url),
                    kind,
                    rels,
                    _number(url.get("indexOffset")),
                    _number(url.get("pageOffset")),
                )
            )
    return sorted(found, key=lambda one: READABLE.index(one.media_type))


READABLE = (
    "application/atom+xml",
    "application/geo+json",
    "application/vnd.geo+json",
    "application/json",
)


def _canonical(url: Element) -> str:
    """The template with every parameter named by its extension."""
    text = _ESCAPED_TWICE.sub("", str(url.get("template")).replace("&amp;", "&"))

    def named(found: re.Match[str]) -> str:
        prefix, colon, local = found[1].rpartition(":")
        extension = _extension(str(url.nsmap.get(prefix) or "")) if colon else ""
        if extension not in _KNOWN:
            return f"{{{extension}:{local}{found[2]}}}"
        known = _KNOWN[extension]
        return f"{{{known}:{local}{found[2]}}}" if known else f"{{{local}{found[2]}}}"

    return _PLACEHOLDER.sub(named, text)


def _extension(namespace: str) -> str:
    """The last part of an extension's address, without its version."""
    parts = [part for part in namespace.rstrip("/").split("/") if part]
    while parts and re.fullmatch(r"v?[\d.]+", parts[-1]):
        parts.pop()
    return parts[-1].lower() if parts else ""


def _filled(text: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        return quote(values.get(found[1], "*" if found[1] == "searchTerms" else ""), safe=",")

    return _PLACEHOLDER.sub(value, text)


def _number(text: str | None) -> int:
    return int(text) if text in ("0", "1") else 1
