"""Writing to the catalogue. Every change takes the next number of the change sequence."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from catalogue_client import results, stac
from catalogue_client.access import audiences
from catalogue_client.changes import next_change, note_departures, renumber
from catalogue_client.models import Collection, Item, ItemState, Visibility
from catalogue_client.queryables import PROMOTED, promoted
from catalogue_client.records import ResultRecord
from common.clock import now
from common.errors import Conflict, NotFound
from people.models import Group, User

RESULTS = "results"
# What the records of a collection's items say of it, and who sees them.
_SHOWN = ("title", "license", "visibility", "owner_id", "group_id")


@transaction.atomic
def put_collection(
    *,
    document: Mapping[str, Any],
    owner: User | None = None,
    visibility: str = Visibility.PUBLIC,
    group: Group | None = None,
) -> Collection:
    """Create a collection or change the one of that id; safe to repeat.

    `document` has members of a STAC collection: id, title, description, license, keywords,
    providers, links, summaries. Its extent always follows from its items. Raises InvalidInput.
    """
    stac.checked_visibility(visibility, owner=owner, group=group)
    stored = stac.checked_collection(document)
    identifier = stored.pop("identifier")
    values = {**stored, "owner": owner, "visibility": visibility, "group": group}
    moment = now()
    collection, created = Collection.objects.select_for_update(of=("self",)).get_or_create(
        identifier=identifier, defaults={**values, "created_at": moment, "updated_at": moment}
    )
    if not created:
        _change(collection, values)
    return collection


@transaction.atomic
def change_collection(*, pk: int, values: Mapping[str, Any]) -> Collection:
    """Set columns of a collection, as an operator does by hand."""
    collection = Collection.objects.select_for_update(of=("self",)).get(pk=pk)
    _change(collection, values)
    return collection


def _change(collection: Collection, values: Mapping[str, Any]) -> None:
    before = copy(collection)
    if not _assign(collection, values):
        return
    collection.revision += 1
    collection.updated_at = now()
    collection.save()
    if any(getattr(before, name) != getattr(collection, name) for name in _SHOWN):
        renumber(before, collection)


@transaction.atomic
def put_item(
    *,
    collection: Collection,
    document: Mapping[str, Any],
    owner: User | None = None,
    visibility: str = Visibility.PUBLIC,
    group: Group | None = None,
    fresh: bool = False,
) -> Item:
    """Create an item from a STAC document or change the one of its id; safe to repeat.

    Addresses in it that begin with "/" are the portal's. `fresh`: never change one that is there.
    Raises InvalidInput, Conflict.
    """
    stac.checked_visibility(visibility, owner=owner, group=group)
    values = {"owner": owner, "visibility": visibility, "group": group}
    stored = stac.checked_item(document)
    key = {"collection": collection, "identifier": stored["id"]}
    return _put(key, {**columns(stored), **values}, fresh=fresh)


@transaction.atomic
def change_item(*, item: Item, document: Mapping[str, Any]) -> None:
    """Give an item, which the caller has locked, another document. Raises InvalidInput."""
    before = audiences(item, item.collection)
    if _assign(item, columns(stac.checked_item({**document, "id": item.identifier}))):
        _save_change(item, before)


@transaction.atomic
def withdraw_item(*, item: Item) -> None:
    """Take an item, which the caller has locked, out of the catalogue; a tombstone stays."""
    if item.state != ItemState.WITHDRAWN:
        before = audiences(item, item.collection)
        item.state = ItemState.WITHDRAWN
        item.deleted_at = now()
        _save_change(item, before)


@transaction.atomic
def publish(*, record: ResultRecord) -> Item:
    """Write a job's result into the catalogue; the job's id is the key, so it may be repeated.

    Something changed since the last time makes a new revision of the same item. Raises
    InvalidInput when the record cannot become a valid item.
    """
    stored = stac.checked_item(results.item_document(record))
    values = {
        "collection": _results_collection(),
        "identifier": stored["id"],
        "offerings": results.offerings(record),
        "owner_id": record.owner_id,
    }
    if record.visibility:
        stac.checked_visibility(record.visibility, owner=record.owner_id, group=record.group_id)
        values |= {"visibility": record.visibility, "group_id": record.group_id}
    return _put({"job_id": record.job_id}, {**columns(stored), **values})


@transaction.atomic
def show_to(*, item: Item, visibility: str, group: Group | None = None) -> Item:
    """Let others see the item, or no more. Raises InvalidInput."""
    found = _locked().get(pk=item.pk)
    stac.checked_visibility(visibility, owner=found.owner_id, group=group)
    before = audiences(found, found.collection)
    group = group if visibility == Visibility.GROUP else None
    if _assign(found, {"visibility": visibility, "group_id": group.pk if group else None}):
        _save_change(found, before)
    return found


@transaction.atomic
def withdraw(*, job_id: UUID) -> Item:
    """Take a job's result out of the catalogue; a tombstone stays. Safe to repeat.

    Raises NotFound when the job was never published.
    """
    item = _locked().filter(job_id=job_id).first()
    if item is None:
        raise NotFound("This job was never published.")
    withdraw_item(item=item)
    return item


@transaction.atomic
def attach(*, item_id: int, name: str, added: Mapping[str, Any] | None) -> None:
    """Add to an entry what was learnt after it was published, as a change of the same entry.

    `added` has the `asset` that it is about, `offerings` (OWS Context, as JSON) and `links` (STAC);
    None takes away what has that name. It stays when the entry is published again. Safe to repeat.
    """
    item = locked_item(item_id)
    others = {key: value for key, value in item.attached.items() if key != name}
    before = audiences(item, item.collection)
    if _assign(item, {"attached": {**others, name: dict(added)} if added else others}):
        _save_change(item, before)


def _put(key: dict[str, Any], values: dict[str, Any], *, fresh: bool = False) -> Item:
    """Create the item of that key, or change it if a value differs; a tombstone comes back."""
    values |= {"state": ItemState.PUBLISHED, "deleted_at": None}
    found = _locked().filter(**key).first()
    if found is None:
        change = next_change()
        item, created = _locked().get_or_create(
            **key,
            defaults={
                **values,
                "sequence": change.number,
                "created_at": change.at,
                "updated_at": change.at,
            },
        )
        if created:
            return item
        found = item  # somebody else wrote it at the same moment
    if fresh and found.state == ItemState.PUBLISHED:
        raise Conflict("There is an item of this id already.")
    before = audiences(found, found.collection)
    if _assign(found, values):
        _save_change(found, before)
    return found


def locked_item(item_id: int) -> Item:
    """An item, locked for the caller's transaction."""
    return _locked().get(pk=item_id)


