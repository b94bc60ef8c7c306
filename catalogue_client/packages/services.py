"""Filling, sharing and giving up data packages."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from catalogue_client.models import CatalogueSource, DataPackage, PackageEntry, Visibility
from catalogue_client.packages.access import may_change
from catalogue_client.sources.ports import Query
from catalogue_client.sources.queries import document_of
from catalogue_client.sources.searching import record_in
from catalogue_client.stac import checked_visibility
from common.clock import now
from common.errors import Conflict, Forbidden, InvalidInput
from people.access import is_operator, membership
from people.models import Group, User

MOST_ENTRIES = 1000
MOST_SEARCHES = 10
MOST_PACKAGES = 200  # of one owner


def basket_of(user: User) -> DataPackage:
    """The user's basket; made when it is first needed."""
    moment = now()
    found, _new = DataPackage.objects.get_or_create(
        owner=user,
        basket=True,
        defaults={"title": _("Basket"), "created_at": moment, "updated_at": moment},
    )
    return found


def create(
    *,
    owner: User,
    title: str,
    description: str = "",
    visibility: str = Visibility.PRIVATE,
    group: Group | None = None,
) -> DataPackage:
    """A new, empty package. Raises InvalidInput, Conflict."""
    _check(owner, title, visibility, group)
    if DataPackage.objects.filter(owner=owner).count() >= MOST_PACKAGES:
        raise Conflict(_("You have as many data packages as the portal keeps for one user."))
    moment = now()
    return DataPackage.objects.create(
        owner=owner, title=title.strip(), description=description, visibility=visibility,
        group=group, created_at=moment, updated_at=moment,
    )  # fmt: skip


def update(*, actor: User, package: DataPackage, **changes: Any) -> DataPackage:
    """Change title, description, visibility with group. A basket that gets a title becomes a
    package, and the next entry begins a new basket.

    Raises Forbidden, InvalidInput.
    """
    _require(actor, package)
    for name in ("title", "description", "visibility", "group"):
        if name in changes:
            setattr(package, name, changes[name])
    if package.visibility != Visibility.GROUP:
        package.group = None
    _check(actor, package.title, package.visibility, package.group)
    package.title = package.title.strip()
    if "title" in changes:
        package.basket = False
    if package.basket and package.visibility != Visibility.PRIVATE:
        raise InvalidInput(_("Give the basket a title to share it."), locator="title")
    package.updated_at = now()
    package.save()
    return package


def remove(*, actor: User, package: DataPackage) -> None:
    """Give up the package; what it refers to stays where it is."""
    _require(actor, package)
    package.delete()


def add_item(
    *,
    actor: User,
    package: DataPackage,
    source: CatalogueSource | None,
    collection: str,
    identifier: str,
) -> PackageEntry:
    """Refer to an entry of a catalogue that the actor may search; safe to repeat.

    Of another catalogue's entry its metadata is kept as it is now. Calls the network: not inside a
    transaction. Raises Forbidden, NotFound, Conflict, ProviderError.
    """
    _require(actor, package)
    record = record_in(actor, source, collection, identifier)
    key: dict[str, Any] = {
        "source": source,
        "collection": record.collection,
        "identifier": record.id,
    }
    said = {
        "title": record.title[:300],
        "document": record.document if source else {},
        "fetched_at": now(),
    }
    with transaction.atomic():
        _room(package, key)
        entry, _new = PackageEntry.objects.update_or_create(
            package=package, query__isnull=True, **key, defaults=said
        )
        _touch(package)
    return entry


@transaction.atomic
def add_search(
    *, actor: User, package: DataPackage, source: CatalogueSource | None, query: Query, title: str
) -> PackageEntry:
    """Keep a search in one source; whoever opens the package gets what it finds then.

    Raises Forbidden, InvalidInput, Conflict.
    """
    _require(actor, package)
    if not title.strip():
        raise InvalidInput(_("A saved search needs a title."), locator="title")
    _room(package, {"pk": None})
    if package.entries.filter(query__isnull=False).count() >= MOST_SEARCHES:
        text = _("A data package holds at most %(most)s searches.") % {"most": MOST_SEARCHES}
        raise Conflict(text)
    _touch(package)
    return PackageEntry.objects.create(
        package=package, source=source, title=title.strip()[:300], query=document_of(query),
        fetched_at=now(),
    )  # fmt: skip


@transaction.atomic
def take_out(*, actor: User, entry: PackageEntry) -> None:
    """Take an entry out of its package."""
    _require(actor, entry.package)
    _touch(entry.package)
    entry.delete()


def _room(package: DataPackage, key: dict[str, Any]) -> None:
    DataPackage.objects.select_for_update().get(pk=package.pk)
    known = package.entries.filter(query__isnull=True, **key).exists()
    if not known and package.entries.count() >= MOST_ENTRIES:
        text = _("A data package holds at most %(most)s entries.") % {"most": MOST_ENTRIES}
        raise Conflict(text)


def _touch(package: DataPackage) -> None:
    package.updated_at = now()
    package.save(update_fields=("updated_at",))


def _check(owner: User, title: str, visibility: str, group: Group | None) -> None:
    if not title.strip() or len(title) > 200:  # noqa: PLR2004 (the column)
        raise InvalidInput(_("A data package needs a short title."), locator="title")
    checked_visibility(visibility, owner=owner, group=group)
    foreign = group is not None and membership(owner, group) is None
    if visibility == Visibility.GROUP and foreign and not is_operator(owner):
        raise InvalidInput(_("You are not a member of this group."), locator="group")


def _require(actor: User, package: DataPackage) -> None:
    if not may_change(actor, package):
        raise Forbidden("Only the owner of a data package may change it.")
