"""Usage messages from an ARGO Messaging Service: pulled over HTTPS, acknowledged after the commit.

`address` is that of the service (https://host), `destination` project/subscription, `secret` the
token. Options: none.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Generator
from functools import partial
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _

from accounting.sources.contract import Delivery, Place
from accounting.sources.web import check_url, post_json
from common.errors import InvalidInput, ProviderNonsense

# Small, so that the last of a batch is acknowledged before the service gives it to somebody else.
AT_ONCE = 5
MOST_PINGS = 100  # in one go: whoever sends nothing else must not keep a worker
_DESTINATION = re.compile(r"(?P<project>[A-Za-z0-9_.-]+)/(?P<subscription>[A-Za-z0-9_.-]+)")


def check(place: Place) -> None:
    """A web address, and a subscription of a project."""
    check_url(place.address)
    _subscription(place)


def deliveries(place: Place) -> Generator[Delivery, None, None]:
    """What waits in the subscription, batch after batch, until it is empty."""
    subscription = _subscription(place)
    pings = 0
    while pings < MOST_PINGS and (batch := _pull(place, subscription)):
        for one in batch:
            acknowledge = partial(_acknowledge, place, subscription, one["ackId"])
            message = one["message"]
            if (message.get("attributes") or {}).get("empaid") == "ping":
                acknowledge()
                pings += 1
                continue
            try:
                yield Delivery(base64.b64decode(message["data"], validate=True), acknowledge)
            except ValueError:
                raw = json.dumps(message).encode()
                yield Delivery(raw, acknowledge, refused=_("The data is not base64."))


def _pull(place: Place, subscription: str) -> list[dict[str, Any]]:
    # Both values are texts in this protocol.
    wanted = {"maxMessages": str(AT_ONCE), "returnImmediately": "true"}
    answer = post_json(f"{subscription}:pull", wanted, headers=_token(place))
    found = answer.get("receivedMessages") or []
    if not isinstance(found, list) or not all(map(_is_message, found)):
        raise ProviderNonsense(_("The messaging service's answer cannot be understood."))
    return found


def _is_message(one: Any) -> bool:
    return (
        isinstance(one, dict)
        and isinstance(one.get("ackId"), str)
        and isinstance(one.get("message"), dict)
        and isinstance(one["message"].get("data"), str)
        and isinstance(one["message"].get("attributes") or {}, dict)
    )


def _acknowledge(place: Place, subscription: str, ack_id: str) -> None:
    post_json(f"{subscription}:acknowledge", {"ackIds": [ack_id]}, headers=_token(place))


def _token(place: Place) -> dict[str, str]:
    return {"x-api-key": place.secret}


def _subscription(place: Place) -> str:
    found = _DESTINATION.fullmatch(place.destination)
    if found is None:
        raise InvalidInput(_("This must be project/subscription."), locator="destination")
    project, name = quote(found["project"]), quote(found["subscription"])
    base = place.address.rstrip("/")
    return f"{base}/v1/projects/{project}/subscriptions/{name}"