def _locked() -> QuerySet[Item]:
    return Item.objects.select_for_update(of=("self",)).select_related("collection")


def columns(stored: dict[str, Any]) -> dict[str, Any]:
    """The document and what is taken out of it for searching."""
    west, south, east, north = stored["bbox"]
    properties = stored["properties"]
    start, end = stac.times(properties)
    moment = properties["datetime"]
    return {
        "document": stored,
        "title": str(properties.get("title") or stored["id"])[:300],
        "words": stac.words_of(properties),
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "crosses_antimeridian": west > east,
        "start": start,
        "end": end,
        "instant": stac.instant(moment, locator="datetime") if moment else None,
        **{column: promoted(properties, column) for column in PROMOTED},
    }


def _assign(row: Collection | Item, values: Mapping[str, Any]) -> bool:
    """Set the values; whether any of them is new."""
    changed = False
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
            changed = True
    return changed


def _save_change(item: Item, before: frozenset[str]) -> None:
    """Save an item that `before` could see until now, as the next change."""
    change = next_change()
    item.revision += 1
    item.updated_at = change.at
    item.sequence = change.number
    item.save()
    note_departures(item, before, change)


def _results_collection() -> Collection:
    moment = now()
    collection, _ = Collection.objects.get_or_create(
        identifier=RESULTS,
        defaults={
            "title": "Results",
            "description": "What the processing services of this portal have produced.",
            "created_at": moment,
            "updated_at": moment,
        },
    )
    return collection
