"""The credit of a group, for its administrators: grants, limits, who spent what."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounting import credit
from accounting.accounts import group_account
from accounting.models import Account, AccountKind, JobBill, MemberCap
from accounting.selectors import caps_of, spending_by_member, statement
from common import money
from people.access import group_for
from people.models import Group, Membership, User
from people.selectors import members_of
from portal.pages.feedback import told
from portal.pages.references import names_of_members, titles_of_jobs
from providers.models import Service

if TYPE_CHECKING:
    from accounting.selectors import MemberSpending

LINES = 15
MONTHS = 6


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member as the administrator sees it; amounts in micro-credits."""

    membership: Membership
    own: Account | None
    cap: MemberCap | None
    spent: int
    key: str

    @property
    def used(self) -> int:
        """What counts against the limit: spent and held."""
        return self.cap.used + self.cap.held if self.cap else 0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart with its share of the longest, in percent."""

    label: str
    amount: int
    share: int


@login_required
@require_safe
def group_credit(request: HttpRequest, slug: str) -> HttpResponse:
    """The console of a group's administrators."""
    user = cast("User", request.user)
    group = group_for(user, slug, "manage")
    account = group_account(group)
    spending = spending_by_member(account)
    part = statement(account, before=request.GET.get("before") or None, limit=LINES)
    context = {
        "group": group,
        "account": account,
        "rows": _members(group, account, spending),
        "months": _by_month(spending),
        "services": _by_service(account),
        "spending": spending[:60],
        "statement": part,
        "jobs": titles_of_jobs(user, (line.reference for line in part.lines)),
        "members": names_of_members(line.member_id for line in part.lines),
    }
    return render(request, "groups/credit.html", context)


@login_required
@require_POST
def move_credit(request: HttpRequest, slug: str, user_id: int) -> HttpResponse:
    """Grant credit to a member or take it back (`action` grant or take_back)."""
    actor = cast("User", request.user)
    group = group_for(actor, slug, "manage")
    member = get_object_or_404(User, pk=user_id)
    name = member.display_name
    back = request.POST.get("action") == "take_back"
    done = _("Credit was taken back from %(name)s.") if back else _("Credit was given to %(name)s.")
    with told(request, done % {"name": name}):
        (credit.take_back if back else credit.grant_to_member)(
            actor=actor,
            group=group,
            member=member,
            amount=money.micro(request.POST.get("amount", "").strip().replace(",", ".")),
            reason=request.POST.get("reason", ""),
            key=request.POST.get("key", "")[:100],
        )
    return redirect("pages:group_credit", slug=slug)


@login_required
@require_POST
def set_cap(request: HttpRequest, slug: str, user_id: int) -> HttpResponse:
    """Set or lift a member's limit; an empty field lifts it."""
    actor = cast("User", request.user)
    group = group_for(actor, slug, "manage")
    member = get_object_or_404(User, pk=user_id)
    text = request.POST.get("limit", "").strip().replace(",", ".")
    with told(request, _("The limit of %(name)s is set.") % {"name": member.display_name}):
        limit = money.micro(text) if text else None
        credit.set_cap(actor=actor, group=group, member=member, limit=limit)
    return redirect("pages:group_credit", slug=slug)


def _members(group: Group, account: Account, spending: list[MemberSpending]) -> list[MemberRow]:
    caps = caps_of(account)
    memberships = list(members_of(group))
    users = [m.user_id for m in memberships]
    own = {a.user_id: a for a in Account.objects.filter(kind=AccountKind.USER, user_id__in=users)}
    spent: dict[int, int] = defaultdict(int)
    for row in spending:
        if row.member is not None:
            spent[row.member.pk] += row.amount
    return [
        MemberRow(m, own.get(m.user_id), caps.get(m.user_id), spent[m.user_id], str(uuid.uuid4()))
        for m in memberships
    ]


def _by_month(spending: list[MemberSpending]) -> list[Bar]:
    sums: dict[date, int] = defaultdict(int)
    for row in spending:
        sums[row.month] += row.amount
    newest = sorted(sums.items(), reverse=True)[:MONTHS]
    return _bars([(f"{month:%B %Y}", amount) for month, amount in newest])


def _by_service(account: Account) -> list[Bar]:
    """What each service was charged on the account."""
    charged = JobBill.objects.filter(account=account, charged__gt=0).order_by()
    sums = dict(charged.values_list("service_id").annotate(Sum("charged")))
    titles = dict(Service.objects.filter(pk__in=sums).values_list("pk", "title"))
    largest = sorted(sums.items(), key=lambda pair: -pair[1])[:10]
    return _bars([(titles.get(pk, _("unknown")), amount) for pk, amount in largest])


def _bars(sums: list[tuple[str, int]]) -> list[Bar]:
    most = max((amount for _label, amount in sums), default=0)
    return [Bar(label, amount, amount * 100 // most if most else 0) for label, amount in sums]
