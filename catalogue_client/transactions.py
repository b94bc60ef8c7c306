"""Items that their rightful owners write: created, replaced, patched, deleted (STAC Transaction).

Who may change a collection: `access.collection_to_change`. What may not be seen there is not there.
A result of a job follows its job; it is not changed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction

from catalogue_client import services
from catalogue_client.access import Viewer, collection_to_change, visible_items
from catalogue_client.models import Collection, HarvestedItem, Item
from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from people.models import User

Check = Callable[[Item], None]
MOST = 1000
# The portal says these itself.
_STAMPS = ("created", "updated")


@transaction.atomic
def create(
    user: Viewer, collection: str, documents: Sequence[Mapping[str, Any]], *, base: str
) -> list[Item]:
    """New items, all or none, seen by those who see the collection.

    `base` is the portal's address, under which its own files are. Raises InvalidInput, Conflict for
    an id that is there, and what `collection_to_change` raises.
    """
    place = collection_to_change(user, collection)
    if not 1 <= len(documents) <= MOST:
        raise InvalidInput(f"Send 1 to {MOST} items at once.", locator="features")
    return [_created(user, place, document, base) for document in documents]


@transaction.atomic
def replace(
    user: Viewer, collection: str, identifier: str, document: Mapping[str, Any], *,
    base: str, check: Check,
) -> Item:  # fmt: skip
    """Another document for an item. `check` may refuse after a look at the present one."""
    item = _locked(user, collection, identifier, check)
    _same_place(document, item.collection, identifier)
    services.change_item(item=item, document=_incoming(document, item.collection, base))
    return item


@transaction.atomic
def patch(
    user: Viewer, collection: str, identifier: str, changes: Mapping[str, Any], *,
    base: str, check: Check,
) -> Item:  # fmt: skip
    """Change some members of an item (RFC 7386: null removes). `check` as for `replace`."""
    item = _locked(user, collection, identifier, check)
    _same_place(changes, item.collection, identifier)
    whole = merged(item.document, changes)
    if "geometry" in changes and "bbox" not in changes:
        whole.pop("bbox", None)
    services.change_item(item=item, document=_incoming(whole, item.collection, base))
    return item


@transaction.atomic
def delete(user: Viewer, collection: str, identifier: str, *, check: Check) -> None:
    """Take an item out of the catalogue; one that is not there is no error."""
    try:
        item = _locked(user, collection, identifier, check)
    except NotFound:
        collection_to_change(user, collection)
        return
    services.withdraw_item(item=item)


def merged(target: object, changes: object) -> Any:
    """A JSON merge patch (RFC 7386) applied; neither side is changed."""
    if not isinstance(changes, Mapping):
        return changes
    whole = dict(target) if isinstance(target, Mapping) else {}
    for name, value in changes.items():
        if value is None:
            whole.pop(name, None)
        else:
            whole[name] = merged(whole.get(name), value)
    return whole


def _created(user: Viewer, place: Collection, document: Mapping[str, Any], base: str) -> Item:
    _same_place(document, place, None)
    owner = user if isinstance(user, User) else None
    name = {"item__collection": place, "item__identifier": str(document.get("id"))}
    if HarvestedItem.objects.filter(**name).exists():
        raise Conflict("This id is kept for an entry of the catalogue that it came from.")
    return services.put_item(
        collection=place,
        document=_incoming(document, place, base),
        owner=place.owner or owner,
        visibility=place.visibility,
        group=place.group,
        fresh=True,
    )


def _locked(user: Viewer, collection: str, identifier: str, check: Check) -> Item:
    place = collection_to_change(user, collection)
    items = visible_items(user).select_for_update(of=("self",)).select_related("collection")
    item = items.filter(collection=place, identifier=identifier).first()
    if item is None:
        raise NotFound("There is no such item.")
    if item.job_id is not None:
        raise Forbidden("This entry follows its job; it is not changed here.")
    if HarvestedItem.objects.filter(item=item).exists():
        raise Forbidden("This entry follows the catalogue that it comes from.")
    check(item)
    return item


def _same_place(
    document: Mapping[str, Any], collection: Collection, identifier: str | None
) -> None:
    if document.get("collection", collection.identifier) != collection.identifier:
        raise InvalidInput("“collection” is not the one of the address.", locator="collection")
    if identifier is not None and document.get("id", identifier) != identifier:
        raise InvalidInput("“id” is not the one of the address.", locator="id")
    if document.get("type", "Feature") != "Feature":
        raise InvalidInput("An item is a Feature.", locator="type")


def _incoming(document: Mapping[str, Any], collection: Collection, base: str) -> dict[str, Any]:
    """The document without what the portal adds when it writes one, so that what was read may be
    sent back."""
    whole = dict(document)
    if isinstance(whole.get("properties"), dict):
        whole["properties"] = {k: v for k, v in whole["properties"].items() if k not in _STAMPS}
    contexts = f"/owc/items/{collection.identifier}/{whole.get('id')}."
    if isinstance(whole.get("links"), list):
        links = [_portal_path(link, base) for link in whole["links"]]
        whole["links"] = [link for link in links if not _begins(link, contexts)]
    if isinstance(whole.get("assets"), dict):
        whole["assets"] = {k: _portal_path(v, base) for k, v in whole["assets"].items()}
    return whole


def _portal_path(linked: Any, base: str) -> Any:
    if not _begins(linked, f"{base}/"):
        return linked
    return {**linked, "href": linked["href"].removeprefix(base)}


def _begins(linked: Any, start: str) -> bool:
    return isinstance(linked, dict) and str(linked.get("href", "")).startswith(start)
