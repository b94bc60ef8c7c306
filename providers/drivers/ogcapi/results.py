"""Results (18-062r2 §7.11.3, §7.13) in the shapes that servers give them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext as _

from common.errors import ProviderNonsense
from common.http import Response
from providers.addresses import public_value
from providers.drivers.ogcapi.documents import read
from providers.drivers.ogcapi.raw import UNNAMED, linked, parts, raw
from providers.drivers.ogcapi.values import values_of
from providers.ports import Endpoint
from providers.process import InputValue, OutputValue

# What servers call JSON when they do not say so.
_PERHAPS = ("", "text/plain", "application/octet-stream")


def parse_results(answer: Response, endpoint: Endpoint, only: str = "") -> tuple[OutputValue, ...]:
    """Every output that has a value; identifiers may repeat. What has none is passed over.

    `only` is the identifier of the process's only output, "" when it has several. Raises
    ProviderNonsense.
    """
    found = _found(answer, only)
    return tuple(OutputValue(public_value(value, endpoint)) for value in found)


def _found(answer: Response, only: str) -> Iterable[InputValue]:
    media_type = answer.headers.get("content-type", "")
    kind = media_type.partition(";")[0].strip().lower()
    if answer.status == HTTPStatus.NO_CONTENT:
        return linked(answer, only)
    if kind.startswith("multipart/"):
        return parts(answer, media_type)
    if kind.endswith(("/json", "+json")) or not kind:
        return _outputs(read(answer.body), answer.url, only)
    if kind == "text/html" and not only:
        raise ProviderNonsense(_("The provider answers with a web page instead of results."))
    document = _perhaps(answer.body) if kind in _PERHAPS else None
    if isinstance(document, dict):
        return _outputs(document, answer.url, only)
    return [raw(only or UNNAMED, answer.body, media_type)]


def _perhaps(body: bytes) -> Any:
    try:
        return read(body)
    except ProviderNonsense:
        return None


def _outputs(found: Any, base: str, only: str) -> Iterator[InputValue]:
    """Outputs by identifier: an object of them, a list of those that name themselves, either in a
    member `outputs`, or the bare value of the only one."""
    found = _unwrapped(found, only)
    if found is None:
        raise ProviderNonsense(_("The provider's answer has no results in it."), started=True)
    if isinstance(found, list) and found and all(map(_names_itself, found)):
        for one in found:
            yield from values_of(_name(one), one, base)
    elif _is_by_identifier(found, only):
        for name, value in found.items():
            if name != "links" or name == only:
                yield from values_of(name, value, base)
    elif _names_itself(found):
        yield from values_of(_name(found), found, base)
    else:
        yield from values_of(only or UNNAMED, found, base)


def _unwrapped(found: Any, only: str) -> Any:
    """What is in a member `outputs` that is no output itself."""
    if isinstance(found, dict) and only not in found:
        inner = found.get("outputs", found.get("results"))
        if isinstance(inner, dict | list) and not found.keys() - {"outputs", "results", "links"}:
            return inner
    return found


def _is_by_identifier(found: Any, only: str) -> bool:
    """Whether the members are outputs. Of a process with one output under another name, only if
    each is qualified, a reference or a box: else it is that output's own value."""
    if not isinstance(found, dict) or _names_itself(found):
        return isinstance(found, dict) and bool(only) and only in found
    if not only or only in found:
        return True
    return bool(found) and all(
        isinstance(one, dict) and {"value", "href", "bbox"} & one.keys() for one in found.values()
    )


def _names_itself(value: Any) -> bool:
    """Whether it is one output with its identifier beside its value."""
    if not isinstance(value, dict) or not _name(value):
        return False
    return bool({"value", "href", "data", "bbox"} & value.keys())


def _name(value: dict[str, Any]) -> str:
    name = value.get("id", value.get("identifier"))
    return name if isinstance(name, str) else ""
