"""The members of a group and its credit: what each spent, each one's limit, giving and taking."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from accounting.accounts import group_account
from accounting.credit import transfers as credit
from accounting.credit.limits import set_caps
from accounting.models import Account, AccountKind, MemberCap
from accounting.selectors import caps_of, spent_by_members
from people.access import group_for
from people.models import Membership, User
from people.selectors import members_of
from portal.pages.feedback import told
from portal.pages.paging import page_of
from portal.pages.typed import credits_in

if TYPE_CHECKING:
    from collections.abc import Iterable


PERIODS = (
    ("", gettext_lazy("in all")),
    ("MONTH", gettext_lazy("per month")),
    ("QUARTER", gettext_lazy("per quarter")),
    ("YEAR", gettext_lazy("per year")),
)


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


@login_required
@require_safe
def limits(request: HttpRequest, slug: str) -> HttpResponse:
    """The members, a page at a time; `text` finds some of them."""
    group = group_for(cast("User", request.user), slug, "manage")
    account = group_account(group)
    members, text = members_of(group), request.GET.get("text", "").strip()
    if text:
        members = members.filter(
            Q(user__username__icontains=text)
            | Q(user__first_name__icontains=text)
            | Q(user__last_name__icontains=text)
        )
    page = page_of(request, members)
    context = {
        "group": group,
        "account": account,
        "page": page,
        "rows": _rows(account, page),
        "text": text,
        "periods": PERIODS,
    }
    return render(request, "groups/credit_limits.html", context)


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
            amount=credits_in(request.POST.get("amount", "")),
            reason=request.POST.get("reason", ""),
            key=request.POST.get("key", "")[:100],
        )
    return _back(request, slug)


@login_required
@require_POST
def set_cap(request: HttpRequest, slug: str, user_id: int) -> HttpResponse:
    """Set or lift a member's limit; an empty field lifts it."""
    actor = cast("User", request.user)
    group = group_for(actor, slug, "manage")
    member = get_object_or_404(User, pk=user_id)
    with told(request, _("The limit of %(name)s is set.") % {"name": member.display_name}):
        credit.set_cap(actor=actor, group=group, member=member, **_limit(request))
    return _back(request, slug)


@login_required
@require_POST
def set_all_caps(request: HttpRequest, slug: str) -> HttpResponse:
    """Give every member the same limit, or lift all."""
    actor = cast("User", request.user)
    group = group_for(actor, slug, "manage")
    with told(request) as said:
        number = set_caps(actor=actor, group=group, **_limit(request))
        said.append(
            ngettext(
                "The limit of %(n)d member is set.", "The limits of %(n)d members are set.", number
            )
            % {"n": number}
        )
    return _back(request, slug)


def _limit(request: HttpRequest) -> dict[str, Any]:
    text = request.POST.get("limit", "").strip()
    period = request.POST.get("period", "")
    return {"limit": credits_in(text) if text else None, "period": period}


def _back(request: HttpRequest, slug: str) -> HttpResponse:
    """To the page of the list that the form was on."""
    kept = {name: request.POST[name] for name in ("page", "text") if request.POST.get(name)}
    address = reverse("pages:group_limits", args=[slug])
    return redirect(f"{address}?{urlencode(kept)}" if kept else address)


def _rows(account: Account, memberships: Iterable[Membership]) -> list[MemberRow]:
    shown = list(memberships)
    users = [m.user_id for m in shown]
    caps, spent = caps_of(account), spent_by_members(account, users)
    own = {a.user_id: a for a in Account.objects.filter(kind=AccountKind.USER, user_id__in=users)}
    return [
        MemberRow(
            m, own.get(m.user_id), caps.get(m.user_id), spent.get(m.user_id, 0), str(uuid.uuid4())
        )
        for m in shown
    ]
