"""Take in usage messages from a file or a directory queue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from accounting.models import MessageState
from accounting.sources.dirq import ingest_queue
from accounting.usage.importer import import_message
from accounting.usage.records import Sender
from common.errors import PortalError
from jobs.usage_senders import provider_by_site, sender_of
from providers.models import Provider

MOST_DIGITS = 18  # of an id that fits the database


class Command(BaseCommand):
    help = (
        "Take in usage messages of every form (APEL text or JSON; CAR, StAR and OGF usage records;"
        " TEP records; what it is, is seen from the content), match them to jobs, and settle these"
        " jobs. A message is taken whole or not at all, unless its provider's good records are"
        " kept; the same message again has no effect. From a queue folder (dirq, as SSM writes it)"
        " every message is taken and removed; one that cannot be taken is moved to the queue"
        " `reject` beside it, with the reasons. Ends with status 1 when a message was rejected."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="a file with one message, or a queue folder")
        parser.add_argument(
            "--provider",
            default="",
            help=(
                "slug or id of the provider that sent the messages: they may only name its jobs."
                " Without it, a registered queue folder belongs to its provider, and other records"
                " to the provider whose usage site is their Site."
            ),
        )

    def handle(self, *, path: Path, provider: str, **options: Any) -> None:
        del options
        sender = sender_of(_provider(provider) if provider else _owner_of(path))
        sites = provider_by_site()
        try:
            if path.is_dir():
                self._queue(path, sender, sites)
            else:
                self._file(path, sender, sites)
        except (OSError, PortalError) as error:
            raise CommandError(str(error)) from error

    def _queue(self, path: Path, sender: Sender, sites: dict[str, int]) -> None:
        report = ingest_queue(path, sender=sender, sites=sites)
        self.stdout.write(
            f"{report.loaded} messages taken in with {report.records} records,"
            f" {report.duplicates} known already, {report.rejected} rejected"
        )
        if report.rejected:
            raise CommandError(f"see {path.parent / 'reject'}")

    def _file(self, path: Path, sender: Sender, sites: dict[str, int]) -> None:
        report = import_message(path.read_bytes(), source="upload", sender=sender, sites=sites)
        for warning in report.warnings:
            self.stdout.write(f"warning: line {warning['line']}, {_said(warning)}")
        if report.state == MessageState.REJECTED:
            reasons = [f"line {error['line']}, {_said(error)}" for error in report.errors]
            raise CommandError("\n".join(["rejected, nothing of it is taken:", *reasons]))
        known = "known already: " if report.duplicate else ""
        self.stdout.write(f"{known}{report.records} records, {report.matched} of known jobs")


def _provider(wanted: str) -> Provider:
    named = Q(slug=wanted) | (
        Q(pk=int(wanted)) if wanted.isdecimal() and len(wanted) <= MOST_DIGITS else Q()
    )
    found = Provider.objects.filter(named).first()
    if found is None:
        raise CommandError(f"there is no provider {wanted}")
    return found


def _owner_of(path: Path) -> Provider | None:
    """The provider whose registered queue folder this is."""
    with_queue = Provider.objects.exclude(usage_queue="")
    return next((p for p in with_queue if Path(p.usage_queue).resolve() == path.resolve()), None)


def _said(remark: dict[str, Any]) -> str:
    return f"{remark['field']}: {remark['reason']}" if remark["field"] else remark["reason"]
