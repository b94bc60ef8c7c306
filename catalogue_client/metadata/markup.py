"""XML as text. Pages of a hundred records are written many times faster so than as a tree."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from html import escape

from common.xml import only_xml


def safe(text: str) -> str:
    """The text as it may stand in an element or an attribute."""
    return escape(only_xml(text))


def tag(name: str, text: str, **attributes: str) -> str:
    """An element with text; "" when there is no text."""
    if not text:
        return ""
    named = "".join(f' {key}="{safe(value)}"' for key, value in attributes.items())
    return f"<{name}{named}>{safe(text)}</{name}>"


def number(value: float) -> str:
    """Without an exponent, which xs:decimal does not know."""
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def seconds(moment: datetime) -> str:
    """The moment in UTC to the second, as OAI-PMH and ISO 19139 want it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
