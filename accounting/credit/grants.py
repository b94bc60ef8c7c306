"""Credit that is given: now or later, once or each period, for ever or until a day.

A grant is booked when it starts; until then it is an intention and no credit. The portal issues to
any account (operators), a group gives from its account to its members (its administrators).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid5

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounting.accounts import name_of, system_account
from accounting.credit import lots
from accounting.credit.transfers import must_administer
from accounting.inputs import again, positive, reason_of
from accounting.ledger import lock, post
from accounting.models import (
    Account,
    AccountKind,
    Grant,
    GrantState,
    Phase,
    Transfer,
    TransferKind,
)
from common.clock import now
from common.errors import Conflict, Forbidden, InvalidInput, PaymentRequired, PortalError
from people.access import is_operator, membership
from people.models import User

log = structlog.get_logger(__name__)

NAMESPACE = UUID("0e2b8a5e-58d1-5c57-9d0e-2f3ad4a1b7c6")
LONGEST_KEY = 100
LONGEST_NOTE = 200
FARTHEST = timedelta(days=366 * 50)
# A grant that its source cannot pay is tried again at every run for so long, then given up.
PATIENCE = timedelta(days=7)
PER_RUN = 500


def give(  # noqa: PLR0913 (a grant has that many facts)
    *,
    actor: User,
    account: Account,
    amount: int,
    reason: str,
    key: str,
    starts_at: datetime | None = None,
    expires_at: datetime | None = None,
    source: Account | None = None,
) -> Grant:
    """Give `amount` micro-credits from `starts_at` (now) to `expires_at` (never ends).

    `source` None: issued by the portal; else the account of a group, which gives to a member. The
    same `key` of the same actor again has no second effect. Raises Forbidden, InvalidInput,
    Conflict for a key that stands for another grant or an account that is not open, and for a grant
    that starts now InsufficientCredit.
    """
    must_give(actor, account, source)
    at = now()
    begins = starts_at if starts_at is not None and starts_at > at else at
    check_times(begins, expires_at)
    grant = Grant(
        account=account,
        source=source,
        key=own_key("give", actor, key),
        amount=positive(amount),
        starts_at=begins,
        expires_at=expires_at,
        reason=reason_of(reason),
        created_by=actor,
        created_at=at,
    )
    with transaction.atomic():
        _lock_sides(grant)
        known = Grant.objects.filter(key=grant.key).first()
        if known is not None:
            return _same(known, grant, starts_at)
        grant.save()
        if begins <= at:
            _book(grant)
    return grant


def cancel(*, actor: User, grant: Grant) -> Grant:
    """Take back a grant that has not started. Raises Forbidden, Conflict once it is booked."""
    must_give(actor, grant.account, grant.source, member=False)
    with transaction.atomic():
        found = Grant.objects.select_for_update(of=("self",)).get(pk=grant.pk)
        if found.state != GrantState.SCHEDULED:
            raise Conflict(_("Only a grant that has not started can be cancelled."))
        found.state, found.note = GrantState.CANCELLED, ""
        found.save(update_fields=["state", "note"])
    return found


def issue_due(at: datetime) -> int:
    """Book the scheduled grants that have started at `at`; returns how many were booked.

    One that its source cannot pay, or whose account is frozen, keeps the reason as a note and is
    tried again for PATIENCE, then given up as refused. So is at once what expired before it could
    be booked, and what is for somebody who has left the group.
    """
    waiting = Grant.objects.filter(state=GrantState.SCHEDULED, starts_at__lte=at)
    # What was tried in vain comes last: it does not keep others waiting.
    ids = waiting.order_by("note", "starts_at", "pk").values_list("pk", flat=True)[:PER_RUN]
    return sum(_issue(grant_id, at) for grant_id in list(ids))


def grants_of(account: Account) -> QuerySet[Grant]:
    """What was given to the account and from it, or will be; latest start first."""
    given = Grant.objects.filter(account=account) | Grant.objects.filter(source=account)
    return given.select_related("account", "source", "created_by", "rule").order_by(
        "-starts_at", "-pk"
    )


def must_give(
    actor: User, account: Account, source: Account | None, *, member: bool = True
) -> None:
    """Raises Forbidden unless the actor may give from the source; InvalidInput for a wrong account.

    `member` False: also for somebody who has left the group.
    """
    if source is None:
        if not is_operator(actor):
            raise Forbidden(_("Only operators may issue credit."))
        if account.kind == AccountKind.SYSTEM:
            raise InvalidInput(_("Credit is issued to users, groups and providers."))
        return
    if source.group is None:
        raise InvalidInput(_("Only the account of a group gives credit."), locator="source")
    must_administer(actor, source.group)
    if member and not _is_member(account, source):
        raise InvalidInput(_("This user is not a member of the group."), locator="member")


def check_times(starts_at: datetime, ends_at: datetime | None, *, end: str = "expires_at") -> None:
    """Raises InvalidInput for times that no grant or rule can have; `end` is the end's field."""
    if starts_at > now() + FARTHEST:
        raise InvalidInput(_("This is too far in the future."), locator="starts_at")
    if ends_at is not None and ends_at <= starts_at:
        raise InvalidInput(_("It would end before it starts."), locator=end)
    if ends_at is not None and ends_at > starts_at + FARTHEST:
        raise InvalidInput(_("This is too far in the future."), locator=end)


