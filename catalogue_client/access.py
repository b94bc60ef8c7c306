"""Who may see what in the catalogue. What may not be seen does not exist for the caller."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from catalogue_client.models import Collection, Item, Visibility
from common.errors import NotFound
from people.access import is_operator
from people.models import User
from people.selectors import groups_of

Viewer = User | AnonymousUser | None


def visible_collections(user: Viewer) -> QuerySet[Collection]:
    """The collections that the user may see; None is somebody who has not signed in."""
    return Collection.objects.filter(_visible(user))


def visible_items(user: Viewer) -> QuerySet[Item]:
    """The items that the user may see, in collections that the user may see; no tombstones."""
    items = Item.objects.filter(_visible(user), deleted_at=None)
    return items.filter(collection__in=visible_collections(user))


def collection_for(user: Viewer, identifier: str) -> Collection:
    """The collection of that identifier. Raises NotFound."""
    found = visible_collections(user).filter(identifier=identifier).first()
    if found is None:
        raise NotFound("There is no such collection.")
    return found


def item_for(user: Viewer, collection: str, identifier: str) -> Item:
    """The item of those identifiers. Raises NotFound."""
    items = visible_items(user).select_related("collection")
    found = items.filter(collection__identifier=collection, identifier=identifier).first()
    if found is None:
        raise NotFound("There is no such item.")
    return found


def item_of_job(user: Viewer, job_id: UUID) -> Item:
    """The item that a job was published as. Raises NotFound."""
    found = visible_items(user).select_related("collection").filter(job_id=job_id).first()
    if found is None:
        raise NotFound("This job has no catalogue entry.")
    return found


def _visible(user: Viewer) -> Q:
    public = Q(visibility=Visibility.PUBLIC)
    if not isinstance(user, User) or not user.is_active:
        return public
    if is_operator(user):
        return Q()
    in_group = Q(visibility=Visibility.GROUP, group__in=groups_of(user))
    return public | Q(owner=user) | in_group
