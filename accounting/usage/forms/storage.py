"""Storage records (StAR): bytes that were kept from StartTime to EndTime.

A record is known by its recordId; a later one with the same is a revision.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from accounting.models import RecordType, Unit
from accounting.usage.forms import values as read
from accounting.usage.forms.elements import Elements
from accounting.usage.forms.entry import Entry, Form, key_of
from accounting.usage.records import Record
from common.xml import Element

KEPT = Unit.STORAGE_GB_DAY.value
_COUNTS = ("FileCount", "LogicalCapacityUsed", "ResourceCapacityAllocated")
_MANDATORY = ("RecordId", "StorageSystem", "StartTime", "EndTime", "ResourceCapacityUsed")
KEYS = frozenset(_MANDATORY) | {
    *("CreateTime", "Site", "StorageShare", "StorageMedia", "StorageClass", *_COUNTS, "LocalUser"),
    *("DirectoryPath", "LocalGroup", "UserIdentity", "Group", "Subgroup", "Role", "Authority"),
}
_ATTRIBUTES = {"subgroup": "Subgroup", "role": "Role", "authority": "Authority", "site": "Site"}


def take(record: Elements) -> Form:
    # Older producers have the site among the subject; the one of the record goes before it.
    for name, child in record.children(record.root):
        if name == "SubjectIdentity":
            _take_subject(record, child)
    for name, child in record.children(record.root):
        if name == "RecordIdentity":
            keys = {"recordId": "RecordId", "createTime": "CreateTime"}
            record.put_attributes(child, keys)
        elif name != "SubjectIdentity":
            record.put(name, child)
    return STAR


def _take_subject(record: Elements, parent: Element) -> None:
    for name, child in record.children(parent):
        if name == "GroupAttribute":
            kind = record.attribute(child, "attributeType").lower()
            record.put(_ATTRIBUTES.get(kind, f"GroupAttribute {kind}".rstrip()), child)
        else:
            record.put(name, child)


def _read(entry: Entry, fields: dict[str, Any], at: datetime) -> Record:
    span = entry.span("StartTime", "EndTime", at, convert=partial(read.instant, zoned=False))
    size = entry.integer("ResourceCapacityUsed")
    for key in _COUNTS:
        entry.integer(key)
    seconds = int((span[1] - span[0]).total_seconds())
    return Record(
        type=RecordType.STORAGE.value,
        line=entry.line,
        site=fields.get("Site", fields.get("StorageSystem", "")),
        key=key_of(fields.get("RecordId", "")),
        fields=fields,
        ended=span[1],
        started=span[0],
        user=fields.get("UserIdentity", fields.get("LocalUser", "")),
        group=fields.get("Group", fields.get("LocalGroup", "")),
        month=read.month_of(span[1]),
        quantities={KEPT: size * max(seconds, 0)},
    )


STAR = Form("star", _read, _MANDATORY, KEYS)
