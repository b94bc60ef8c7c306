"""Names for the numbers that ledger lines hold: jobs, services and members."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from accounting.models import JobBill
from accounting.statements.csv import Names
from accounting.statements.entries import Booking
from jobs.access import visible_jobs
from people.models import User
from providers.models import Service


def titles_of_jobs(user: User, references: Iterable[str]) -> dict[str, str]:
    """Title by reference, of the jobs among the references that the user may see."""
    ids = {found for text in references if (found := _uuid(text)) is not None}
    jobs = visible_jobs(user).filter(pk__in=ids).values_list("pk", "title") if ids else ()
    return {str(pk): title for pk, title in jobs}


def names_of_members(ids: Iterable[int | None]) -> dict[int, str]:
    """Display name by user id."""
    wanted = {pk for pk in ids if pk is not None}
    return {pk: user.display_name for pk, user in User.objects.in_bulk(wanted).items()}


def titles_of_services(ids: Iterable[int | None]) -> dict[int, str]:
    """Title by id."""
    wanted = {pk for pk in ids if pk is not None}
    return dict(Service.objects.filter(pk__in=wanted).values_list("pk", "title")) if wanted else {}


def names_of(user: User, lines: Sequence[Booking]) -> Names:
    """What the user may know of the jobs, services and members in lines of one account."""
    references = {line.reference for line in lines}
    ids = {found for text in references if (found := _uuid(text)) is not None}
    bills = dict(JobBill.objects.filter(pk__in=ids).values_list("pk", "service_id")) if ids else {}
    services = titles_of_services(bills.values())
    return Names(
        jobs=titles_of_jobs(user, references),
        services={str(pk): services[one] for pk, one in bills.items() if one in services},
        members=names_of_members(line.member_id for line in lines),
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
