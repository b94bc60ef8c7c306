"""Dates and times as people write them in a search."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _

from common.errors import InvalidInput

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


def period(text: str, *, locator: str) -> tuple[datetime, datetime]:
    """What a text names, from its first moment to the one behind its last: a year, a month, a day,
    a second, or an instant with decimals. Without a zone it is UTC. Raises InvalidInput."""
    found = _DATE.fullmatch(text)
    try:
        if found is None:
            # A plus sign in an address arrives as a space unless it was encoded.
            moment = datetime.fromisoformat(re.sub(r" (\d\d:\d\d)$", r"+\1", text))
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
            exact = moment.microsecond != 0
            return moment, moment + timedelta(microseconds=1 if exact else 1_000_000)
        year, month, day = (int(part) if part else 0 for part in found.groups())
        first = datetime(year, month or 1, day or 1, tzinfo=UTC)
        if day:
            return first, first + timedelta(days=1)
        if month:
            return first, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        return first, datetime(year + 1, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        facts = {"text": text[:60]}
        raise InvalidInput(_("“%(text)s” is no date and time.") % facts, locator=locator) from None
