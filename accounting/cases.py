"""Bills as settling takes them: locked, by thousands, without an object of a model for each.

Identifiers are text here, as `str(UUID)` writes them: objects of them cost more than their use.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from accounting.models import Account, BillState, JobBill, OverrunPolicy
from accounting.usage.rows import Row
from common.bulk import array, as_json, update_rows
from common.prepared import execute

# As plain text: comparing members of an enumeration is slow.
CHARGED = BillState.CHARGED.value
CAP_AT_HOLD = OverrunPolicy.CAP_AT_HOLD.value

NOBODY = Account()


@dataclass(slots=True)
class Case:
    """What settling needs of a locked bill, and decides: by the names on the bill."""

    pk: str
    account_id: int
    member_id: int
    provider_id: int
    service_id: int
    price_list_id: int | None
    charge_unsuccessful: bool
    limit_amount: int
    overrun_policy: str
    hold_id: str | None
    successful: bool | None
    has_ended: bool
    products_out: int | None
    refunded: int
    state: str
    used: int
    charged: int
    uncharged: int
    deferred: int
    charge_id: str | None
    corrections: int
    quoted: str
    payer: Account = NOBODY
    payee: Account = NOBODY
    rows: list[Row] = field(default_factory=list)
    settled_now: bool = False
    _stored: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def target(self) -> int:
        """What is to be charged in all, as far as the account can pay it."""
        if self.overrun_policy == CAP_AT_HOLD:
            return min(self.used, self.limit_amount)
        return self.used

    @property
    def is_off(self) -> bool:
        """Whether more or less is to be charged than is. What people gave back counts as given."""
        return self.state == CHARGED and not (
            self.charged - self.refunded <= self.target <= self.charged
        )

    def decided(self) -> tuple[Any, ...]:
        """What settling decides, as it is stored."""
        return (
            self.state,
            self.used,
            self.charged,
            self.uncharged,
            self.deferred,
            self.charge_id,
            self.corrections,
        )


_DECIDED = ("state", "used", "charged", "uncharged", "deferred", "charge_id", "corrections")
_FACTS = (
    "b.account_id, b.member_id, b.provider_id, b.service_id, b.price_list_id,"
    " b.charge_unsuccessful, b.limit_amount, b.overrun_policy"
)
_STATE = "b.successful, b.ended_at IS NOT NULL, b.products_out, b.refunded"
# As `Case.decided` has it.
_DECISION = "b.state, b.used, b.charged, b.uncharged, b.deferred"
# Each bill by a look into the indexes, however large the tables were when they were last counted.
_LOCK = {
    "postgresql": f"""
SELECT b.job_id::text, {_FACTS}, b.hold_id::text, {_STATE}, {_DECISION}, b.charge_id::text,
       b.corrections, q.lines
  FROM unnest(%s::uuid[]) AS wanted
 CROSS JOIN LATERAL (
   SELECT * FROM acc_job_bill WHERE job_id = wanted OFFSET 0 FOR NO KEY UPDATE) b
 CROSS JOIN LATERAL (SELECT lines::text FROM acc_quote WHERE id = b.quote_id OFFSET 0) q
""",  # noqa: S608 (our own names of columns)
    "sqlite": f"""
SELECT b.job_id, {_FACTS}, b.hold_id, {_STATE}, {_DECISION}, b.charge_id, b.corrections, q.lines
  FROM json_each(%s) wanted CROSS JOIN acc_job_bill b ON b.job_id = wanted.value
 CROSS JOIN acc_quote q ON q.id = b.quote_id
""",  # noqa: S608
}
_PROVIDERS = {
    "postgresql": """
SELECT job_id::text, provider_id FROM unnest(%s::uuid[]) AS wanted
 CROSS JOIN LATERAL (SELECT * FROM acc_job_bill WHERE job_id = wanted OFFSET 0) b
""",
    "sqlite": "SELECT job_id, provider_id FROM json_each(%s) JOIN acc_job_bill ON job_id = value",
}
_REPORTED = {
    "postgresql": """
SELECT wanted::text FROM unnest(%s::uuid[]) AS wanted
 CROSS JOIN LATERAL (SELECT FROM acc_usage_record
                      WHERE bill_id = wanted LIMIT 1) r
""",
    "sqlite": """
SELECT value FROM json_each(%s)
 WHERE EXISTS (SELECT 1 FROM acc_usage_record WHERE bill_id = value)
""",
}


def lock_cases(job_ids: Iterable[str]) -> list[Case]:
    """The bills of jobs, locked in the order that cannot deadlock (as `settlement.lock_bills`)."""
    cases: list[Case] = []
    bare = connection.vendor == "sqlite"
    for row in _by_id(_LOCK, sorted(set(job_ids))):
        case = Case(*row)
        if bare:
            case.hold_id = case.hold_id and _dashed(case.hold_id)
            case.charge_id = case.charge_id and _dashed(case.charge_id)
        case._stored = case.decided()
        cases.append(case)
    return cases


def save_cases(cases: Iterable[Case], moment: datetime) -> None:
    """Update the bills about which something else is decided now."""
    settled: list[tuple[Any, ...]] = []
    others: list[tuple[Any, ...]] = []
    for case in cases:
        decided = case.decided()
        if decided != case._stored:
            if case.settled_now:
                settled.append((case.pk, *decided, moment))
            else:
                others.append((case.pk, *decided))
    update_rows(JobBill, ("job_id", *_DECIDED, "settled_at"), settled)
    update_rows(JobBill, ("job_id", *_DECIDED), others)


def providers_of(job_ids: Collection[str]) -> dict[str, int]:
    """The provider of each of these jobs that has a bill."""
    return dict(_by_id(_PROVIDERS, list(job_ids)))


def reported(job_ids: Collection[str]) -> list[str]:
    """Those of the jobs that have usage records, of any revision: ask with their bills locked."""
    return [job_id for (job_id,) in _by_id(_REPORTED, list(job_ids))]


def _by_id(queries: Mapping[str, str], ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """Rows whose first column is one of these identifiers of jobs."""
    if not ids:
        return []
    if connection.vendor == "postgresql":
        return list(execute(queries["postgresql"], [array(ids)]).fetchall())
    # SQLite keeps an identifier without its dashes.
    dashed = {job_id.replace("-", ""): job_id for job_id in ids}
    found = execute(queries["sqlite"], [as_json(list(dashed))])
    return [(dashed[bare], *others) for bare, *others in found.fetchall()]


def _dashed(bare: str) -> str:
    return f"{bare[:8]}-{bare[8:12]}-{bare[12:16]}-{bare[16:20]}-{bare[20:]}"
