"""A job as the documents of WPS 2.0: StatusInfo and Result."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from common.clock import now
from common.errors import ProviderError
from jobs.models import Due, Job
from providers.process import ComplexValue, LiteralValue, OutputRequest, OutputValue
from wps_proxy.execute import succeeded
from wps_proxy.places import Place
from wps_proxy.results import outputs_of
from wps_proxy.words import wps2_word
from wps_proxy.wps2.responses import StatusInfo, result

TEXT = "text/plain"
SOONEST, LATEST = timedelta(seconds=2), timedelta(minutes=10)  # of the next question


def status_of(job: Job) -> StatusInfo:
    """The job as it is now. Raises NotFound for a job that was never submitted."""
    word = wps2_word(job)
    percent = {"Accepted": None, "Running": job.percent, "Succeeded": 100}.get(word)
    return StatusInfo(
        str(job.pk),
        word,
        expires=job.results_expire_at if job.final else None,
        next_poll=None if job.final else _next_poll(job),
        percent=percent,
    )


def result_of(job: Job, place: Place) -> bytes:
    """The Result of a job at its end.

    Small files may be read from the provider for it. Raises ProviderError when the run failed or
    gave none of the outputs.
    """
    succeeded(job)
    asked = {one.identifier: one for one in job.request().outputs}
    outputs = [
        _as_asked(output, asked.get(output.identifier))
        for output in outputs_of(job, place.output, plain_by_reference=True)
    ]
    if not outputs:
        raise ProviderError(_("The provider did not give this output."))
    return result(outputs, job_id=str(job.pk), expires=job.results_expire_at)


def _as_asked(output: OutputValue, asked: OutputRequest | None) -> OutputValue:
    """A plain value as plain text, where the client asked for that format."""
    value, form = output.value, asked.format if asked else None
    if isinstance(value, LiteralValue) and form is not None and form.media_type == TEXT:
        return replace(output, value=ComplexValue(value.identifier, value.value, TEXT))
    return output


def _next_poll(job: Job) -> datetime:
    """When the portal itself will know more: it looks at the provider then."""
    moment = now()
    work = Due.objects.filter(subject=str(job.pk), kind__in=("send", "poll"), done_at=None)
    due_at = work.order_by("due_at").values_list("due_at", flat=True).first() or moment
    return min(max(due_at + SOONEST, moment + SOONEST), moment + LATEST)
