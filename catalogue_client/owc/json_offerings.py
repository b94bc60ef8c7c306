"""Read offerings from the GeoJSON encoding; and the cursor over members that all parts use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from catalogue_client.owc import codes
from catalogue_client.owc.markup import element_of, is_xml
from catalogue_client.owc.model import Content, Offering, Operation, StyleSet


class Members:
    """Takes an object's members one after the other; what is left is extra.

    Attributes with "@" in front and a single object where a list belongs occur in loose dialects.
    """

    def __init__(self, value: dict[str, Any], source: str, issues: list[str], where: str) -> None:
        self.source = source
        self.issues = issues
        self.where = where
        self._left = dict(value)

    def peek(self, name: str) -> Any:
        """The member, left where it is."""
        return self._left.get(name)

    def take(self, *names: str) -> Any:
        """The first of these members that is there."""
        for name in names:
            for spelling in (name, f"@{name}"):
                if spelling in self._left:
                    return self._left.pop(spelling)
        return None

    def text(self, name: str) -> str:
        """A text; a number is taken as one."""
        value = self.take(name)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return ""
        return str(value).strip()

    def number(self, *names: str) -> float | None:
        """A number, also written as a text."""
        value = self.take(*names)
        try:
            number = float(value) if isinstance(value, int | float | str) else None
        except (ValueError, OverflowError):
            number = None
        return number if number is not None and math.isfinite(number) else None

    def boolean(self, name: str) -> bool | None:
        """True or false, also written as a text."""
        value = self.take(name)
        if isinstance(value, str):
            return {"true": True, "false": False}.get(value.strip().lower())
        return value if isinstance(value, bool) else None

    def objects(self, *names: str) -> list[dict[str, Any]]:
        """A list of objects; a single one stands for a list of one."""
        value = self.take(*names)
        members = value if isinstance(value, list) else [value]
        return [member for member in members if isinstance(member, dict)]

    def each(self, *names: str) -> list[Members]:
        """The same, each to be taken apart."""
        return [Members(o, self.source, self.issues, self.where) for o in self.objects(*names)]

    def inside(self, name: str) -> Members:
        """An object in this one; an empty one where there is none."""
        found = self.each(name)
        return found[0] if found else Members({}, self.source, self.issues, self.where)

    def href(self, name: str = "href") -> str:
        """An address, absolute where it is known relative to what; never a script."""
        text = self.text(name)
        if codes.is_script(text):
            self.issue("an address is a script and was left out")
            return ""
        return urljoin(self.source, text) if text and self.source else text

    def foreign(self) -> tuple[str, ...]:
        """XML elements that came from the other encoding."""
        value = self.take("foreign")
        return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()

    def rest(self) -> dict[str, Any]:
        """What nobody took and says something."""
        left, self._left = self._left, {}
        return {name: value for name, value in left.items() if value not in (None, "", [], {})}

    def issue(self, text: str) -> None:
        self.issues.append(f"{self.where}: {text}")

    def missing(self, what: str, instead: str) -> str:
        """Note that something is missing and give what stands for it."""
        self.issue(f"it has no {what}")
        return instead


def read_offering(document: Mapping[str, Any], *, source: str = "") -> Offering:
    """An offering alone, as `json_writer.offering_object` writes it."""
    return offering_of(Members(dict(document), source, [], "the offering"))


def offering_of(parts: Members) -> Offering:
    """A member of `offerings`."""
    found: dict[str, Any] = {
        "code": codes.canonical(parts.text("code")),
        "operations": tuple(_operation(m) for m in parts.each("operations", "operation")),
        "contents": tuple(c for m in parts.each("contents", "content") if (c := _content(m))),
        "styles": tuple(_style(m) for m in parts.each("styles", "styleSet")),
        "foreign": parts.foreign(),
    }
    return Offering(**found, extra=parts.rest())


def _operation(parts: Members) -> Operation:
    found: dict[str, Any] = {
        "code": parts.text("code"),
        "href": parts.href(),
        "method": parts.text("method").upper() or "GET",
        "type": parts.text("type"),
        "request": _content(parts.inside("request")),
        "result": _content(parts.inside("result")),
        "foreign": parts.foreign(),
    }
    return Operation(**found, extra=parts.rest())


def _style(parts: Members) -> StyleSet:
    found: dict[str, Any] = {
        "name": parts.text("name"),
        "title": parts.text("title"),
        "abstract": parts.text("abstract"),
        "default": bool(parts.boolean("default")),
        "legend_href": parts.href("legendURL"),
        "legend_type": parts.text("legendType"),
        "content": _content(parts.inside("content")),
        "foreign": parts.foreign(),
    }
    return StyleSet(**found, extra=parts.rest())


def _content(parts: Members) -> Content | None:
    """A payload; an empty object, which the drafts write for none, is none."""
    media_type, title, href = parts.text("type"), parts.text("title"), parts.href()
    inline = parts.take("content")
    if not (media_type or href or inline):
        return None
    text = inline if isinstance(inline, str) else None
    media_type = media_type or "application/octet-stream"
    markup = text is not None and is_xml(media_type) and element_of(text) is not None
    if href:
        return Content(media_type, href=href, title=title, extra=parts.rest())
    return Content(media_type, content=text or "", markup=markup, title=title, extra=parts.rest())
