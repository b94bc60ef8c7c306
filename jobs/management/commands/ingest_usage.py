"""Take in usage messages from a file or a directory queue."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from accounting.dirq import ingest_queue
from accounting.models import MessageState
from accounting.usage import import_message
from common.errors import PortalError
from providers.models import Provider

MOST_DIGITS = 18  # of an id that fits the database


class Command(BaseCommand):
    help = (
        "Take in usage messages (APEL individual-job text, v0.1 to v0.4), match them to jobs, and"
        " settle these jobs. A message is taken whole or not at all; the same message again has no"
        " effect. From a queue folder (dirq, as SSM writes it) every message is taken and removed;"
        " one that cannot be taken is moved to the queue `reject` beside it, with the reasons."
        " Ends with status 1 when a message was rejected."
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
        sender = _provider(provider) if provider else _owner_of(path)
        provider_id = sender.pk if sender is not None else None
        sites = _sites()
        try:
            if path.is_dir():
                self._queue(path, provider_id, sites)
            else:
                self._file(path, provider_id, sites)
        except (OSError, PortalError) as error:
            raise CommandError(str(error)) from error

    def _queue(self, path: Path, provider_id: int | None, sites: dict[str, int]) -> None:
        report = ingest_queue(path, provider_id=provider_id, sites=sites)
        self.stdout.write(
            f"{report.loaded} messages taken in with {report.records} records,"
            f" {report.duplicates} known already, {report.rejected} rejected"
        )
        if report.rejected:
            raise CommandError(f"see {path.parent / 'reject'}")

    def _file(self, path: Path, provider_id: int | None, sites: dict[str, int]) -> None:
        report = import_message(
            path.read_bytes(), source="upload", provider_id=provider_id, sites=sites
        )
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


def _sites() -> dict[str, int]:
    """Site → provider, where a site is of one provider only."""
    rows = list(Provider.objects.exclude(usage_site="").values_list("usage_site", "pk"))
    often = Counter(site for site, _pk in rows)
    return {site: pk for site, pk in rows if often[site] == 1}


def _owner_of(path: Path) -> Provider | None:
    """The provider whose registered queue folder this is."""
    with_queue = Provider.objects.exclude(usage_queue="")
    return next((p for p in with_queue if Path(p.usage_queue).resolve() == path.resolve()), None)


def _said(remark: dict[str, Any]) -> str:
    return f"{remark['field']}: {remark['reason']}" if remark["field"] else remark["reason"]
