"""What people type with an act on credit: an amount, and why."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from accounting.models.ledger import MOST
from common.errors import Conflict, InvalidInput

LONGEST_REASON = 500
_AGAIN = "_made_by_an_earlier_request"

Row = TypeVar("Row", bound=Model)


def positive(amount: int, *, locator: str = "amount") -> int:
    """The amount, in micro-credits; raises InvalidInput unless it is above 0 and can be booked."""
    if not isinstance(amount, int) or not 0 < amount <= MOST:
        raise InvalidInput(_("The amount must be positive."), locator=locator)
    return amount


def reason_of(text: str, *, locator: str = "reason") -> str:
    """The text without space around it; raises InvalidInput for none, a long or unprintable one."""
    reason = text.strip()
    if not reason:
        raise InvalidInput(_("Say why."), locator=locator, missing=True)
    if (
        len(reason) > LONGEST_REASON
        or not reason.replace("\n", " ").replace("\r", " ").replace("\t", " ").isprintable()
    ):
        raise InvalidInput(_("The text is too long or has control characters."), locator=locator)
    return reason


def again(row: Row) -> Row:
    """Note that the row was made by an earlier request with the same key."""
    setattr(row, _AGAIN, True)
    return row


def came_again(row: Model) -> bool:
    """Whether an act only found what an earlier request with the same key had made."""
    return getattr(row, _AGAIN, False)


def same_again(earlier: object, wanted: object, *facts: str) -> None:
    """Raises Conflict when a key that was used for one act comes with another."""
    if any(getattr(earlier, fact) != getattr(wanted, fact) for fact in facts):
        raise Conflict(_("This key was used for something else."))
