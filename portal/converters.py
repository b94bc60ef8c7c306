"""Parts of addresses that have a form of their own."""

from __future__ import annotations

import re
from datetime import date

from django.urls import register_converter


class MonthConverter:
    """A month such as 2026-01, as its first day; of the years that this portal may live to see."""

    regex = r"2\d{3}-(?:0[1-9]|1[0-2])"
    full = re.compile(regex, re.ASCII)

    def to_python(self, text: str) -> date:
        return date.fromisoformat(f"{text}-01")

    def to_url(self, month: date) -> str:
        return f"{month:%Y-%m}"


register_converter(MonthConverter, "month")
