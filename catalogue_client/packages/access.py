"""Who may see and change which data package."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from catalogue_client.access import Viewer
from catalogue_client.models import DataPackage, Visibility
from common.errors import Forbidden, NotFound
from people.access import is_operator
from people.models import User
from people.selectors import groups_of


def visible_packages(user: Viewer) -> QuerySet[DataPackage]:
    """The packages that the user may see. A basket is its owner's alone, operators included."""
    public = Q(visibility=Visibility.PUBLIC)
    if not isinstance(user, User) or not user.is_active:
        return DataPackage.objects.filter(public)
    if is_operator(user):
        return DataPackage.objects.filter(Q(basket=False) | Q(owner=user))
    in_group = Q(visibility=Visibility.GROUP, group__in=groups_of(user))
    return DataPackage.objects.filter(public | Q(owner=user) | in_group)


def may_change(user: User, package: DataPackage) -> bool:
    """Its owner and the operators."""
    return user.is_active and (package.owner_id == user.pk or is_operator(user))


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
