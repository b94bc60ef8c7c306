"""Reading JSON of providers: bounded, and without what no text can hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import structlog
from django.utils.translation import gettext as _

from common.errors import ProviderNonsense, ProviderRefused
from common.http import Response
from providers.addresses import public_text, without_own_addresses
from providers.ports import Endpoint

log = structlog.get_logger(__name__)

MOST_DEPTH = 64
MOST_LOGGED = 20_000
RETRYABLE = (429, 503)

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_PAGE = (b"<!doctype html", b"<html")


def read(data: bytes) -> Any:
    """The JSON value in a body. Raises ProviderNonsense with words that say what came instead."""
    if not data.strip():
        raise ProviderNonsense(_("The provider's answer is empty."))
    if data.lstrip()[:20].lower().startswith(_PAGE):
        raise ProviderNonsense(_("The provider answers with a web page instead of JSON."))
    try:
        value = json.loads(data.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ProviderNonsense(_("The provider's answer is no JSON.")) from None
    _check(value)
    return value


def read_object(data: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises ProviderNonsense."""
    value = read(data)
    if not isinstance(value, dict):
        raise ProviderNonsense(_("The provider's answer is no JSON object."))
    return value


def _no_number(name: str) -> None:
    raise ValueError(name)


def _check(value: Any) -> None:
    """Level by level, as a document may be nested deeper than functions can."""
    level = [value]
    for _depth in range(MOST_DEPTH):
        if not level:
            return
        for one in level:
            texts = one if isinstance(one, dict) else (one,) if isinstance(one, str) else ()
            if any(_NO_TEXT.search(text) for text in texts):
                raise ProviderNonsense(_("The provider's answer holds what no text may have."))
        level = [inner for one in level for inner in _inside(one)]
    if level:
        raise ProviderNonsense(_("The provider's answer is nested too deeply."))


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def text(document: dict[str, Any], *names: str) -> str:
    """The first of these members that says something, on one line's terms; some servers give texts
    by language: then the English one, or any."""
    for name in names:
        value = document.get(name)
        if isinstance(value, dict):
            value = value.get("en") or next(iter(value.values()), "")
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            said = str(value).strip()
            if said:
                return said
    return ""


def public(document: dict[str, Any], endpoint: Endpoint, *names: str) -> str:
    """The same without the provider's own addresses: titles and descriptions."""
    return without_own_addresses(text(document, *names), endpoint)


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts; a single one counts as a list of one."""
    listed = value if isinstance(value, list) else [value]
    return tuple(one for one in listed if isinstance(one, str) and one)


def keywords(value: Any, endpoint: Endpoint) -> tuple[str, ...]:
    """Words, each once, without the provider's own addresses."""
    return tuple(dict.fromkeys(without_own_addresses(one, endpoint) for one in texts(value)))


def links(document: Any) -> list[dict[str, Any]]:
    """The links of a document, as far as they are some."""
    found = document.get("links") if isinstance(document, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def report_in(answer: Response, endpoint: Endpoint) -> ProviderRefused | None:
    """The refusal that a problem document (RFC 7807, or what servers send in its place) stands for,
    if the body is one; its whole text goes to the log."""
    try:
        said = read_object(answer.body)
    except ProviderNonsense:
        return None
    return refusal(said, endpoint, http_status=answer.status)


def refusal(
    said: dict[str, Any], endpoint: Endpoint, *, http_status: int
) -> ProviderRefused | None:
    """The error that such a document stands for; None for another document."""
    what = reason(said)
    code = re.split(r"[/#]", text(said, "code", "type", "name", "title"))[-1]
    if not what and not code:
        return None
    log.info("provider.refused", code=code[:200], http_status=http_status, text=what[:MOST_LOGGED])
    shown = public_text(code, endpoint)
    generic = _("The provider refused the request (%(code)s).") % {"code": shown}
    return ProviderRefused(
        public_text(what, endpoint) or generic,
        native_code=shown,
        locator="",
        http_status=http_status,
        retryable=http_status in RETRYABLE,
    )


def reason(said: dict[str, Any]) -> str:
    """What an error document says for people."""
    return text(said, "detail", "description", "message", "error", "cause", "title")
