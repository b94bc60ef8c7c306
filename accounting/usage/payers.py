"""Who pays for usage without a job: whom the names in a record mean, as operators said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from accounting.models import Account, UsageName
from accounting.usage.rows import Row


@dataclass(frozen=True, slots=True)
class Payer:
    """The account, and the member on whose behalf a group's account pays."""

    account: Account
    member_id: int | None = None


class Payers:
    """The payers of many records with one query."""

    def __init__(self, rows: Iterable[Row]) -> None:
        rows = list(rows)
        names = {row.user_name for row in rows} | {row.group_name for row in rows}
        providers = {row.provider_id for row in rows if row.provider_id is not None}
        known = UsageName.objects.filter(provider_id__among=providers, name__among=names - {""})
        self._accounts = {
            (name.provider_id, name.kind, name.name): name.account
            for name in (known.select_related("account") if providers else ())
        }

    def of(self, row: Row) -> Payer | None:
        """The group's account where the group is known, on behalf of the user; else the user's."""
        user = self._accounts.get((row.provider_id or 0, "user", row.user_name))
        group = self._accounts.get((row.provider_id or 0, "group", row.group_name))
        if group is not None:
            return Payer(group, user.user_id if user is not None else None)
        return Payer(user) if user is not None else None
