"""What users see of a provider where they run its services."""

from __future__ import annotations

from typing import Any

from django import template

from providers.maintenance import open_window
from providers.models import Provider

register = template.Library()


@register.inclusion_tag("providers/state.html")
def provider_state(provider: Provider) -> dict[str, Any]:
    """Whether it answers, a maintenance window that is open, and its custom properties."""
    return {"provider": provider, "window": None if provider.in_process else open_window(provider)}
