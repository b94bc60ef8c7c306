"""TEP records as they are sent by HTTP: one, or a list of which each gets its own answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from itertools import islice
from json import JSONDecoder
from typing import Any

from accounting.models import RecordType, UsageRecord
from accounting.usage.forms import parse
from accounting.usage.forms.entry import MOST_RECORDS
from accounting.usage.forms.tep import no_object
from accounting.usage.loading import natural_key
from accounting.usage.matching import Matcher
from accounting.usage.records import Record, Remark, Sender, UsageRejected
from common.clock import now
from common.errors import Forbidden

_BLANKS = re.compile(r"[ \t\r\n]*")
_WORDS = {
    HTTPStatus.CREATED: "created",
    HTTPStatus.OK: "duplicate",
    HTTPStatus.CONFLICT: "conflict",
    HTTPStatus.BAD_REQUEST: "rejected",
    HTTPStatus.ACCEPTED: "quarantined",
}


@dataclass(slots=True)
class Item:
    """One record: its text, what it was read to (or its faults), and what is to become of it.

    `status` is that of an HTTP answer: 201 new, 200 here already, 409 another one with this id is
    here, 400 it cannot be read.
    """

    index: int
    text: str
    id: str
    record: Record | None = None
    faults: tuple[Remark, ...] = ()
    status: HTTPStatus = field(default=HTTPStatus.CREATED)

    @property
    def new(self) -> bool:
        return self.status == HTTPStatus.CREATED

    @property
    def correctable(self) -> bool:
        """Whether it is a record with faults, and so fit for quarantine."""
        return bool(self.faults) and self.text.startswith("{")

    def result(self, *, kept: bool) -> dict[str, Any]:
        """The answer about this record; `kept`: what cannot be read was put into quarantine."""
        bad = self.status == HTTPStatus.BAD_REQUEST
        status = HTTPStatus.ACCEPTED if bad and kept and self.correctable else self.status
        return {
            "index": self.index,
            "id": self.id,
            "status": status.value,
            "result": _WORDS[status],
            "faults": [fault.as_dict() for fault in self.faults],
        }


def items_of(body: bytes) -> list[Item] | None:
    """The records of a body that is one TEP record or a list of them; None for anything else.

    What is no JSON, or too many records, is not judged here: the importer says what is wrong.
    """
    try:
        text = body.decode("utf-8-sig")
        found = list(islice(_values(text), MOST_RECORDS + 1))
    except (ValueError, RecursionError):
        return None
    if len(found) > MOST_RECORDS:
        return None
    if len(found) == 1 and _is_envelope(found[0][0]):
        return None
    return [_read(number, *one) for number, one in enumerate(found)]


def judge(items: Sequence[Item], sender: Sender, sites: Mapping[str, int]) -> None:
    """Set each item's status by what is stored, with few queries however many they are.

    Raises Forbidden when any names a job of another provider: then nothing of them is looked at.
    """
    keys = _keys(items, sender, sites)
    rows = UsageRecord.objects.filter(
        natural_key__among=list(keys.values()), superseded_by__isnull=True
    )
    known = dict(rows.values_list("natural_key", "fields"))
    for one in items:
        if one.record is None:
            one.status = HTTPStatus.BAD_REQUEST
            continue
        present = known.setdefault(keys[one.index], one.record.fields)
        if present is one.record.fields:
            one.status = HTTPStatus.CREATED
        else:
            same = present == one.record.fields
            one.status = HTTPStatus.OK if same else HTTPStatus.CONFLICT


def _keys(items: Sequence[Item], sender: Sender, sites: Mapping[str, int]) -> dict[int, str]:
    """Under which key each record is stored, by the number of the item."""
    named = {}
    for one in items:
        if one.record is not None:
            provider = sender.provider_id or sites.get(one.record.site)
            named[one.index] = ((one.record.job, *one.record.other_names), provider)
    matcher = Matcher(named.values())
    matches = {index: matcher.match(*name) for index, name in named.items()}
    if any(match.foreign for match in matches.values()):
        raise Forbidden("A record names a job of another provider: nothing is taken.")
    return {
        one.index: natural_key(one.record, matches[one.index].provider_id)
        for one in items
        if one.record is not None
    }


def _values(text: str) -> Iterator[tuple[Any, str, int]]:
    """The value in the text, or those of the list that it is; each with its own text and line."""
    decoder = JSONDecoder(parse_float=str, parse_int=str)
    at = _skip(text, 0)
    if not text.startswith("[", at):
        value, end = decoder.raw_decode(text, at)
        _must_end(text, end)
        yield value, text[at:end], text.count("\n", 0, at) + 1
        return
    line, seen = text.count("\n", 0, at) + 1, at
    at = _skip(text, at + 1)
    while not text.startswith("]", at):
        value, end = decoder.raw_decode(text, at)
        line, seen = line + text.count("\n", seen, at), at
        yield value, text[at:end], line
        at = _skip(text, end)
        if text.startswith(",", at):
            at = _skip(text, at + 1)
        elif not text.startswith("]", at):
            raise ValueError
    _must_end(text, at + 1)


def _must_end(text: str, at: int) -> None:
    if _skip(text, at) < len(text):
        raise ValueError


def _skip(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _is_envelope(value: Any) -> bool:
    """Whether a value is a message of several records, and not a TEP record."""
    return not isinstance(value, dict) or isinstance(value.get("UsageRecords"), list)


def _read(number: int, value: Any, text: str, line: int) -> Item:
    """The record in a text that begins at a line of the body."""
    name = value.get("id") if isinstance(value, dict) else None
    item = Item(number, text, name[:255] if isinstance(name, str) else "")
    if not isinstance(value, dict):
        item.faults = (Remark(line, "", no_object(text)),)
        return item
    try:
        message = parse(text.encode("utf-8", "surrogatepass"), at=now())
    except UsageRejected as refusal:
        item.faults = _from_line(line, refusal.faults)
        return item
    item.faults = _from_line(line, (fault for bad in message.bad for fault in bad.faults))
    if not item.faults and message.records and message.records[0].type == RecordType.TEP.value:
        item.record = message.records[0]
    elif not item.faults:
        item.faults = (Remark(line, "", "is no TEP record"),)
    return item


def _from_line(line: int, faults: Iterable[Remark]) -> tuple[Remark, ...]:
    """Faults found in a record, with the lines of the body that it stands in."""
    return tuple(replace(fault, line=fault.line + line - 1) for fault in faults)
