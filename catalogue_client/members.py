"""Members of a STAC item that every form of a record repeats, and of which kind each must be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple


class Odd(NamedTuple):
    """A member of the wrong kind: the object that has it, its name there, and where that is."""

    inside: Any
    name: str
    place: str


def odd_members(
    properties: Mapping[str, Any], links: list[dict[str, Any]], assets: Mapping[str, Any]
) -> Iterator[Odd]:
    """What no writer of records could use, in objects whose own form has been looked at."""
    yield from _odd(properties, _PROPERTIES, "properties")
    for link in links:
        yield from _odd(link, _LINK, "links")
    for asset in assets.values():
        yield from _odd(asset, _ASSET, "assets")


def is_provider(value: object) -> bool:
    """Whether STAC would take that for a provider."""
    named = isinstance(value, Mapping) and bool(value.get("name")) and _text(value["name"])
    return named and _texts(value.get("roles", []))  # type: ignore[attr-defined]


def _odd(inside: Mapping[str, Any], kinds: Mapping[str, Callable[[Any], bool]], place: str) -> Any:
    for name, fits in kinds.items():
        if name in inside and not fits(inside[name]):
            yield Odd(inside, name, place)


def _text(value: object) -> bool:
    return isinstance(value, str)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _providers(value: object) -> bool:
    return isinstance(value, list) and all(map(is_provider, value))


def _size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _object(value: object) -> bool:
    return isinstance(value, Mapping)


_PROPERTIES = {
    **dict.fromkeys(("title", "description", "license", "processing:lineage"), _text),
    **dict.fromkeys(("tep:process", "tep:app", "tep:job"), _text),
    "keywords": _texts,
    "providers": _providers,
    "tep:values": _object,
}
_LINK = dict.fromkeys(("title", "type"), _text)
_ASSET = {
    **dict.fromkeys(("title", "description", "type", "tep:of", "tep:output"), _text),
    "roles": _texts,
    "file:size": _size,
}
