"""Requests for credit: somebody asks, somebody else grants, refuses, or asks back.

A member asks on the group's account: its administrators give from it, or raise the member's limit.
An administrator asks for the group's account, or a user for the own one: operators issue credit.
"""

from __future__ import annotations

from uuid import UUID, uuid4, uuid5

from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounting.access import account_for
from accounting.accounts import user_account
from accounting.credit import transfers as credit
from accounting.inputs import again, positive, reason_of, same_again
from accounting.ledger import lock
from accounting.models import Account, AccountKind, Quote, TopUp, TopUpNote, TopUpState, Transfer
from accounting.requests.letters import Text, answerable_for, operators, tell
from accounting.selectors import cap_of
from common import money
from common.clock import now
from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from people.access import is_operator, membership
from people.models import Role, User

UNDECIDED = (TopUpState.REQUESTED, TopUpState.QUESTION)


@transaction.atomic
def ask(
    *,
    actor: User,
    account: Account,
    amount: int,
    reason: str,
    key: str = "",
    quote: Quote | None = None,
    as_limit: bool = False,
) -> TopUp:
    """Ask for `amount` micro-credits where `account` is short; the same `key` asks once.

    `quote` shows what for. `as_limit` asks a group for a higher limit instead of credit.
    Raises InvalidInput, Forbidden, NotFound, Conflict while an earlier request is open.
    """
    to, source = sides(actor, account)
    if as_limit and (source is None or cap_of(source, actor.pk) is None):
        raise InvalidInput(_("There is no limit that could be raised."), locator="as_limit")
    if quote is not None and quote.member_id != actor.pk:
        raise NotFound
    row = TopUp(
        id=uuid5(credit.NAMESPACE, f"topup:{actor.pk}:{key}") if key else uuid4(),
        account=to,
        source=source,
        quote=quote,
        as_limit=as_limit,
        amount=positive(amount),
        reason=reason_of(reason),
        requested_by=actor,
        requested_at=now(),
    )
    lock(to)  # two requests at the same moment are one after the other
    mine = _rows().filter(requested_by=actor)
    if (earlier := mine.filter(pk=row.pk).first()) is not None:
        facts = ("account_id", "source_id", "quote_id", "amount", "reason", "as_limit")
        same_again(earlier, row, *facts)
        return again(earlier)
    if mine.filter(account=to, source=source, state__in=UNDECIDED).exists():
        raise Conflict(_("You have asked already, and nobody has decided yet."))
    row.save(force_insert=True)
    values = {"name": actor.display_name, "amount": money.show(amount), "account": source or to}
    asks = gettext_lazy("%(name)s asks for %(amount)s credits: %(account)s")
    _tell_deciders(row, "asked", lambda: asks % values, row.reason)
    return row


def sides(actor: User, account: Account) -> tuple[Account, Account | None]:
    """Where the credit is to arrive, and whose it is; None: issued by operators.

    Raises NotFound for an account that the actor may not see, Forbidden for one that is not theirs.
    """
    account = account_for(actor, account.pk, "view")
    if account.kind == AccountKind.USER and account.user_id == actor.pk:
        return account, None
    if not may_ask(actor, account):
        raise Forbidden(_("You can ask for your own account and for those of your groups."))
    return (account, None) if _administers(actor, account) else (user_account(actor), account)


def may_ask(user: User, account: Account) -> bool:
    """Whether the account is the user's, or of one of the user's groups."""
    return account.user_id == user.pk or (
        account.group is not None and membership(user, account.group) is not None
    )


def top_up_for(user: User, pk: UUID) -> TopUp:
    """The request, for who asked, who decides, and who answers for its account; else NotFound."""
    row = _rows().filter(pk=pk).first()
    if row is None or not (
        row.requested_by_id == user.pk or may_decide(user, row) or _administers(user, row.account)
    ):
        raise NotFound
    return row


def may_decide(user: User, row: TopUp) -> bool:
    """Whether the user is one of those whom the request is put to: never who asked."""
    if row.requested_by_id == user.pk:
        return False
    return is_operator(user) or (row.source is not None and _administers(user, row.source))


def top_ups_seen_by(user: User) -> QuerySet[TopUp]:
    """What the user asked for, decides, and answers for; everything for operators."""
    if is_operator(user):
        return _rows()
    groups = user.memberships.filter(role=Role.ADMIN).values("group")
    mine = Q(requested_by=user) | Q(account__group__in=groups) | Q(source__group__in=groups)
    return _rows().filter(mine)


def top_ups_of(user: User) -> QuerySet[TopUp]:
    """What the user asked for."""
    return _rows().filter(requested_by=user)


def top_ups_on(account: Account) -> QuerySet[TopUp]:
    """What was asked of a group's account, and for an account."""
    return _rows().filter(Q(source=account) | Q(account=account))


def top_ups_for_operators() -> QuerySet[TopUp]:
    """What only operators can decide."""
    return _rows().filter(source=None)


def grant(*, actor: User, top_up: TopUp, amount: int | None = None, note: str = "") -> TopUp:
    """Give what was asked for, or another `amount`. One decision counts.

    Raises Forbidden, Conflict when it is decided already, InvalidInput, InsufficientCredit of the
    group.
    """
    with transaction.atomic():
        row = _undecided(top_up, actor)
        given = positive(row.amount if amount is None else amount)
        row.transfer = _give(actor, row, given)
        row.granted = given
        _close(row, TopUpState.GRANTED, actor)
        text = _note(row, actor, note) if note.strip() else ""
        values = {"amount": money.show(given)}
        _tell_asker(row, "granted", lambda: _("Granted: %(amount)s credits") % values, text)
    return row


