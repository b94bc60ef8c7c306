"""What can be counted on the inputs of a run, and so is known and not estimated."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterable, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from accounting.models import Unit
from accounting.prices.formulas import Operand, name_of
from accounting.prices.quotes import Quantity
from common.clock import now
from common.errors import InvalidInput
from common.ows import east_first, to_lonlat_bbox
from providers.literals import union
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    InputDescription,
    InputValue,
    LiteralDomain,
    LiteralValue,
    ProcessDescription,
    ReferenceValue,
)

EARTH_RADIUS_M = 6_371_008.8  # mean radius (IUGG)
KM2 = 1_000_000  # m²
NUMBERS = ("integer", "double")
DATES = ("date", "dateTime")
LONGEST_NUMBER, WIDEST_NUMBER = 400, 330  # characters, powers of ten
# The first date in the name of a product is that of its acquisition: S2A_MSIL1C_20150704T101006.
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])(?!\d)")


def counted(inputs: Iterable[InputValue], units: Container[str]) -> dict[str, Quantity]:
    """Unit → quantity, for the units that the inputs tell.

    Raises InvalidInput for a box without a known area, when that is among the units.
    """
    inputs = tuple(inputs)
    products = products_in(inputs)
    area = area_in(inputs) if Unit.AREA_KM2 in units else 0
    dates = dates_in(inputs) if Unit.ACQUISITION_DATE in units else 0
    figures = {
        Unit.JOB: (1, noop("one run"), "flat"),
        Unit.REQUEST: (1, noop("one run"), "flat"),
        Unit.AREA_KM2: (area, noop("area of the box"), "inputs"),
        Unit.PRODUCT_IN: (products, noop("files and references given"), "inputs"),
        Unit.PRODUCT_PAIR: (products, noop("files and references given, in pairs"), "inputs"),
        Unit.ACQUISITION_DATE: (
            dates,
            noop("different dates in the names of what is given"),
            "inputs",
        ),
    }
    return {
        unit: Quantity(amount, _(text), source)
        for unit, (amount, text, source) in figures.items()
        if unit in units
    }


def products_in(inputs: Iterable[InputValue]) -> int:
    """How many products are given: files, references, and values that are web addresses."""
    return sum(map(_is_product, inputs))


def area_in(inputs: Iterable[InputValue]) -> int:
    """The area of all boxes, in m². Raises InvalidInput when that of one is not known."""
    return sum(_area(value) for value in inputs if isinstance(value, BoundingBoxValue))


def _area(box: BoundingBoxValue) -> int:
    if east_first(box.crs):
        width, height = (high - low for low, high in zip(box.lower[:2], box.upper, strict=False))
        return math.ceil(abs(width * height))
    try:
        return area_m2(to_lonlat_bbox(box.lower, box.upper, box.crs))
    except InvalidInput:
        text = _("The price goes by area, which is not known of boxes in %(crs)s: take another.")
        raise InvalidInput(text % {"crs": box.crs[:100]}, locator=box.identifier) from None


def dates_in(inputs: Iterable[InputValue]) -> int:
    """How many acquisition dates the products have; one without a date in its name has its own."""
    products = [v for v in inputs if _is_product(v)]
    found = [_DATE.search(_address(v)) for v in products]
    return len({match.groups() for match in found if match}) + found.count(None)


def area_m2(bbox: tuple[float, float, float, float]) -> int:
    """Area of a box west, south, east, north (degrees) on the sphere, in m², rounded up.

    A box whose west is greater than its east crosses the antimeridian.
    """
    west, south, east, north = bbox
    width = math.radians(east - west if east >= west else east - west + 360)
    height = math.sin(math.radians(north)) - math.sin(math.radians(south))
    return math.ceil(EARTH_RADIUS_M**2 * width * abs(height))


def operands(description: ProcessDescription, inputs: Sequence[InputValue]) -> dict[str, Operand]:
    """The inputs as formulas see them; one that is not given counts with its default, if any.

    Raises InvalidInput for numbers that no formula can use.
    """
    found = {}
    for wanted in description.inputs:
        given = [value for value in inputs if value.identifier == wanted.identifier]
        found[name_of(wanted.identifier)] = _operand(wanted, given or _default(wanted))
    return found


def samples(description: ProcessDescription) -> dict[str, Operand]:
    """One plausible value of every input, to try a formula with: its default, or 1."""
    return {name_of(wanted.identifier): _sample(wanted) for wanted in description.inputs}


def _sample(wanted: InputDescription) -> Operand:
    domain = wanted.domain
    number, text = Fraction(1), ""
    if isinstance(domain, LiteralDomain):
        text = domain.default or (domain.allowed_values[0] if domain.allowed_values else "")
        if domain.data_type in NUMBERS and domain.default:
            with suppress(InvalidInput):  # a description may say anything
                number = _number(domain, LiteralValue(wanted.identifier, domain.default))
    return Operand(number, count=1, area=Fraction(100), days=(now().date(),), dates=1, text=text)


def _operand(wanted: InputDescription, given: Sequence[InputValue]) -> Operand:
    texts = [value.value for value in given if isinstance(value, LiteralValue)]
    kind = union(wanted.domain).data_type if isinstance(wanted.domain, LiteralDomain) else ""
    number = Fraction(len(given))
    if kind in NUMBERS:
        number = sum((_number(wanted.domain, v) for v in given), Fraction(0))
    elif kind == "boolean":
        number = Fraction(sum(text.lower() in ("true", "1") for text in texts))
    return Operand(
        number=number,
        count=len(given),
        area=_known_area(given),
        days=tuple(date.fromisoformat(text[:10]) for text in texts) if kind in DATES else (),
        dates=len({text[:10] for text in texts}) if kind in DATES else dates_in(given),
        text=texts[0] if len(texts) == 1 else "",
    )


def _known_area(given: Sequence[InputValue]) -> Fraction | None:
    try:
        return Fraction(area_in(given), KM2)
    except InvalidInput:
        return None


def _number(domain: object, value: InputValue) -> Fraction:
    if not isinstance(value, LiteralValue) or len(value.value) > LONGEST_NUMBER:
        raise InvalidInput(_("This number is too long."))
    uoms = domain.uoms if isinstance(domain, LiteralDomain) else ()
    if value.uom and uoms and value.uom != uoms[0]:
        raise InvalidInput(_("The number is given in another unit than usual."))
    try:
        number = Decimal(value.value)
    except InvalidOperation:
        raise InvalidInput(_("This must be a number.")) from None
    if not number.is_finite() or abs(number.adjusted()) > WIDEST_NUMBER:
        raise InvalidInput(_("This must be a number."))
    return Fraction(number)


def _default(wanted: InputDescription) -> list[InputValue]:
    domain = wanted.domain
    if isinstance(domain, LiteralDomain) and domain.default is not None:
        return [LiteralValue(wanted.identifier, domain.default)]
    return []


def _is_product(value: InputValue) -> bool:
    if isinstance(value, LiteralValue):
        return value.value.strip().lower().startswith(("http://", "https://"))
    return isinstance(value, ComplexValue | ReferenceValue)


def _address(value: InputValue) -> str:
    if isinstance(value, ReferenceValue):
        return value.href
    return value.value if isinstance(value, LiteralValue) else ""
