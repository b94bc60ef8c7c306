"""Which members of items an answer holds (STAC API, Fields extension).

Members that make an item valid are kept unless they are excluded by name. What is both included and
excluded is included; of two names the more specific one decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import InvalidInput

Path = tuple[str, ...]
_MEMBERS = frozenset(
    ("type", "stac_version", "stac_extensions", "id", "geometry", "bbox", "links", "assets")
) | {"collection", "properties"}
_DEFAULT: tuple[Path, ...] = (
    *((name,) for name in ("type", "stac_version", "id", "collection", "geometry", "bbox")),
    ("links",),
    ("assets",),
    ("properties", "datetime"),
    ("properties", "start_datetime"),
    ("properties", "end_datetime"),
)
_NOTHING = object()
MOST = 100


@dataclass(frozen=True, slots=True)
class Fields:
    """What to keep and what to leave out; `base` None: start from the whole item."""

    base: tuple[Path, ...] | None
    include: tuple[Path, ...] = ()
    exclude: tuple[Path, ...] = ()

    def of(self, document: dict[str, Any]) -> dict[str, Any]:
        """The part of an item's document that was asked for."""
        if self.base is None:
            kept = {name: _copied(value) for name, value in document.items()}
        else:
            kept = {}
            _put(kept, document, self.base)
        for path in self.exclude:
            _drop(kept, path)
        _put(kept, document, self.include)
        for path in self.exclude:
            if any(path[: len(wide)] == wide for wide in self.include):
                _drop(kept, path)
        return kept


def fields_of(value: object) -> Fields:
    """The members that `fields` names, in an address (text) or a body (object)."""
    if isinstance(value, str):
        names = [name.strip() for name in value.split(",") if name.strip()]
        include = [name.removeprefix("+") for name in names if not name.startswith("-")]
        exclude = [name[1:] for name in names if name.startswith("-")]
        return _fields(include, exclude, whole=bool(exclude) and not include)
    if not isinstance(value, dict):
        raise InvalidInput("“fields” has “include” and “exclude”.", locator="fields")
    include, exclude = (_names(value.get(name)) for name in ("include", "exclude"))
    return _fields(include, exclude, whole=bool(exclude) and "include" not in value)


def _fields(include: Sequence[str], exclude: Sequence[str], *, whole: bool) -> Fields:
    if len(include) + len(exclude) > MOST:
        raise InvalidInput(f"At most {MOST} fields can be named.", locator="fields")
    kept = tuple(map(_path, include))
    dropped = tuple(path for path in map(_path, exclude) if path not in kept)
    return Fields(None if whole else _DEFAULT, kept, dropped)


def _names(value: object) -> list[str]:
    names = [] if value is None else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidInput("“include” and “exclude” are lists of names.", locator="fields")
    return names


def _path(name: str) -> Path:
    path = tuple(name.split("."))
    return path if path[0] in _MEMBERS else ("properties", *path)


def _put(kept: dict[str, Any], document: dict[str, Any], paths: Iterable[Path]) -> None:
    for path in paths:
        source: Any = document
        for name in path:
            source = source.get(name, _NOTHING) if isinstance(source, dict) else _NOTHING
        if source is _NOTHING:
            continue
        target = kept
        for name in path[:-1]:
            target = target.setdefault(name, {})
        target[path[-1]] = _copied(source)


def _drop(kept: dict[str, Any], path: Path) -> None:
    target: Any = kept
    for name in path[:-1]:
        target = target.get(name) if isinstance(target, dict) else None
    if isinstance(target, dict):
        target.pop(path[-1], None)


def _copied(value: Any) -> Any:
    """Objects are copied, since members are taken out of them; nothing else changes."""
    return {k: _copied(v) for k, v in value.items()} if isinstance(value, dict) else value
