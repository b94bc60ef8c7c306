"""Disputes: who paid says that a charge is wrong; the provider or an operator answers."""

from __future__ import annotations

from uuid import UUID, uuid4, uuid5

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounting.credit.transfers import NAMESPACE
from accounting.directory import directory
from accounting.inputs import positive, reason_of
from accounting.ledger import broken_rule
from accounting.models import Account, Dispute, DisputeState
from accounting.requests.charges import Charge, about, charge_for, give_back, lock_charge
from accounting.requests.letters import Text, operators, tell
from common import money
from common.clock import now
from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from people.access import is_operator
from people.models import Role, User

RESOLUTIONS = tuple(
    (state.value, state.label)
    for state in (DisputeState.ACCEPTED, DisputeState.PARTLY, DisputeState.REJECTED)
)

_ANSWERS = {
    DisputeState.ACCEPTED: gettext_lazy("Your dispute was accepted: %(amount)s credits came back"),
    DisputeState.PARTLY: gettext_lazy(
        "Your dispute was accepted in part: %(amount)s credits came back"
    ),
    DisputeState.REJECTED: gettext_lazy("Your dispute was rejected"),
}


def open_dispute(*, actor: User, charge_id: UUID, text: str) -> Dispute:
    """Say that a charge is wrong; for the account's owner, its group's administrators, its member.

    Raises NotFound, Forbidden, InvalidInput; Conflict while one is open, or when nothing is left of
    the charge.
    """
    seen = charge_for(actor, charge_id)
    if not seen.pays:
        raise Forbidden(_("Who paid can dispute a charge."))
    if seen.left <= 0:
        raise Conflict(_("All of this charge was given back already."))
    row = Dispute(
        id=uuid4(),
        transfer=seen.transfer,
        account=seen.transfer.debit,
        provider_id=seen.provider_id,
        opened_by=actor,
        opened_at=now(),
        text=reason_of(text, locator="text"),
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            _tell_provider(row)
    except IntegrityError as error:
        if "acc_dispute" in broken_rule(error):
            raise Conflict(_("This charge is disputed already.")) from error
        raise
    return row


def resolve(
    *, actor: User, dispute: Dispute, state: DisputeState, answer: str, amount: int | None = None
) -> Dispute:
    """Accept the dispute (all that is left is refunded), accept it PARTLY (`amount`), or reject it.

    Raises Forbidden unless the actor is the provider's owner or an operator, and not who opened
    it; InvalidInput; Conflict when it is resolved already, or `amount` is more than is left.
    """
    if not may_resolve(actor, dispute):
        raise Forbidden(_("The provider or another operator answers this dispute."))
    if state not in dict(RESOLUTIONS):
        raise InvalidInput(_("Accept, accept in part, or reject."), locator="state")
    with transaction.atomic():
        row = _open(dispute)
        row.answer = reason_of(answer, locator="answer")
        if state != DisputeState.REJECTED:
            _refund(row, actor, amount if state == DisputeState.PARTLY else None, state)
        row.state, row.closed_by, row.closed_at = state, actor, now()
        row.save(update_fields=("state", "answer", "refund", "closed_by", "closed_at"))
        _tell_answer(row)
    return row


def dispute_for(user: User, pk: UUID) -> Dispute:
    """The dispute, for who may see its charge; else NotFound."""
    row = _rows().filter(pk=pk).first()
    if row is None:
        raise NotFound
    charge_for(user, row.transfer_id)
    return row


def may_resolve(user: User, row: Dispute) -> bool:
    """Whether the user answers for the charge and did not dispute it."""
    answers = is_operator(user) or row.provider_id in directory().owned_by(user)
    return answers and row.opened_by_id != user.pk


def disputes_of(charge: Charge) -> QuerySet[Dispute]:
    """All that was said about one charge, newest first."""
    return _rows().filter(transfer=charge.transfer)


def disputes_on(account: Account, *, member_id: int | None = None) -> QuerySet[Dispute]:
    """Disputes about an account's charges; of one member: about what was spent for that member."""
    rows = _rows().filter(account=account)
    if member_id is None:
        return rows
    own = Q(transfer__member_id=member_id) | Q(transfer__pending__member_id=member_id)
    return rows.filter(own)


def disputes_with(provider_id: int) -> QuerySet[Dispute]:
    """Disputes about a provider's charges, newest first."""
    return _rows().filter(provider_id=provider_id)


def disputes_seen_by(user: User) -> QuerySet[Dispute]:
    """What the user opened, answers as a provider, or answers for; everything for operators."""
    if is_operator(user):
        return _rows()
    groups = user.memberships.filter(role=Role.ADMIN).values("group")
    mine = Q(opened_by=user) | Q(account__user=user) | Q(account__group__in=groups)
    return _rows().filter(mine | Q(provider_id__in=directory().owned_by(user)))


def _rows() -> QuerySet[Dispute]:
    return Dispute.objects.select_related(
        "transfer__debit", "transfer__credit", "account", "opened_by", "closed_by", "refund"
    )


def _open(dispute: Dispute) -> Dispute:
    lock_charge(dispute.transfer)
    rows = Dispute.objects.select_for_update(no_key=True, of=("self",))
    row = rows.select_related("transfer__debit", "transfer__credit", "opened_by").get(pk=dispute.pk)
    if row.state != DisputeState.OPEN:
        raise Conflict(_("This dispute is answered already."))
    return row


def _refund(row: Dispute, actor: User, amount: int | None, state: DisputeState) -> None:
    left = charge_for(actor, row.transfer_id).left
    if left <= 0:
        raise Conflict(_("All of this charge was given back already."))
    given = left if amount is None and state == DisputeState.ACCEPTED else positive(amount or 0)
    if given > left:
        text = _("At most %(left)s credits can be given back.") % {"left": money.show(left)}
        raise Conflict(text, left=money.credits(left))
    row.refund = give_back(
        charge=row.transfer,
        amount=given,
        id=uuid5(NAMESPACE, f"dispute:{row.pk}"),
        actor=actor,
        reason=row.answer,
    )


def _tell_provider(row: Dispute) -> None:
    owner = directory().owner_of(row.provider_id)
    values = {"name": row.opened_by.display_name, "amount": money.show(row.transfer.amount)}
    tell(
        {owner} if owner is not None and owner.is_active else set(operators()),
        f"dispute:{row.pk}:opened",
        subject=lambda: _("%(name)s disputes a charge of %(amount)s credits") % values,
        says=[lambda: about(row.transfer), row.text],
        path=_path(row),
    )


def _tell_answer(row: Dispute) -> None:
    """Who opened it, and the provider when an operator decided."""
    owner = directory().owner_of(row.provider_id)
    state = DisputeState(row.state)
    values = {"amount": money.show(row.refund.amount if row.refund else 0)}
    says: list[Text] = [lambda: about(row.transfer), row.text, row.answer]
    tell(
        [row.opened_by],
        f"dispute:{row.pk}:resolved",
        subject=lambda: _ANSWERS[state] % values,
        says=says,
        path=_path(row),
    )
    if owner is not None and row.closed_by_id != owner.pk:
        tell(
            {owner} - {row.opened_by},
            f"dispute:{row.pk}:resolved",
            subject=lambda: _("A dispute about your charge is %(state)s") % {"state": state.label},
            says=says,
            path=_path(row),
        )


def _path(row: Dispute) -> str:
    return reverse("pages:charge", args=[row.transfer_id])
