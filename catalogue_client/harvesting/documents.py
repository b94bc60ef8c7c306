"""What a record of a centre becomes: an item that says whose it is and where it was found."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import orjson
from django.conf import settings

from catalogue_client import geometry as geo
from catalogue_client.members import is_provider
from catalogue_client.models import HarvestKind, HarvestSource
from catalogue_client.owc import dates
from catalogue_client.sources.ports import Record
from catalogue_client.sources.records import TIME_UNKNOWN
from catalogue_client.stac import IDENTIFIER, checked_item

ORIGIN = "tep:origin"  # a property: the record's name, collection and last change there
PLACE_UNKNOWN = "tep:footprint"
_EVERYWHERE = (-180.0, -90.0, 180.0, 90.0)
_LONGEST = 80  # of a name that gets an ending
_OURS = "tep:"
# How one record is asked for.
_QUESTIONS: dict[str, dict[str, str]] = {
    HarvestKind.OAI_PMH: {"verb": "GetRecord", "identifier": "{id}", "metadataPrefix": "{prefix}"},
    HarvestKind.CSW: {
        "service": "CSW", "version": "2.0.2", "request": "GetRecordById", "id": "{id}",
        "elementSetName": "full",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record ready to be stored; `key` stands for its collection and id there."""

    key: str
    collection: str
    id: str
    document: dict[str, Any]
    hash: str
    datestamp: datetime | None


def key_of(collection: str, identifier: str) -> str:
    """One text for the record's name, however long that is."""
    return hashlib.sha256(f"{collection}\0{identifier}".encode()).hexdigest()


def incoming(source: HarvestSource, record: Record) -> Incoming:
    """The record as it will be stored, under a name that may still have to give way to another.

    Raises InvalidInput.
    """
    given = record.document
    told = given["properties"]
    updated = told.get("updated")
    # Nobody but the portal says what begins with its prefix.
    properties = {
        name: value
        for name, value in told.items()
        if not name.startswith(_OURS) or name == TIME_UNKNOWN
    }
    origin = {"id": record.id, "collection": record.collection, "updated": updated}
    properties[ORIGIN] = {name: text for name, text in origin.items() if isinstance(text, str)}
    properties["providers"] = _providers(told.get("providers"), source.provider_name)
    shape = given.get("geometry")
    if shape is None:
        shape = geo.polygon(_EVERYWHERE)
        properties[PLACE_UNKNOWN] = "unknown"
    stored = checked_item(
        {
            **given,
            "id": plain_name(record.id),
            "geometry": shape,
            "properties": properties,
            "links": _links(source, record),
        }
    )
    return Incoming(
        key=key_of(record.collection, record.id),
        collection=record.collection,
        id=record.id,
        document=stored,
        hash=hashlib.sha256(orjson.dumps(stored, option=orjson.OPT_SORT_KEYS)).hexdigest(),
        datestamp=changed_at(updated),
    )


def plain_name(identifier: str) -> str:
    """The name there if an item may be called so, else one made of it."""
    return identifier if IDENTIFIER.fullmatch(identifier) else other_name(identifier, "")


def other_name(identifier: str, salt: str) -> str:
    """Another name for the same record, with an ending that follows from `salt`."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", identifier)[-_LONGEST:].strip("-.") or "record"
    ending = hashlib.sha256(f"{salt}\0{identifier}".encode()).hexdigest()[:12]
    return f"{stem}-{ending}"


def changed_at(text: object) -> datetime | None:
    """The moment in a date of change; the first one of a day."""
    if not isinstance(text, str):
        return None
    try:
        found = dates.interval(text)
    except (ValueError, OverflowError):
        return None
    return found[0] if found else None


def _links(source: HarvestSource, record: Record) -> list[dict[str, Any]]:
    """The record's own, with one to where it came from if that is known and no secret."""
    links = [_via(link) for link in record.document["links"]]
    # An approved address may be an inner one, and parameters may be keys.
    inner = source.approved and bool(settings.OUTBOUND_ALLOW)
    ask = _QUESTIONS.get(source.kind)
    if ask is None or inner or "?" in source.url or any(one["rel"] == "via" for one in links):
        return links
    prefix = str(source.facts.get("prefix", ""))
    asked = {name: text.format(id=record.id, prefix=prefix) for name, text in ask.items()}
    return [*links, {"rel": "via", "href": f"{source.url}?{urlencode(asked)}"}]


def _via(link: Mapping[str, Any]) -> dict[str, Any]:
    """The record's own address is, here, where it came from."""
    return {**link, "rel": "via"} if link["rel"] in ("self", "canonical") else dict(link)


def _providers(given: object, name: str) -> list[dict[str, Any]]:
    """Those that the record names, and the one that it was found at."""
    named = [one for one in given if is_provider(one)] if isinstance(given, list) else []
    if any(one.get("name") == name for one in named):
        return named
    return [*named, {"name": name, "roles": ["host"]}]
