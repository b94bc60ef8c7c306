"""What the catalogue's search form asks, as the words of its address."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from catalogue_client.geometry import checked_box
from catalogue_client.sources.ports import Query
from catalogue_client.sources.queries import query_from
from common.errors import InvalidInput
from portal.forms.occurrences import SIDES

PER_PAGE = 20


def asked(given: QueryDict) -> tuple[Query, list[str]]:
    """The search, and what of it cannot be used, in sentences."""
    document: dict[str, Any] = {"text": given.get("text", "").strip()[:200], "limit": PER_PAGE}
    problems = []
    sides = [given.get(side, "").strip() for side in SIDES]
    if any(sides):
        try:
            box = checked_box([float(side.replace(",", ".")) for side in sides])
            document["bbox"] = list(box)
        except (ValueError, InvalidInput):
            problems.append(
                _("The box needs west, south, east and north in degrees; it is not used.")
            )
    days = [given.get(name, "").strip() for name in ("from", "to")]
    if any(days):
        try:
            query_from({"datetime": _period(days)})
            document["datetime"] = _period(days)
        except InvalidInput:
            problems.append(_("The time needs days such as 2026-03-02; it is not used."))
    if given.get("in"):
        document["collections"] = [given["in"][:500]]
    return query_from(document), problems


def _period(days: list[str]) -> str:
    return "/".join(day or ".." for day in days)
