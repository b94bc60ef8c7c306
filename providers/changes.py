"""The record of changes to a provider's registration: who, what; secrets only by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet

from providers.models import Provider, ProviderChange

if TYPE_CHECKING:
    from people.models import User

MOST_TEXT = 5000


def note_change(provider: Provider, actor: User | str, what: str, text: str = "") -> ProviderChange:
    """Write it down, in the caller's transaction. `actor` is a user or a part of the portal."""
    who = actor if isinstance(actor, str) else f"user:{actor.pk}"
    return ProviderChange.objects.create(
        provider=provider, actor=who[:64], what=what[:60], text=text[:MOST_TEXT]
    )


def changes_of(provider: Provider) -> QuerySet[ProviderChange]:
    """All changes of a registration, the newest first."""
    return provider.changes.all()
