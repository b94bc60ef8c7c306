"""The state of a job as server-sent events (WHATWG HTML §9.2), while it changes.

Each stream occupies a thread of the web server for as long as it is open. So there are few of them
in a process, each ends by itself after a while (a browser then asks again, and tells what it has
seen), and whoever gets none asks from time to time instead.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _

from common.errors import ServerBusy
from jobs.models import Job, JobEvent
from jobs.selectors import events_of

if TYPE_CHECKING:
    from people.models import User

LOOK_SECONDS = 1.0
HEARTBEAT_SECONDS = 5.0  # a reader who has gone is noticed when something is sent
AGAIN_MILLISECONDS = 1000
MOST_AT_ONCE = 200

_free = BoundedSemaphore(settings.LIVE_STREAMS)


def stream(request: HttpRequest, job: Job, reader: User) -> StreamingHttpResponse:
    """Answer with the events of the job after the one that the reader has seen last.

    Last-Event-ID, or `after` in the query, names it. The event `state` comes with each; `end` is
    the last one of a job at its end. Raises ServerBusy when there are enough streams already.
    """
    if not _free.acquire(blocking=False):
        raise ServerBusy(_("Too many are watching jobs at the moment; ask for the job instead."))
    answer = StreamingHttpResponse(
        _Held(job, events_of(job, reader), _seen(request)),
        content_type="text/event-stream; charset=utf-8",
    )
    answer.headers["Cache-Control"] = "no-cache, no-transform"
    answer.headers["X-Accel-Buffering"] = "no"  # nginx passes it on as it comes
    return answer


class _Held:
    """The stream with its place, given back whether or not anybody has read it."""

    def __init__(self, job: Job, events: QuerySet[JobEvent], seen: int) -> None:
        self._lines = _lines(job, events, seen)
        self._open = True

    def __iter__(self) -> Iterator[bytes]:
        return self._lines

    def close(self) -> None:
        """Called by the server when the answer is over."""
        if self._open:
            self._open = False
            self._lines.close()  # type: ignore[attr-defined]
            _free.release()


def _seen(request: HttpRequest) -> int:
    text = request.headers.get("Last-Event-ID", "") or request.GET.get("after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0  # noqa: PLR2004


def _lines(job: Job, known: QuerySet[JobEvent], seen: int) -> Iterator[bytes]:
    end = time.monotonic() + settings.LIVE_SECONDS
    said = time.monotonic()
    yield f"retry: {AGAIN_MILLISECONDS}\n\n".encode()
    while True:
        events = list(known.filter(number__gt=seen)[:MOST_AT_ONCE])
        for event in events:
            seen, said = event.number, time.monotonic()
            yield _message(event)
        if len(events) < MOST_AT_ONCE:
            # Looked at after the events: the last one has been sent when this says final.
            job.refresh_from_db(fields=("state",))
            if job.final and not known.filter(number__gt=seen).exists():
                yield f"event: end\nid: {seen}\ndata: {job.state}\n\n".encode()
                return
        if time.monotonic() >= end:
            return
        if time.monotonic() - said > HEARTBEAT_SECONDS:
            said = time.monotonic()
            yield b": still here\n\n"
        time.sleep(LOOK_SECONDS)


def _message(event: JobEvent) -> bytes:
    told = {
        "number": event.number,
        "at": event.at.isoformat(),
        "state": event.new_state,
        "percent": event.percent,
        "reason": event.reason,
        "text": event.text,
    }
    return f"event: state\nid: {event.number}\ndata: {json.dumps(told)}\n\n".encode()
