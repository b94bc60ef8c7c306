"""What the end of a job brings with it, in the transaction of the end itself."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from accounting import bills
from common.prepared import Prepared
from jobs import due, limits
from jobs.models import CallbackEvent, Job, JobCallback
from jobs.outputs import outputs_of
from jobs.states import SUCCESSFUL
from people import mail
from providers.models import CopyPolicy, Provider

FILES = ("complex", "reference")  # kinds of outputs that count as results with a price


def settle(job: Job) -> None:
    """Close the bill of a job at its end; have its results published and copied, its end told."""
    successful = job.state in SUCCESSFUL
    outputs = outputs_of(job)
    files = sum(output.kind in FILES for output in outputs)
    bills.job_ended(job.pk, successful=successful, products_out=files)
    provider = job.service.provider
    # What the portal itself gave back is nobody's finding.
    if successful and outputs and not provider.in_process:
        due.schedule(kind="publish", subject=job.pk)
    if provider.copy_results == CopyPolicy.ALWAYS:
        for output in outputs:
            if output.kind == "reference":
                due.schedule(kind="copy", subject=output.pk, lane=due.lane(provider.pk))
    if limits.are_set(provider):
        _give_place(provider)
    tell(job, CallbackEvent.SUCCESS if successful else CallbackEvent.FAILED)
    if job.mail_at_end:
        _write(job)


def tell(job: Job, event: CallbackEvent) -> None:
    """Have the addresses told that wait for this event of the job."""
    if not job.calls_back:
        return
    for told in _TOLD.all(job.pk, event.value):
        due.schedule(kind="callback", subject=told.pk)


_TOLD = Prepared(
    lambda job, event: JobCallback.objects.filter(job=job, event=event).only("pk"), *(UUID, str)
)


def _give_place(provider: Provider) -> None:
    """The place of a job that ended goes to the one that waits longest."""
    waiting = limits.first_in_line(provider)
    if waiting is not None:
        due.schedule(kind="send", subject=waiting.pk, lane=due.lane(provider.pk))


def _write(job: Job) -> None:
    """A mail to the owner, who asked for it."""
    with mail.in_language_of(job.owner):
        words = {"title": job.title, "state": job.get_state_display()}
        lines = [
            _("Hello %(name)s,") % {"name": job.owner.display_name},
            _("your job “%(title)s” has ended: %(state)s.") % words,
            job.error,
            mail.link(reverse("pages:job", args=[job.pk])),
        ]
        subject = _("Job ended (%(state)s): %(title)s") % words
        mail.queue(job.owner, f"job-end:{job.pk}", subject, "\n\n".join(filter(None, lines)))
