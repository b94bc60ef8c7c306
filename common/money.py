"""Credits at the edges: inside they are integers of micro-credits (1 credit = 1,000,000)."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation

from django.utils.translation import gettext_lazy as _

from common.errors import InvalidInput

MICRO = 1_000_000
_FINEST = Decimal("0.000001")
_EXACT = Context(prec=40, traps=[Inexact, InvalidOperation])
MOST = 9_000_000_000_000_000  # micro-credits; fits the numbers of JSON and browsers


def credits(micro: int) -> Decimal:
    """Exact credits, always with six decimals."""
    return Decimal(micro).scaleb(-6)


def micro(value: Decimal | str) -> int:
    """Micro-credits of an amount in credits.

    Raises InvalidInput for what is not a number, not finite, too fine or too large.
    """
    try:
        amount = Decimal(value)
    except (InvalidOperation, ValueError, TypeError):
        raise InvalidInput(_("This is not a number.")) from None
    # copy_abs: abs() would round, and overflows for an exponent that is large enough.
    if not amount.is_finite() or amount.copy_abs() > Decimal(MOST) / MICRO:
        raise InvalidInput(_("This amount is too large."))
    try:
        # Never rounded, however many digits there are.
        return int(amount.quantize(_FINEST, context=_EXACT).scaleb(6))
    except Inexact:
        raise InvalidInput(_("Credits have at most six decimals.")) from None


def show(micro: int) -> str:
    """For people: at least two and at most six decimals."""
    whole, _point, decimals = f"{credits(micro):f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
