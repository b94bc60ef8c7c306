"""Daily cloud summaries from an APEL REST interface.

`address` ends in /cloud/record/summary, `secret` is the bearer token. Options: one of `user`,
`group`, `service` (only that one's summaries), `overlap_days` (asked again each time, since days
are corrected later; 7).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode, urljoin

from django.utils.translation import gettext as _

from accounting.sources.contract import Delivery, Place
from accounting.sources.reports import deliver, position
from accounting.sources.web import check_url, end_of_look, get, read_object
from accounting.usage.forms.values import instant
from common.clock import now
from common.errors import InvalidInput, ProviderNonsense

KIND = "APEL-cloud-daily-summary"
OVERLAP_DAYS = 7
MOST_PAGES = 1000
MOST_BYTES = 256 * 2**20  # of all pages: their rows are compared with those of the last answer
_FILTERS = ("user", "group", "service")


def check(place: Place) -> None:
    """A web address, and at most one filter: the interface refuses two."""
    check_url(place.address)
    filters = [name for name in place.options if name in _FILTERS]
    overlap = place.options.get("overlap_days", OVERLAP_DAYS)
    if (
        len(filters) > 1
        or not place.options.keys() <= {*_FILTERS, "overlap_days"}
        or not all(isinstance(place.options[name], str) for name in filters)
        or type(overlap) is not int
        or overlap < 0
    ):
        text = _("Options are one of user, group and service (text), and overlap_days (number).")
        raise InvalidInput(text, locator="options")


def deliveries(place: Place) -> Generator[Delivery, None, None]:
    """What changed since the last answer; nothing when nothing did."""
    today = now().date()
    overlap = timedelta(days=place.options.get("overlap_days", OVERLAP_DAYS))
    reached = position(place)
    first = place.since.date()
    if reached:
        first = max(first, date.fromisoformat(reached) - overlap)
    rows = [_texts(row) for row in _rows(place, first)]
    yield from deliver(KIND, rows, place, today.isoformat())


def _rows(place: Place, first: date) -> Iterator[dict[str, Any]]:
    """Every row from a day on, page after page."""
    # The interface leaves the day of `from` out.
    query = {"from": f"{first - timedelta(days=1):%Y%m%d}"}
    query.update((name, place.options[name]) for name in _FILTERS if name in place.options)
    url: str | None = f"{place.address}?{urlencode(query)}"
    headers = {"Authorization": f"Bearer {place.secret}", "Accept": "application/json"}
    left, end = MOST_BYTES, end_of_look()
    for _page in range(MOST_PAGES):
        if url is None:
            return
        body = get(url, headers=headers, origin=place.address, end=end).body
        left -= len(body)
        if left < 0:
            break
        answer = read_object(body)
        rows, following = answer.get("results"), answer.get("next")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ProviderNonsense(_("The summaries cannot be understood."))
        yield from rows
        url = urljoin(url, following) if isinstance(following, str) and following else None
    raise ProviderNonsense(_("The summaries have more pages than can be right."))


def _texts(row: dict[str, Any]) -> dict[str, str]:
    """The row as text; its times, which come without a zone, are UTC."""
    texts = {name: str(value) for name, value in row.items() if value is not None}
    for name in texts.keys() & {"EarliestStartTime", "LatestStartTime"}:
        moment = instant(texts[name], zoned=False)
        texts[name] = moment.isoformat() if moment else texts[name]
    return texts
