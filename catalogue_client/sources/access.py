"""Who may search which catalogue of others, and who may change its registration."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from catalogue_client.access import Viewer
from catalogue_client.models import CatalogueSource, Visibility
from common.errors import Forbidden, NotFound
from people.access import is_operator
from people.models import User
from people.selectors import groups_of

OWN = "portal"  # the short name of the embedded catalogue, which no source may have


def visible_sources(user: Viewer) -> QuerySet[CatalogueSource]:
    """The sources that the user may search; a public one only when an operator has approved it."""
    public = Q(visibility=Visibility.PUBLIC, approved=True)
    if not isinstance(user, User) or not user.is_active:
        return CatalogueSource.objects.filter(public)
    if is_operator(user):
        return CatalogueSource.objects.all()
    in_group = Q(visibility=Visibility.GROUP, group__in=groups_of(user))
    return CatalogueSource.objects.filter(public | Q(owner=user) | in_group)


def may_manage(user: User, source: CatalogueSource) -> bool:
    """Its owner and the operators."""
    return user.is_active and (source.owner_id == user.pk or is_operator(user))


def source_for(user: Viewer, slug: str) -> CatalogueSource:
    """The source, if the user may search it. Raises NotFound."""
    found = visible_sources(user).select_related("owner", "group").filter(slug=slug).first()
    if found is None:
        raise NotFound
    return found


def managed_source(user: User, slug: str) -> CatalogueSource:
    """The source, to change it. Raises NotFound; Forbidden for one that may only be searched."""
    found = source_for(user, slug)
    if not may_manage(user, found):
        raise Forbidden("Only the owner of a source and the operators may change it.")
    return found
