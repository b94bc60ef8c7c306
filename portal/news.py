"""The news that are shown now."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from common.clock import now
from portal.models import News


def present_news() -> QuerySet[News]:
    """Those whose time has begun and not ended: warnings first, then the newest."""
    moment = now()
    present = News.objects.filter(Q(shown_until=None) | Q(shown_until__gt=moment))
    return present.filter(shown_from__lte=moment).order_by("-weight", "-shown_from", "-pk")
