"""An XML record as values under keys: what CAR, StAR and OGF have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from accounting.usage.forms.values import NULLS
from common.xml import Element, text_of


@dataclass(frozen=True, slots=True)
class Elements:
    """The element of a record, and the values that were found in it, each with its line.

    Elements and attributes are found by namespace, never by prefix; an attribute also without any.
    """

    root: Element
    namespace: str
    values: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def children(self, parent: Element) -> Iterator[tuple[str, Element]]:
        """The children in this namespace; those of others are extensions, and not for us."""
        prefix = f"{{{self.namespace}}}"
        for child in parent:
            if child.tag.startswith(prefix):
                yield child.tag[len(prefix) :], child

    def attribute(self, element: Element, name: str) -> str:
        return (element.get(f"{{{self.namespace}}}{name}") or element.get(name) or "").strip()

    def put(self, key: str, element: Element, value: str | None = None) -> None:
        """Take a value (the element's text) under a key, unless it is none."""
        value = " ".join((text_of(element) if value is None else value).split())
        if value not in NULLS:
            self.values[key] = value
            self.lines[key] = element.sourceline or 1

    def put_attributes(self, element: Element, keys: Mapping[str, str]) -> None:
        """Take attributes: name → key."""
        for name, key in keys.items():
            self.put(key, element, self.attribute(element, name))
