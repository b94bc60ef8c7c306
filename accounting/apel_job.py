"""Individual job records of APEL messages, v0.1 to v0.4: fields, types, and what is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from accounting.apel_text import Block, Findings, shown

LONGEST = 255
MOST = 9_000_000_000_000_000  # fits the numbers of JSON and 64 bits with room for sums
MOST_PROCESSORS = 2**31 - 1
MOST_LEVEL = 9_999_999
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=2)  # clocks of sites are trusted so far

MANDATORY = ("Site", "LocalJobId", "WallDuration", "CpuDuration", "StartTime", "EndTime")
OPTIONAL = (
    *("SubmitHost", "MachineName", "Queue", "LocalUserId", "GlobalUserName", "FQAN", "VO"),
    *("VOGroup", "VORole", "Processors", "NodeCount", "InfrastructureDescription"),
    *("InfrastructureType", "MemoryReal", "MemoryVirtual", "ServiceLevel"),
)
# Taken, and of no meaning here: a record that differs only in them is the same record.
IGNORED = frozenset({"SubmitHostType", "UpdateTime"})
# The first one present in a dictionary is the benchmark of the record.
BENCHMARKS = ("hepscore23", "hepspec", "si2k")

_DIGITS = re.compile(r"[0-9]{1,19}")
_DECIMAL = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?")
_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_DICTIONARY = re.compile(r"\{(.*)\}")


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What one job used. Times are UTC; durations seconds, CPU summed over cores.

    `processors` is None when not told. `level_milli`: benchmark per core, in thousandths. `fields`:
    the record as text by its own keys, and under "extra" those that the form does not know.
    """

    site: str
    local_job_id: str
    started: datetime
    ended: datetime
    wall_seconds: int
    cpu_seconds: int
    processors: int | None
    benchmark: str
    level_milli: int
    fields: dict[str, Any]
    line: int

    @property
    def key(self) -> tuple[str, str, datetime]:
        """A newer record with the same key is a revision of this one."""
        return (self.site, self.local_job_id, self.ended)


def read(block: Block, version: str, at: datetime, findings: Findings) -> JobRecord | None:
    """The record in a block, or None when something in it was refused (see `findings`)."""
    before = len(findings.faults)
    reader = _Reader(block, findings)
    level_key = ("ServiceLevelType",) if version != "0.4" else ()
    fields = reader.fields((*MANDATORY, *OPTIONAL, *level_key))
    wall, cpu = reader.integer("WallDuration"), reader.integer("CpuDuration")
    processors = reader.integer("Processors", MOST_PROCESSORS) or None
    for key in ("NodeCount", "MemoryReal", "MemoryVirtual"):
        reader.integer(key)
    started, ended = reader.time("StartTime"), reader.time("EndTime")
    reader.check_times(started, ended, at)
    benchmark, level = reader.level_dictionary() if version == "0.4" else reader.level_with_type()
    if len(findings.faults) > before:
        return None
    if processors and cpu * 100 > wall * processors * 105:
        reason = "implausible: more CPU time than WallDuration times Processors"
        findings.warn(reader.line("CpuDuration"), "CpuDuration", reason)
    return JobRecord(
        site=fields["Site"],
        local_job_id=fields["LocalJobId"],
        started=started,
        ended=ended,
        wall_seconds=wall,
        cpu_seconds=cpu,
        processors=processors,
        benchmark=benchmark,
        level_milli=level,
        fields=fields,
        line=block.line,
    )


