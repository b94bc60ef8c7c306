"""What accounting asks about providers and jobs (accounting.directory)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db.models import Q

from common.clock import now
from jobs.models import Job
from jobs.states import FINAL
from jobs.usage_senders import provider_by_site, sender_of_id
from people.models import User
from providers.models import Provider

LOST_AFTER = timedelta(days=1)  # without a word from the provider


def owner_of(provider_id: int) -> User | None:
    """Who speaks for a provider; None when there is no such provider."""
    return User.objects.filter(providers=provider_id).first()


def owned_by(user: User) -> list[int]:
    """The providers that the user speaks for."""
    return list(Provider.objects.filter(owner=user).values_list("pk", flat=True))


def on_their_way(job_ids: Collection[UUID]) -> set[UUID]:
    """The jobs that have not ended, without those that their provider says nothing of any more."""
    lost = Q(unreachable_since__lt=now() - LOST_AFTER)
    moving = Job.objects.filter(pk__in=job_ids).exclude(state__in=FINAL).exclude(lost)
    return set(moving.values_list("pk", flat=True))


sender_of = sender_of_id
sites = provider_by_site
