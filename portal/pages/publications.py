"""A job's result in catalogues: who sees its entry, and how far it is at each target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalogue_client.models import Item, Publication, PublicationState, PublishTarget, Visibility
from catalogue_client.publishing.publications import of_item
from catalogue_client.publishing.targets import usable_targets
from jobs import publication_work
from jobs.access import job_for, may_manage
from jobs.models import Job
from people.selectors import groups_of
from portal.pages.feedback import told
from portal.pages.scenes import entry_address

if TYPE_CHECKING:
    from people.models import User

MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Place:
    """One target: what is known of the result there, and what can be done now."""

    target: PublishTarget
    row: Publication | None
    actions: list[tuple[str, str]]


def published(user: User, job: Job) -> dict[str, Any]:
    """What the results page shows of catalogues to who manages the job, once it has an entry."""
    if not may_manage(user, job):
        return {}
    item = Item.objects.select_related("collection").filter(job_id=job.pk, deleted_at=None).first()
    if item is None:
        return {}
    rows = {row.target_id: row for row in of_item(item)}
    targets = {row.target_id: row.target for row in rows.values()}
    targets |= {target.pk: target for target in usable_targets(user)}
    places = [_place(target, rows.get(pk)) for pk, target in targets.items()]
    return {
        "entry": item,
        "entry_href": entry_address(item),
        "visibilities": Visibility.choices,
        "groups": groups_of(user),
        "publications": sorted(places, key=lambda place: place.target.name),
    }


@login_required
@require_POST
def publish(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Publish at a target, withdraw there, or try again (`action`, `target`)."""
    user = cast("User", request.user)
    job = job_for(user, job_id, "manage")
    target = request.POST.get("target", "")
    target_id = int(target) if target.isascii() and target.isdigit() else 0
    with told(request, _("It is done as soon as a worker is free.")):
        publication_work.act(
            actor=user,
            job=job,
            target_id=target_id if len(target) <= MOST_DIGITS else 0,
            action=request.POST.get("action", ""),
        )
    return _back(job)


@login_required
@require_POST
def show(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Let others see the entry (`visibility`, `group`)."""
    user = cast("User", request.user)
    job = job_for(user, job_id, "manage")
    with told(request, _("It is saved who sees the entry.")):
        publication_work.show(
            actor=user,
            job=job,
            visibility=request.POST.get("visibility", ""),
            group=request.POST.get("group", ""),
        )
    return _back(job)


def _place(target: PublishTarget, row: Publication | None) -> Place:
    actions = []
    if row is None or not row.wanted:
        actions.append(("publish", _("Publish")))
    if row is not None and row.state == PublicationState.FAILED:
        actions.append(("retry", _("Try again")))
    if row is not None and row.wanted:
        actions.append(("withdraw", _("Withdraw")))
    return Place(target, row, actions)


def _back(job: Job) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('pages:job', args=[job.pk])}?tab=results")
