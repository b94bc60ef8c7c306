"""Open holds of jobs: who may see them, and who may give one up before its usage is reported."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from accounting.access import account_for
from accounting.bills import release_bill
from accounting.directory import directory
from accounting.inputs import reason_of
from accounting.models import Account, BillState, JobBill
from accounting.requests.letters import tell
from accounting.settlement import UNSETTLED, lock_bills
from common import money
from common.clock import now
from common.errors import Conflict, Forbidden, NotFound
from people.access import is_operator, membership
from people.models import Role, User


def open_holds() -> QuerySet[JobBill]:
    """The bills behind every open hold, the oldest first."""
    bills = JobBill.objects.filter(state__in=UNSETTLED, hold__isnull=False)
    return bills.select_related("account__group", "hold").order_by("created_at", "pk")


def holds_on(account: Account, *, member_id: int | None = None) -> QuerySet[JobBill]:
    """Those on one account; of one member only."""
    bills = open_holds().filter(account=account)
    return bills if member_id is None else bills.filter(member_id=member_id)


def holds_for(provider_id: int) -> QuerySet[JobBill]:
    """Those that one provider's usage will be charged to."""
    return open_holds().filter(provider_id=provider_id)


def holds_seen_by(user: User) -> QuerySet[JobBill]:
    """The user's own, and of accounts and providers the user answers for; all for operators."""
    if is_operator(user):
        return open_holds()
    groups = user.memberships.filter(role=Role.ADMIN).values("group")
    mine = Q(member_id=user.pk) | Q(account__user=user) | Q(account__group__in=groups)
    return open_holds().filter(mine | Q(provider_id__in=directory().owned_by(user)))


def releasable(user: User, bills: Collection[JobBill]) -> set[UUID]:
    """Those of the bills whose hold the user may release now; three queries for all of them.

    Operators, and the provider's owner: when the job is not on its way. The group's
    administrators: when it has ended HOLD_RELEASE_DAYS ago, and no usage has come.
    """
    moving = set(directory().on_their_way({b.pk for b in bills if b.ended_at is None}))
    owned = set(directory().owned_by(user))
    groups = set(user.memberships.filter(role=Role.ADMIN).values_list("group_id", flat=True))
    late = now() - timedelta(days=settings.HOLD_RELEASE_DAYS)
    return {
        bill.pk
        for bill in bills
        if (bill.pk not in moving and (is_operator(user) or bill.provider_id in owned))
        or (
            bill.account.group_id in groups
            and bill.state == BillState.AWAITING_USAGE
            and bill.ended_at is not None
            and bill.ended_at <= late
        )
    }


def release_hold(*, actor: User, job_id: UUID, reason: str) -> JobBill:
    """Give a job's hold back; usage that comes later is kept and not charged.

    Released already: no effect. Raises NotFound for a hold that the actor may not see, Forbidden
    for one that may only be seen, Conflict while the job is on its way or when it is charged.
    """
    why = reason_of(reason)
    with transaction.atomic():
        found = lock_bills([job_id])
        if not found:
            raise NotFound
        bill = found[0]
        _must_see(actor, bill)
        if bill.state in UNSETTLED:
            _must_be_free(actor, bill)
            bill = release_bill(job_id, reason=why, actor=f"user:{actor.pk}")
            _tell_member(bill, actor, why)
        elif bill.state == BillState.CHARGED:
            raise Conflict(_("This job is charged already; a refund gives back what was charged."))
    return bill


def _must_see(actor: User, bill: JobBill) -> None:
    """Raises NotFound; Forbidden for who sees the hold and never decides about it."""
    if is_operator(actor) or bill.provider_id in directory().owned_by(actor):
        return
    account = account_for(actor, bill.account_id, "view")
    own = membership(actor, account.group) if account.group is not None else None
    if own is None or own.role != Role.ADMIN:
        raise Forbidden(_("The group's administrators, the provider and operators may do this."))


def _must_be_free(actor: User, bill: JobBill) -> None:
    if bill.pk in releasable(actor, [bill]):
        return
    if bill.state == BillState.OPEN:
        raise Conflict(_("The job is still on its way; it can be dismissed."))
    text = _("This can be released %(days)s days after the job's end.")
    raise Conflict(text % {"days": settings.HOLD_RELEASE_DAYS})


def _tell_member(bill: JobBill, actor: User, why: str) -> None:
    member = User.objects.filter(pk=bill.member_id).exclude(pk=actor.pk).first()
    values = {"amount": money.show(bill.limit_amount), "account": bill.account}
    tell(
        [member],
        f"hold:{bill.pk}:released",
        subject=lambda: _("%(amount)s credits are no longer held on %(account)s") % values,
        says=[why, lambda: _("Usage that is reported later is not charged.")],
        path=reverse("pages:account", args=[bill.account_id]),
    )
