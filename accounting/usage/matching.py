"""Which job a usage record is about.

A record names its job by the portal's identifier, or by the provider's own among the jobs of that
provider. Nothing else in it (least of all a user's name) decides who pays; but where a TEP record
names somebody else than who ran the job, people look at it first.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils.translation import gettext as _

from accounting.cases import providers_of
from accounting.models import JobBill, RecordType, UsageName, UsageRecord
from accounting.usage.records import shown
from accounting.usage.rows import UNMATCHED
from people.models import User

_UUID = re.compile(r"[0-9a-fA-F]{8}(-?)(?:[0-9a-fA-F]{4}\1){3}[0-9a-fA-F]{12}")
AT_ONCE = 500  # what a sweep takes up in one go
_PREFIX = "tep_"  # which some centres put before the names of the portal's users
TEP = RecordType.TEP.value

Claim = tuple[str, int, str]  # a job, its provider, and the name of who ran it, as reported


def portal_id(local_job_id: str) -> str | None:
    """The portal's job identifier, in any case, with or without dashes; as `str(UUID)` has it."""
    if not _UUID.fullmatch(local_job_id):
        return None
    return local_job_id.lower() if "-" in local_job_id else str(UUID(local_job_id))


@dataclass(slots=True)
class Match:
    """The job a record is about, if any, or why it must not be charged; treat it as frozen."""

    job_id: str | None = None
    provider_id: int | None = None
    held_back: str = ""
    foreign: bool = False  # it names a job of another provider than its sender


class Matcher:
    """Finds the jobs of many records with two queries."""

    def __init__(self, named: Iterable[tuple[Sequence[str], int | None]]) -> None:
        """`named`: names of the job, and the provider or None when not known, of every record."""
        ids: dict[str, str] = {}
        of_providers: dict[int, set[str]] = defaultdict(set)
        for names, provider in named:
            for name in filter(None, names):
                if job_id := portal_id(name):
                    ids[name] = job_id
                if provider is not None:
                    of_providers[provider].add(name)
        self._ids = ids
        self._by_id = providers_of(set(ids.values()))
        # What is a job's identifier here is not looked for as a provider's.
        known = {name for name, job_id in ids.items() if job_id in self._by_id}
        self._by_provider_job = _remote_jobs(of_providers, known)

    def match(self, names: Sequence[str], provider_id: int | None) -> Match:
        """The job of a record: the first of its names that is known decides."""
        for name in names:
            job_id = self._ids.get(name)
            if job_id is not None and job_id in self._by_id:
                return self._by_portal_id(job_id, provider_id)
            found = self._by_provider_job.get((provider_id, name), [])
            if len(found) > 1:
                reason = _("Several jobs have this identifier at the provider.")
                return Match(provider_id=provider_id, held_back=reason)
            if found:
                return Match(found[0], provider_id)
        return Match(provider_id=provider_id)

    def _by_portal_id(self, job_id: str, provider_id: int | None) -> Match:
        provider_of_job = self._by_id[job_id]
        if provider_id in (None, provider_of_job):
            return Match(job_id, provider_of_job)
        return Match(
            provider_id=provider_id,
            held_back=_("Names a job of another provider than the sender."),
            foreign=True,
        )


def claim_of(kind: str, match: Match, user: str) -> Claim | None:
    """What a record says about who ran its job, where that can be compared: in TEP records."""
    if kind != TEP or not user or match.job_id is None or match.provider_id is None:
        return None
    return match.job_id, match.provider_id, user


def of_others(claims: Collection[Claim]) -> Mapping[Claim, Match]:
    """Those that name another user than the job's member; held back, with a note that says so.

    A name is the portal's own, with or without the prefix of a centre, or one of which an operator
    said whom it means. At most two queries; none without claims.
    """
    if not claims:
        return {}
    bills = JobBill.objects.filter(pk__among={job_id for job_id, _provider, _name in claims})
    username = Subquery(User.objects.filter(pk=OuterRef("member_id")).values("username")[:1])
    members = {str(pk): who for pk, *who in bills.values_list("pk", "member_id", username)}
    wrong = {claim for claim in claims if not _is(claim[2], members[claim[0]][1])}
    known = _known_as(wrong)
    return {
        (job_id, provider, name): Match(provider_id=provider, held_back=_mismatch(name, job_id))
        for job_id, provider, name in wrong
        if (provider, name, members[job_id][0]) not in known
    }


def _is(name: str, username: str | None) -> bool:
    told = name.casefold()
    return username is None or username.casefold() in (told, told.removeprefix(_PREFIX))


def _known_as(claims: Collection[Claim]) -> set[tuple[int, str, int | None]]:
    """Provider, name, and the user whom an operator said it means."""
    if not claims:
        return set()
    rows = UsageName.objects.filter(
        kind="user",
        provider_id__in={provider for _job, provider, _name in claims},
        name__among={name for _job, _provider, name in claims},
    )
    return set(rows.values_list("provider_id", "name", "account__user_id"))


def _mismatch(name: str, job_id: str) -> str:
    text = _("It names the user %(name)s, who did not run job %(job)s.")
    return text % {"name": shown(name), "job": job_id}


def _remote_jobs(
    of_providers: dict[int, set[str]], known: set[str]
) -> dict[tuple[int | None, str], list[str]]:
    """Jobs by provider and its own name of them."""
    names = set().union(*of_providers.values()) - known if of_providers else set()
    found: dict[tuple[int | None, str], list[str]] = defaultdict(list)
    if names:
        rows = JobBill.objects.filter(
            provider_job_id__among=names, provider_id__among=list(of_providers)
        )
        for job_id, provider, name in rows.values_list("pk", "provider_id", "provider_job_id"):
            found[provider, name].append(str(job_id))
    return found


def overlooked() -> Sequence[UUID]:
    """Jobs with usage that came in at the moment they were handed over: neither saw the other."""
    waiting = UsageRecord.objects.filter(
        Q(state=UNMATCHED) | Q(usage_bill__isnull=False),
        bill__isnull=True,
        superseded_by__isnull=True,
        provider_id=OuterRef("provider_id"),
        local_job_id=OuterRef("provider_job_id"),
    )
    bills = JobBill.objects.exclude(provider_job_id="").filter(Exists(waiting))
    return list(bills.values_list("pk", flat=True)[:AT_ONCE])
