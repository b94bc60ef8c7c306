"""The grammar of APEL text messages: a header line, then records of `key: value` lines between %%.

Pure: no database, no clock. What is wrong with a message is collected, not only its first fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.errors import InvalidInput

SEPARATOR = "%%"
MOST_RECORDS = 20_000
_HEADER = re.compile(r"([A-Za-z][A-Za-z-]*)\s*:\s*v(\d{1,3}(?:\.\d{1,3})*)")
# A line break cannot occur in a value; other control characters have no business there and some
# cannot be stored.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SHOWN = 60


@dataclass(slots=True)
class Remark:
    """What is wrong or odd. `line` counts from 1; `count` is how often a warning occurred."""

    line: int
    field: str
    reason: str
    count: int = 1

    def __str__(self) -> str:
        place = f"line {self.line}, {self.field}" if self.field else f"line {self.line}"
        return f"{place}: {self.reason}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "field": self.field,
            "reason": self.reason,
            "count": self.count,
        }


class UsageRejected(InvalidInput):
    """A usage message that cannot be taken; nothing of it is. `faults` names every bad place."""

    code = "usage_rejected"

    def __init__(self, faults: Sequence[Remark]) -> None:
        self.faults = tuple(faults)
        others = len(self.faults) - 1
        more = f" (and {others} more)" if others else ""
        super().__init__(
            f"{self.faults[0]}{more}",
            locator=self.faults[0].field,
            faults=[f.as_dict() for f in self.faults],
        )


@dataclass(slots=True)
class Findings:
    """Collects the faults and warnings of one message; the same warning again is only counted."""

    faults: list[Remark] = field(default_factory=list)
    _warnings: dict[tuple[str, str], Remark] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[Remark, ...]:
        return tuple(self._warnings.values())

    def fault(self, line: int, name: str, reason: str) -> None:
        self.faults.append(Remark(line, shown(name), reason))

    def warn(self, line: int, name: str, reason: str) -> None:
        known = self._warnings.get((name, reason))
        if known is None:
            self._warnings[name, reason] = Remark(line, shown(name), reason)
        else:
            known.count += 1


@dataclass(slots=True)
class Block:
    """The lines of one record: key → (line, value), and the line where it begins."""

    line: int
    pairs: dict[str, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: what the records are, and by which version of the form."""

    type: str
    version: str
    line: int = 1

    def __str__(self) -> str:
        return f"{self.type}: v{self.version}"


def shown(text: str) -> str:
    """Text from outside, short enough to stand in a message to its sender."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def reject(line: int, reason: str, name: str = "") -> UsageRejected:
    """The error for a message with one fault that leaves nothing more to look at."""
    return UsageRejected([Remark(line, name, reason)])


def decode(body: bytes) -> str:
    """The text of a message, without a byte order mark. Raises UsageRejected unless UTF-8."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise reject(line, "is not UTF-8 text") from error


def read_header(lines: Sequence[str]) -> Header:
    """The header of a message. Raises UsageRejected when there is none that can be read."""
    number, text = next(((n, t) for n, t in enumerate(lines, 1) if t.strip()), (1, ""))
    text = text.strip(" \t\r")
    if text.startswith(("<", "{", "[")):
        kind = "XML" if text.startswith("<") else "JSON"
        raise reject(number, f"{kind} usage records are not taken here, only APEL text messages")
    match = _HEADER.fullmatch(text)
    if match is None:
        form = '"APEL-individual-job-message: v0.3"'
        raise reject(number, f"the first line must be a header with a version, as in {form}")
    return Header(match[1], match[2], number)


def read_blocks(lines: Sequence[str], after: int, findings: Findings) -> Iterator[Block]:
    """The records that follow line `after`; separators at the ends and blank lines are harmless."""
    block: Block | None = None
    for number, raw in enumerate(lines[after:], after + 1):
        line = raw.strip(" \t\r")
        if line == SEPARATOR:
            if block is not None:
                yield block
            block = None
        elif line:
            block = block or Block(number)
            _read_pair(block, number, line, findings)
    if block is not None:
        yield block


def _read_pair(block: Block, number: int, line: str, findings: Findings) -> None:
    key, colon, value = line.partition(":")
    key, value = key.rstrip(" \t"), value.lstrip(" \t")
    if not colon or not key:
        findings.fault(number, "", 'is not of the form "key: value"')
    elif _CONTROL.search(line):
        findings.fault(number, _CONTROL.sub("?", key), "has a control character")
    else:
        if key in block.pairs:
            findings.warn(number, key, "is given twice in one record; the last one counts")
        block.pairs[key] = (number, value)
