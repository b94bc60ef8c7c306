"""JSON messages: accelerators and public addresses in an APEL envelope, and TEP records.

Numbers are read as they are written, never as floating point. A key given twice is refused: two
readers of such a record could see different ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from json import JSONDecodeError, JSONDecoder
from typing import Any

from accounting.usage.forms import apel_json, reported, tep
from accounting.usage.forms.entry import Document, Entry, Form, Warnings, check_count, distinct
from accounting.usage.records import reject, shown

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """The records of a message: their form, and what brings an object to values of it."""

    form: Form
    take: Callable[[Entry, Object], None]


# Type and Version of the envelope → kind. Another form is another row.
ENVELOPES: dict[tuple[str, str], Kind] = {
    ("APEL-accelerator-message", "0.1"): Kind(apel_json.ACCELERATOR, apel_json.take),
    ("APEL Public IP message", "0.2"): Kind(apel_json.PUBLIC_IP, apel_json.take),
    # Written by the portal itself, from the answers of reporting interfaces.
    ("TEP-running-totals", "1.0"): Kind(reported.TOTAL, apel_json.take),
    ("APEL-cloud-daily-summary", "1.0"): Kind(reported.DAY, apel_json.take),
    ("EGI-portal-summary", "1.0"): Kind(reported.GROUP, apel_json.take),
}
TEP = Kind(tep.TEP, tep.take)
RECORDS = "UsageRecords"

_VERSION = ": v"  # between type and version in a header
_MOST_MEMBERS = 100  # of an envelope
_MOST_DEPTH = 32
_MOST_DIGITS = 18
_BLANKS = re.compile(r"[ \t\r\n]*")
# No database takes the first and the last; the others have no business in a text.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def read(text: str, warnings: Warnings) -> Document:
    """The records of a message. Raises UsageRejected unless it is JSON of a known form."""
    try:
        envelope, places = _Reader(text).message()
    except JSONDecodeError as error:
        raise reject(error.lineno, f"cannot be read as JSON: {error.msg}") from error
    except RecursionError:
        raise reject(1, "is nested too deeply") from None
    if envelope is None:
        return Document("TEP", TEP.form.name, _entries(text, places, TEP, warnings))
    name, version = (str(envelope.get(key, "")) for key in ("Type", "Version"))
    kind = ENVELOPES.get((name, version))
    if kind is None:
        known = ", ".join(" ".join(each) for each in ENVELOPES)
        raise reject(1, f"{shown(name)} {shown(version)} is none of the known messages: {known}")
    header = f"{name}{_VERSION}{version}"
    return Document(header, kind.form.name, _entries(text, places, kind, warnings))


def message_of(header: str, record: str) -> str:
    """A message of one record, in the envelope that the header (of a Document) names, if any."""
    name, _, version = header.rpartition(_VERSION)
    if (name, version) not in ENVELOPES:
        return record
    return f'{{"Type": "{name}", "Version": "{version}", "{RECORDS}": [{record}]}}'


@dataclass(frozen=True, slots=True)
class _Place:
    """A value and where it stands in the text; `twice`: keys that an object in it has twice."""

    value: Any
    start: int
    end: int
    twice: Sequence[str]


@dataclass(slots=True)
class _Reader:
    """Reads a message member by member, so that each record is known with its place."""

    text: str
    at: int = 0
    twice: list[str] = field(default_factory=list)
    decoder: JSONDecoder = field(init=False)

    def __post_init__(self) -> None:
        self.decoder = JSONDecoder(
            object_pairs_hook=self._object,
            parse_float=str,
            parse_int=lambda text: int(text) if len(text) <= _MOST_DIGITS else text,
            parse_constant=str,
        )

    def message(self) -> tuple[Object | None, list[_Place]]:
        """The envelope without its records, None if there is none, and the records."""
        start = self._skip()
        if self.text.startswith("[", start):
            envelope, records = None, self._list()
        else:
            envelope, found = self._envelope()
            if found is None:
                self.at = start
                envelope, found = None, [self._record()]
            records = found
        if self._skip() < len(self.text):
            raise JSONDecodeError("there is more after the end", self.text, self.at)
        return envelope, records

    def _envelope(self) -> tuple[Object, list[_Place] | None]:
        """The members of an object, its records apart; None if it has no list of them."""
        members: Object = {}
        records: list[_Place] | None = None
        twice = ""
        for number, _ in enumerate(self._items("{", "}")):
            key = self._value().value
            if not isinstance(key, str):
                raise JSONDecodeError("a key must be a text", self.text, self.at)
            self._expect(":")
            twice = key if key in members else twice
            members[key] = None
            if key == RECORDS and self.text.startswith("[", self._skip()):
                records = self._list()
            else:
                members[key] = self._value().value
            if number > _MOST_MEMBERS:
                return members, None
        if twice and records is not None:
            raise JSONDecodeError(f"{shown(twice)} is given twice", self.text, self.at)
        return members, records

    def _list(self) -> list[_Place]:
        found: list[_Place] = []
        for _ in self._items("[", "]"):
            found.append(self._record())
            check_count(len(found))
        return found

    def _record(self) -> _Place:
        place = self._value()
        if not isinstance(place.value, dict):
            line = self.text.count("\n", 0, place.start) + 1
            raise reject(line, tep.no_object(self.text[place.start : place.end]))
        return place

    def _items(self, begin: str, end: str) -> Iterator[None]:
        """Stop at each member between two brackets, and read over what is around them."""
        self._expect(begin)
        if self.text.startswith(end, self._skip()):
            self.at += 1
            return
        while True:
            yield
            if self.text.startswith(end, self._skip()):
                self.at += 1
                return
            self._expect(",")

    def _value(self) -> _Place:
        start = self._skip()
        self.twice = []
        value, self.at = self.decoder.raw_decode(self.text, start)
        return _Place(value, start, self.at, self.twice)

    def _object(self, pairs: list[tuple[str, Any]]) -> Object:
        found: Object = {}
        for key, value in pairs:
            if key in found:
                self.twice.append(key)
            found[key] = value
        return found

    def _skip(self) -> int:
        blanks = _BLANKS.match(self.text, self.at)
        self.at = blanks.end() if blanks else self.at
        return self.at

    def _expect(self, mark: str) -> None:
        if not self.text.startswith(mark, self._skip()):
            raise JSONDecodeError(f"expected {mark!r}", self.text, self.at)
        self.at += 1


@dataclass(frozen=True, slots=True)
class _Origin:
    """`first` is the line of the record in the message; `line` what it is called by."""

    source: str
    place: _Place
    first: int
    line: int

    def line_of(self, key: str) -> int:
        name = key.partition("[")[0].rpartition(".")[2]
        found = self.source.find(f'"{name}"', self.place.start, self.place.end)
        if found < 0 or self.line != self.first:
            return self.line
        return self.first + self.source.count("\n", self.place.start, found)

    def text(self) -> str:
        return self.source[self.place.start : self.place.end]


def _entries(
    text: str, places: Sequence[_Place], kind: Kind, warnings: Warnings
) -> Iterator[Entry]:
    lines, at, line = [], 0, 1
    for place in places:
        line += text.count("\n", at, place.start)
        at = place.start
        lines.append(line)
    for place, first, called in zip(places, lines, distinct(lines), strict=True):
        entry = Entry(kind.form, called, {}, _Origin(text, place, first, called), warnings)
        for key in dict.fromkeys(place.twice):
            entry.fault(key, "is given twice")
        _check(entry, place.value)
        kind.take(entry, place.value)
        yield entry


def _check(entry: Entry, record: Object) -> None:
    """Write down what no database could keep: strange characters, or nesting without end."""
    level: list[Any] = [record]
    depth = 0
    while level and depth < _MOST_DEPTH:
        for text in level:
            if isinstance(text, str) and not text.isprintable() and _UNSTORABLE.search(text):
                entry.fault("", f"has a control character in {shown(text)!r}")
        level = [inner for each in level for inner in _inside(each)]
        depth += 1
    if level:
        entry.fault("", f"is nested deeper than {_MOST_DEPTH} levels")


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value
        yield from value.values()
    elif isinstance(value, list):
        yield from value