def own_key(purpose: str, actor: User, key: str) -> str:
    """The stored key of what the actor names `key`; raises InvalidInput for one that is unfit."""
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise InvalidInput(
            _("A key is needed, so that a repeated request has no second effect."), locator="key"
        )
    return f"{purpose}:{actor.pk}:{key}"


def _same(known: Grant, grant: Grant, starts_at: datetime | None) -> Grant:
    facts = ("account_id", "source_id", "amount", "expires_at", "reason")
    same = all(getattr(known, fact) == getattr(grant, fact) for fact in facts)
    # Without a start, or with a past one, the grant began with its first request.
    begins = starts_at if starts_at is not None and starts_at > known.created_at else None
    if not same or (begins or known.created_at) != known.starts_at:
        raise Conflict(_("This key stands for another grant already."))
    return again(known)


def _issue(grant_id: int, at: datetime) -> int:
    """Book one grant in a transaction of its own, or note why not; 1 if it was booked."""
    try:
        with transaction.atomic():
            grant = _claim(grant_id)
            if grant is None:
                return 0
            _must_be_timely(grant, at)
            _lock_sides(grant)
            _book(grant)
    except (Conflict, PaymentRequired, InvalidInput) as refusal:
        _refuse(grant_id, refusal, at)
        return 0
    except PortalError as error:  # busy: the next run comes soon
        log.warning("grant_put_off", grant=grant_id, error=error.code)
        return 0
    return 1


def _claim(grant_id: int) -> Grant | None:
    """The grant, locked, if it still has to be booked."""
    grants = Grant.objects.select_for_update(of=("self",), skip_locked=True)
    waiting = grants.filter(pk=grant_id, state=GrantState.SCHEDULED)
    return waiting.select_related("account__user", "source__group", "created_by").first()


def _must_be_timely(grant: Grant, at: datetime) -> None:
    if grant.expires_at is not None and grant.expires_at <= at:
        raise InvalidInput(_("Its time was over before it could be booked."))
    if grant.source is not None and not _is_member(grant.account, grant.source):
        raise InvalidInput(_("This user is not a member of the group."))


def _refuse(grant_id: int, refusal: PortalError, at: datetime) -> None:
    with transaction.atomic():
        grant = _claim(grant_id)
        if grant is None:
            return
        grant.note = refusal.detail[:LONGEST_NOTE]
        hopeless = isinstance(refusal, InvalidInput)
        if hopeless or grant.starts_at + PATIENCE <= at:
            grant.state = GrantState.REFUSED
        grant.save(update_fields=["note", "state"])
    log.info("grant_refused", grant=grant_id, state=grant.state, error=refusal.code)


def _lock_sides(grant: Grant) -> None:
    """Before anything refers to the accounts: a foreign key's own lock is in the way of this."""
    lock(grant.account, grant.source or system_account("issue"))


def _book(grant: Grant) -> None:
    """Move the credit, in the caller's transaction with both accounts locked."""
    source = grant.source or system_account("issue")
    transfer, _new = post(
        id=uuid5(NAMESPACE, f"grant:{grant.key}"),
        phase=Phase.SINGLE,
        kind=TransferKind.GRANT if grant.source is None else TransferKind.TRANSFER,
        debit=source,
        credit=grant.account,
        amount=grant.amount,
        actor=name_of(grant.created_by),
        reason=grant.reason,
        effective_at=grant.starts_at,
    )
    grant.state, grant.transfer, grant.note = GrantState.ISSUED, transfer, ""
    grant.save(update_fields=["state", "transfer", "note"])
    _begin_lots(grant, transfer)


def _begin_lots(grant: Grant, transfer: Transfer) -> None:
    if grant.source is not None:
        lots.bring_up(grant.source)
    if grant.expires_at is not None:
        lots.follow(transfer, grant.account)
    lots.bring_up(grant.account)


def _is_member(account: Account, source: Account) -> bool:
    if account.user is None or source.group is None:
        return False
    return membership(account.user, source.group) is not None
