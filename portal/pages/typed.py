"""What people type into a form."""

from __future__ import annotations

from common import money
from common.errors import InvalidInput


def credits_in(text: str, field: str = "") -> int:
    """Micro-credits of an amount with point or comma; raises InvalidInput that names `field`."""
    try:
        return money.micro(text.strip().replace(",", ".").replace("−", "-"))
    except InvalidInput as error:
        raise InvalidInput(error.detail, locator=field) from None
