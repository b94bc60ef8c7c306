"""A STAC API with transactions as a target: create, compare, replace, read back, remove.

Every step may be repeated: what arrived and was not answered for is found by the next try.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from catalogue_client.models import Item, PublishTarget
from catalogue_client.publishing.calls import check, object_of, send
from catalogue_client.selectors import WORLD
from catalogue_client.stac import (
    DERIVED_LINKS,
    GEOJSON,
    JSON,
    collection_document,
    item_document,
)
from common.errors import ProviderError, ProviderRefused

# Statuses of HTTP.
NOT_FOUND, CONFLICT, GONE, BROKEN = 404, 409, 410, 500
ABSENT = (NOT_FOUND, GONE)
_SERVERS_OWN = ("created", "updated")  # properties that a server may set itself


def publish(target: PublishTarget, item: Item, known: Mapping[str, Any]) -> dict[str, Any]:
    """Have the item there as it is here; what is to be remembered of it.

    Raises ProviderRefused when it will not be taken, ProviderError when it may be later.
    """
    document = outgoing(target, item)
    if not known.get("ids") or not _replaced(target, document):
        _create(target, item, document)
    theirs = _read(target, item.identifier, document["collection"])
    if theirs is None or not same(document, theirs[0]):
        raise ProviderError(_("The catalogue does not show the record yet."))
    return {"ids": [item.identifier], "collection": document["collection"]}


def remove(target: PublishTarget, item: Item, known: Mapping[str, Any]) -> list[str]:
    """Take the item away; the ids of what stays there all the same."""
    left = []
    for identifier in known.get("ids") or [item.identifier]:
        place = _place(target, known.get("collection") or _collection(target, item), identifier)
        answer = send(target, "DELETE", place)
        if answer.status not in ABSENT:
            check(answer)
        seen = send(target, "GET", place, headers={"Accept": GEOJSON})
        if seen.status not in ABSENT:
            left.append(identifier)
    return left


def outgoing(target: PublishTarget, item: Item) -> dict[str, Any]:
    """The item as it goes there: complete addresses, and links that are true there."""
    base = settings.BASE_URL
    document = item_document(item, base)
    collection = _collection(target, item)
    here = next(link["href"] for link in document["links"] if link["rel"] == "self")
    there = f"{_base(target)}/collections/{collection}"
    links = [link for link in document["links"] if link["rel"] not in DERIVED_LINKS]
    document["links"] = [
        {"rel": "collection", "href": there, "type": JSON},
        {"rel": "canonical", "href": here, "type": GEOJSON},
        *links,
    ]
    return {**document, "collection": collection}


def same(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether what is there says all that is said here; servers add links, and times."""
    members = ("id", "collection", "geometry", "bbox")
    properties = {k: v for k, v in ours["properties"].items() if k not in _SERVERS_OWN}
    return (
        all(ours[name] == theirs.get(name) for name in members)
        and _within(properties, theirs.get("properties"))
        and _within(ours["assets"], theirs.get("assets"))
    )


def _within(ours: Mapping[str, Any], theirs: object) -> bool:
    return isinstance(theirs, dict) and all(theirs.get(k) == v for k, v in ours.items())


def _create(target: PublishTarget, item: Item, document: dict[str, Any]) -> None:
    place = f"{_base(target)}/collections/{document['collection']}/items"
    answer = _write(target, "POST", place, document)
    if answer.status == NOT_FOUND or (
        answer.status >= BROKEN and not _has_collection(target, document["collection"])
    ):  # stac-fastapi-pgstac breaks down where it has no such collection
        _make_collection(target, item, document["collection"])
        answer = _write(target, "POST", place, document)
    if answer.status != CONFLICT:
        check(answer)
    elif not _replaced(target, document):
        raise ProviderError(_("The record came and went meanwhile."))


def _replaced(target: PublishTarget, document: dict[str, Any]) -> bool:
    """Make the record that is there what it is to be; False when there is none."""
    found = _read(target, document["id"], document["collection"])
    if found is None:
        return False
    theirs, etag = found
    if same(document, theirs):
        return True
    ours, others = (d["properties"].get("tep:job") for d in (document, theirs))
    if ours != others:
        raise ProviderRefused(_("The catalogue has another record of this id."))
    headers = {"If-Match": etag} if etag else {}
    place = _place(target, document["collection"], document["id"])
    answer = _write(target, "PUT", place, document, headers)
    if answer.status in ABSENT:
        return False
    check(answer)
    return True


def _has_collection(target: PublishTarget, identifier: str) -> bool:
    answer = send(target, "GET", f"{_base(target)}/collections/{identifier}")
    return answer.status not in ABSENT


def _make_collection(target: PublishTarget, item: Item, identifier: str) -> None:
    """Where the catalogue lets the portal; an open extent, as nobody keeps it up to date there."""
    document = collection_document(item.collection, (WORLD, None, None), settings.BASE_URL)
    own = ("license", "via")
    document["links"] = [link for link in document["links"] if link["rel"] in own]
    document["id"] = identifier
    answer = _write(target, "POST", f"{_base(target)}/collections", document)
    if answer.status in (NOT_FOUND, 405):
        text = _("The catalogue has no collection “%(name)s”, and none can be made.")
        raise ProviderRefused(text % {"name": identifier})
    if answer.status != CONFLICT:
        check(answer)


def _read(
    target: PublishTarget, identifier: str, collection: str
) -> tuple[dict[str, Any], str] | None:
    place = _place(target, collection, identifier)
    answer = send(target, "GET", place, headers={"Accept": GEOJSON})
    if answer.status in ABSENT:
        return None
    check(answer)
    document = object_of(answer)
    properties = document.get("properties")
    return {**document, "properties": properties if isinstance(properties, dict) else {}}, (
        answer.headers.get("etag", "")
    )


def _write(
    target: PublishTarget,
    method: str,
    url: str,
    document: dict[str, Any],
    headers: Mapping[str, str] | None = None,
) -> Any:
    body = json.dumps(document).encode()
    kind = GEOJSON if document["type"] == "Feature" else JSON
    return send(target, method, url, body=body, headers={"Content-Type": kind, **(headers or {})})


def _collection(target: PublishTarget, item: Item) -> str:
    return target.collection or item.collection.identifier


def _base(target: PublishTarget) -> str:
    return target.url.rstrip("/")


def _place(target: PublishTarget, collection: str, identifier: str) -> str:
    return f"{_base(target)}/collections/{collection}/items/{identifier}"