def refuse(*, actor: User, top_up: TopUp, reason: str) -> TopUp:
    """Raises Forbidden, Conflict when it is decided already, InvalidInput without a reason."""
    with transaction.atomic():
        row = _undecided(top_up, actor)
        text = _note(row, actor, reason)
        _close(row, TopUpState.REFUSED, actor)
        _tell_asker(row, "refused", lambda: _("Your request for credit was refused"), text)
    return row


def ask_back(*, actor: User, top_up: TopUp, question: str) -> TopUp:
    """Put a question to who asked. Raises as `refuse`; Conflict while one is open."""
    with transaction.atomic():
        row = _undecided(top_up, actor)
        if row.state == TopUpState.QUESTION:
            raise Conflict(_("An earlier question is not answered yet."))
        text = _note(row, actor, question)
        _move(row, TopUpState.QUESTION)
        event = f"note{row.notes.count()}"
        _tell_asker(row, event, lambda: _("A question about your request for credit"), text)
    return row


def answer(*, actor: User, top_up: TopUp, text: str) -> TopUp:
    """Answer the open question. Raises Forbidden unless the actor asked, Conflict, InvalidInput."""
    with transaction.atomic():
        row = _own(top_up, actor)
        if row.state != TopUpState.QUESTION:
            raise Conflict(_("There is no open question."))
        told = _note(row, actor, text)
        _move(row, TopUpState.REQUESTED)
        answered = gettext_lazy("%(name)s answered about a request for credit")
        values = {"name": actor.display_name}
        _tell_deciders(row, f"note{row.notes.count()}", lambda: answered % values, told)
    return row


def withdraw(*, actor: User, top_up: TopUp) -> TopUp:
    """Take the request back. Raises Forbidden unless the actor asked, Conflict when decided."""
    with transaction.atomic():
        row = _own(top_up, actor)
        _close(row, TopUpState.WITHDRAWN, actor)
        who, gone = actor.display_name, gettext_lazy("%(name)s no longer asks for credit")
        _tell_deciders(row, "withdrawn", lambda: gone % {"name": who}, "")
    return row


def _rows() -> QuerySet[TopUp]:
    return TopUp.objects.select_related(
        "account__group", "source__group", "requested_by", "closed_by", "quote"
    )


def _administers(user: User, account: Account) -> bool:
    own = membership(user, account.group) if account.group is not None else None
    return own is not None and own.role == Role.ADMIN


def _locked(top_up: TopUp) -> TopUp:
    """The row as it is now; raises Conflict when somebody was faster."""
    rows = TopUp.objects.select_for_update(no_key=True, of=("self",))
    row = rows.select_related("account__group", "source__group", "requested_by").get(pk=top_up.pk)
    if row.state not in UNDECIDED:
        state = TopUpState(row.state).label
        raise Conflict(_("This request is %(state)s already.") % {"state": state})
    return row


def _undecided(top_up: TopUp, actor: User) -> TopUp:
    if not may_decide(actor, top_up):
        raise Forbidden(_("Others decide about this request."))
    return _locked(top_up)


def _own(top_up: TopUp, actor: User) -> TopUp:
    if top_up.requested_by_id != actor.pk:
        raise Forbidden(_("Only who asked may do this."))
    return _locked(top_up)


def _give(actor: User, row: TopUp, amount: int) -> Transfer | None:
    key = f"topup:{row.pk}"
    if row.source is None:
        return credit.issue_credit(
            actor=actor, account=row.account, amount=amount, reason=row.reason, key=key
        )
    group = row.source.group
    assert group is not None  # noqa: S101 (only a group's account is a source)
    if not row.as_limit:
        return credit.grant_to_member(
            actor=actor,
            group=group,
            member=row.requested_by,
            amount=amount,
            reason=row.reason,
            key=key,
        )
    lock(row.source)
    cap = cap_of(row.source, row.requested_by_id)
    if cap is None:
        raise Conflict(_("There is no limit any more that could be raised."))
    limit = cap.limit_amount + amount
    credit.set_cap(actor=actor, group=group, member=row.requested_by, limit=limit)
    return None


def _note(row: TopUp, author: User, text: str) -> str:
    """Keep what was said, and say it again for the mail."""
    said = reason_of(text, locator="text")
    TopUpNote.objects.create(top_up=row, author=author, at=now(), text=said)
    return f"{author.display_name}: {said}"


def _move(row: TopUp, state: TopUpState) -> None:
    row.state = state
    row.save(update_fields=("state",))


def _close(row: TopUp, state: TopUpState, actor: User) -> None:
    row.state, row.closed_by, row.closed_at = state, actor, now()
    row.save(update_fields=("state", "closed_by", "closed_at", "granted", "transfer"))


def _tell_deciders(row: TopUp, event: str, subject: Text, text: str) -> None:
    people = operators() if row.source is None else answerable_for(row.source)
    others = people.exclude(pk=row.requested_by_id)
    tell(others, f"topup:{row.pk}:{event}", subject=subject, says=[text], path=_path(row))


def _tell_asker(row: TopUp, event: str, subject: Text, text: str) -> None:
    tell(
        [row.requested_by],
        f"topup:{row.pk}:{event}",
        subject=subject,
        says=[lambda: _("You asked: %(reason)s") % {"reason": row.reason}, text],
        path=_path(row),
    )


def _path(row: TopUp) -> str:
    return reverse("pages:top_up", args=[row.pk])
