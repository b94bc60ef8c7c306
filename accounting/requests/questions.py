"""What `check_ledger` asks the database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """Rows of `sql` break an invariant; `finding` tells one. Columns *_credits are amounts."""

    finding: str
    sql: str
