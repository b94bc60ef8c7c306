"""Pages that a client asks for by number (CSW, OpenSearch), without walking to each from the start.

The standards have no token: a client says “from the 5,001st”. So where a page ended, and how many
items fit, is remembered as long as nothing in the catalogue changes; who goes from page to page is
continued there, and whoever jumps is counted off.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db.models import Q, QuerySet

from catalogue_client.access import Viewer
from catalogue_client.change_list import version
from catalogue_client.models import Item

KEPT_SECONDS = 3600


def numbered(
    user: Viewer, fitting: QuerySet[Item], order: Sequence[str], first: int, most: int
) -> tuple[list[Item], int]:
    """The items from the `first` on (from 0), `most` at most, and how many fit at all.

    `order` are columns that are never null, the last one unique.
    """
    ordered = fitting.select_related("collection").order_by(*order)
    try:
        sql, parameters = ordered.query.sql_with_params()
    except EmptyResultSet:
        return [], 0
    asked = blake2b(repr((version(user), sql, parameters)).encode(), digest_size=20).hexdigest()
    name, place = f"catalogue.numbered.{asked}", f"catalogue.numbered.{asked}.{first}"
    known = cache.get_many([name, place])
    matched = known.get(name)
    if matched is None:
        matched = fitting.count()
        cache.set(name, matched, KEPT_SECONDS)
    if first >= matched or not most:
        return [], matched
    if place in known:
        items = list(ordered.filter(_behind(order, known[place]))[:most])
    else:
        items = list(ordered[first : first + most])
    if items and first + len(items) < matched:
        end = [getattr(items[-1], column.lstrip("-")) for column in order]
        cache.set(f"catalogue.numbered.{asked}.{first + len(items)}", end, KEPT_SECONDS)
    return items, matched


def _behind(order: Sequence[str], values: Sequence[Any]) -> Q:
    """What comes after an item with these values."""
    found, same = Q(), Q()
    for column, value in zip(order, values, strict=True):
        name, beyond = column.lstrip("-"), "lt" if column.startswith("-") else "gt"
        found |= same & Q(**{f"{name}__{beyond}": value})
        same &= Q(**{name: value})
    # A bound for the index.
    edge = "lte" if order[0].startswith("-") else "gte"
    return Q(**{f"{order[0].lstrip('-')}__{edge}": values[0]}) & found
