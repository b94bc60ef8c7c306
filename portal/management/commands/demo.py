"""manage.py demo"""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from common.errors import PortalError
from portal.demo import seed
from portal.demo.scene import ensure_scene
from portal.demo.stack import Stack, port_is_free, python


class Command(BaseCommand):
    help = (
        "Run the whole portal on this machine: web (PORT, 8000), worker, and a real WPS provider "
        "(PROVIDER_PORT, 8001), with demo data. Prints `ready: <url>` when a job can be run; "
        "names and passwords are in var/demo.json. Ctrl-C or SIGTERM ends all of it; what was "
        "written stays under VAR_DIR."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger().setLevel(logging.WARNING)  # the children have logs of their own
        for port in (settings.PORT, settings.PROVIDER_PORT):
            if not port_is_free(port):
                raise CommandError(f"Port {port} is taken; choose others: PORT, PROVIDER_PORT.")
        stack = Stack(settings.VAR_DIR, {**os.environ, "PYTHONUNBUFFERED": "1"})
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda _n, _f: _stop(stack, _f))
        try:
            self._start(stack)
            self.stdout.write(f"ready: {settings.BASE_URL}")
            self.stdout.flush()
            stack.watch()
        except PortalError as error:
            if not stack.stopping:
                raise CommandError(error.detail) from error
        finally:
            stack.end()

    def _start(self, stack: Stack) -> None:
        folder = Path(settings.VAR_DIR)
        queue = folder / "usage" / "incoming"
        queue.mkdir(parents=True, exist_ok=True)
        scene = ensure_scene(folder / "scene")
        stack.add(
            "provider",
            *python("-m", "portal.demo.provider"),
            *("--port", str(settings.PROVIDER_PORT)),
            *("--dir", str(folder / "provider"), "--scene", str(folder / "scene")),
            *("--usage-queue", str(queue), "--inputs-from", settings.BASE_URL),
        )
        call_command("migrate", verbosity=0)
        stack.wait_for(settings.PROVIDER_PORT)
        place = seed.Place(
            base_url=settings.BASE_URL,
            provider_url=f"http://127.0.0.1:{settings.PROVIDER_PORT}/wps",
            usage_queue=queue,
            document=folder / "demo.json",
        )
        seed.seed(place, scene)
        connections.close_all()
        stack.add("worker", *_worker(folder))
        stack.add(
            "web",
            *python("-m", "gunicorn", "portal.wsgi", "--worker-class", "gthread"),
            *("--workers", "2", "--threads", "32", "--no-control-socket"),
            *("--bind", f"127.0.0.1:{settings.PORT}"),
        )
        stack.wait_for(settings.PORT)


def _worker(folder: Path) -> tuple[str, ...]:
    """The embedded worker, or Celery's with its clock where there is a broker."""
    if not settings.CELERY_BROKER_URL:
        return python(str(settings.BASE_DIR / "manage.py"), "worker")
    return python(
        *("-m", "celery", "-A", "portal", "worker", "--beat", "--pool", "threads"),
        *("--concurrency", str(settings.WORKER_THREADS), "--loglevel", "INFO"),
        *("--schedule", str(folder / "celerybeat")),
    )


def _stop(stack: Stack, frame: FrameType | None) -> None:
    del frame
    if stack.stopping:  # a second Ctrl-C: do not wait
        stack.end()
        sys.exit(1)
    stack.request_stop()
