"""Fixtures of every test."""

from __future__ import annotations

from tests import flush
from tests.chromium import browser

__all__ = ["browser"]

flush.install()
