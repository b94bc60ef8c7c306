"""What every template knows."""

from __future__ import annotations

from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, object]:
    """The request's id, for pages that say what went wrong."""
    return {"request_id": getattr(request, "request_id", "")}
