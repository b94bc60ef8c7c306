"""What was spent from an account: charts and figures by member, service and month."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounting.access import account_for
from accounting.models import Account
from accounting.statements.csv import amount_cell, line, text_cell
from accounting.statements.months import month_of, shifted
from accounting.statements.spending import Spent
from common.clock import now
from common.errors import InvalidInput
from portal.converters import MonthConverter
from portal.pages.charts import MONTHS, Spending, spending_of
from portal.pages.paging import page_of

if TYPE_CHECKING:
    from people.models import User

PER_PAGE = 50
COLUMNS = ("month", "member", "service", "charges", "credits")


@dataclass(frozen=True, slots=True)
class Filter:
    """What the address asks for; "" and None: no matter."""

    member: str
    service: str
    month: date | None
    until: date | None

    def accepts(self, row: Spent) -> bool:
        """Whether the row is asked for, in whatever month."""
        return self.member in ("", str(row.member_id)) and self.service in (
            "",
            str(row.service_id),
        )


@login_required
@require_safe
def spending(request: HttpRequest, account_id: int) -> HttpResponse:
    """The charts of twelve months, and the figures behind them. Members see their own."""
    account, wanted, found = _asked(request, account_id)
    of_all_months = [row for row in found.rows if wanted.accepts(row)]
    rows = _of_month(of_all_months, wanted)
    page = page_of(request, rows, PER_PAGE)
    context = {
        "account": account,
        "only_own": found.only_own,
        "wanted": wanted,
        "months": found.months[::-1],
        "members": _choices(found, "member_id", found.member),
        "services": _choices(found, "service_id", found.service),
        "charts": found.charts(of_all_months),
        "page": page,
        "rows": [(row, found.member(row), found.service(row)) for row in page],
        "total": sum(row.amount for row in rows),
        "earlier": _earlier(account, found),
        "later": _later(found),
    }
    return render(request, "credit/spending.html", context)


@login_required
@require_safe
def spending_csv(request: HttpRequest, account_id: int) -> HttpResponse:
    """The same figures as CSV."""
    account, wanted, found = _asked(request, account_id)
    rows = _of_month([row for row in found.rows if wanted.accepts(row)], wanted)
    lines = [line(COLUMNS), *(line(_cells(row, found)) for row in rows)]
    answer = HttpResponse("".join(lines), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="spending-{account.pk}.csv"'
    return answer


def _asked(request: HttpRequest, account_id: int) -> tuple[Account, Filter, Spending]:
    user = cast("User", request.user)
    account = account_for(user, account_id, "view")
    wanted = Filter(
        member=request.GET.get("member", ""),
        service=request.GET.get("service", ""),
        month=_month(request, "month"),
        until=_month(request, "until"),
    )
    return account, wanted, spending_of(user, account, wanted.until)


def _of_month(rows: list[Spent], wanted: Filter) -> list[Spent]:
    return [row for row in rows if wanted.month in (None, row.month)]


def _month(request: HttpRequest, name: str) -> date | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    if MonthConverter.full.fullmatch(text) is None:
        raise InvalidInput(locator=name)
    return MonthConverter().to_python(text)


def _choices(found: Spending, field: str, name: Callable[[Spent], str]) -> list[tuple[str, str]]:
    """Value and label of the members or services that occur, by label."""
    seen = {str(getattr(row, field)): name(row) for row in found.rows}
    return sorted(seen.items(), key=lambda pair: pair[1].casefold())


def _earlier(account: Account, found: Spending) -> date | None:
    """The last month of the twelve before these; None when the account was not used by then."""
    first = found.months[0]
    used = account.monthly_statements.filter(month__lt=first).exists()
    return shifted(first, -1) if used else None


def _later(found: Spending) -> date | None:
    """The last month of the twelve after these; None when these are the present ones."""
    last, this = found.months[-1], month_of(now())
    return min(shifted(last, MONTHS), this) if last < this else None


def _cells(row: Spent, found: Spending) -> list[str]:
    return [
        f"{row.month:%Y-%m}",
        text_cell(found.member(row)),
        text_cell(found.service(row)),
        str(row.charges),
        amount_cell(row.amount),
    ]
