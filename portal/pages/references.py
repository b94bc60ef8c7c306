"""Names for the numbers that ledger lines hold: jobs and members."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from jobs.access import visible_jobs
from people.models import User


def titles_of_jobs(user: User, references: Iterable[str]) -> dict[str, str]:
    """Title by reference, of the jobs among the references that the user may see."""
    ids = {found for text in references if (found := _uuid(text)) is not None}
    jobs = visible_jobs(user).filter(pk__in=ids).values_list("pk", "title") if ids else ()
    return {str(pk): title for pk, title in jobs}


def names_of_members(ids: Iterable[int | None]) -> dict[int, str]:
    """Display name by user id."""
    wanted = {pk for pk in ids if pk is not None}
    return {pk: user.display_name for pk, user in User.objects.in_bulk(wanted).items()}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
