"""Identifiers that grow with time: rows made one after the other are neighbours in every index.

Random ones touch a page of each index for each row, and every page is written at the commit: that
is most of what storing thousands of rows costs.
"""

from __future__ import annotations

import os
from uuid import UUID

from common.clock import now

_VERSION = 7 << 76
_VARIANT = 2 << 62
_RANDOM = (1 << 74) - 1


def time_ordered() -> UUID:
    """A new identifier (UUIDv7, RFC 9562): its milliseconds since 1970, then 74 random bits."""
    chance = int.from_bytes(os.urandom(10), "big") & _RANDOM
    milliseconds = int(now().timestamp() * 1000)
    high, low = chance >> 62, chance & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | _VERSION | high << 64 | _VARIANT | low)
