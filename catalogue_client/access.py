"""Who may see what in the catalogue. What may not be seen does not exist for the caller."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import BigIntegerField, Exists, F, Func, OuterRef, Q, QuerySet
from django.db.models.lookups import In

from catalogue_client.models import Collection, Departure, Item, Visibility
from common.errors import Forbidden, Gone, NotAuthenticated, NotFound
from people.access import is_operator, membership
from people.models import Role, User
from people.selectors import groups_of

Viewer = User | AnonymousUser | None
# Audiences: names for all who see an item for the same reason. Others are "group:1", "user:1".
EVERYBODY = "everybody"
OPERATORS = "operators"
PUBLIC, EVERY = Q(visibility=Visibility.PUBLIC), Q()


def visible_to(user: Viewer, *, public: Q = PUBLIC, by_operators: Q = EVERY) -> Q:
    """Which rows with an owner, a group and a visibility the user may see: `public` ones, own ones,
    those of groups; an operator those `by_operators` and own ones."""
    if not isinstance(user, User) or not user.is_active:
        return public
    if is_operator(user):
        return by_operators | Q(owner=user) if by_operators else EVERY
    in_group = Q(visibility=Visibility.GROUP, group__in=groups_of(user))
    return public | Q(owner=user) | in_group


def may_keep(user: User, owner_id: int | None) -> bool:
    """Whether the user may change what has that owner: the owner and the operators may."""
    return user.is_active and (owner_id == user.pk or is_operator(user))


def visible_collections(user: Viewer) -> QuerySet[Collection]:
    """The collections that the user may see; None is somebody who has not signed in."""
    return Collection.objects.filter(visible_to(user))


def visible_items(user: Viewer) -> QuerySet[Item]:
    """The items that the user may see, in collections that the user may see; no tombstones."""
    items = Item.objects.filter(visible_to(user), deleted_at=None)
    return items.filter(In(_Unindexed(F("collection")), visible_collections(user).values("pk")))


def collection_for(user: Viewer, identifier: str) -> Collection:
    """The collection of that identifier. Raises NotFound."""
    found = visible_collections(user).filter(identifier=identifier).first()
    if found is None:
        raise NotFound("There is no such collection.")
    return found


def collection_to_change(user: Viewer, identifier: str) -> Collection:
    """The collection, if the user may put items into it: its owner, the administrators of its group
    and operators may.

    Raises NotFound for a collection that the user may not see, Forbidden for one that may only be
    seen, NotAuthenticated.
    """
    if not isinstance(user, User):
        raise NotAuthenticated
    found = collection_for(user, identifier)
    if is_operator(user) or found.owner_id == user.pk:
        return found
    own = membership(user, found.group) if found.group else None
    if own is None or own.role != Role.ADMIN:
        raise Forbidden("Only its owner and its group's administrators may change this collection.")
    return found


def item_for(user: Viewer, collection: str, identifier: str) -> Item:
    """The item of those identifiers. Raises NotFound: Gone for one that the user once could see."""
    return _one(user, collection__identifier=collection, identifier=identifier)


def item_of_job(user: Viewer, job_id: UUID) -> Item:
    """The item that a job was published as. Raises NotFound: Gone as `item_for`."""
    return _one(user, job_id=job_id)


def _one(user: Viewer, **named: object) -> Item:
    found = visible_items(user).select_related("collection").filter(**named).first()
    if found is not None:
        return found
    told = {f"item__{name}": value for name, value in named.items()}
    if departures(user).filter(**told).exists():
        raise Gone("This item is no longer in the catalogue.")
    raise NotFound("There is no such item.")


def departures(user: Viewer) -> QuerySet[Departure]:
    """What the user could see and cannot see any more: an item once, its last departure.

    What a former member saw of a group is not among it.
    """
    mine = Departure.objects.filter(audience__in=_audiences_of(user))
    later = mine.filter(item=OuterRef("item"), sequence__gt=OuterRef("sequence"))
    seen = visible_items(user).filter(pk=OuterRef("item"))
    return mine.filter(~Exists(later), ~Exists(seen))


def audiences(item: Item, collection: Collection) -> frozenset[str]:
    """Who sees the item in that collection, in the words of `Departure.audience`."""
    if item.deleted_at is not None:
        return frozenset()
    own, around = _audiences(item), _audiences(collection)
    if EVERYBODY in own:
        return around
    return own if EVERYBODY in around else (own & around) | {OPERATORS}


class _Unindexed(Func):
    """A column whose indexes SQLite must not use: most items pass the condition, so any other index
    serves the search better, but SQLite has a liking for IN."""

    template = "%(expressions)s"
    arity = 1
    output_field = BigIntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="+%(expressions)s", **context)


def _audiences(row: Item | Collection) -> frozenset[str]:
    if row.visibility == Visibility.PUBLIC:
        return frozenset({EVERYBODY})
    found = {OPERATORS}
    if row.owner_id:
        found.add(f"user:{row.owner_id}")
    if row.visibility == Visibility.GROUP:
        found.add(f"group:{row.group_id}")
    return frozenset(found)


def _audiences_of(user: Viewer) -> list[str]:
    if not isinstance(user, User) or not user.is_active:
        return [EVERYBODY]
    groups = [f"group:{pk}" for pk in groups_of(user).values_list("pk", flat=True)]
    return [EVERYBODY, f"user:{user.pk}", *groups, *([OPERATORS] if is_operator(user) else [])]
