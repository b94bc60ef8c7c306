"""Plain values of several kinds: what an input takes whose description has more than one domain."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from providers.process import (
    DataType,
    InputDescription,
    LiteralDomain,
    OutputDescription,
)

Put = TypeVar("Put", InputDescription, OutputDescription)


def kinds(domain: LiteralDomain) -> tuple[LiteralDomain, ...]:
    """The domains of which a value has to be in one, the default one first."""
    if not domain.alternatives:
        return (domain,)
    return (replace(domain, alternatives=()), *domain.alternatives)


def union(domain: LiteralDomain) -> LiteralDomain:
    """One domain that takes every value that any of them takes, for standards and forms that know
    only one; it may take more."""
    every = kinds(domain)
    if len(every) == 1:
        return domain
    limited = all(one.allowed_values or one.ranges for one in every)
    kind = _type_of(every)
    # A range is only said of its own type.
    limited = limited and (kind != "string" or not any(one.ranges for one in every))
    values = dict.fromkeys(value for one in every for value in one.allowed_values)
    ranges = dict.fromkeys(bounds for one in every for bounds in one.ranges)
    return LiteralDomain(
        data_type=kind,
        allowed_values=tuple(values) if limited else (),
        ranges=tuple(ranges) if limited else (),
        default=domain.default,
        uoms=tuple(dict.fromkeys(unit for one in every for unit in one.uoms)),
    )


def with_union(put: Put) -> Put:
    """The input or output with the union of its domains."""
    literal = isinstance(put.domain, LiteralDomain)
    return replace(put, domain=union(put.domain)) if literal else put  # type: ignore[arg-type]


def alternatives(domains: list[LiteralDomain]) -> LiteralDomain:
    """The first domain with those of the others that take other values as alternatives.

    Domains that differ only in their units are how one value is given in several of them.
    """
    different: dict[LiteralDomain, list[str]] = {}
    for one in domains:
        bare = replace(one, uoms=(), default=domains[0].default)
        different.setdefault(bare, []).extend(one.uoms)
    first, *others = (
        replace(one, uoms=tuple(dict.fromkeys(units))) for one, units in different.items()
    )
    return replace(first, alternatives=tuple(replace(one, default=None) for one in others))


def _type_of(domains: tuple[LiteralDomain, ...]) -> DataType:
    types = {one.data_type for one in domains}
    if len(types) == 1:
        return types.pop()
    return "double" if types == {"integer", "double"} else "string"
