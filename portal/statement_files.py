"""Statements as files: what pages and the REST API give to download."""

from __future__ import annotations

from datetime import date
from functools import partial

from django.http import HttpResponse, StreamingHttpResponse

from accounting.access import lines_of
from accounting.models import Account
from accounting.statements.csv import statement_csv
from accounting.statements.entries import bookings, chunks
from accounting.statements.monthly import statement_of
from accounting.statements.pdf import MOST_LINES, statement_pdf
from accounting.usage.paid import records_of, usage_csv
from people.models import User
from portal.pages.references import names_of, names_of_members


def csv_of(user: User, account: Account, first: int, last: int, name: str) -> StreamingHttpResponse:
    """The lines of the versions `first` to `last` that the user may see, as they are read."""
    own = lines_of(user, account)
    lines = statement_csv(
        chunks(account, first, last, member_id=own), partial(names_of, user), balances=own is None
    )
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def month_csv(user: User, account: Account, month: date) -> StreamingHttpResponse:
    """One month. Raises NotFound where there is no statement of it."""
    found = statement_of(account, month)
    return csv_of(user, account, found.first_version, found.last_version, _name(account, month))


def month_pdf(user: User, account: Account, month: date) -> HttpResponse:
    """One month on paper. Raises NotFound where there is no statement of it."""
    found = statement_of(account, month)
    own = lines_of(user, account)
    lines = bookings(
        account, found.first_version, found.last_version, member_id=own, limit=MOST_LINES + 1
    )
    document = statement_pdf(found, lines, names_of(user, lines), balances=own is None)
    answer = HttpResponse(document, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{_name(account, month)}.pdf"'
    return answer


def usage_file(user: User, account: Account) -> StreamingHttpResponse:
    """The usage that the account pays for, as far as the user may see it."""
    records = records_of(account, member_id=lines_of(user, account))
    names = names_of_members(_members(account))
    lines = usage_csv(records.iterator(chunk_size=1000), names)
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="usage-{account.pk}.csv"'
    return answer


def _members(account: Account) -> set[int | None]:
    """On whose behalf the account was billed."""
    jobs = account.bills.order_by().values_list("member_id").distinct()
    others = account.usage_bills.order_by().values_list("member_id").distinct()
    return {member for (member,) in jobs.union(others)}


def _name(account: Account, month: date) -> str:
    return f"statement-{account.pk}-{month:%Y-%m}"
