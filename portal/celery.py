"""The Celery application, for installations with a broker: `celery -A portal.celery worker`."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.production")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["jobs"])


@setup_logging.connect
def keep_our_logs(**_: Any) -> None:
    """The settings configured the logs; a receiver of this signal keeps Celery from doing so."""
