"""Who may see and change which data package."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from catalogue_client.access import Viewer, may_keep, visible_to
from catalogue_client.models import DataPackage
from common.errors import Forbidden, NotFound
from people.models import User


def visible_packages(user: Viewer) -> QuerySet[DataPackage]:
    """The packages that the user may see. A basket is its owner's alone, operators included."""
    return DataPackage.objects.filter(visible_to(user, by_operators=Q(basket=False)))


def may_change(user: User, package: DataPackage) -> bool:
    """Its owner and the operators."""
    return may_keep(user, package.owner_id)


def package_for(user: Viewer, pk: UUID) -> DataPackage:
    """The package, if the user may see it. Raises NotFound."""
    found = visible_packages(user).select_related("owner", "group").filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def own_package(user: User, pk: UUID) -> DataPackage:
    """The package, to change it. Raises NotFound, and Forbidden for one that may only be seen."""
    found = package_for(user, pk)
    if not may_change(user, found):
        raise Forbidden("Only the owner of a data package may change it.")
    return found
