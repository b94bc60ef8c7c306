"""APEL text messages: a header line, then records of `key: value` lines between lines of %%."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from accounting.usage.forms import cloud, job, summary
from accounting.usage.forms.entry import Document, Entry, Form, Warnings
from accounting.usage.forms.values import NULLS, plain
from accounting.usage.records import reject, shown

SEPARATOR = "%%"
JOB = "APEL-individual-job-message"
# Header → version → form. Another form is another row.
FORMS: dict[str, dict[str, Form]] = {
    JOB: {"0.1": job.FLAT, "0.2": job.FLAT, "0.3": job.FLAT, "0.4": job.DICTIONARY},
    # v0.3 of this one has the fields of a normalised summary.
    "APEL-summary-job-message": {
        "0.2": summary.FLAT,
        "0.3": summary.NORMALISED,
        "0.4": summary.DICTIONARY,
    },
    "APEL-normalised-summary-message": {"0.4": summary.NORMALISED_DICTIONARY},
    "APEL-sync-message": {"0.1": summary.SYNC},
    "APEL-cloud-message": {"0.2": cloud.V02, "0.4": cloud.V04},
    "APEL-cloud-summary-message": {"0.4": cloud.SUMMARY},
}

_HEADER = re.compile(r"([A-Za-z][A-Za-z-]*)[ \t]*:[ \t]*v(\d{1,3}(?:\.\d{1,3})*)", re.ASCII)


def read(text: str, warnings: Warnings) -> Document:
    """The records of a message. Raises UsageRejected unless it has a header of a known form."""
    text = text.replace("\r\n", "\n")
    lines = text.split("\n")
    number, first = next(((n, t) for n, t in enumerate(lines, 1) if t.strip()), (1, ""))
    header = _HEADER.fullmatch(first.strip())
    if header is None:
        raise reject(number, f'the first line must be a header with a version, as in "{JOB}: v0.3"')
    form = _form_of(header[1], header[2], number, warnings)
    # Without control characters a blank is the only space.
    clean = "".join(lines).isprintable()
    tidy = clean and "  " not in text and " \n" not in text and not text.endswith(" ")
    entries = _Reader(lines, form, warnings, clean=clean, tidy=tidy)
    return Document(f"{header[1]}: v{header[2]}", form.name, entries.after(number))


def _form_of(name: str, version: str, line: int, warnings: Warnings) -> Form:
    versions = FORMS.get(name)
    if versions is None:
        raise reject(line, f"{shown(name)} is none of the known messages: {', '.join(FORMS)}")
    if version not in versions:
        if name != JOB:
            raise reject(line, f"{name} is read in version {' or '.join(versions)} only")
        warnings.add(line, "", f"version {version} is unknown; read as version 0.3")
        version = "0.3"
    return versions[version]


@dataclass(slots=True)
class _Block:
    """The lines of one record."""

    first: int
    lines: Sequence[str]
    places: dict[str, int] | None = None

    def line_of(self, key: str) -> int:
        """The last line with this key: that one counts."""
        if self.places is None:
            keys = (line.partition(":")[0].strip() for line in self.lines)
            self.places = {found: number for number, found in enumerate(keys, self.first)}
        return self.places.get(key, self.first)

    def text(self) -> str:
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the records of a message.

    `clean`: it has no control character anywhere; `tidy`: nor two blanks, or one at a line's end.
    """

    lines: Sequence[str]
    form: Form
    warnings: Warnings
    clean: bool
    tidy: bool

    def after(self, start: int) -> Iterator[Entry]:
        """The records after so many lines; separators at the ends and blank lines are harmless."""
        ends = (n for n, line in enumerate(self.lines) if SEPARATOR in line and _separates(line))
        for end in (*ends, len(self.lines)):
            while start < end and not self.lines[start].strip():
                start += 1
            if start < end:
                yield self._entry(_Block(start + 1, self.lines[start:end]))
            start = max(start, end + 1)

    def _entry(self, block: _Block) -> Entry:
        values = self._as_written(block.lines) if self.tidy else None
        if values is None:
            values = {}
            for line in block.lines:
                key, _colon, value = line.partition(":")
                values[key.strip()] = value.strip()
        entry = Entry(self.form, block.first, values, block, self.warnings)
        # A line without a colon leaves an empty value, too.
        whole = len(values) == len(block.lines) and NULLS.isdisjoint(values.values())
        if not (whole and self.clean and "" not in values):
            self._look_closely(entry, block)
        return entry

    def _as_written(self, lines: Sequence[str]) -> dict[str, str] | None:
        """The pairs of lines that are all "key: value" with known keys, as most producers write."""
        try:
            values = dict([line.split(": ", 1) for line in lines])
        except ValueError:
            return None
        # A known key has neither a colon nor a blank: what stands before the first is all of it.
        return values if values.keys() <= self.form.keys else None

    def _look_closely(self, entry: Entry, block: _Block) -> None:
        """Read the lines again, one by one, for what is odd about them."""
        values: dict[str, str] = {}
        for number, line in enumerate(block.lines, block.first):
            key, colon, value = (part.strip() for part in line.partition(":"))
            if not line.strip():
                continue
            if not colon or not key:
                entry.fault("", 'is not of the form "key: value"', number)
            elif not plain(key + value):
                entry.fault(key, "has a control character", number)
            else:
                if key in values:
                    reason = "is given twice in one record; the last one counts"
                    self.warnings.add(number, key, reason)
                values[key] = value
        entry.values = {key: value for key, value in values.items() if value not in NULLS}


def _separates(line: str) -> bool:
    return line.strip() == SEPARATOR
