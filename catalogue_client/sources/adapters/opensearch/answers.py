"""Answers in Atom and GeoJSON as records: both are read as OWS Context documents are."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import nh3
from django.utils.translation import gettext as _

from catalogue_client.owc import Context, Resource, offering_object, read_atom, read_geojson
from catalogue_client.owc.markup import DC
from catalogue_client.sources.ports import Record
from catalogue_client.sources.records import Entries, read_all, record_of
from catalogue_client.sources.visit import object_in
from common.errors import InvalidInput, ProviderNonsense
from common.xml import XmlRefused, parse, text_of

OS = "http://a9.com/-/spec/opensearch/1.1/"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read, how many entries there were, how many match in all, the link to the rest."""

    read: Entries
    received: int
    matched: int | None
    next: str
    base: str


def read_answer(data: bytes, media_type: str, base: str) -> Answer:
    """The records in an answer, by what it is and not by what it is called.

    Raises ProviderNonsense.
    """
    del media_type  # many servers send text/xml or text/plain
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _json(data, base)
    try:
        context = read_atom(data, source=base)
        root = parse(data)
    except InvalidInput as error:
        raise ProviderNonsense(error.detail) from None
    total = text_of(root, f"{{{OS}}}totalResults")
    return _answer(context, base, total)


def _json(data: bytes, base: str) -> Answer:
    document = object_in(data)
    features = document.get("features")
    if not isinstance(features, list):
        raise ProviderNonsense(_("The catalogue's answer is no list of entries."))
    properties = document.get("properties")
    about = {**document, **(properties if isinstance(properties, dict) else {})}
    total = str(about.get("totalResults", about.get("numberMatched", "")))
    if any(isinstance(one, dict) and "stac_version" in one for one in features):
        read = read_all(features, lambda one: record_of(one, base))
        onward = _next_of(document.get("links"))
        return Answer(read, len(features), _number(total), onward, base)
    try:
        context = read_geojson(data, source=base)
    except InvalidInput as error:
        raise ProviderNonsense(error.detail) from None
    links = about.get("links")
    named = links.get("next") if isinstance(links, dict) else links
    return _answer(context, base, total, onward=_next_of(named, every=isinstance(links, dict)))


def _answer(context: Context, base: str, total: str, *, onward: str = "") -> Answer:
    read = read_all(context.resources, lambda one: _record(one, base))
    found = next((link.href for link in context.links if link.rel == "next"), onward)
    received = len(context.resources)
    return Answer(read, received, _number(total), found, base)


def _record(resource: Resource, base: str) -> Record:
    """A resource as an item: its enclosures are the data, its icons the pictures."""
    said = _said(resource)
    properties: dict[str, Any] = {
        "title": resource.title.value,
        "updated": resource.updated,
        "keywords": [one.label or one.term for one in resource.categories if one.term],
        "date": resource.date or str(resource.extra.get("datetime") or ""),
    }
    properties["description"] = html.unescape(nh3.clean(resource.abstract.value, tags=set()))
    if resource.rights:
        properties["license"] = resource.rights.value
    if resource.offerings:
        properties["owc:offerings"] = [offering_object(one) for one in resource.offerings]
    assets: dict[str, Any] = {}
    links = []
    for number, link in enumerate(resource.links):
        plain = {"href": link.href, "type": link.type, "title": link.title}
        plain = {name: text for name, text in plain.items() if text}
        if link.rel in ("enclosure", "icon"):
            role = "data" if link.rel == "enclosure" else "thumbnail"
            size = {"file:size": link.length} if link.length else {}
            assets[f"{role}-{number}"] = {**plain, "roles": [role], **size}
        else:
            links.append({"rel": link.rel, **plain})
    document = {
        "id": said.get("identifier") or resource.id,
        "geometry": resource.geometry,
        "properties": {name: value for name, value in properties.items() if value},
        "links": links,
        "assets": assets,
    }
    return record_of(document, base, collection=said.get("parentIdentifier", ""))


def _said(resource: Resource) -> Mapping[str, str]:
    """What the entry says in elements, or members, that are no part of a context."""
    found: dict[str, str] = {}
    for name in ("identifier", "parentIdentifier"):
        value = resource.extra.get(name)
        if isinstance(value, str):
            found[name] = value
    for piece in resource.foreign:
        try:
            element = parse(piece.encode())
        except XmlRefused:
            continue
        if element.tag == f"{{{DC}}}identifier":
            found.setdefault("identifier", text_of(element))
        elif str(element.tag).endswith("}parentIdentifier"):
            found.setdefault("parentIdentifier", text_of(element))
    return found


def _next_of(links: object, *, every: bool = False) -> str:
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and (every or link.get("rel") == "next"):
            return str(link.get("href") or "")
    return ""


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None  # noqa: PLR2004
