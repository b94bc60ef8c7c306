"""What is different between two descriptions of a process, for people to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    Format,
    InputDescription,
    LiteralDomain,
    Metadata,
    OutputDescription,
    ProcessDescription,
    ValueRange,
)

MOST_TEXT = 2000
MOST_DIFFERENCES = 500

Put = InputDescription | OutputDescription
Domain = LiteralDomain | ComplexDomain | BoundingBoxDomain


@dataclass(frozen=True, slots=True)
class Difference:
    """`what` is where it is (`title`, `inputs.area`, `inputs.area.min_occurs`); "" in `before` or
    `after`: there was, or is, nothing."""

    what: str
    before: str
    after: str


def differences(before: ProcessDescription, after: ProcessDescription) -> list[Difference]:
    """What changed, in the order of the description: itself, its inputs, its outputs."""
    found = [
        *_of_fields(before, after, "", skip=("inputs", "outputs")),
        *_of_puts(before.inputs, after.inputs, "inputs"),
        *_of_puts(before.outputs, after.outputs, "outputs"),
    ]
    return found[:MOST_DIFFERENCES]


def _of_puts(before: Sequence[Put], after: Sequence[Put], place: str) -> Iterator[Difference]:
    """Of inputs or outputs, matched by identifier."""
    old: Mapping[str, Put] = {one.identifier: one for one in before}
    new: Mapping[str, Put] = {one.identifier: one for one in after}
    for name in dict.fromkeys([*old, *new]):
        where = f"{place}.{name}"
        if name not in old or name not in new:
            yield Difference(where, _put_words(old.get(name)), _put_words(new.get(name)))
            continue
        yield from _of_fields(old[name], new[name], f"{where}.", skip=("domain",))
        yield from _of_domains(old[name].domain, new[name].domain, f"{where}.")
    if list(old) != list(new) and set(old) == set(new):
        yield Difference(place, _cut(", ".join(old)), _cut(", ".join(new)))


def _of_domains(before: Domain, after: Domain, place: str) -> Iterator[Difference]:
    if before.kind != after.kind:
        yield Difference(f"{place}kind", before.kind, after.kind)
    else:
        yield from _of_fields(before, after, place)


def _of_fields(
    before: Any, after: Any, place: str, *, skip: Sequence[str] = ()
) -> Iterator[Difference]:
    """Field by field of two instances of one class."""
    for one in fields(before):
        old, new = getattr(before, one.name), getattr(after, one.name)
        if one.name not in skip and old != new:
            yield Difference(f"{place}{one.name}", _words(old), _words(new))


def _put_words(put: Put | None) -> str:
    if put is None:
        return ""
    kind = put.domain.data_type if isinstance(put.domain, LiteralDomain) else put.domain.kind
    return _cut(f"{kind}: {put.title or put.identifier}")


def _words(value: object) -> str:
    match value:
        case None | ():
            words = ""
        case bool():
            words = "yes" if value else "no"
        case tuple():
            words = ", ".join(_words(one) for one in value)
        case Format():
            words = " ".join(filter(None, (value.media_type, value.encoding, value.schema)))
        case ValueRange():
            words = f"{value.minimum or '−∞'} … {value.maximum or '∞'} ({value.closure})"
        case LiteralDomain():
            limits = (*value.allowed_values, *value.ranges, *value.uoms)
            words = f"{value.data_type} ({_words(limits)})" if limits else value.data_type
        case Metadata():
            words = " ".join(filter(None, (value.title, value.role, value.href)))
        case _:
            words = str(value)
    return _cut(words)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"
