"""Writing to the catalogue. Every change takes the next number of the change sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from catalogue_client import results, stac
from catalogue_client.models import ChangeCounter, Collection, Item, ItemState, Visibility
from catalogue_client.records import ResultRecord
from common.clock import now
from common.errors import NotFound
from people.models import Group, User

RESULTS = "results"


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
    if not created and _assign(collection, values):
        collection.revision += 1
        collection.updated_at = moment
        collection.save()
    return collection


@transaction.atomic
def put_item(
    *,
    collection: Collection,
    document: Mapping[str, Any],
    owner: User | None = None,
    visibility: str = Visibility.PUBLIC,
    group: Group | None = None,
) -> Item:
    """Create an item from a STAC document or change the one of its id; safe to repeat.

    Addresses in it that begin with "/" are the portal's. Raises InvalidInput.
    """
    stac.checked_visibility(visibility, owner=owner, group=group)
    values = {"owner": owner, "visibility": visibility, "group": group}
    stored = stac.checked_item(document)
    key = {"collection": collection, "identifier": stored["id"]}
    return _put(key, {**_columns(stored), **values})


@transaction.atomic
def publish(*, record: ResultRecord) -> Item:
    """Write a job's result into the catalogue; the job's id is the key, so it may be repeated.

    Something changed since the last time makes a new revision of the same item. Raises
    InvalidInput when the record cannot become a valid item.
    """
    stac.checked_visibility(record.visibility, owner=record.owner_id, group=record.group_id)
    stored = stac.checked_item(results.item_document(record))
    values = {
        "collection": _results_collection(),
        "identifier": stored["id"],
        "offerings": results.offerings(record),
        "owner_id": record.owner_id,
        "visibility": record.visibility,
        "group_id": record.group_id,
    }
    return _put({"job_id": record.job_id}, {**_columns(stored), **values})


@transaction.atomic
def withdraw(*, job_id: UUID) -> Item:
    """Take a job's result out of the catalogue; a tombstone stays. Safe to repeat.

    Raises NotFound when the job was never published.
    """
    item = Item.objects.select_for_update(of=("self",)).filter(job_id=job_id).first()
    if item is None:
        raise NotFound("This job was never published.")
    if item.state != ItemState.WITHDRAWN:
        item.state = ItemState.WITHDRAWN
        item.deleted_at = now()
        _save_change(item)
    return item


def _put(key: dict[str, Any], values: dict[str, Any]) -> Item:
    """Create the item of that key, or change it if a value differs."""
    values |= {"state": ItemState.PUBLISHED, "deleted_at": None}
    found = Item.objects.select_for_update(of=("self",)).filter(**key).first()
    if found is None:
        moment = now()
        item, created = Item.objects.select_for_update(of=("self",)).get_or_create(
            **key,
            defaults={
                **values,
                "sequence": _next_change(),
                "created_at": moment,
                "updated_at": moment,
            },
        )
        if created:
            return item
        found = item  # somebody else wrote it at the same moment
    if _assign(found, values):
        _save_change(found)
    return found


def _columns(stored: dict[str, Any]) -> dict[str, Any]:
    """The document and what is taken out of it for searching."""
    west, south, east, north = stored["bbox"]
    start, end = stac.times(stored["properties"])
    return {
        "document": stored,
        "title": str(stored["properties"].get("title") or stored["id"])[:300],
        "words": stac.words_of(stored["properties"]),
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "crosses_antimeridian": west > east,
        "start": start,
        "end": end,
    }


def _assign(row: Collection | Item, values: dict[str, Any]) -> bool:
    """Set the values; whether any of them is new."""
    changed = False
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
            changed = True
    return changed


def _save_change(item: Item) -> None:
    item.revision += 1
    item.updated_at = now()
    item.sequence = _next_change()
    item.save()


def _next_change() -> int:
    """The next number of the sequence; whoever has it keeps the others waiting until it commits."""
    counter = ChangeCounter.objects.filter(name="items")
    if not counter.update(value=F("value") + 1):
        ChangeCounter.objects.get_or_create(name="items")
        counter.update(value=F("value") + 1)
    return counter.get().value


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
