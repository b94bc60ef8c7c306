"""Read offerings from the Atom encoding; and the cursor over children that all parts use."""

from __future__ import annotations

from typing import Any, overload
from urllib.parse import urljoin

from catalogue_client.owc import codes
from catalogue_client.owc.markup import Element, fragment, read_members
from catalogue_client.owc.model import Content, Offering, Operation, StyleSet
from common.xml import ATOM, OWC


class Reader:
    """Takes an element's children one kind after the other; what is left is foreign."""

    def __init__(self, element: Element, source: str, issues: list[str], where: str) -> None:
        self.element = element
        self.source = source
        self.issues = issues
        self.where = where
        self._left = [child for child in element if isinstance(child.tag, str)]

    def take(self, *names: str) -> list[Element]:
        """All children of these names, in order."""
        found = [child for child in self._left if child.tag in names]
        self._left = [child for child in self._left if child.tag not in names]
        return found

    @overload
    def one(self, name: str) -> Element | None: ...
    @overload
    def one(self, name: str, *, default: str) -> str | None: ...
    def one(self, name: str, *, default: str | None = None) -> Element | str | None:
        """The only child of this name; its text, if a `default` text is given."""
        found = self.take(name)
        if len(found) > 1:
            self.issue(f"{len(found)} elements {name.rpartition('}')[2]}; the first counts")
        if default is None:
            return found[0] if found else None
        return (found[0].text or default) if found else default

    def leaf(self, name: str, namespace: str = ATOM) -> str:
        """The text of the only child of this name."""
        return (self.one(f"{{{namespace}}}{name}", default="") or "").strip()

    def number(self, name: str) -> float | None:
        """The number in an owc child."""
        text = self.leaf(name, OWC)
        try:
            return float(text) if text else None
        except ValueError:
            self.issue(f"{name} is no number")
            return None

    def href(self, element: Element, name: str = "href") -> str:
        """An address, absolute where the document says relative to what; never a script."""
        text = (element.get(name) or "").strip()
        if codes.is_script(text):
            self.issue("an address is a script and was left out")
            return ""
        base = element.base or self.source
        return urljoin(base, text) if text and base else text

    def put_back(self, element: Element) -> None:
        """It is foreign after all."""
        self._left.append(element)

    def rest(self) -> tuple[str, ...]:
        """What nobody took."""
        left, self._left = self._left, []
        return tuple(fragment(child) for child in left)

    def issue(self, text: str) -> None:
        self.issues.append(f"{self.where}: {text}")

    def missing(self, what: str, instead: str) -> str:
        """Note that something is missing and give what stands for it."""
        self.issue(f"it has no {what}")
        return instead


def read_offering(element: Element, source: str, issues: list[str]) -> Offering:
    """An owc:offering."""
    code = codes.canonical(element.get("code") or "")
    parts = Reader(element, source, issues, f"offering {codes.token(code)}")
    return Offering(
        code=code,
        operations=tuple(_operation(parts, e) for e in parts.take(f"{{{OWC}}}operation")),
        contents=tuple(_content(parts, e) for e in parts.take(f"{{{OWC}}}content")),
        styles=tuple(_style(parts, e) for e in parts.take(f"{{{OWC}}}styleSet")),
        **_unknown(parts, ("code",)),
    )


def _operation(parts: Reader, element: Element) -> Operation:
    inside = Reader(element, parts.source, parts.issues, parts.where)
    request, result = (inside.one(f"{{{OWC}}}{name}") for name in ("request", "result"))
    return Operation(
        code=element.get("code") or "",
        href=parts.href(element),
        method=(element.get("method") or "GET").upper(),
        type=element.get("type") or "",
        request=None if request is None else _content(inside, request),
        result=None if result is None else _content(inside, result),
        **_unknown(inside, ("code", "href", "method", "type")),
    )


def _style(parts: Reader, element: Element) -> StyleSet:
    inside = Reader(element, parts.source, parts.issues, parts.where)
    legend, content = (inside.one(f"{{{OWC}}}{name}") for name in ("legendURL", "content"))
    return StyleSet(
        name=inside.leaf("name", OWC),
        title=inside.leaf("title", OWC),
        abstract=inside.leaf("abstract", OWC),
        default=element.get("default") in ("true", "1"),
        legend_href="" if legend is None else parts.href(legend),
        legend_type="" if legend is None else legend.get("type") or "",
        content=None if content is None else _content(inside, content),
        **_unknown(inside, ("default",)),
    )


def _content(parts: Reader, element: Element) -> Content:
    members = read_members(element, ("type", "href"))
    title = members.pop("title", "")
    given: dict[str, Any] = {"type": element.get("type") or "application/octet-stream"}
    given |= {"title": title if isinstance(title, str) else "", "extra": members}
    href = parts.href(element)
    if href:
        return Content(href=href, **given)
    inside = [child for child in element if isinstance(child.tag, str)]
    if len(inside) == 1:
        return Content(content=fragment(inside[0]), markup=True, **given)
    if inside:
        parts.issue("a content has several elements; they are kept as text")
        return Content(content="".join(fragment(child) for child in inside), **given)
    return Content(content=element.text or "", **given)


def _unknown(parts: Reader, known: tuple[str, ...]) -> dict[str, Any]:
    extra = read_members(parts.element, known)
    kept_out = extra.pop("foreign", [])
    pieces = [p for p in kept_out if isinstance(p, str)] if isinstance(kept_out, list) else []
    return {"extra": extra, "foreign": (*parts.rest(), *pieces)}
