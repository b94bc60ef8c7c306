"""What every adapter to a catalogue does, and in which words.

An adapter knows one protocol and no database: it is given an `Endpoint` and asks through a `Visit`.
A record is a STAC item, whatever the catalogue calls it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from catalogue_client.geometry import Box

Abilities = frozenset[str]

# What a search may ask. An adapter that lacks one gets it done on the page, with a warning.
TEXT, BBOX, GEOMETRY, TIME = "text", "bbox", "geometry", "time"
COLLECTIONS, IDS, FILTERS, SORT = "collections", "ids", "filters", "sort"
# What else a catalogue may be able to do; CHANGED: tell the records that changed since a moment.
COUNT, CQL2, CHANGED = "count", "cql2", "changed"

Operator = Literal["=", "<=", ">="]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a catalogue is and what opens it: for that scheme, host and port alone.

    `by_user`: nobody but a user vouches for the address (see `common.guard.Target`).
    `facts` is what the first look found out: see each adapter.
    """

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    by_user: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a catalogue says of itself. `facts` is kept for the adapter's next visits."""

    title: str
    abilities: Abilities
    description: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    identifier: str
    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """A property, named as STAC names it, compared with a value."""

    name: str
    operator: Operator
    value: str | float


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; what is empty does not restrict.

    `start` and `end` bound a period that a record's own overlaps. `sort` is a property, with "-" in
    front for descending. `cursor` is what the page before gave. `since` asks, for a harvest, only
    for records that changed then or later (inclusive): a catalogue that cannot tell them leaves
    CHANGED out of `done` and sends all.
    """

    text: str = ""
    bbox: Box | None = None
    geometry: Mapping[str, Any] | None = None
    start: datetime | None = None
    end: datetime | None = None
    collections: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    filters: tuple[Condition, ...] = ()
    sort: str = ""
    limit: int = 20
    cursor: Mapping[str, Any] | None = None
    since: datetime | None = None

    def asked(self) -> Abilities:
        """What it takes to answer it."""
        given = {
            TEXT: self.text, BBOX: self.bbox, GEOMETRY: self.geometry,
            TIME: self.start or self.end, COLLECTIONS: self.collections, IDS: self.ids,
            FILTERS: self.filters, SORT: self.sort, CHANGED: self.since,
        }  # fmt: skip
        return frozenset(name for name, value in given.items() if value)


@dataclass(frozen=True, slots=True)
class Record:
    """An entry as a STAC item; `issues` says what was repaired or left out."""

    id: str
    collection: str
    document: dict[str, Any]
    issues: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return str(self.document["properties"].get("title") or self.id)

    @property
    def bbox(self) -> Box | None:
        box = self.document.get("bbox")
        return tuple(box) if box else None


@dataclass(frozen=True, slots=True)
class Page:
    """Records, what continues after them (None: nothing), how many there are in all if known.

    `done` are the abilities that the catalogue itself applied; `warnings` are sentences for people.
    For harvests: `bad` are entries that are no records (name, why), `gone` the ids of records that
    the catalogue says are deleted; `cut`: there is more that could not be followed; `moment`, by
    the catalogue's clock: every change up to it was in this answer.
    """

    records: list[Record]
    done: Abilities
    cursor: Mapping[str, Any] | None = None
    matched: int | None = None
    warnings: tuple[str, ...] = ()
    bad: tuple[tuple[str, str], ...] = ()
    gone: tuple[str, ...] = ()
    cut: bool = False
    moment: datetime | None = None


class Adapter(Protocol):
    """One protocol. Every method may raise a ProviderError, and nothing else."""

    def capabilities(self, endpoint: Endpoint) -> Capabilities:
        """Look at the catalogue; ProviderNonsense when it does not speak this protocol."""
        ...

    def collections(self, endpoint: Endpoint) -> list[CollectionInfo]:
        """What its records are grouped in; empty when it has no such thing."""
        ...

    def search(self, endpoint: Endpoint, query: Query) -> Page:
        """One page. What it cannot ask for it leaves out of `done`."""
        ...

    def get(self, endpoint: Endpoint, collection: str, identifier: str) -> Record | None:
        """One record; None when there is none of that name."""
        ...
