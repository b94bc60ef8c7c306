"""Monthly summaries by site and group from the EGI Accounting Portal, as JSON or as CSV.

They name no user: they are compared with what was charged, and never charged themselves.
`address` is that of the whole-data endpoint (…/json or …/csv); the content says which it is.
Options: `vos` and `sites` (lists of names; all without them), `months` (how many of the newest
are looked at, since the present one changes daily; 3).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _

from accounting.sources.contract import Delivery, Place
from accounting.sources.reports import deliver
from accounting.sources.web import check_url, get, read_object
from accounting.usage.forms.values import any_instant
from common.clock import now
from common.errors import InvalidInput, ProviderNonsense

KIND = "EGI-portal-summary"
MONTHS = 3
_OPTIONS = {"vos": list, "sites": list, "months": int}


def check(place: Place) -> None:
    """A web address; what to look at."""
    check_url(place.address)
    if any(type(value) is not _OPTIONS.get(name) for name, value in place.options.items()):
        text = _("Options are vos and sites (lists of names), and months (number).")
        raise InvalidInput(text, locator="options")


def deliveries(place: Place) -> Generator[Delivery, None, None]:
    """The newest months, if anything in them changed."""
    headers = {"Accept": "application/json, text/csv;q=0.9"}
    if place.secret:
        headers["Authorization"] = f"Bearer {place.secret}"
    body = get(place.address, headers=headers, origin=place.address).body
    rows = _rows_of_json(body) if body.lstrip()[:1] == b"{" else _rows_of_csv(body)
    today = now().date()
    wanted = [row for row in rows if _is_wanted(row, place.options, today)]
    yield from deliver(KIND, wanted, place, today.isoformat())


def _rows_of_json(body: bytes) -> Iterator[dict[str, str]]:
    """All series of all results; one that was cut short goes on in the next."""
    results = read_object(body).get("results")
    series = [one for result in _list(results) for one in _list(_dict(result).get("series", []))]
    if series and _dict(series[-1]).get("partial"):
        raise ProviderNonsense(_("The summaries are not complete."))
    for one in map(_dict, series):
        columns = [str(name) for name in _list(one.get("columns"))]
        for values in _list(one.get("values")):
            row = zip(columns, _list(values), strict=False)
            yield {name: str(value) for name, value in row if value is not None}


def _rows_of_csv(body: bytes) -> Iterator[dict[str, str]]:
    try:
        text = body.decode("utf-8-sig")
        table = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        if "time" not in (table.fieldnames or ()):
            raise ProviderNonsense(_("The summaries cannot be understood."))
        for row in table:
            # Under None is what a line has too much; None is what it lacks.
            yield {name: value for name, value in row.items() if name and value}
    except (UnicodeDecodeError, csv.Error):
        raise ProviderNonsense(_("The summaries cannot be understood.")) from None


def _is_wanted(row: Mapping[str, str], options: Mapping[str, Any], today: date) -> bool:
    month = any_instant(row.get("time", ""))
    if month is None:
        raise ProviderNonsense(_("The summaries cannot be understood."))
    oldest = today.replace(day=1)
    for _month in range(options.get("months", MONTHS) - 1):
        oldest = (oldest - timedelta(days=1)).replace(day=1)
    vos, sites = options.get("vos"), options.get("sites")
    return (
        month.date() >= oldest
        and (not vos or row.get("vo") in vos)
        and (not sites or row.get("site") in sites)
    )


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ProviderNonsense(_("The summaries cannot be understood."))
    return value


def _dict(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ProviderNonsense(_("The summaries cannot be understood."))
    return value
