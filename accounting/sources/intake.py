"""One delivery: looked at, imported, and acknowledged after the commit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from accounting.models import MessageState, UsageMessage
from accounting.sources.contract import Delivery
from accounting.sources.signatures import NO_TRUST, Trust
from accounting.usage.importer import ImportReport, import_message
from accounting.usage.records import Sender
from common.clock import now
from common.errors import InvalidInput, PortalError

log = structlog.get_logger(__name__)

MOST_KEPT = 100_000  # bytes of a refused message that are kept
_OURS = 500  # from this status on it is not the message's fault


@dataclass(slots=True)
class Report:
    """How many messages were loaded, known already, and rejected; records of the loaded."""

    loaded: int = 0
    duplicates: int = 0
    rejected: int = 0
    records: int = 0

    def count(self, message: ImportReport) -> None:
        """Add a message that the importer has looked at."""
        if message.state == MessageState.REJECTED:
            self.rejected += 1
        elif message.duplicate:
            self.duplicates += 1
        else:
            self.loaded += 1
            self.records += message.records


@dataclass(frozen=True, slots=True)
class Origin:
    """Where deliveries come from, who sends them, and whose signature is believed."""

    kind: str
    sender: Sender
    sites: Mapping[str, int] = field(default_factory=dict)
    trust: Trust = NO_TRUST


def take_in(delivery: Delivery, origin: Origin, report: Report) -> None:
    """Import a delivery and acknowledge it; what cannot be taken is kept with the reasons.

    When this raises, nothing is acknowledged: the message is delivered again, and if it had been
    committed, the importer knows it. Raises ConfigurationError and what the database raises.
    """
    try:
        taken = _import(delivery, origin)
    except PortalError as error:
        if error.status >= _OURS:
            raise
        report.rejected += 1
        _refuse(delivery, origin, error.detail)
        if delivery.put_aside is None:
            _keep(delivery, origin, error.detail)
    else:
        report.count(taken)
        if taken.state == MessageState.REJECTED:  # and kept as such by the importer
            _refuse(delivery, origin, reasons(taken.errors))
    delivery.acknowledge()


def _import(delivery: Delivery, origin: Origin) -> ImportReport:
    if delivery.refused:
        raise InvalidInput(delivery.refused)
    body, signer = origin.trust.open(delivery.body, delivery.signer)
    return import_message(
        body, source=origin.kind[:16], signer=signer, sender=origin.sender, sites=origin.sites
    )


def _refuse(delivery: Delivery, origin: Origin, reason: str) -> None:
    log.warning("usage.message_rejected", kind=origin.kind, error=reason.partition("\n")[0])
    if delivery.put_aside is not None:
        delivery.put_aside(reason)


def reasons(faults: Iterable[Mapping[str, Any]]) -> str:
    """A line for each fault of a message."""
    lines = [f"line {f['line']}, {f['field']}: {f['reason']}" for f in faults]
    return "\n".join(line.replace(", :", ":") for line in lines)


def _keep(delivery: Delivery, origin: Origin, reason: str) -> None:
    """Keep what the importer never saw, since its place forgets it once it is acknowledged."""
    # Another id than the importer gives: the same bytes may come again and be fine.
    sender = origin.sender.provider_id or 0
    digest = hashlib.sha256(f"refused\n{sender}\n".encode() + delivery.body).hexdigest()
    text = delivery.body[:MOST_KEPT].decode("utf-8", "backslashreplace")
    UsageMessage.objects.get_or_create(
        pk=digest,
        defaults={
            "source": origin.kind[:16],
            "signer": delivery.signer[:255],
            "provider_id": origin.sender.provider_id,
            "header": text.partition("\n")[0].strip()[:80].replace("\x00", "?"),
            "received_at": now(),
            "state": MessageState.REJECTED,
            "errors": [{"line": 0, "field": "", "reason": reason, "count": 1}],
            "body": text.replace("\x00", "\\x00"),
        },
    )
