"""Template tags and filters of the portal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django import template
from django.template.defaultfilters import date as date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from catalogue_client.sources import viewable
from catalogue_client.sources.ports import Record
from catalogue_client.viewers.selectors import View
from common.money import show
from jobs.models import Job, JobEvent
from jobs.states import FINAL, SUCCESSFUL, State
from portal.icons import ICONS

register = template.Library()

NARROW_SPACE = "\u202f"  # breaks no line
FIRST_GROUPED = 5
_WAITING = frozenset({State.SUBMITTED, State.SUBMITTING, State.SUSPENDED, State.CANCELLING})


@register.simple_tag
def icon(name: str) -> SafeString:
    """A decorative icon; the text beside it says the same."""
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
        '<path d="{}"/></svg>',
        mark_safe(ICONS[name]),  # noqa: S308 (a constant of ours)
    )


@register.filter
def credits(micro: int | None) -> str:
    """Micro-credits as a number of credits; a dash for none."""
    return "–" if micro is None else _legible(show(micro))


@register.filter
def typed_credits(micro: int) -> str:
    """Micro-credits as somebody would type them into a field."""
    return show(micro)


@register.filter
def signed(micro: int) -> str:
    """Micro-credits with their sign, with a real minus."""
    return f"+{_legible(show(micro))}" if micro > 0 else _legible(show(micro))


def _legible(number: str) -> str:
    """With a real minus; from five digits before the point on, in groups of three.

    A narrow space parts them, as a comma would be a decimal point to many readers.
    """
    sign = "−" if number.startswith("-") else ""
    whole, _point, decimals = number.removeprefix("-").partition(".")
    if len(whole) >= FIRST_GROUPED:
        whole = f"{int(whole):,}".replace(",", NARROW_SPACE)
    return f"{sign}{whole}.{decimals}"


@register.filter
def moment(at: datetime | None, precision: str = "") -> SafeString | str:
    """A date and time in UTC; a script shows it in the reader's zone, with UTC on hover.

    Precision "s" shows the seconds.
    """
    if at is None:
        return "–"
    at = at.astimezone(UTC)
    text = date_format(at, "j M Y, H:i:s" if precision == "s" else "j M Y, H:i") + " UTC"
    precise = mark_safe(" data-precise") if precision == "s" else ""
    shape = '<time datetime="{}" title="{}"{}>{}</time>'
    return format_html(shape, at.isoformat(), text, precise, text)


@register.filter
def state_badge(state: str) -> SafeString:
    """The state of a job as a word with a mark; never by colour alone."""
    known = State(state)
    if known in SUCCESSFUL:
        kind = "good"
    elif known == State.CANCELLED or known in _WAITING:
        kind = "warn"
    else:
        kind = "bad" if known in FINAL else "live"
    return format_html('<span class="badge badge--{}">{}</span>', kind, known.label)


@register.filter
def seconds(value: float | None) -> str:
    """A duration in words."""
    if value is None:
        return "–"
    whole = int(value)
    if whole < 60:  # noqa: PLR2004
        return _("%(n)s s") % {"n": whole}
    if whole < 3600:  # noqa: PLR2004
        return _("%(m)s min %(s)s s") % {"m": whole // 60, "s": whole % 60}
    return _("%(h)s h %(m)s min") % {"h": whole // 3600, "m": whole % 3600 // 60}


@register.filter
def item(mapping: Any, key: Any) -> Any:
    """The value of a key that is not a word; None when absent."""
    return mapping.get(key)


@register.simple_tag(takes_context=True)
def here(context: dict[str, Any], section: str) -> SafeString | str:
    """The attribute that marks the present section, one of several, in the navigation."""
    match = context["request"].resolver_match if "request" in context else None
    current = match.route.split("/")[0] if match and match.route else ""
    return mark_safe('aria-current="page"') if current in section.split() else ""


@register.filter
def took(job: Job) -> float | None:
    """Seconds from a job's start at the provider to its end."""
    begun = job.started_at or job.sent_at
    return (job.finished_at - begun).total_seconds() if begun and job.finished_at else None


@register.filter
def event_words(event: JobEvent) -> str:
    """What happened, as a sentence."""
    new = State(event.new_state)
    if event.old_state and event.old_state != event.new_state:
        return _("%(old)s → %(new)s") % {"old": State(event.old_state).label, "new": new.label}
    return event.reason.replace("_", " ").capitalize() or str(new.label)


@register.filter
def extent(what: Any) -> str:
    """West, south, east, north of an application, of a box, or of layers; "" for nothing."""
    if isinstance(what, list):
        boxes = [layer["bbox"] for layer in what if layer.get("bbox")]
        if not boxes:
            return ""
        low = [min(box[side] for box in boxes) for side in (0, 1)]
        high = [max(box[side] for box in boxes) for side in (2, 3)]
        return ",".join(f"{n:.6f}" for n in (*low, *high))
    box = getattr(what, "bbox", what)
    return ",".join(f"{n:.6f}" for n in box) if box else ""


@register.filter
def side_label(side: str, crs: str) -> str:
    """The label of a side of a box: a compass word, or an axis of a system not in degrees."""
    if crs:
        axes = {"west": "x", "south": "y", "east": "x", "north": "y"}
        return (_("Lower %s") if side in ("west", "south") else _("Upper %s")) % axes[side]
    words = {"west": _("West °"), "south": _("South °"), "east": _("East °"), "north": _("North °")}
    return words[side]


@register.filter
def busy(views: Iterable[View] | None) -> bool:
    """Whether something of an entry is on its way to a viewer."""
    return any(view.busy for view in views or ())


@register.filter
def opened_in(record: Record) -> list[tuple[str, str]]:
    """Label and address of the pages that show an entry of another catalogue."""
    return viewable.opened_in(record)
