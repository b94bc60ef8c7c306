"""Usage records on their way between their table and what is charged for them.

Plain objects: a message brings thousands, and instances of a model cost more than all else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from accounting.models import RecordState, RecordType, UsageRecord
from accounting.usage.records import Record
from common.bulk import insert_rows, update_rows

# As plain text: comparing and storing members of an enumeration is slow.
UNMATCHED = RecordState.UNMATCHED.value
MATCHED = RecordState.MATCHED.value
CHARGED = RecordState.CHARGED.value
FREE = RecordState.FREE.value
HELD_BACK = RecordState.HELD_BACK.value
_JOB = RecordType.JOB.value


@dataclass(slots=True)
class Origin:
    """What a new row has beside what settling needs: its record, message and revision."""

    record: Record
    message_id: str
    revision: int


@dataclass(slots=True)
class Row:
    """What settling needs of a record, and what it decides. A row without `pk` is not stored."""

    pk: int | None
    natural_key: str
    type: str
    provider_id: int | None
    site: str
    local_job_id: str
    user_name: str
    group_name: str
    month: date | None
    counter_of: str
    ended: datetime
    quantities: Mapping[str, int]
    chargeable: bool
    bill_id: str | None
    usage_bill_id: int | None
    state: str
    note: str
    cost: int | None
    lines: list[dict[str, Any]]
    origin: Origin | None = None
    _stored: tuple[Any, ...] = field(default=(), repr=False)

    def decided(self) -> tuple[Any, ...]:
        """What settling decides, as it is stored."""
        return (
            self.bill_id,
            self.usage_bill_id,
            self.state,
            self.note,
            self.cost,
            self.lines,
        )

    @property
    def changed(self) -> bool:
        return self.decided() != self._stored


_DECIDED = ("bill_id", "usage_bill_id", "state", "note", "cost", "lines")
_READ = (
    *("pk", "natural_key", "type", "provider_id", "site", "local_job_id", "user_name"),
    *("group_name", "month", "counter_of", "ended", "quantities", "chargeable"),
    *_DECIDED,
)
_INSERTED = (
    *("natural_key", "revision", "message_id", "type", "provider_id", "site", "local_job_id"),
    *("user_name", "group_name", "month", "counter_of", "started", "ended", "wall_seconds"),
    *("cpu_seconds", "processors", "benchmark", "level_milli", "quantities", "chargeable"),
    *("fields", "decided_by"),
    *_DECIDED,
)


def new_row(record: Record, origin: Origin, key: str, provider_id: int | None) -> Row:
    """The row of a record that came in; UNMATCHED until somebody is found to pay for it."""
    return Row(
        pk=None,
        natural_key=key,
        type=record.type,
        provider_id=provider_id,
        site=record.site,
        local_job_id=record.job,
        user_name=record.user,
        group_name=record.group,
        month=None if record.type == _JOB else record.month,
        counter_of=record.counter_of,
        ended=record.ended,
        quantities=record.quantities,
        chargeable=not record.free,
        bill_id=None,
        usage_bill_id=None,
        state=UNMATCHED if not record.free else FREE,
        note=record.free[:200],
        cost=None,
        lines=[],
        origin=origin,
    )


def current_rows(**filters: Any) -> list[Row]:
    """The newest revisions, in the order of their keys."""
    rows = UsageRecord.objects.filter(superseded_by__isnull=True, **filters)
    found = [Row(*values) for values in rows.order_by("natural_key").values_list(*_READ)]
    for row in found:
        row.bill_id = str(row.bill_id) if row.bill_id is not None else None
        row._stored = row.decided()
    return found


def save(rows: Iterable[Row]) -> None:
    """Insert the new rows, and update those about which something else is decided now."""
    rows = list(rows)
    new = [row for row in rows if row.pk is None]
    if new:
        insert_rows(UsageRecord, _INSERTED, map(_values, new))
    changed = [row for row in rows if row.pk is not None and row.changed]
    update_rows(UsageRecord, ("id", *_DECIDED), [(row.pk, *row.decided()) for row in changed])


def _values(row: Row) -> Sequence[Any]:
    assert row.origin is not None  # noqa: S101 (only a new row has no pk)
    record = row.origin.record
    return (
        row.natural_key,
        row.origin.revision,
        row.origin.message_id,
        row.type,
        row.provider_id,
        row.site,
        row.local_job_id,
        row.user_name,
        row.group_name,
        row.month,
        row.counter_of,
        record.started,
        row.ended,
        record.wall_seconds,
        record.cpu_seconds,
        record.processors,
        record.benchmark,
        record.level_milli,
        row.quantities,
        row.chargeable,
        record.fields,
        "",
        *row.decided(),
    )
