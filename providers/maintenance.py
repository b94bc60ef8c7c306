"""Maintenance windows: times in which nothing is sent to a provider.

Jobs wait, what already runs there is followed, and its health is not judged.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.clock import now
from common.errors import Conflict, InvalidInput, NotFound
from common.prepared import Prepared
from common.xml import text_ok
from providers.access import require_manager
from providers.changes import note_change
from providers.models import MaintenanceWindow, Provider

if TYPE_CHECKING:
    from people.models import User

MOST_NOTE = 300
MOST_PLANNED = 50  # not yet over, per provider
LONGEST = timedelta(days=90)
FARTHEST = timedelta(days=2 * 366)


def open_window(provider: Provider, at: datetime | None = None) -> MaintenanceWindow | None:
    """The window that is open at `at` (now when None): the one that ends last; None without one."""
    return _OPEN.one(provider.pk, at or now())


_OPEN = Prepared(
    lambda provider, at: MaintenanceWindow.objects.filter(
        provider=provider, starts_at__lte=at, ends_at__gt=at
    ).order_by("-ends_at"),
    *(int, datetime),
)


def windows_of(provider: Provider) -> tuple[MaintenanceWindow, ...]:
    """All that are not over: what `open_window` will say, until one is planned or ended."""
    return tuple(_NOT_OVER.all(provider.pk, now()))


_NOT_OVER = Prepared(
    lambda provider, at: MaintenanceWindow.objects.filter(provider=provider, ends_at__gt=at),
    *(int, datetime),
)


@transaction.atomic
def plan(
    *, actor: User, provider: Provider, starts_at: datetime, ends_at: datetime, note: str = ""
) -> MaintenanceWindow:
    """Announce a window; one that begins in the past is open at once.

    Raises Forbidden, InvalidInput (on `starts_at`, `ends_at`, `note`), and Conflict when too many
    are planned.
    """
    require_manager(actor, provider)
    note = note.strip()
    if len(note) > MOST_NOTE or not text_ok(note):
        text = _("This must be text of at most %(most)s characters.") % {"most": MOST_NOTE}
        raise InvalidInput(text, locator="note")
    if ends_at <= starts_at:
        raise InvalidInput(_("The end must be after the beginning."), locator="ends_at")
    if ends_at <= now():
        raise InvalidInput(_("This window is already over."), locator="ends_at")
    if ends_at - starts_at > LONGEST:
        raise InvalidInput(_("A window lasts at most 90 days."), locator="ends_at")
    if starts_at > now() + FARTHEST:
        raise InvalidInput(_("This is more than two years ahead."), locator="starts_at")
    Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)
    if not_over(provider).count() >= MOST_PLANNED:
        raise Conflict(_("Too many windows are planned already."))
    window = MaintenanceWindow.objects.create(
        provider=provider, starts_at=starts_at, ends_at=ends_at, note=note, created_by=actor
    )
    note_change(provider, actor, "maintenance planned", _span(window))
    return window


@transaction.atomic
def end(*, actor: User, provider: Provider, window_id: int) -> None:
    """End an open window now; forget one that has not begun. Raises Forbidden, NotFound, Conflict
    for one that is over."""
    require_manager(actor, provider)
    windows = MaintenanceWindow.objects.select_for_update().filter(provider=provider)
    window = windows.filter(pk=window_id).first()
    if window is None:
        raise NotFound
    moment = now()
    if window.ends_at <= moment:
        raise Conflict(_("This window is already over."))
    if window.starts_at >= moment:
        note_change(provider, actor, "maintenance cancelled", _span(window))
        window.delete()
        return
    window.ends_at = moment
    window.save(update_fields=("ends_at",))
    note_change(provider, actor, "maintenance ended", _span(window))


def not_over(provider: Provider) -> QuerySet[MaintenanceWindow]:
    """Windows that are open or planned, the next one first."""
    windows = MaintenanceWindow.objects.filter(provider=provider, ends_at__gt=now())
    return windows.select_related("created_by").order_by("starts_at", "pk")


def _span(window: MaintenanceWindow) -> str:
    span = f"{window.starts_at:%Y-%m-%d %H:%M} – {window.ends_at:%Y-%m-%d %H:%M} UTC"
    return f"{span}. {window.note}" if window.note else span
