"""How often somebody may make the portal do something that costs others."""

from __future__ import annotations

from django.core.cache import cache

from common.errors import RateLimited


def count(key: str, *, most: int, seconds: int, text: str) -> None:
    """Count one more of `key`. Raises RateLimited with `text` when it is one too many.

    Counted in the cache: with one cache for each web process, by each of them.
    """
    cache.add(key, 0, seconds)
    try:
        times = cache.incr(key)
    except ValueError:  # it ran out in between
        times = 1
    if times > most:
        raise RateLimited(text, retry_after=seconds)
