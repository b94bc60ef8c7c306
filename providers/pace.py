"""How often somebody may make the portal call a provider by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from common.pace import count

if TYPE_CHECKING:
    from people.models import User

# Occasion → so many times within so many seconds, for one user.
PACES = {"look": (20, 600), "read": (20, 600), "register": (20, 3600)}


def keep_pace(user: User, occasion: str) -> None:
    """Count one more of `occasion`. Raises RateLimited when it is one too many."""
    most, seconds = PACES[occasion]
    text = _("You have asked providers very often. Try again in a few minutes.")
    count(f"providers-pace:{occasion}:{user.pk}", most=most, seconds=seconds, text=text)
