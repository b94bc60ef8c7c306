"""Whose usage a user may look at: operators everybody's, owners of providers their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from common.errors import NotFound
from people.access import is_operator
from people.models import User
from providers.models import Provider


@dataclass(frozen=True, slots=True)
class Scope:
    """`names` are the providers by id; `ids` None means everybody's; `chosen` narrows it to one."""

    names: Mapping[int, Provider]
    everything: bool
    chosen: Provider | None

    @property
    def ids(self) -> list[int] | None:
        if self.chosen is not None:
            return [self.chosen.pk]
        return None if self.everything else list(self.names)

    def within(self, rows: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
        """Those of the rows (by their `provider_id`) that the user may see."""
        return rows if self.ids is None else rows.filter(provider_id__in=self.ids)


def scope_for(user: User, slug: str = "") -> Scope:
    """What the user sees of usage, or of one provider's.

    Raises NotFound for who has no usage to look at, and for a provider that is not the user's.
    """
    everything = is_operator(user)
    names = (Provider.objects.all() if everything else user.providers.all()).in_bulk()
    chosen = next((one for one in names.values() if one.slug == slug), None)
    if not (everything or names) or (slug and chosen is None):
        raise NotFound
    return Scope(names, everything, chosen)
