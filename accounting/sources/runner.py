"""Asks one source for what waits there, and writes down how that went."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import timedelta

from django.db.models import F

from accounting.models import UsageSource
from accounting.sources.contract import Delivery, Place
from accounting.sources.intake import Origin, Report, take_in
from accounting.sources.registry import adapter_of
from accounting.sources.signatures import Trust
from accounting.usage.records import Sender
from common.clock import now
from common.crypto import decrypt
from common.errors import PortalError

LONGEST_PAUSE = timedelta(hours=1)


def run(
    source: UsageSource,
    *,
    sender: Sender,
    sites: Mapping[str, int],
    go_on: Callable[[], bool] = lambda: True,
) -> Report:
    """Take in what waits at the source, until nothing waits or `go_on` says stop.

    What goes wrong at the place or with a folder is written on the source and raised again.
    """
    rows = UsageSource.objects.filter(pk=source.pk)
    rows.update(last_run_at=now())
    report = Report()
    try:
        _fetch(source, Origin(source.kind, sender, sites, _trust(source)), report, go_on)
    except PortalError as error:
        rows.update(last_error=error.detail, failures=F("failures") + 1)
        raise
    except OSError as error:
        rows.update(last_error=error.strerror or str(error), failures=F("failures") + 1)
        raise
    rows.update(last_error="", failures=0)
    return report


def pause(source: UsageSource) -> timedelta:
    """How long until the source is asked again: longer with every failure in a row."""
    usual = timedelta(seconds=source.every_seconds)
    if not source.failures:
        return usual
    longest = max(LONGEST_PAUSE, usual)
    grown = min(usual * 2 ** min(source.failures, 20), longest)
    return grown * random.uniform(0.8, 1.0)  # noqa: S311 (jitter)


def place_of(source: UsageSource) -> Place:
    """The source as its adapter is told. Raises ConfigurationError for an unreadable secret."""
    return Place(
        address=source.address,
        since=source.created_at or now(),
        destination=source.destination,
        username=source.username,
        secret=decrypt(source.secret) if source.secret else "",
        options=source.options,
        cursor=source.cursor,
    )


def _fetch(source: UsageSource, origin: Origin, report: Report, go_on: Callable[[], bool]) -> None:
    with closing(adapter_of(source.kind).deliveries(place_of(source))) as deliveries:
        for delivery in deliveries:
            if not go_on():
                return  # not acknowledged: it comes again
            take_in(_noted(delivery, source), origin, report)


def _noted(delivery: Delivery, source: UsageSource) -> Delivery:
    """The same delivery, that writes its cursor down before it is acknowledged."""

    def acknowledge() -> None:
        cursor = {} if delivery.cursor is None else {"cursor": delivery.cursor}
        UsageSource.objects.filter(pk=source.pk).update(last_message_at=now(), **cursor)
        delivery.acknowledge()

    return Delivery(
        delivery.body, acknowledge, delivery.signer, delivery.refused, delivery.put_aside
    )


def _trust(source: UsageSource) -> Trust:
    return Trust(
        required=source.signed,
        signers=frozenset(source.signers),
        authorities=source.authorities,
        key=decrypt(source.decryption_key) if source.decryption_key else "",
    )
