"""A statement on A4: who, which month, the totals, the lines, and the seal that covers them.

DejaVu has the letters of most of the world. What it lacks is written as its code point, such as
[U+674E], so that nothing disappears; the CSV has the letters themselves.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from functools import cache
from html import escape
from typing import Any

from django.conf import settings
from django.utils.formats import date_format
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, Table

from accounting.models import MonthlyStatement
from accounting.statements.csv import Names, instant
from accounting.statements.entries import Booking
from accounting.statements.months import begin, shifted
from common import money
from common.errors import ConfigurationError

MOST_LINES = 500
PORTAL = "TEP Portal"
_MOST = 0xFFFF
_LONGEST = 400  # characters of a reason: a line must fit on a page
_PLAIN, _BOLD = "StatementSans", "StatementSans-Bold"
_FILES = {_PLAIN: "DejaVuSansCondensed.ttf", _BOLD: "DejaVuSansCondensed-Bold.ttf"}
_INK, _SOFT, _RULE = HexColor("#12202a"), HexColor("#475864"), HexColor("#c9d3d9")
_MARGIN = 16 * mm
_WIDTH = A4[0] - 2 * _MARGIN


def statement_pdf(
    found: MonthlyStatement, lines: Sequence[Booking], names: Names, *, balances: bool
) -> bytes:
    """The statement as a PDF document; the same statement gives the same bytes.

    At most MOST_LINES of the lines are in it; it says so when there are more. Without `balances`,
    for one member's lines of a group's account, it has neither totals nor balances nor a seal.
    Raises ConfigurationError where the fonts were not fetched.
    """
    _load_fonts()
    story: list[Any] = [_title(found), Spacer(1, 4 * mm)]
    if balances:
        story += [_totals(found), Spacer(1, 3 * mm), _seal(found), Spacer(1, 5 * mm)]
    story.append(_lines(lines[:MOST_LINES], names, balances=balances))
    if len(lines) > MOST_LINES:
        told = _("Only the first %(n)s lines are printed here; the CSV has every line.")
        story += [Spacer(1, 4 * mm), _stack(_text(told % {"n": MOST_LINES}, bold=True))]
    target = io.BytesIO()
    heading = f"{found.account} · {_month(found.month)}"
    document = SimpleDocTemplate(
        target,
        pagesize=A4,
        title=_shown(f"{_('Statement')} · {heading}"),
        author=PORTAL,
        invariant=1,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=22 * mm,
        bottomMargin=18 * mm,
    )
    document.build(story, canvasmaker=lambda *a, **k: _Pages(*a, heading=heading, **k))
    return target.getvalue()


@cache
def _load_fonts() -> None:
    folder = settings.BASE_DIR / "static" / "vendor" / "dejavu-fonts-ttf"
    try:
        for name, file in _FILES.items():
            pdfmetrics.registerFont(TTFont(name, folder / file))
    except (OSError, TTFError) as error:
        raise ConfigurationError(
            _("The fonts of statements are missing: run python -m portal.assets.")
        ) from error


class _Pages(Canvas):
    """Heads and numbers the pages when it is known how many there are."""

    def __init__(self, *arguments: Any, heading: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._heading = heading
        self._finished: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 (reportlab's name)
        self._finished.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._finished, start=1):
            self.__dict__.update(page)
            self._frame(number, len(self._finished))
            super().showPage()
        super().save()

    def _frame(self, number: int, pages: int) -> None:
        self.setFillColor(_SOFT)
        self.setStrokeColor(_RULE)
        self.setFont(_BOLD, 8)
        self.drawString(_MARGIN, A4[1] - 13 * mm, PORTAL)
        self.setFont(_PLAIN, 8)
        self.drawRightString(A4[0] - _MARGIN, A4[1] - 13 * mm, _shown(self._heading)[:110])
        self.line(_MARGIN, A4[1] - 15 * mm, A4[0] - _MARGIN, A4[1] - 15 * mm)
        told = _("Page %(number)s of %(pages)s") % {"number": number, "pages": pages}
        self.drawRightString(A4[0] - _MARGIN, 10 * mm, _shown(told))
        self.drawString(_MARGIN, 10 * mm, _shown(_("Amounts in credits (CRD), times in UTC")))


def _title(found: MonthlyStatement) -> Table:
    last = begin(shifted(found.month, 1)).date().toordinal() - 1
    period = f"{_day(found.month)} – {_day(date.fromordinal(last))}"
    state = _("closed") if found.closed_at else _("not closed yet: more lines may follow")
    rows = (
        _text(_("Statement"), bold=True, size=18),
        _text(str(found.account), bold=True, size=12),
        _text(f"{period} · {state}", soft=True),
    )
    return _stack(*rows)


def _totals(found: MonthlyStatement) -> Table:
    figures = {
        _("Opening balance"): money.show(found.opening),
        _("Credits"): money.show(found.credits),
        _("Debits"): _signed(-found.debits),
        _("Closing balance"): money.show(found.closing),
    }
    rows = [
        [_text(name, soft=True) for name in figures],
        [_text(amount, bold=True, size=11) for amount in figures.values()],
    ]
    style = [
        ("BOX", (0, 0), (-1, -1), 0.6, _RULE),
        ("LEFTPADDING", (0, 0), (-1, -1), 8),
    ]
    return Table(rows, colWidths=[_WIDTH / 4] * 4, style=style)


def _seal(found: MonthlyStatement) -> Table:
    if found.seal is None:
        return _stack(_text(_("Sealed when the month is closed."), soft=True))
    facts = {"first": found.first_version, "last": found.last_version}
    told = _("Entries %(first)s to %(last)s. Last seal (SHA-256):") % facts
    return _stack(_text(f"{told} {found.seal.hash}", soft=True, size=7))


def _lines(lines: Sequence[Booking], names: Names, *, balances: bool) -> Table:
    if not lines:
        return _stack(_text(_("Nothing was booked in this month."), soft=True))
    head = [_("Booked"), _("What"), _("Debit"), _("Credit"), *([_("Balance")] if balances else [])]
    rows: list[list[Any]] = [head]
    for line in lines:
        amounts = [line.debit or None, line.credit or None, *([line.balance] if balances else [])]
        shown = ["" if amount is None else _signed(amount) for amount in amounts]
        # Plain texts where nothing is wrapped: a paragraph takes ten times as long.
        rows.append([f"{line.at:%Y-%m-%d %H:%M}", _what(line, names), *shown])
    narrow = 25 * mm
    widths = [25 * mm, _WIDTH - 25 * mm - narrow * (len(head) - 2), *[narrow] * (len(head) - 2)]
    style = [
        ("FONT", (0, 0), (-1, 0), _BOLD, 7.5),
        ("FONT", (0, 1), (-1, -1), _PLAIN, 7.5),
        ("LEADING", (0, 0), (-1, -1), 9.75),
        ("TEXTCOLOR", (0, 0), (-1, -1), _INK),
        ("ALIGN", (2, 0), (-1, -1), "RIGHT"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]
    return LongTable(rows, colWidths=widths, repeatRows=1, style=style)


def _what(line: Booking, names: Names) -> Paragraph:
    job, service = names.jobs.get(line.reference), names.services.get(line.reference)
    about = [text for text in (job or line.reference, service) if text]
    who = [text for text in (line.counterparty, names.members.get(line.member_id or 0)) if text]
    more = [" · ".join(who), Truncator(line.reason).chars(_LONGEST)]
    if line.backdated:
        more.append(_("Effective %(at)s") % {"at": instant(line.effective_at)})
    first = " · ".join(
        (
            f'<font name="{_BOLD}">{_marked(capfirst(str(line.kind.label)))}</font>',
            *map(_marked, about),
        )
    )
    return Paragraph("<br/>".join([first, *(_marked(text) for text in more if text)]), _style(7.5))


def _stack(*paragraphs: Paragraph) -> Table:
    """Paragraphs over the whole width, flush with the tables."""
    rows = [[paragraph] for paragraph in paragraphs]
    return Table(rows, colWidths=[_WIDTH], style=[("LEFTPADDING", (0, 0), (-1, -1), 0)])


def _text(text: str, *, bold: bool = False, soft: bool = False, size: float = 8.5) -> Paragraph:
    return Paragraph(_marked(text), _style(size, bold=bold, soft=soft))


@cache
def _style(size: float, *, bold: bool = False, soft: bool = False) -> ParagraphStyle:
    return ParagraphStyle(
        "statement",
        fontName=_BOLD if bold else _PLAIN,
        fontSize=size,
        leading=size * 1.3,
        textColor=_SOFT if soft else _INK,
        splitLongWords=1,
    )


def _marked(text: str) -> str:
    return escape(_shown(text), quote=False)


def _shown(text: str) -> str:
    """The text, with a code point for every letter that the font lacks."""
    known = pdfmetrics.getFont(_BOLD).face.charToGlyph
    flat = " ".join(text.split())
    # The table of the letters that a reader copies has 16 bits: what needs more is named too.
    return "".join(c if ord(c) in known and ord(c) <= _MOST else f"[U+{ord(c):04X}]" for c in flat)


def _signed(micro: int) -> str:
    return money.show(micro).replace("-", "−")


def _month(month: date) -> str:
    return date_format(month, "F Y")


def _day(day: date) -> str:
    return date_format(day, "j F Y")
