"""Results in viewers: asked for by a click, sent by workers, and kept as the entry is."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from catalogue_client.models import Item, Viewer, ViewState, Visibility, Visualisation
from catalogue_client.services import attach
from catalogue_client.viewers import offerings
from catalogue_client.viewers.access import may_send
from catalogue_client.viewers.selectors import BUSY, sendable, shown_by
from common.clock import now
from common.errors import ConfigurationError, Forbidden, NotFound
from jobs import due
from jobs.models import Due
from jobs.view_steps import Work, fail
from people.models import User

KIND = "view"


@transaction.atomic
def ask(*, actor: User, viewer: Viewer, item: Item, asset: str) -> Visualisation:
    """Have a file of an entry shown in a viewer; the caller has checked that the actor may use it.

    What is there, or on its way, stays so. The same bytes of the same owner for the same readers
    are not sent twice. Raises Forbidden for who does not own the entry, NotFound for a file that
    there is not, or that the viewer cannot show.
    """
    if not may_send(actor, item):
        raise Forbidden
    file = next((one for one in sendable(item) if one.key == asset), None)
    if file is None or file.media_type not in shown_by(viewer):
        raise NotFound
    values = {"content": file.content, "asked_by": actor.pk, "asked_at": now()}
    view, made = Visualisation.objects.select_for_update(of=("self",)).get_or_create(
        viewer=viewer, item=item, asset=asset, defaults=values
    )
    same = view.content == file.content
    if not made and same and view.state != ViewState.FAILED:
        return view
    view.content, view.asked_by, view.asked_at = file.content, actor.pk, now()
    view.state, view.error, view.tries, view.url = ViewState.QUEUED, "", 0, ""
    view.save()
    if not _shared(view):
        due.schedule(kind=KIND, subject=view.pk, lane=f"viewer:{viewer.pk}")
    return view


def view(row: Due) -> datetime | None:
    """The step of the due work `view`: bring one visualisation further."""
    found = Visualisation.objects.select_related("viewer", "item__collection")
    one = found.filter(pk=row.subject).first()
    if one is None:
        return None
    try:
        return Work(one, row).go_on()
    except ConfigurationError as error:
        fail(one, error)
        return None


def ensure() -> None:
    """Give every visualisation that is not as its entry is, or not ready, its row."""
    public = Q(item__visibility=Visibility.PUBLIC, item__collection__visibility=Visibility.PUBLIC)
    ready = Q(state=ViewState.READY)
    wrong = (ready & Q(public=True) & ~public) | (ready & Q(public=False) & public)
    rows = Visualisation.objects.filter(
        Q(state__in=BUSY) | Q(item__deleted_at__isnull=False) | wrong
    )
    wanted = dict(rows.values_list("pk", "viewer_id"))
    open_rows = Due.objects.filter(kind=KIND, done_at=None)
    opened = set(open_rows.values_list("subject", flat=True)) if wanted else set()
    for pk, viewer_id in wanted.items():
        if str(pk) not in opened:
            due.schedule(kind=KIND, subject=pk, lane=f"viewer:{viewer_id}")


def _shared(view: Visualisation) -> bool:
    """Take over what already shows these bytes to the same readers."""
    item = view.item
    twins = Visualisation.objects.select_related("item", "viewer").filter(
        viewer=view.viewer, content=view.content, state=ViewState.READY,
        item__owner=item.owner_id, item__visibility=item.visibility, item__group=item.group_id,
        item__collection=item.collection_id, item__deleted_at=None,
    )  # fmt: skip
    twin = twins.exclude(pk=view.pk).first()
    added = twin.item.attached.get(offerings.name_of(twin)) if twin else None
    if twin is None or added is None or view.handle:
        return False
    view.handle, view.url, view.public = twin.handle, twin.url, twin.public
    view.state, view.ready_at = ViewState.READY, now()
    view.save()
    name = offerings.name_of(view)
    attach(item_id=view.item_id, name=name, added={**added, "asset": view.asset})
    return True
