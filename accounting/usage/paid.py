"""The usage that an account pays for, as those see it who pay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from accounting.models import Account, JobBill, Transfer, UsageBill, UsageRecord
from accounting.models.pricing import COUNTED_IN, SMALLEST
from accounting.statements.csv import amount_cell, instant, line, text_cell

COLUMNS = (
    *("record", "kind", "site", "name", "job", "member", "user", "group", "started", "ended"),
    *("month", "state", "cost", "note", "unit", "quantity", "counted in"),
)
Records = QuerySet[UsageRecord, UsageRecord]


def records_of(account: Account, *, member_id: int | None = None) -> Records:
    """The newest revisions, newest first; of one member: what was used on that member's behalf."""
    own = (
        {"account": account} if member_id is None else {"account": account, "member_id": member_id}
    )
    jobs = JobBill.objects.filter(**own).values("pk")
    others = UsageBill.objects.filter(**own).values("pk")
    rows = UsageRecord.objects.filter(superseded_by=None)
    return _shown(rows.filter(Q(bill__in=jobs) | Q(usage_bill__in=others)))


def records_behind(charge: Transfer) -> Records:
    """What a charge for usage without a job is for now; nothing for charges of jobs."""
    of_usage, _colon, number = charge.reference.partition(":")
    rows = UsageRecord.objects.filter(superseded_by=None)
    if of_usage != "usage" or not number.isdigit():
        return rows.none()
    return _shown(rows.filter(usage_bill=int(number)))


def member_of(record: UsageRecord) -> int | None:
    """On whose behalf a group pays for it."""
    bill = record.bill or record.usage_bill
    return bill.member_id if bill is not None else None


def quantities_of(record: UsageRecord) -> list[dict[str, str]]:
    """What it measured: unit, quantity in the unit's smallest part, and what that is."""
    return [
        {"unit": unit, "quantity": str(amount), "counted_in": COUNTED_IN.get(unit, "")}
        for unit, amount in sorted(record.quantities.items())
        if unit in SMALLEST
    ]


def usage_csv(records: Iterable[UsageRecord], names: Mapping[int, str]) -> Iterator[str]:
    """A line for each quantity of each record; one without any has a line too."""
    yield line(COLUMNS)
    for record in records:
        facts = _facts(record, names)
        nothing = {"unit": "", "quantity": "", "counted_in": ""}
        for one in quantities_of(record) or [nothing]:
            yield line([*facts, one["unit"], one["quantity"], one["counted_in"]])


def _shown(rows: Records) -> Records:
    return rows.select_related("bill", "usage_bill").defer("fields").order_by("-pk")


def _facts(record: UsageRecord, names: Mapping[int, str]) -> Sequence[str]:
    return [
        str(record.pk),
        record.type,
        text_cell(record.site),
        text_cell(record.counter_of or record.local_job_id),
        str(record.bill_id or ""),
        text_cell(names.get(member_of(record) or 0, "")),
        text_cell(record.user_name),
        text_cell(record.group_name),
        _instant(record.started),
        _instant(record.ended),
        f"{record.month:%Y-%m}" if record.month else "",
        record.state,
        amount_cell(record.cost),
        text_cell(record.note),
    ]


def _instant(at: datetime | None) -> str:
    return instant(at) if at is not None else ""
