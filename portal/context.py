"""What every template knows."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from people.models import User
from portal.header import Header, header_of


def portal(request: HttpRequest) -> dict[str, object]:
    """The request's id, for pages that say what went wrong; the credit in the top bar."""
    return {
        "request_id": getattr(request, "request_id", ""),
        "registration_open": settings.REGISTRATION_OPEN,
        "header": SimpleLazyObject(lambda: _header(request)),
    }


def _header(request: HttpRequest) -> Header:
    user = getattr(request, "user", None)
    return header_of(user) if isinstance(user, User) else Header()
