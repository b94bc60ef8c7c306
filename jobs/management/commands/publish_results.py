"""manage.py publish_results"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.errors import PortalError
from jobs.models import Job
from jobs.results import publish_job
from jobs.states import SUCCESSFUL


class Command(BaseCommand):
    help = (
        "Write the catalogue entries of finished jobs that have none yet; workers do the same by"
        " themselves. With --again entries are written anew, e.g. after BASE_URL changed; nothing"
        " is published twice. Ends with status 1 when a result could not be published."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("jobs", nargs="*", type=UUID, help="job identifiers; default: all")
        parser.add_argument("--again", action="store_true", help="published ones too")

    def handle(self, *args: Any, **options: Any) -> None:
        jobs = Job.objects.filter(state__in=SUCCESSFUL).order_by("created_at")
        if options["jobs"]:
            jobs = jobs.filter(pk__in=options["jobs"])
        if not options["again"]:
            jobs = jobs.filter(published_at__isnull=True)
        published = failed = 0
        for job_id in jobs.values_list("pk", flat=True).iterator():
            try:
                published += publish_job(job_id, again=options["again"])
            except PortalError as error:
                failed += 1
                self.stderr.write(f"{job_id}: {error.detail}")
        self.stdout.write(f"{published} published, {failed} failed")
        if failed:
            raise CommandError("Some results could not be published; try again later.")
