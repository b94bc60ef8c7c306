"""Logs as JSON lines, with the ids of request, user and job, and without secrets."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any, Literal

import orjson
import structlog
from structlog.types import Processor

from common import log_context

HIDDEN = "[hidden]"
_SECRET_NAMES = re.compile(r"pass(word|phrase)|secret|token|authorization|cookie|key_text", re.I)
_SECRET_TEXTS: tuple[tuple[re.Pattern[str], str], ...] = (
    # an API key, whoever let it into a text
    (re.compile(r"\b(tep[a-z0-9]{10})\.[A-Za-z0-9_-]{43}"), rf"\1.{HIDDEN}"),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{8,}", re.I), rf"\1 {HIDDEN}"),
    # user and password in an address, and its query string
    (re.compile(r"(\w+://)[^\s/@'\"<>]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(\w+://[^\s?'\"<>]+|(?<![\w/])/[\w./~-]*)\?[^\s'\"<>]+"), rf"\1?{HIDDEN}"),
)

# What one of these may be in. Most texts have none of it, and are looked at only once.
_SUSPECT = re.compile(r"tep[a-z0-9]{10}\.|bearer|basic|[@?]", re.IGNORECASE)

Event = MutableMapping[str, Any]


def hide_secrets(_logger: Any, _method: str, event: Event) -> Event:
    """The last step before a line is written: what looks like a secret is not in it."""
    for name, value in event.items():
        event[name] = HIDDEN if _is_secret(name) else _clean(value)
    return event


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return bool(_SECRET_NAMES.search(name))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        if not _SUSPECT.search(value):
            return value
        for pattern, replacement in _SECRET_TEXTS:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, dict):
        return {k: HIDDEN if _is_secret(str(k)) else _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return value


def _as_json(event: Event, **_: Any) -> str:
    try:
        return orjson.dumps(event, default=str, option=_JSON).decode()
    except TypeError:  # half a surrogate pair of somebody's, or a number of more than 64 bits
        return json.dumps(event, default=str)


_JSON = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def configure(
    *,
    level: str = "INFO",
    form: Literal["json", "console"] = "json",
    stream: Literal["stdout", "stderr"] = "stdout",
) -> None:
    """Send structlog's and the standard library's lines to one stream, in one form."""
    shared: list[Processor] = [
        log_context.merge,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    last: Processor = (
        structlog.dev.ConsoleRenderer()
        if form == "console"
        else structlog.processors.JSONRenderer(_as_json)
    )
    handler = logging.StreamHandler(getattr(sys, stream))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                hide_secrets,
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # One line per request is ours (portal.middleware); the development server's says less.
    logging.getLogger("django.server").setLevel("WARNING")
    for chatty in ("urllib3", "rasterio", "amqp", "kombu"):
        logging.getLogger(chatty).setLevel("WARNING")
