"""How a result gets into a viewer, step by step, each of which may be repeated.

The row of a visualisation is the truth. It says SENDING before anything is sent, so that whoever
comes after a kill looks whether the file arrived before it is sent again.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from catalogue_client.access import EVERYBODY, audiences
from catalogue_client.models import ViewState, Visualisation
from catalogue_client.services import attach
from catalogue_client.viewers import offerings, web
from catalogue_client.viewers.configure import place_of
from catalogue_client.viewers.contract import Adapter, Busy, Look, Place, SourceLost, Upload
from catalogue_client.viewers.registry import adapter_of
from catalogue_client.viewers.selectors import sendable
from common.clock import now
from common.errors import (
    AddressRefused,
    NotFound,
    PortalError,
    ProviderError,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
)
from jobs import due
from jobs.models import Due, JobOutput
from jobs.view_files import upload_of

log = structlog.get_logger(__name__)

PATIENCE = timedelta(minutes=15)  # for a viewer to show what it was given
SOON, LATER = timedelta(seconds=3), timedelta(seconds=30)
MOST_TRIES = 12


class Work:
    """One visualisation in a worker's hands."""

    def __init__(self, view: Visualisation, row: Due) -> None:
        self.view = view
        self.row = row
        self.adapter: Adapter = adapter_of(view.viewer.adapter)
        self.place: Place = place_of(view.viewer)
        self.public = EVERYBODY in audiences(view.item, view.item.collection)

    def go_on(self) -> datetime | None:
        """One step; when the next is due, None when there is none."""
        if self.view.item.deleted_at is not None:
            return self._remove()
        if self.view.state == ViewState.READY and self.view.public != self.public:
            _set(self.view, state=ViewState.WORKING, sent_at=now())
        steps = {
            ViewState.QUEUED: self._send,
            ViewState.SENDING: self._find,
            ViewState.WORKING: self._look,
        }
        step = steps.get(ViewState(self.view.state))
        try:
            return step(self._upload()) if step else None
        except (ProviderRefused, AddressRefused, NotFound) as error:
            fail(self.view, error)
            return None
        except ProviderError as error:
            return self._later(error)

    def _upload(self) -> Upload:
        """Raises NotFound when the entry has no such file any more."""
        file = next((f for f in sendable(self.view.item) if f.key == self.view.asset), None)
        if file is None:
            raise NotFound(_("The result is no longer there."))
        outputs = JobOutput.objects.select_related("job__service__provider")
        output = outputs.filter(job_id=file.job_id, number=file.number).first()
        if output is None:
            raise NotFound(_("The result is no longer there."))
        return upload_of(self.view, output, public=self.public, alive=lambda: due.renew(self.row))

    def _send(self, upload: Upload) -> datetime | None:
        """Sent once; what was there of other content, or of an attempt before, goes first."""
        if self.view.handle:
            self._let_go()
            _set(self.view, handle="", sent_at=None)
        elif self.view.sent_at is not None and (handle := self._sent_before(upload)):
            return self._taken(handle)
        if not _set(self.view, was=ViewState.QUEUED, state=ViewState.SENDING, sent_at=now()):
            return None
        try:
            handle = self.adapter.send(self.place, upload)
        except (Busy, ProviderUnreachable, SourceLost):  # nothing whole has arrived
            _set(self.view, state=ViewState.QUEUED, sent_at=None)
            raise
        except (ProviderTimeout, ProviderNonsense) as error:  # it may have arrived
            log.warning("view.unknown", view=self.view.pk, error=error.detail)
            return now() + LATER
        return self._taken(handle)

    def _sent_before(self, upload: Upload) -> str | None:
        """What somebody who asks again may not know; a viewer that cannot be asked is trusted."""
        try:
            return self.adapter.find(self.place, upload)
        except ProviderRefused:
            return None

    def _find(self, upload: Upload) -> datetime | None:
        """Whoever sent it got no answer, or died: look whether it is there."""
        handle = self.adapter.find(self.place, upload)
        if handle:
            return self._taken(handle)
        if not self._over():
            return now() + LATER  # it may still be on its way there
        _set(self.view, state=ViewState.QUEUED, sent_at=None)
        return self._later(ProviderError(_("The file did not arrive.")))

    def _look(self, upload: Upload) -> datetime | None:
        late = self._over()
        try:
            look = self.adapter.look(self.place, self.view.handle, upload)
            for service in look.services:
                web.shown_at(self.place, service.address)
            url = web.shown_at(self.place, look.url) if look.url else ""
        except ProviderRefused:
            raise
        except ProviderError as error:
            return self._wait(error) if late else now() + LATER
        if url:
            self._ready(Look(look.handle, url, look.services))
            return None
        _set(self.view, handle=look.handle)
        in_time = ProviderError(_("The viewer did not show it in time."))
        return self._wait(in_time) if late else now() + SOON

    def _wait(self, error: ProviderError) -> datetime | None:
        """It takes too long. What is shown to others than it should be is asked for until it is
        right, however long that takes; anything else fails."""
        if self.view.url:
            return now() + 10 * LATER
        fail(self.view, error)
        return None

    def _taken(self, handle: str) -> datetime:
        _set(self.view, state=ViewState.WORKING, handle=handle, sent_at=now())
        return now() + SOON

    @transaction.atomic
    def _ready(self, look: Look) -> None:
        values = {"handle": look.handle, "url": look.url, "public": self.public}
        moved = _set(
            self.view, was=ViewState.WORKING, state=ViewState.READY, ready_at=now(), error="",
            **values,
        )  # fmt: skip
        if moved:
            added = offerings.added(self.view, look.url, look.services)
            attach(item_id=self.view.item_id, name=offerings.name_of(self.view), added=added)

    def _remove(self) -> datetime | None:
        """The entry is gone: nobody shall see its file in the viewer."""
        try:
            self._let_go()
        except ProviderError as error:
            log.warning("view.not_removed", view=self.view.pk, error=error.detail)
            return now() + min(timedelta(days=1), LATER * 2.0 ** min(self.row.attempts, 12))
        with transaction.atomic():
            attach(item_id=self.view.item_id, name=offerings.name_of(self.view), added=None)
            self.view.delete()
        return None

    def _let_go(self) -> None:
        """Have it removed there, unless another entry is shown by it."""
        handle = self.view.handle
        others = Visualisation.objects.filter(viewer=self.view.viewer, handle=handle)
        if handle and not others.exclude(pk=self.view.pk).exists():
            self.adapter.remove(self.place, handle)

    def _over(self) -> bool:
        return self.view.sent_at is None or now() - self.view.sent_at > PATIENCE

    def _later(self, error: PortalError) -> datetime | None:
        """Again after a growing pause, with the reason beside the button; not for ever."""
        tries = self.view.tries + 1
        if tries > MOST_TRIES:
            fail(self.view, error)
            return None
        _set(self.view, tries=tries, error=error.detail[:500])
        wait = min(600, 5 * 2.0**tries) * random.uniform(0.8, 1.2)  # noqa: S311 (jitter)
        return now() + timedelta(seconds=wait)


def fail(view: Visualisation, error: PortalError) -> None:
    """It ends here until somebody asks again; what was shown is shown no more."""
    with transaction.atomic():
        _set(view, state=ViewState.FAILED, error=error.detail[:500], url="")
        attach(item_id=view.item_id, name=offerings.name_of(view), added=None)


def _set(view: Visualisation, *, was: str = "", **values: object) -> bool:
    """Write what is new, if it still `was` so; whether it was."""
    rows = Visualisation.objects.filter(pk=view.pk)
    if was:
        rows = rows.filter(state=was)
    if not rows.update(**values):
        return False
    for name, value in values.items():
        setattr(view, name, value)
    return True
