"""Calls of adapters: guarded, bounded, with credentials for the viewer's own origin alone."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.utils.translation import gettext as _

from catalogue_client.viewers.contract import Busy, Place
from common.errors import (
    AddressRefused,
    InvalidInput,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
)
from common.guard import addresses_of, target_of
from common.http import Limits, Response, fetch, stream

ANSWER = Limits(connect=10.0, read=60.0, total=120.0, max_bytes=4 * 2**20)
SENDING = Limits(connect=10.0, read=300.0, total=None, max_bytes=4 * 2**20)
LONGEST_URL = 2000
MOST_TEXT = 300


def check_address(place: Place) -> None:
    """Raise InvalidInput unless the portal may call the viewer (its name may be unknown)."""
    try:
        addresses_of(target_of(place.address))
    except AddressRefused as error:
        raise InvalidInput(error.detail, locator="address") from None
    except ProviderUnreachable:
        pass
    if urlsplit(place.address).query:
        raise InvalidInput(_("The address must have no query."), locator="address")


def check_options(place: Place, known: Mapping[str, type]) -> None:
    """Raise InvalidInput for an option that is not known, or not of its type."""
    for name, value in place.options.items():
        if type(value) is not known.get(name):
            names = ", ".join(sorted(known)) or "–"
            text = _("“%(name)s” is no option here, or not of its kind. There are: %(names)s.")
            raise InvalidInput(text % {"name": name, "names": names}, locator="options")


def at(place: Place, path: str) -> str:
    """An address below the viewer's."""
    return f"{place.address.rstrip('/')}/{path}"


def shown_at(place: Place, url: object) -> str:
    """An address for people from the viewer's answer, which may be relative to the viewer.

    Raises ProviderNonsense for what a browser should not be sent to.
    """
    try:
        whole = urljoin(place.address, url) if isinstance(url, str) and url else ""
        parts = urlsplit(whole)
        bad = not whole.isprintable() or " " in whole or "@" in parts.netloc
    except ValueError:
        bad, whole = True, ""
    if bad or not whole.startswith(("https://", "http://")) or len(whole) > LONGEST_URL:
        raise ProviderNonsense(_("The viewer does not say where the result can be seen."))
    return whole


def ask(place: Place, method: str, url: str, document: object = None) -> Response:
    """Send a JSON document, or nothing. Raises ProviderTimeout for a status from 500 on: whether
    anything was done is not known; Busy for 429."""
    headers = {"Accept": "application/json", **_login(place)}
    body = None
    if document is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(document).encode()
    answer = fetch(method, url, headers=headers, body=body, origin=place.address, limits=ANSWER)
    _check(answer.status)
    return answer


def send(
    place: Place, url: str, pieces: Iterable[bytes], size: int, media_type: str
) -> tuple[int, bytes]:
    """POST `size` bytes piece by piece; status and body of the answer. Raises as `ask`."""
    headers = {
        "Accept": "application/json",
        "Content-Type": media_type,
        "Content-Length": str(size),
        **_login(place),
    }
    with stream(
        "POST", url, headers=headers, body=pieces, origin=place.address, limits=SENDING
    ) as answer:
        _check(answer.status)
        return answer.status, b"".join(answer.iter_bytes())


def object_in(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises ProviderNonsense for anything else."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ProviderNonsense(_("The viewer's answer is not the JSON that it should be."))
    return document


def refused(answer: Response) -> ProviderRefused:
    """What the viewer says in an answer that is a refusal."""
    return refusal(answer.status, answer.body)


def refusal(status: int, body: bytes) -> ProviderRefused:
    """The errors, message or detail in a JSON object, as an error with short text."""
    try:
        said = object_in(body)
    except ProviderNonsense:
        said = {}
    errors = said.get("errors")
    found = errors if isinstance(errors, list) else [said.get("message") or said.get("detail")]
    return because("; ".join(str(one) for one in found if one), status)


def because(said: str, status: int = 200) -> ProviderRefused:
    """The viewer does not do it, and says why."""
    text = said or _("status %(n)s") % {"n": status}
    plain = "".join(c if c.isprintable() else " " for c in text)[:MOST_TEXT]
    return ProviderRefused(_("The viewer refuses it: %(why)s") % {"why": plain}, http_status=status)


def _check(status: int) -> None:
    if status == 429:  # noqa: PLR2004 (HTTP)
        raise Busy(_("The viewer takes no more at the moment."))
    if status >= 500:  # noqa: PLR2004 (HTTP)
        raise ProviderTimeout(_("The viewer has a problem at the moment."))


def _login(place: Place) -> dict[str, str]:
    if place.username:
        pair = base64.b64encode(f"{place.username}:{place.secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {"Authorization": f"Bearer {place.secret}"} if place.secret else {}
