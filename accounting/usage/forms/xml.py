"""XML messages: usage records of CAR, StAR and OGF, told apart by their namespace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lxml import etree

from accounting.usage.forms import car_summary, compute, ogf2, storage
from accounting.usage.forms.elements import Elements
from accounting.usage.forms.entry import Document, Entry, Form, Warnings, distinct
from accounting.usage.records import reject, shown
from common.xml import Element, XmlRefused, local_name, parse


@dataclass(frozen=True, slots=True)
class Kind:
    """The records of a namespace: their elements, and what brings one to values of a form."""

    name: str
    elements: tuple[str, ...]
    take: Callable[[Elements], Form]


# Another form is another row.
NAMESPACES: dict[str, Kind] = {
    "http://eu-emi.eu/namespaces/2012/11/computerecord": Kind(
        "car", ("UsageRecord",), compute.take_car
    ),
    "http://eu-emi.eu/namespaces/2012/11/aggregatedcomputerecord": Kind(
        "car-summary", ("SummaryRecord",), car_summary.take
    ),
    "http://eu-emi.eu/namespaces/2011/02/storagerecord": Kind(
        "star", ("StorageUsageRecord",), storage.take
    ),
    "http://schema.ogf.org/urf/2003/09/urf": Kind(
        "ogf-1.0", ("JobUsageRecord", "UsageRecord"), compute.take_ogf
    ),
    "http://schema.ogf.org/urf/2013/04/urf": Kind("ogf-2.0", ("UsageRecord",), ogf2.take),
}


def read(body: bytes, warnings: Warnings) -> Document:
    """The records of a document, or the one that it is. Raises UsageRejected for any other."""
    try:
        root = parse(body, what="the message")
    except XmlRefused as error:
        raise reject(max(error.line, 1), " ".join(error.detail.split())) from error
    name, namespace = local_name(root), etree.QName(root).namespace or ""
    kind = NAMESPACES.get(namespace)
    if kind is None:
        reason = f"{shown(name)} is of none of the known namespaces: {', '.join(NAMESPACES)}"
        raise reject(root.sourceline or 1, reason)
    found = [root] if name in kind.elements else _children(root, namespace, kind, warnings)
    if not found and len(root):
        raise reject(root.sourceline or 1, f"has no element {' or '.join(kind.elements)}")
    return Document(f"{name} {namespace}", kind.name, _entries(found, kind, namespace, warnings))


def _children(root: Element, namespace: str, kind: Kind, warnings: Warnings) -> list[Element]:
    names = {f"{{{namespace}}}{name}" for name in kind.elements}
    found = []
    for child in root:
        if child.tag in names:
            found.append(child)
        else:
            warnings.add(child.sourceline or 1, local_name(child), "is no usage record; left out")
    return found


def _entries(
    found: list[Element], kind: Kind, namespace: str, warnings: Warnings
) -> Iterator[Entry]:
    lines = distinct([element.sourceline or 1 for element in found])
    for line, element in zip(lines, found, strict=True):
        elements = Elements(element, namespace)
        form = kind.take(elements)
        yield Entry(form, line, elements.values, _Origin(element, line, elements.lines), warnings)


@dataclass(frozen=True, slots=True)
class _Origin:
    element: Element
    line: int
    lines: dict[str, int] = field(default_factory=dict)

    def line_of(self, key: str) -> int:
        return self.lines.get(key, self.line)

    def text(self) -> str:
        return str(etree.tostring(self.element, encoding="unicode", with_tail=False))
