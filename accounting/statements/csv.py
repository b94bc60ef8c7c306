"""Statements and spending as CSV: amounts with six decimals, and no cell that is a formula."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from accounting.statements.entries import Booking
from common.money import credits as in_credits

COLUMNS = (
    *("date", "transfer id", "kind", "reference", "job", "service"),
    *("counterparty", "member", "debit", "credit", "balance", "reason"),
)
_FORMULA = ("=", "+", "-", "@")  # what makes spreadsheets calculate
_BLANKS = ("\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Names:
    """What the reader may know of the numbers in lines: jobs and services by reference, members."""

    jobs: Mapping[str, str]
    services: Mapping[str, str]
    members: Mapping[int, str]


NamesOf = Callable[[Sequence[Booking]], Names]


def statement_csv(
    chunks: Iterable[Sequence[Booking]], names_of: NamesOf, *, balances: bool
) -> Iterator[str]:
    """The lines of a statement, a chunk at a time; without balances for one member's lines.

    `date` is when a line was booked, in UTC. A line that counts for an earlier day says so in its
    reason.
    """
    yield line(COLUMNS)
    for chunk in chunks:
        names = names_of(chunk)
        yield "".join(line(_cells(booking, names, balances=balances)) for booking in chunk)


def line(cells: Sequence[str]) -> str:
    """One line of CSV."""
    echo = _Echo()
    csv.writer(echo).writerow(cells)
    return echo.text


def text_cell(text: str) -> str:
    """Text with an apostrophe before what a spreadsheet would calculate."""
    # Some spreadsheets take signs of full width for the narrow ones, and skip blanks before them.
    first = unicodedata.normalize("NFKC", text.lstrip()[:1])
    return f"'{text}" if first.startswith(_FORMULA) or text.startswith(_BLANKS) else text


def amount_cell(micro: int | None) -> str:
    """Credits with exactly six decimals, a point, and no mark between thousands; "" for none."""
    return "" if micro is None else f"{in_credits(micro):f}"


def _cells(booking: Booking, names: Names, *, balances: bool) -> list[str]:
    effective = f" (effective {instant(booking.effective_at)})" if booking.backdated else ""
    texts = (
        booking.reference,
        names.jobs.get(booking.reference, ""),
        names.services.get(booking.reference, ""),
        booking.counterparty,
        names.members.get(booking.member_id or 0, ""),
    )
    return [
        instant(booking.at),
        str(booking.transfer_id),
        str(booking.kind),
        *map(text_cell, texts),
        amount_cell(booking.debit or None),
        amount_cell(booking.credit or None),
        amount_cell(booking.balance if balances else None),
        text_cell(f"{booking.reason}{effective}".strip()),
    ]


def instant(at: datetime) -> str:
    """An instant in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Echo:
    """What csv writes into: it keeps the line."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text
