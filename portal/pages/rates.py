"""A form for the prices of one place: every provider, one provider, or one service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from fractions import Fraction

from django.utils.translation import gettext as _

from accounting.models import Unit
from accounting.models.pricing import SMALLEST
from accounting.prices.price_lists import Place, RateSpec
from common import money
from common.errors import InvalidInput

BLANK_ROWS = 2  # for further units
MOST_ROWS = len(Unit) + BLANK_ROWS
FIELDS = ("unit", "price", "size", "minimum", "free")
LONGEST_NUMBER = 40
MOST_PLACES = 20


@dataclass(frozen=True, slots=True)
class RateRow:
    """The controls of one price; amounts in credits, the free quantity in units."""

    unit: str = ""
    price: str = ""
    size: str = ""
    minimum: str = ""
    free: str = ""


def rows_of(rates: Mapping[Place, RateSpec], provider_id: int, service_id: int) -> list[RateRow]:
    """The prices of a place in the order of units, and empty rows for more."""
    own = {
        unit: spec
        for (provider, service, unit), spec in rates.items()
        if (provider, service) == (provider_id, service_id)
    }
    rows = [_row(unit, own[unit]) for unit in Unit if unit in own]
    return rows + [RateRow()] * BLANK_ROWS


def posted_rows(data: Mapping[str, str]) -> list[RateRow]:
    """The rows as they were sent; those without a unit and a price are left out."""
    rows = [
        RateRow(*(data.get(f"{name}-{n}", "").strip() for name in FIELDS)) for n in range(MOST_ROWS)
    ]
    return [row for row in rows if row.unit or row.price]


def specs(rows: Iterable[RateRow]) -> dict[str, RateSpec]:
    """Unit → price. Raises InvalidInput with a sentence about the first wrong row."""
    found: dict[str, RateSpec] = {}
    for row in rows:
        if row.unit not in Unit.values:
            raise InvalidInput(_("Choose a unit for every price."))
        label = Unit(row.unit).label
        if row.unit in found:
            raise InvalidInput(_("There are two prices for “%(unit)s”.") % {"unit": label})
        try:
            found[row.unit] = _spec(row)
        except InvalidInput as error:
            raise InvalidInput(f"{label}: {error.detail}") from None
    return found


def beginning(text: str) -> datetime | None:
    """The moment of a form field in UTC; None for an empty one. Raises InvalidInput."""
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput(_("This must be a date and time such as 2026-03-31T12:00.")) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _row(unit: str, spec: RateSpec) -> RateRow:
    return RateRow(
        unit=unit,
        price=money.show(spec.price),
        size=str(spec.unit_size) if spec.unit_size != 1 else "",
        minimum=money.show(spec.minimum) if spec.minimum else "",
        free=_decimal(spec.free_quantity, unit) if spec.free_quantity else "",
    )


def _spec(row: RateRow) -> RateSpec:
    price, minimum = (
        money.micro(text.replace(",", ".") or "0") for text in (row.price, row.minimum)
    )
    if not row.price:
        raise InvalidInput(_("a price is missing."))
    if price < 0 or minimum < 0:
        raise InvalidInput(_("prices cannot be negative."))
    if row.size and not (row.size.isascii() and row.size.isdigit() and len(row.size) < 19):  # noqa: PLR2004 (64 bits)
        raise InvalidInput(_("“per” is a whole number of units."))
    return RateSpec(price, int(row.size or 1), minimum, _free(row))


def _free(row: RateRow) -> int:
    """The free quantity in smallest units, of which it must be a whole number."""
    if not row.free:
        return 0
    text = row.free.replace(",", ".")
    if len(text) > LONGEST_NUMBER or not text.replace(".", "", 1).isdecimal() or not text.isascii():
        raise InvalidInput(_("the free quantity is not a number."))
    free = Fraction(text) * SMALLEST[row.unit]
    # A third of an hour has no decimal notation: the nearest second is meant.
    return round(free)


def _decimal(quantity: int, unit: str) -> str:
    """Smallest units in units, with just so many places that they are found again."""
    for places in range(MOST_PLACES):
        with localcontext(prec=60):
            text = f"{Decimal(quantity) / SMALLEST[unit]:.{places}f}"
        if round(Fraction(text) * SMALLEST[unit]) == quantity:
            break
    return text
