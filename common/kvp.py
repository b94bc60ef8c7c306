"""Key-value pairs in the query of a GET; names are case-insensitive (06-121r3 §11.5)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from django.utils.translation import gettext as _

from common.errors import InvalidInput
from common.xml import text_ok

Parameters = Mapping[str, str]
MOST_PARAMETERS = 200


def parameters(query: str) -> dict[str, str]:
    """The parameters of a query string by lower-case name. Raises InvalidInput."""
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS
        )
    except ValueError:  # not UTF-8, or too many
        raise InvalidInput(_("The query cannot be read.")) from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if not text_ok(name + value):
            raise InvalidInput(
                _("There are control characters in this parameter."), locator=name[:100]
            )
        if found.setdefault(name.lower(), value) != value:
            raise InvalidInput(_("This parameter is given twice."), locator=name)
    return found


def required(given: Parameters, name: str, locator: str = "") -> str:
    """The value of a parameter; `locator` is its name as the standard spells it."""
    value = given.get(name, "").strip()
    if not value:
        raise InvalidInput(_("The parameter is missing."), locator=locator or name, missing=True)
    return value


def listed(text: str) -> tuple[str, ...]:
    """The parts of a comma-separated list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
