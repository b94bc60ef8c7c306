"""What each kind of due work does. Every step may be repeated, and may die at any line.

A step returns when it is due again, or None when it is finished. Providers are called outside
transactions; what they say is written by `transitions.apply`.
"""

from __future__ import annotations

from collections.abc import Callable

from jobs import (
    callbacks,
    copies,
    following,
    harvest_work,
    periodic,
    provider_work,
    publication_work,
    results,
    sending,
    source_work,
    usage_work,
    viewing,
)
from jobs.models import Due
from jobs.pace import Again

Step = Callable[[Due], Again]
STEPS: dict[str, Step] = {
    "send": sending.send,
    "poll": following.poll,
    "cancel": following.cancel,
    "aftermath": following.aftermath,
    "publish": results.publish,
    "copy": copies.copy,
    "callback": callbacks.deliver,
    publication_work.KIND: publication_work.step,
    usage_work.FOLDER: usage_work.folder,
    usage_work.SOURCE: usage_work.source,
    source_work.CHECK: source_work.check,
    source_work.CRAWL: source_work.crawl,
    harvest_work.KIND: harvest_work.step,
    provider_work.READ: provider_work.read,
    provider_work.PROBE: provider_work.probe,
    provider_work.TELL: provider_work.tell,
    viewing.KIND: viewing.view,
    "sweep": periodic.sweep,
    "mail": periodic.mails,
}
