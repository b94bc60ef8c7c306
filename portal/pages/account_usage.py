"""The usage that an account pays for: a list, and the same as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounting.access import account_for, lines_of
from accounting.usage.paid import member_of, quantities_of, records_of
from portal.pages.paging import page_of
from portal.pages.references import names_of_members, titles_of_jobs
from portal.statement_files import usage_file

if TYPE_CHECKING:
    from people.models import User


@login_required
@require_safe
def usage(request: HttpRequest, account_id: int) -> HttpResponse:
    """What was used, newest first. Members of a group see their own part."""
    user = cast("User", request.user)
    account = account_for(user, account_id, "view")
    own = lines_of(user, account)
    page = page_of(request, records_of(account, member_id=own))
    names = names_of_members(member_of(record) for record in page)
    context = {
        "account": account,
        "only_own": own is not None,
        "page": page,
        "rows": [
            (record, quantities_of(record), names.get(member_of(record) or 0)) for record in page
        ],
        "jobs": titles_of_jobs(user, (str(record.bill_id) for record in page)),
    }
    return render(request, "credit/usage.html", context)


@login_required
@require_safe
def usage_csv(request: HttpRequest, account_id: int) -> StreamingHttpResponse:
    """The same as CSV for spreadsheets, every record."""
    user = cast("User", request.user)
    return usage_file(user, account_for(user, account_id, "view"))
