"""Accounts: balances, statements, and statements as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounting.access import account_for, lines_of
from accounting.models import Account
from accounting.selectors import (
    cap_of,
    days_left,
    manageable_accounts,
    open_holds,
    payable_accounts,
    statement,
)
from accounting.statements import Line
from common.money import credits as in_credits
from people.access import is_operator
from people.models import User
from portal.pages.references import names_of_members, titles_of_jobs

if TYPE_CHECKING:
    from uuid import UUID

PER_PAGE = 25
HOLDS = 10
CSV_ROWS = 10_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@login_required
@require_safe
def credit(request: HttpRequest) -> HttpResponse:
    """The accounts that the user may see, and the statement of the first."""
    user = cast("User", request.user)
    accounts = list(payable_accounts(user))
    if accounts:
        return _account_page(request, user, max(accounts, key=lambda a: a.available))
    return render(request, "credit/account.html", {"accounts": accounts, "account": None})


@login_required
@require_safe
def account(request: HttpRequest, account_id: int) -> HttpResponse:
    """One account: posted, held, available, and its statement."""
    user = cast("User", request.user)
    return _account_page(request, user, account_for(user, account_id, "view"))


@login_required
@require_safe
def statement_csv(request: HttpRequest, account_id: int) -> StreamingHttpResponse:
    """The statement as CSV for spreadsheets; no cell of it can be taken for a formula."""
    user = cast("User", request.user)
    found = account_for(user, account_id, "view")
    writer = csv.writer(_Echo())
    rows = (writer.writerow([_cell(value) for value in row]) for row in _rows(user, found))
    answer = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="statement-{found.pk}.csv"'
    return answer


def _account_page(request: HttpRequest, user: User, found: Account) -> HttpResponse:
    own_lines = lines_of(user, found)
    part = statement(
        found, member_id=own_lines, before=request.GET.get("before") or None, limit=PER_PAGE
    )
    holds = list(open_holds(found, member_id=own_lines)[:HOLDS])
    others = manageable_accounts(user) if is_operator(user) else payable_accounts(user)
    references = [line.reference for line in part.lines] + [hold.reference for hold in holds]
    context = {
        "account": found,
        "accounts": list(others[:50]),
        "statement": part,
        "holds": holds,
        "only_own": own_lines is not None,
        "cap": cap_of(found, user.pk),
        "days_left": days_left(found),
        "jobs": titles_of_jobs(user, references),
        "members": names_of_members(line.member_id for line in part.lines),
        "paged": bool(request.GET.get("before")),
    }
    return render(request, "credit/account.html", context)


class _Echo:
    """What csv writes into: it gives the line back."""

    def write(self, text: str) -> str:
        return text


def _rows(user: User, found: Account) -> Iterator[list[str]]:
    yield [
        "time (UTC)",
        "kind",
        "amount",
        "held",
        "balance",
        "available",
        "counterparty",
        "member",
        "reference",
        "reason",
        "transfer",
    ]
    member_id, before, written = lines_of(user, found), None, 0
    while written < CSV_ROWS:
        part = statement(found, member_id=member_id, before=before, limit=500)
        names = names_of_members(line.member_id for line in part.lines)
        yield from (_row(line, names) for line in part.lines)
        written += len(part.lines)
        if not part.older:
            return
        before = part.older


def _row(line: Line, names: dict[int, str]) -> list[str]:
    amounts = (line.amount, line.held, line.balance, line.available)
    transfer: UUID = line.transfer_id
    return [
        line.at.isoformat(),
        str(line.kind),
        *("" if amount is None else f"{in_credits(amount):f}" for amount in amounts),
        line.counterparty,
        names.get(line.member_id or 0, ""),
        line.reference,
        line.reason,
        str(transfer),
    ]


def _cell(text: str) -> str:
    """Text that a spreadsheet would calculate gets an apostrophe; numbers stay numbers."""
    if text.startswith(_FORMULA) and not text.lstrip("-").replace(".", "", 1).isdigit():
        return f"'{text}"
    return text
