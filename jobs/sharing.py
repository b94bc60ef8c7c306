"""With whom a job is shared, and the labels by which its viewers find it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from common.xml import text_ok
from jobs.access import job_for
from jobs.models import Job, JobLabel, JobShare
from jobs.models.sharing import SHARED, UNSHARED
from jobs.transitions import lock, note
from people.access import is_operator
from people.selectors import find_user, groups_of

if TYPE_CHECKING:
    from people.models import User

MOST_SHARES = 50
MOST_LABELS = 10
LONGEST_LABEL = 40


def shares_of(job: Job) -> QuerySet[JobShare]:
    """With whom the job is shared, the oldest first."""
    return job.shares.select_related("user", "group")


@transaction.atomic
def share(*, actor: User, job: Job, username: str = "", group: str = "") -> JobShare:
    """Let a user (exact name or e-mail address), or a group of the actor's (slug), see a job.

    They see it with its inputs, results, events and cost, and change nothing. The caller has
    checked that the actor manages the job. Again with the same: nothing changes.
    Raises InvalidInput (on `username`, `group`), Conflict when it is shared with too many.
    """
    if bool(username) == bool(group):
        raise InvalidInput(_("Name either a user or a group."), locator="username")
    job = lock(job.pk)
    new = _share_with_user(job, username) if username else _share_with_group(actor, job, group)
    same = job.shares.filter(user=new.user, group=new.group).first()
    if same is not None:
        return same
    if job.shares.count() >= MOST_SHARES:
        raise Conflict(_("This job is shared with too many already; share it with a group."))
    new.shared_by = actor
    new.save()
    note(job, actor=f"user:{actor.pk}", reason=SHARED, text=_with(new))
    return new


@transaction.atomic
def unshare(*, actor: User, job: Job, share_id: int) -> None:
    """End a share: who manages the job may, and the user whom it is shared with.

    Raises NotFound, Forbidden.
    """
    job = lock(job.pk)
    found = shares_of(job).filter(pk=share_id).first()
    if found is None:
        raise NotFound
    if actor.pk not in (job.owner_id, found.user_id) and not is_operator(actor):
        raise Forbidden
    found.delete()
    note(job, actor=f"user:{actor.pk}", reason=UNSHARED, text=_with(found))


@transaction.atomic
def set_labels(*, actor: User, job: Job, texts: Sequence[str]) -> list[str]:
    """Give the job exactly these labels; the caller has checked that the actor manages it.

    Raises InvalidInput on `labels` for too many, and for one that is empty or too long.
    """
    wanted = list(dict.fromkeys(" ".join(text.split()) for text in texts))
    if len(wanted) > MOST_LABELS:
        text = _("A job has at most %(most)s labels.") % {"most": MOST_LABELS}
        raise InvalidInput(text, locator="labels")
    if any(not one or len(one) > LONGEST_LABEL or "," in one or not text_ok(one) for one in wanted):
        text = _("A label is a text of at most %(most)s characters without commas.")
        raise InvalidInput(text % {"most": LONGEST_LABEL}, locator="labels")
    job = lock(job_for(actor, job.pk, "manage").pk)
    job.labels.exclude(text__in=wanted).delete()
    JobLabel.objects.bulk_create(
        [JobLabel(job=job, text=text) for text in wanted], ignore_conflicts=True
    )
    return sorted(wanted)


def labels_of(jobs: QuerySet[Job]) -> list[str]:
    """The labels of these jobs, each once."""
    found = JobLabel.objects.filter(job__in=jobs.order_by().values("pk"))
    return list(found.order_by("text").values_list("text", flat=True).distinct()[:200])


def _share_with_user(job: Job, name: str) -> JobShare:
    try:
        user = find_user(name.strip())
    except NotFound as error:
        raise InvalidInput(error.detail, locator="username") from None
    if user.pk == job.owner_id:
        raise InvalidInput(_("The job is this user's own."), locator="username")
    return JobShare(job=job, user=user)


def _share_with_group(actor: User, job: Job, slug: str) -> JobShare:
    found = groups_of(actor).filter(slug=slug).first()
    if found is None:
        raise InvalidInput(_("You are not in a group of this name."), locator="group")
    return JobShare(job=job, group=found)


def _with(share: JobShare) -> str:
    if share.user is not None:
        return share.user.username
    return share.group.slug if share.group is not None else ""
