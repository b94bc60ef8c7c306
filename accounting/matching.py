"""Which job a usage record is about.

A record names its job by the portal's identifier, or by the provider's own among the jobs of that
provider. Nothing else in it (least of all a user's name) decides who pays.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from accounting.models import JobBill, RecordState, UsageRecord

_UUID = re.compile(r"[0-9a-fA-F]{8}(-?)(?:[0-9a-fA-F]{4}\1){3}[0-9a-fA-F]{12}")
CHUNK = 500  # databases bound the number of parameters of a statement
T = TypeVar("T")


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """The items in pieces that fit into one statement each."""
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def portal_id(local_job_id: str) -> UUID | None:
    """The portal's job identifier, in any case, with or without dashes."""
    return UUID(local_job_id) if _UUID.fullmatch(local_job_id) else None


@dataclass(frozen=True, slots=True)
class Match:
    """The job a record is about, if any, or why it must not be charged."""

    job_id: UUID | None = None
    provider_id: int | None = None
    held_back: str = ""


class Matcher:
    """Finds the jobs of many records with few queries."""

    def __init__(self, named: Iterable[tuple[str, int | None]]) -> None:
        """`named`: (local job id, provider or None when not known) of every record."""
        named = set(named)
        self._by_id: dict[UUID, int] = {}
        self._by_provider_job: dict[tuple[int, str], list[UUID]] = defaultdict(list)
        ids = [job_id for text, _provider in named if (job_id := portal_id(text))]
        for some in chunks(ids):
            rows = JobBill.objects.filter(pk__in=some)
            self._by_id.update(rows.values_list("pk", "provider_id"))
        for provider in {p for _text, p in named if p is not None}:
            texts = [text for text, p in named if p == provider and text]
            for names in chunks(texts):
                rows = JobBill.objects.filter(provider_id=provider, provider_job_id__in=names)
                for job_id, text in rows.values_list("pk", "provider_job_id"):
                    self._by_provider_job[provider, text].append(job_id)

    def match(self, local_job_id: str, provider_id: int | None) -> Match:
        job_id = portal_id(local_job_id)
        if job_id is not None and job_id in self._by_id:
            provider_of_job = self._by_id[job_id]
            if provider_id not in (None, provider_of_job):
                return Match(
                    provider_id=provider_id,
                    held_back=_("Names a job of another provider than the sender."),
                )
            return Match(job_id, provider_of_job)
        if provider_id is None:
            return Match()
        found = self._by_provider_job.get((provider_id, local_job_id), [])
        if len(found) > 1:
            return Match(
                provider_id=provider_id,
                held_back=_("Several jobs have this identifier at the provider."),
            )
        return Match(found[0] if found else None, provider_id)


def take_up(bill: JobBill) -> int:
    """Give a locked bill the usage that named its job before the job was known by that name."""
    if not bill.provider_job_id:
        return 0
    waiting = UsageRecord.objects.filter(
        state=RecordState.UNMATCHED,
        superseded_by__isnull=True,
        provider_id=bill.provider_id,
        local_job_id=bill.provider_job_id,
    )
    return waiting.update(bill=bill, state=RecordState.MATCHED)


def overlooked() -> Sequence[UUID]:
    """Jobs with usage that came in at the moment they were handed over: neither saw the other."""
    waiting = UsageRecord.objects.filter(
        state=RecordState.UNMATCHED,
        superseded_by__isnull=True,
        provider_id=OuterRef("provider_id"),
        local_job_id=OuterRef("provider_job_id"),
    )
    bills = JobBill.objects.exclude(provider_job_id="").filter(Exists(waiting))
    return list(bills.values_list("pk", flat=True)[:CHUNK])
