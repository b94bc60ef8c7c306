"""Which account pays for a run that came through a machine door, and how much at most."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounting.accounts import user_account
from accounting.models import Account
from accounting.selectors import payable_accounts
from common import money
from common.errors import InvalidInput
from people.models import User

HEADER = "X-Tep-Account"
PARAMETER = "account"
MOST_HEADER = "X-Tep-Max-Cost"
MOST_PARAMETER = "max_cost"


def payer(request: HttpRequest, user: User, parameters: Mapping[str, str]) -> Account:
    """The account that the request names, else the one with the most available credit.

    It is named by id or code (`group:4`) in the header X-Tep-Account or the parameter `account`.
    Raises InvalidInput for one that the user may not pay from, as for an unknown one.
    """
    name = (request.headers.get(HEADER) or parameters.get(PARAMETER, "")).strip()
    accounts = list(payable_accounts(user))
    if not name:
        proposed = max(accounts, key=lambda account: account.available, default=None)
        return proposed or user_account(user)
    for account in accounts:
        if name in (account.code, str(account.pk)):
            return account
    known = ", ".join(f"{account.code} ({account})" for account in accounts)
    raise InvalidInput(
        _("You cannot pay from this account. Yours are: %(known)s.") % {"known": known or "—"},
        locator=PARAMETER,
    )


def ceiling(request: HttpRequest, parameters: Mapping[str, str]) -> int | None:
    """The most that the client would pay, in micro-credits; None when it does not say.

    In credits, in the header X-Tep-Max-Cost or the parameter `max_cost`. Raises InvalidInput.
    """
    text = (request.headers.get(MOST_HEADER) or parameters.get(MOST_PARAMETER, "")).strip()
    if not text:
        return None
    try:
        most = money.micro(text)
    except InvalidInput as error:
        raise InvalidInput(error.detail, locator=MOST_PARAMETER) from None
    if most < 0:
        raise InvalidInput(_("The most to pay cannot be negative."), locator=MOST_PARAMETER)
    return most
