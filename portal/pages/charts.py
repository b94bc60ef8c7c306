"""Charts of spending: stacked bars by month, each with the same figures as a table."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounting.access import lines_of
from accounting.models import Account, AccountKind
from accounting.statements.months import month_of, shifted
from accounting.statements.spending import Spent, figures, months_of, stacked
from common.clock import now
from common.money import show
from people.models import User
from portal.pages.references import names_of_members, titles_of_services

MONTHS = 12
MOST_SERIES = 7  # as many as there are colours that can be told apart


@dataclass(frozen=True, slots=True)
class Series:
    """One member or service: micro-credits per month."""

    label: str
    amounts: list[int]

    @property
    def total(self) -> int:
        return sum(self.amounts)


@dataclass(frozen=True, slots=True)
class Chart:
    """Stacked bars: one per month, one part of it per series."""

    title: str
    column: str
    months: list[date]
    series: list[Series]

    @property
    def rows(self) -> list[tuple[date, list[int], int]]:
        """The table: month, amount per series, sum; the latest month first."""
        amounts = zip(*(one.amounts for one in self.series), strict=True)
        rows = [(m, list(row), sum(row)) for m, row in zip(self.months, amounts, strict=True)]
        return rows[::-1]

    @property
    def total(self) -> int:
        return sum(one.total for one in self.series)

    @property
    def data(self) -> str:
        """JSON for the script: whole micro-credits, and the same as people read it."""
        data = {
            "months": [date_format(month, "M Y") for month in self.months],
            "series": [
                {"label": one.label, "values": one.amounts, "shown": [show(a) for a in one.amounts]}
                for one in self.series
            ],
            "totals": [show(total) for _month, _amounts, total in reversed(self.rows)],
        }
        return json.dumps(data)


@dataclass(frozen=True, slots=True)
class Spending:
    """What the reader may see of an account's spending in twelve months, with names."""

    months: list[date]
    rows: list[Spent]
    members: Mapping[int, str]
    services: Mapping[int, str]
    shared: bool
    only_own: bool

    def charts(self, rows: Sequence[Spent] | None = None) -> list[Chart]:
        """By member where there are several, and by service; of some of the rows or of all."""
        chosen = self.rows if rows is None else rows
        if not chosen:
            return []
        title, column = _("Spent by month and service"), _("Service")
        by_service = self._chart("service", title, column, chosen, self.services)
        if not self.shared:
            return [by_service]
        title, column = _("Spent by month and member"), _("Member")
        return [self._chart("member", title, column, chosen, self.members), by_service]

    def member(self, row: Spent) -> str:
        """The name of who spent it."""
        return _label(row.member_id, self.members, "member")

    def service(self, row: Spent) -> str:
        """The title of what it was spent on."""
        return _label(row.service_id, self.services, "service")

    def _chart(
        self, which: str, title: str, column: str, rows: Sequence[Spent], names: Mapping[int, str]
    ) -> Chart:
        parts = stacked(rows, f"{which}_id", self.months, most=MOST_SERIES)
        series = [Series(_label(key, names, which), amounts) for key, amounts in parts]
        return Chart(title, column, self.months, series)


def spending_of(user: User, account: Account, last: date | None = None) -> Spending:
    """Twelve months up to the last one, this month if none is given; members see their own."""
    last = last or month_of(now())
    first = shifted(last, 1 - MONTHS)
    own = lines_of(user, account)
    rows = figures(account, first=first, last=last, member_id=own)
    return Spending(
        months=months_of(first, last),
        rows=rows,
        members=names_of_members(row.member_id for row in rows),
        services=titles_of_services(row.service_id for row in rows),
        shared=own is None and account.kind != AccountKind.USER,
        only_own=own is not None,
    )


def _label(key: Hashable, names: Mapping[int, str], which: str) -> str:
    if key == "others":
        return _("Others")
    if isinstance(key, int):
        return names.get(key) or _("unknown")
    return _("Nobody in particular") if which == "member" else _("Usage without a job")
