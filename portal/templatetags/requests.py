"""Template filters for what people ask for and others decide."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounting.models import AdjustmentState, DisputeState, TopUpState

register = template.Library()

_KINDS: dict[str, str] = {
    TopUpState.GRANTED: "good",
    TopUpState.REFUSED: "bad",
    TopUpState.WITHDRAWN: "plain",
    AdjustmentState.BOOKED: "good",
    DisputeState.ACCEPTED: "good",
    DisputeState.PARTLY: "good",
    DisputeState.REJECTED: "bad",
}


@register.filter
def request_state(row: Any) -> SafeString:
    """The state of a request, dispute or adjustment as a word with a mark."""
    kind = _KINDS.get(row.state, "warn")
    return format_html('<span class="badge badge--{}">{}</span>', kind, row.get_state_display())
