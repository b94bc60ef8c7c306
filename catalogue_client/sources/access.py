"""Who may search which catalogue of others, and who may change its registration."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from catalogue_client.access import Viewer, may_keep, visible_to
from catalogue_client.models import CatalogueSource, Visibility
from common.errors import Forbidden, NotFound
from people.models import User

OWN = "portal"  # the short name of the embedded catalogue, which no source may have


def visible_sources(user: Viewer) -> QuerySet[CatalogueSource]:
    """The sources that the user may search; a public one only when an operator has approved it."""
    public = Q(visibility=Visibility.PUBLIC, approved=True)
    return CatalogueSource.objects.filter(visible_to(user, public=public))


def may_manage(user: User, source: CatalogueSource) -> bool:
    """Its owner and the operators."""
    return may_keep(user, source.owner_id)


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
