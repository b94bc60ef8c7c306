"""Read again what providers offer."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from providers import services
from providers.models import Provider, ProviderState
from providers.ports import IN_PROCESS


class Command(BaseCommand):
    help = (
        "Read the capabilities and descriptions of providers and store what changed. New services "
        "are off until their provider's owner switches them on; services that are gone are "
        "withdrawn, and come back as they were. Without slugs: all providers that are not "
        "suspended. Ends with status 1 when a provider could not be read; the reason is printed "
        "and kept at the provider."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", nargs="*", help="short names of providers")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = [
            provider.slug for provider in self._chosen(options["slug"]) if not self._read(provider)
        ]
        if failed:
            raise CommandError(f"Not read: {', '.join(failed)}")

    def _chosen(self, slugs: list[str]) -> list[Provider]:
        if not slugs:
            registered = Provider.objects.exclude(protocol=IN_PROCESS)
            return list(registered.exclude(state=ProviderState.SUSPENDED))
        found = {one.slug: one for one in Provider.objects.filter(slug__in=slugs)}
        unknown = [slug for slug in slugs if slug not in found]
        if unknown:
            raise CommandError(f"No such provider: {', '.join(unknown)}")
        return [found[slug] for slug in dict.fromkeys(slugs)]

    def _read(self, provider: Provider) -> bool:
        run = services.discover(provider=provider, actor="sync_providers")
        if run.error:
            self.stderr.write(f"{provider.slug}: {run.error}")
            return False
        self.stdout.write(
            f"{provider.slug}: {run.added} new, {run.changed} changed, "
            f"{run.withdrawn} withdrawn, {run.restored} back"
        )
        for warning in run.warnings:
            self.stdout.write(f"  {warning}")
        return True
