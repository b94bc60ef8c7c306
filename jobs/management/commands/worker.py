"""manage.py worker"""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from jobs.worker import Worker


class Command(BaseCommand):
    help = (
        "Do background work until SIGTERM or Ctrl-C: send jobs, follow them, take in usage "
        "records, publish results. Any number of workers may run at once; none is needed for "
        "long, because what must happen next is written in the database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--threads", type=int, help="default: WORKER_THREADS")

    def handle(self, *args: Any, **options: Any) -> None:
        worker = Worker(threads=options["threads"])

        def stop(number: int, frame: FrameType | None) -> None:
            worker.request_stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        self.stdout.write(f"worker {worker.name} is at work")
        worker.run()
