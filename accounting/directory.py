"""What accounting must ask about providers and jobs, which are not its own.

Whoever assembles the portal names a module with these functions in ACCOUNTING_DIRECTORY, so that
accounting depends neither on providers nor on jobs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import import_module
from typing import Protocol, cast
from uuid import UUID

from django.conf import settings

from accounting.usage.records import Sender
from people.models import User


class Directory(Protocol):
    """Each function is one query."""

    def owner_of(self, provider_id: int) -> User | None:
        """Who speaks for a provider; None when there is no such provider."""

    def owned_by(self, user: User) -> Collection[int]:
        """The providers that the user speaks for."""

    def on_their_way(self, job_ids: Collection[UUID]) -> Collection[UUID]:
        """Those of the jobs that may still come to an end by themselves."""

    def sender_of(self, provider_id: int | None) -> Sender:
        """A provider as a sender of usage, with what is agreed with it now."""

    def sites(self) -> Mapping[str, int]:
        """Site in usage records → provider, where a site is of one provider only."""


def directory() -> Directory:
    """The functions of this portal."""
    return cast(Directory, import_module(settings.ACCOUNTING_DIRECTORY))
