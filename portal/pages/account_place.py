"""Where the grants and the settings of an account are: those of a group are under the group."""

from __future__ import annotations

from typing import Literal

from django.urls import reverse

from accounting.models import Account

_ADDRESSES = {
    "grants": ("pages:group_grants", "pages:account_grants"),
    "settings": ("pages:group_credit_settings", "pages:account_settings"),
}


def place_of(account: Account, part: Literal["grants", "settings"]) -> str:
    """The address of that page of the account."""
    of_group, of_account = _ADDRESSES[part]
    if account.group is not None:
        return reverse(of_group, args=[account.group.slug])
    return reverse(of_account, args=[account.pk])
