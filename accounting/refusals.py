"""What the rules of the ledger, which the database keeps, mean to whoever broke one."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from accounting.credit.caps import cap_of
from accounting.models import Account, Transfer
from common import money
from common.errors import (
    Conflict,
    InsufficientCredit,
    InvalidInput,
    MemberLimitReached,
    NotFound,
    PortalError,
)

_REFUSALS: dict[str, tuple[type[PortalError], object]] = {
    "acc_amount_pos": (InvalidInput, _("The amount must be positive and not above the limit.")),
    "acc_two_accounts": (InvalidInput, _("Credit moves between two different accounts.")),
    "acc_phase": (InvalidInput, _("There is no such phase of a transfer.")),
    "acc_transfer_kind": (InvalidInput, _("There is no such kind of transfer.")),
    "acc_pending_ref": (InvalidInput, _("A charge or release of a hold names it; others do not.")),
    "acc_refund_ref": (InvalidInput, _("A refund names the charge; other transfers do not.")),
    "acc_expiry_only_pending": (InvalidInput, _("Only a hold expires.")),
    "acc_manual_needs_reason": (InvalidInput, _("An adjustment needs a reason.")),
    "acc_account_exists": (NotFound, _("There is no such account.")),
    "acc_pending_match": (Conflict, _("This does not match the hold.")),
    "acc_void_whole": (Conflict, _("A hold is released whole.")),
    "acc_refund_bound": (Conflict, _("A refund mirrors a charge and does not exceed it.")),
    "acc_same_currency": (Conflict, _("The accounts are in different currencies.")),
    "acc_open": (Conflict, _("The account is frozen or closed.")),
    "acc_closed_empty": (Conflict, _("The account is closed.")),
    "acc_bounds": (Conflict, _("The account cannot hold that much.")),
}


def broken_rule(error: IntegrityError) -> str:
    """The name of the constraint behind an error, "" if it has none."""
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis is not None:
        return diagnosis.constraint_name or ""
    text = str(error)
    if "acc_transfer.pending_id" in text:
        return "acc_transfer_one_resolution"
    return text.removeprefix("CHECK constraint failed: ")


def refusal(rule: str) -> PortalError:
    """The error that stands for a rule."""
    error, text = _REFUSALS[rule]
    return error(text)


def explain(rule: str, transfer: Transfer, error: IntegrityError) -> Exception:
    """The refusal of a transfer, with what is missing; `error` itself where no rule says more."""
    if rule == "acc_no_overdraft":
        return insufficient(Account.objects.get(pk=transfer.debit_id), _required(transfer)[0])
    if rule == "acc_cap_limit":
        return _over_limit(transfer)
    return refusal(rule) if rule in _REFUSALS else error


def _required(transfer: Transfer) -> tuple[int, Transfer]:
    """What the transfer needs beyond its hold, and the transfer that counts for its member."""
    if transfer.pending_id is None:
        return transfer.amount, transfer
    hold = Transfer.objects.get(pk=transfer.pending_id)
    return transfer.amount - hold.amount, hold


def insufficient(account: Account, required: int) -> InsufficientCredit:
    """That an account, as it is given, does not cover `required` micro-credits."""
    available = account.available
    text = _("%(account)s does not cover this: %(required)s needed, %(available)s available.") % {
        "account": account,
        "required": money.show(required),
        "available": money.show(available),
    }
    return InsufficientCredit(text, **_figures(account, required, available))


def _over_limit(transfer: Transfer) -> MemberLimitReached:
    """data: required, available, shortfall (Decimal credits), account (its name)."""
    required, spend = _required(transfer)
    account = Account.objects.get(pk=transfer.debit_id)
    cap = cap_of(account, spend.member_id or 0, spend.created_at)
    left = max(0, cap.limit_amount - cap.used - cap.held) if cap else 0
    text = _("Your limit on %(account)s leaves %(left)s; %(required)s needed.") % {
        "account": account,
        "left": money.show(left),
        "required": money.show(required),
    }
    return MemberLimitReached(text, **_figures(account, required, left))


def _figures(account: Account, required: int, available: int) -> dict[str, Any]:
    shortfall = max(0, required - available)  # credit may have arrived since the refusal
    return {
        "required": money.credits(required),
        "available": money.credits(available),
        "shortfall": money.credits(shortfall),
        "account": str(account),
    }
