"""Running totals of jobs from a T2 accounting search (Elasticsearch).

The interface sums over whatever time it is asked for, so that overlapping questions would count
twice. Each calendar month (UTC) is asked as a whole, again and again: its total for a job and a
quantity is one record, and a later answer revises it. `address` is that of the search; with
`username` and `secret` it is asked by HTTP Basic, with `secret` alone by bearer token.
Options: `users` (only these names), `months` (asked each time, for what comes late; 2).
"""

from __future__ import annotations

import base64
from collections.abc import Generator, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from accounting.sources.contract import Delivery, Place
from accounting.sources.reports import deliver, position
from accounting.sources.web import check_url, end_of_look, post_json
from accounting.usage.forms.values import end_of
from common.clock import now
from common.errors import InvalidInput, ProviderNonsense

KIND = "TEP-running-totals"
MONTHS = 2
# Without a size the search gives ten and says nothing.
MOST_BUCKETS = 1000
MOST_PARTITIONS = 1024
MOST_EXPONENT = 308  # of the sums that the search can make
_NEVER_CHARGED = ["TEST", "QUOTATION"]
_OPTIONS = {"users": list, "months": int}


def check(place: Place) -> None:
    """A web address; whom to ask for."""
    check_url(place.address)
    if any(type(value) is not _OPTIONS.get(name) for name, value in place.options.items()):
        text = _("Options are users (a list of names), and months (number).")
        raise InvalidInput(text, locator="options")


def deliveries(place: Place) -> Generator[Delivery, None, None]:
    """The totals of the newest months, and of all since the last answer, if any changed."""
    present = now().date().replace(day=1)
    end = end_of_look()
    rows = [row for month in _months(place, present) for row in _totals(place, month, end)]
    yield from deliver(KIND, rows, place, f"{present:%Y-%m}")


def _months(place: Place, present: date) -> list[date]:
    first = present
    for _month in range(place.options.get("months", MONTHS) - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    if reached := position(place):
        first = min(first, date.fromisoformat(f"{reached}-01"))
    months = [max(first, place.since.date().replace(day=1))]
    while months[-1] < present:
        months.append(end_of(months[-1]).date())
    return months


def _totals(place: Place, month: date, end: float, partitions: int = 1) -> list[dict[str, str]]:
    """Every total of a month. More jobs than fit an answer are asked for in parts."""
    rows: list[dict[str, str]] = []
    for part in range(partitions):
        question = _question(place, month, part, partitions)
        answer = post_json(place.address, question, headers=_login(place), end=end)
        users = _of(_of(answer, "aggregations"), "user")
        if users.get("sum_other_doc_count"):
            raise ProviderNonsense(_("There are more users than can be asked for at once."))
        for user in _buckets(users):
            jobs = _of(user, "account_ref")
            if jobs.get("sum_other_doc_count"):
                if partitions * 2 > MOST_PARTITIONS:
                    raise ProviderNonsense(_("There are more jobs than can be asked for."))
                return _totals(place, month, end, partitions * 2)
            rows.extend(_rows(str(user.get("key", "")), jobs, month))
    return rows


def _rows(user: str, jobs: dict[str, Any], month: date) -> Iterator[dict[str, str]]:
    for job in _buckets(jobs):
        for quantity in _buckets(_of(_of(job, "quantities"), "quantity")):
            value = _number(_of(quantity, "total").get("value"))
            yield {
                "ref": str(job.get("key", "")),
                "username": user,
                "quantity": str(quantity.get("key", "")),
                "value": f"{value:f}",
                "month": f"{month:%Y-%m}",
            }


def _number(value: Any) -> Decimal:
    """An exponent is short, and what it stands for may not fit into memory."""
    number = Decimal(value) if type(value) in (int, Decimal) else Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > MOST_EXPONENT:
        raise ProviderNonsense(_("The totals cannot be understood."))
    return number


def _question(place: Place, month: date, part: int, partitions: int) -> dict[str, Any]:
    start = datetime(month.year, month.month, 1, tzinfo=UTC)
    window = {"gte": start.isoformat(), "lt": end_of(month).isoformat()}
    must: list[dict[str, Any]] = [{"range": {"@timestamp": window}}]
    if users := place.options.get("users"):
        must.append({"terms": {"account.userName": users}})
    refs: dict[str, Any] = {"field": "account.ref", "size": MOST_BUCKETS}
    if partitions > 1:
        refs["include"] = {"partition": part, "num_partitions": partitions}
    quantity = {
        "terms": {"field": "quantity.id", "size": MOST_BUCKETS},
        "aggregations": {"total": {"sum": {"field": "quantity.value"}}},
    }
    quantities = {"nested": {"path": "quantity"}, "aggregations": {"quantity": quantity}}
    account_ref = {"terms": refs, "aggregations": {"quantities": quantities}}
    user = {
        "terms": {"field": "account.userName", "size": MOST_BUCKETS},
        "aggregations": {"account_ref": account_ref},
    }
    return {
        "size": 0,
        "query": {"bool": {"must": must, "must_not": [{"terms": {"status": _NEVER_CHARGED}}]}},
        "aggregations": {"user": user},
    }


def _login(place: Place) -> dict[str, str]:
    if place.username:
        pair = base64.b64encode(f"{place.username}:{place.secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {"Authorization": f"Bearer {place.secret}"} if place.secret else {}


def _of(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    if not isinstance(value, dict):
        raise ProviderNonsense(_("The totals cannot be understood."))
    return value


def _buckets(aggregation: dict[str, Any]) -> list[dict[str, Any]]:
    found = aggregation.get("buckets")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ProviderNonsense(_("The totals cannot be understood."))
    return found
