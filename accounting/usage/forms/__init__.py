"""Usage messages of every known form, read into records. Pure: no database, no clock.

The content says which form it is. Each form brings its records to entries (entry.py), and each kind
of record has one reader, whatever form it came in.
"""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass, field
from datetime import datetime

from accounting.usage.forms import json, text, xml
from accounting.usage.forms.entry import Document, Entry, Warnings, check_count
from accounting.usage.records import BadRecord, Message, Record, reject


def parse(body: bytes, *, at: datetime) -> Message:
    """Read a message received at `at`; a record repeated in it counts once, by its last line.

    A record that cannot be taken is among `bad`, with all that is wrong with it. Raises
    UsageRejected for what is wrong with the message as a whole.
    """
    warnings = Warnings()
    document = _open(body, warnings)
    found = _Found(warnings)
    for number, entry in enumerate(document.entries, 1):
        check_count(number)
        found.take(entry, at)
    records = tuple(found.records.values())
    return Message(document.header, document.form, records, tuple(found.bad), warnings.all())


def message_of(header: str, record: str) -> bytes:
    """A message of one record (the `text` of a bad one, corrected) and the header that it had."""
    record = record.strip()
    if record.startswith("{"):
        message = json.message_of(header, record)
    else:
        # An XML record stands for itself.
        message = record if record.startswith("<") else f"{header}\n{record}\n"
    # Half a character from a form on a page is no text: the reader will say so.
    return message.encode("utf-8", "replace")


def _open(body: bytes, warnings: Warnings) -> Document:
    # XML says itself how it is encoded.
    begins = body.removeprefix(BOM_UTF8).lstrip()
    if begins.startswith((b"<", BOM_UTF16_BE + b"\0<", BOM_UTF16_LE + b"<\0")):
        return xml.read(body, warnings)
    content = _decode(body)
    if content.lstrip().startswith(("{", "[")):
        return json.read(content, warnings)
    return text.read(content, warnings)


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise reject(line, "is not UTF-8 text") from error


@dataclass(slots=True)
class _Found:
    """The records of a message by their keys, and the bad ones."""

    warnings: Warnings
    records: dict[tuple[str, ...], Record] = field(default_factory=dict)
    bad: list[BadRecord] = field(default_factory=list)

    def take(self, entry: Entry, at: datetime) -> None:
        record = entry.record(at)
        if record is not None:
            # The kind is part of the key: a form may hold several.
            key = (record.type, *record.key)
            earlier = self.records.get(key)
            if earlier is not None:
                self._again(entry, earlier, record)
            if not entry.faults:
                self.records.pop(key, None)
                self.records[key] = record
        if entry.faults:
            faults = sorted(entry.faults, key=lambda fault: fault.line)
            # No database takes a NUL in a text.
            source = entry.origin.text().replace("\x00", "\\x00")
            self.bad.append(BadRecord(entry.line, source, tuple(faults)))

    def _again(self, entry: Entry, earlier: Record, record: Record) -> None:
        if entry.form.revisable or earlier.fields == record.fields:
            self.warnings.add(record.line, "", "is in the message twice; the last counts")
        else:
            entry.fault("id", f"is that of line {earlier.line}, which says something else")