def groups_of(fqan: str) -> dict[str, str]:
    """VO, VOGroup and VORole of an FQAN; one that does not begin with / is a VO's plain name."""
    first = fqan.partition(";")[0].strip()
    if not first.startswith("/"):
        return {"VO": first}
    segments = first[1:].split("/")
    role = next((n for n, s in enumerate(segments) if s.lower().startswith("role=")), None)
    found = {"VO": segments[0], "VOGroup": "/" + "/".join(segments[:role])}
    if role is not None:
        found["VORole"] = segments[role]
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the values of one block and writes down what is wrong with them."""

    block: Block
    findings: Findings

    def line(self, key: str) -> int:
        return self.block.pairs[key][0] if key in self.block.pairs else self.block.line

    def text(self, key: str) -> str:
        """The value, or "" when absent or null."""
        value = self.block.pairs.get(key, (0, ""))[1]
        return "" if value.lower() in ("null", "none") else value

    def fault(self, key: str, reason: str) -> None:
        self.findings.fault(self.line(key), key, reason)

    def fields(self, known: tuple[str, ...]) -> dict[str, Any]:
        """The record as text, checked for what is missing, too long, or unknown."""
        for key in MANDATORY:
            if not self.text(key):
                self.fault(key, "is missing")
        fields = {key: self.block.pairs[key][1] for key in known if self.text(key)}
        for key, value in fields.items():
            if len(value) > LONGEST:
                self.fault(key, f"is longer than {LONGEST} characters")
        if "FQAN" in fields:
            fields = {k: v for k, v in fields.items() if k not in ("VO", "VOGroup", "VORole")}
            fields |= groups_of(fields["FQAN"])
        extra = {k: v for k, (_, v) in self.block.pairs.items() if k not in (*known, *IGNORED)}
        for key in extra:
            self.findings.warn(self.line(key), key, "is not a field of this form; it is only kept")
        return {**fields, "extra": extra} if extra else {**fields}

    def integer(self, key: str, most: int = MOST) -> int:
        """The number; 0 when absent or refused."""
        value = self.text(key)
        if not value:
            return 0
        if not _DIGITS.fullmatch(value) or int(value) > most:
            self.fault(key, f"must be a whole number from 0 to {most}, not {shown(value)!r}")
            return 0
        return int(value)

    def time(self, key: str) -> datetime:
        """The instant in UTC, to the second; NEVER when absent or refused."""
        value = self.text(key)
        if not value:
            return NEVER
        moment: datetime | None = None
        try:
            if _DIGITS.fullmatch(value):
                moment = datetime.fromtimestamp(int(value), UTC)
            elif _ISO_TIME.fullmatch(value):
                moment = datetime.fromisoformat(value).astimezone(UTC).replace(microsecond=0)
        except (ValueError, OverflowError, OSError):
            moment = None  # no such day, or beyond the calendar
        if moment is None:
            self.fault(key, f"must be seconds since 1970 or an ISO time, not {shown(value)!r}")
            return NEVER
        if moment <= NEVER:
            self.fault(key, "is not a time at which a job can have run")
            return NEVER
        return moment

    def check_times(self, started: datetime, ended: datetime, at: datetime) -> None:
        if ended > at + AHEAD:
            self.fault("EndTime", "is more than two days in the future")
        if NEVER not in (started, ended) and ended < started:
            self.fault("EndTime", "is before StartTime")

    def level_with_type(self) -> tuple[str, int]:
        """Benchmark and level of v0.1 to v0.3: both or neither."""
        name, value = self.text("ServiceLevelType"), self.text("ServiceLevel")
        if not name and not value:
            return "none", 1000
        if not name or not value:
            given, absent = ("ServiceLevelType", "ServiceLevel")[:: 1 if name else -1]
            self.fault(given, f"needs {absent} beside it")
            return "none", 1000
        if name.lower() in BENCHMARKS:
            return name.lower(), self._level(value)
        self.findings.warn(
            self.line("ServiceLevelType"), "ServiceLevelType", "is not a known benchmark"
        )
        return "custom", self._level(value)

    def level_dictionary(self) -> tuple[str, int]:
        """Benchmark and level of v0.4: `{name: number, …}`, names in any case."""
        value = self.text("ServiceLevel")
        if not value:
            return "none", 1000
        match = _DICTIONARY.fullmatch(value)
        if match is None:
            self.fault("ServiceLevel", "must be a dictionary as in {hepscore23: 14.7}")
            return "none", 1000
        levels: dict[str, str] = {}
        for part in match[1].split(","):
            name, colon, number = (p.strip().lower() for p in part.partition(":"))
            if not name or not colon or name in levels:
                self.fault("ServiceLevel", f"cannot be read at {shown(part.strip())!r}")
                return "none", 1000
            levels[name] = number
        best = next((b for b in BENCHMARKS if b in levels), None)
        if best is None:
            self.fault("ServiceLevel", f"has none of {', '.join(BENCHMARKS)}")
            return "none", 1000
        return best, self._level(levels[best])

    def _level(self, value: str) -> int:
        """Thousandths of a benchmark's level, rounded half up; above 0."""
        if _DECIMAL.fullmatch(value):
            milli = int((Decimal(value) * 1000).quantize(Decimal(1), ROUND_HALF_UP))
            if 0 < milli <= MOST_LEVEL * 1000:
                return milli
        self.fault("ServiceLevel", f"must be a number above 0, not {shown(value)!r}")
        return 1000
