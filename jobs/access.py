"""The only way by which a door obtains a job."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from django.db.models import Q, QuerySet

from accounting.models import Quote
from catalogue_client.access import Viewer, visible_items
from common.errors import Forbidden, NotFound
from jobs.models import Job, JobOutput, JobShare
from people.access import is_operator
from people.models import Role, User

Right = Literal["view", "manage"]


def visible_jobs(user: User) -> QuerySet[Job]:
    """One's own jobs and those shared with oneself or a group of one's own; a group's
    administrators see those that the group pays for; operators all."""
    jobs = Job.objects.select_related(
        "service__provider", "service_version", "account", "owner", "application"
    )
    if is_operator(user):
        return jobs
    administered = user.memberships.filter(role=Role.ADMIN).values("group")
    shared = JobShare.objects.filter(
        Q(user=user) | Q(group__in=user.memberships.values("group"))
    ).values("job")
    return jobs.filter(Q(owner=user) | Q(account__group__in=administered) | Q(pk__in=shared))


def job_for(user: User, job_id: UUID | str, right: Right) -> Job:
    """The job, if the user may view it (or manage it: its owner and operators).

    Raises NotFound for a job that the user may not see, Forbidden for one that may only be seen.
    """
    try:
        job_id = UUID(str(job_id))
    except ValueError:
        raise NotFound from None
    job = visible_jobs(user).filter(pk=job_id).first()
    if job is None:
        raise NotFound
    if right == "manage" and not may_manage(user, job):
        raise Forbidden
    return job


def may_manage(user: User, job: Job) -> bool:
    """Whether the user may dismiss, share, label and copy a job: its owner and operators."""
    return job.owner_id == user.pk or is_operator(user)


def output_for(user: User, job_id: UUID | str, number: int) -> JobOutput:
    """An output of a job that the user may view."""
    job = job_for(user, job_id, "view")
    output = job.outputs.filter(number=number).first()
    if output is None:
        raise NotFound
    output.job = job
    return output


def readable_output(user: Viewer, job_id: UUID | str, number: int) -> JobOutput:
    """An output of a job that the user may view, or a file of an entry that the user sees.

    Nobody needs to have signed in to read the files of an entry that everybody sees. Documents that
    only tell of files stay with the job: they may name the provider. Raises NotFound.
    """
    if isinstance(user, User):
        try:
            return output_for(user, job_id, number)
        except NotFound:
            pass
    href = f"/jobs/{job_id}/outputs/{number}"
    items = visible_items(user).filter(job_id=job_id)
    assets = [asset for item in items for asset in item.document["assets"].values()]
    output = JobOutput.objects.select_related("job__service__provider").filter(
        job_id=job_id, number=number
    )
    found = output.first() if any(asset["href"] == href for asset in assets) else None
    if found is None or found.facts.get("role") in ("metadata", "search"):
        raise NotFound
    return found


def quotes_of(user: User) -> QuerySet[Quote]:
    """The quotes that were made for the user, newest first."""
    own = Quote.objects.select_related("account").filter(member_id=user.pk)
    return own.order_by("-created_at", "pk")


def quote_for(user: User, quote_id: UUID | str) -> Quote:
    """A quote that was made for the user; operators see all. Otherwise NotFound."""
    try:
        wanted = UUID(str(quote_id))
    except ValueError:
        raise NotFound from None
    quotes = Quote.objects.select_related("account").filter(pk=wanted)
    quote = (quotes if is_operator(user) else quotes.filter(member_id=user.pk)).first()
    if quote is None:
        raise NotFound
    return quote
