"""An OWS Context document in no encoding's words (OGC 12-080r2).

Every class keeps in `extra` the members that the model does not know, and containers keep in
`foreign` unknown XML elements as text, so that reading and writing loses nothing. Codes and the
profile address are in the spelling of `codes.canonical`. Geometries are GeoJSON, longitude first;
dates are texts as in the document. Text from other people's documents is not sanitised here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from catalogue_client.owc.codes import CONCEPT, CORE, token

Extra = Mapping[str, Any]
Foreign = tuple[str, ...]
Geometry = Mapping[str, Any]


def _extra() -> Extra:
    return {}


@dataclass(frozen=True, slots=True)
class Text:
    """A text and what it is: text, html, xhtml or a media type; `src` when it is elsewhere."""

    value: str = ""
    kind: str = "text"
    src: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """`rel` is Atom's: via, alternate, icon (a preview), enclosure (the data), profile, …"""

    rel: str
    href: str
    type: str = ""
    title: str = ""
    lang: str = ""
    length: int | None = None
    extra: Extra = field(default_factory=_extra)


def with_profile(links: tuple[Link, ...], base: str = CONCEPT) -> tuple[Link, ...]:
    """The links with the core profile in front, which every context names; spelt with `base`."""
    cores = [link for link in links if link.rel == "profile" and link.href == CORE]
    core = cores[0] if cores else Link("profile", CORE)
    others = (link for link in links if link not in cores)
    return (replace(core, href=base + "core"), *others)


@dataclass(frozen=True, slots=True)
class Category:
    """A keyword."""

    term: str
    scheme: str = ""
    label: str = ""
    extra: Extra = field(default_factory=_extra)


@dataclass(frozen=True, slots=True)
class Author:
    name: str
    email: str = ""
    uri: str = ""
    extra: Extra = field(default_factory=_extra)


@dataclass(frozen=True, slots=True)
class Generator:
    """The application that made the document."""

    title: str = ""
    uri: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Display:
    """The screen on which the context was composed."""

    pixel_width: int | None = None
    pixel_height: int | None = None
    mm_per_pixel: float | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """A payload of a media type: elsewhere (`href`), or here (`content`; `markup` if it is XML)."""

    type: str
    href: str = ""
    content: str | None = None
    markup: bool = False
    title: str = ""
    extra: Extra = field(default_factory=_extra)


@dataclass(frozen=True, slots=True)
class Operation:
    """A call of a service; `type` is the media type of its answer."""

    code: str
    href: str
    method: str = "GET"
    type: str = ""
    request: Content | None = None
    result: Content | None = None
    extra: Extra = field(default_factory=_extra)
    foreign: Foreign = ()


@dataclass(frozen=True, slots=True)
class StyleSet:
    name: str
    title: str
    abstract: str = ""
    default: bool = False
    legend_href: str = ""
    legend_type: str = ""
    content: Content | None = None
    extra: Extra = field(default_factory=_extra)
    foreign: Foreign = ()


@dataclass(frozen=True, slots=True)
class Offering:
    """One way to get at a resource: a service's operations, or contents. `code` says which kind."""

    code: str
    operations: tuple[Operation, ...] = ()
    contents: tuple[Content, ...] = ()
    styles: tuple[StyleSet, ...] = ()
    extra: Extra = field(default_factory=_extra)
    foreign: Foreign = ()

    @property
    def token(self) -> str:
        """The last part of the code: wms, geotiff, …"""
        return token(self.code)

    def operation(self, code: str) -> Operation | None:
        """The first operation of that code."""
        return next((o for o in self.operations if o.code == code), None)


@dataclass(frozen=True, slots=True)
class Resource:
    """One layer, file or service in a context; `abstract` is what a feed reader shows."""

    id: str
    title: Text
    updated: str
    abstract: Text = field(default_factory=Text)
    authors: tuple[Author, ...] = ()
    publisher: str = ""
    rights: Text | None = None
    geometry: Geometry | None = None
    date: str = ""
    links: tuple[Link, ...] = ()
    active: bool | None = None
    folder: str = ""
    folder_label: str = ""
    categories: tuple[Category, ...] = ()
    min_scale: float | None = None
    max_scale: float | None = None
    offerings: tuple[Offering, ...] = ()
    extra: Extra = field(default_factory=_extra)
    foreign: Foreign = ()

    def linked(self, rel: str) -> tuple[Link, ...]:
        """The links of that relation."""
        return tuple(link for link in self.links if link.rel == rel)

    def offering(self, wanted: str) -> Offering | None:
        """The first offering whose code ends so."""
        return next((o for o in self.offerings if o.token == wanted), None)


@dataclass(frozen=True, slots=True)
class Context:
    """Resources in order, the first on top, with the area and the time they were composed for.

    `issues` tells what a reader had to repair or leave out.
    """

    id: str
    title: Text
    updated: str
    language: str = "en"
    subtitle: Text | None = None
    authors: tuple[Author, ...] = ()
    publisher: str = ""
    rights: Text | None = None
    generator: Generator | None = None
    display: Display | None = None
    area: Geometry | None = None
    date: str = ""
    links: tuple[Link, ...] = (Link("profile", CORE),)
    categories: tuple[Category, ...] = ()
    resources: tuple[Resource, ...] = ()
    extra: Extra = field(default_factory=_extra)
    foreign: Foreign = ()
    issues: tuple[str, ...] = field(default=(), compare=False)
