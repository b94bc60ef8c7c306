"""Fixtures of every test."""

from __future__ import annotations

from tests import flush

flush.install()
