"""Sources of the scene's provider, and messages of its jobs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from accounting.models import UsageSource
from accounting.sources import runner
from accounting.sources.contract import Place
from accounting.sources.intake import Report
from accounting.usage.apel import write
from accounting.usage.records import Sender
from tests.accounting.scene import PROVIDER


def make_source(kind: str, address: str, **fields: Any) -> UsageSource:
    return UsageSource.objects.create(
        provider_id=PROVIDER, name="A source", kind=kind, address=address, **fields
    )


def place_with(fields: dict[str, Any]) -> Place:
    return Place(since=datetime(2026, 1, 1, tzinfo=UTC), **fields)


def run(source: UsageSource) -> Report:
    """Ask the source once, as the worker does."""
    source.refresh_from_db()
    return runner.run(source, sender=Sender(source.provider_id), sites={})


def message(*records: dict[str, Any]) -> bytes:
    return write(records)
