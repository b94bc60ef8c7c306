"""Headers that the portal says secretly to a server: written, never read back, shown by name only.

They are kept as JSON, encrypted. Which names are the portal's own is said by whoever keeps them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from django.utils.translation import gettext as _

from common.crypto import decrypt, encrypt
from common.errors import ConfigurationError, InvalidInput

MOST_HEADERS = 20
MOST_VALUE = 4000

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,59}")
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
# What the portal's own client decides, what would go to other hosts too, and what a reverse proxy
# in front of the server believes.
_RESERVED = re.compile(
    r"(accept.*|connection|content-.*|cookie2?|date|expect|forwarded|host|if-.*|keep-alive|"
    r"proxy-.*|range|te|trailer|transfer-encoding|upgrade|user-agent|via|"
    r"x-(forwarded|real|http)-.*)",
    re.IGNORECASE,
)


def names(stored: str) -> list[str]:
    """The names of the headers; none when they cannot be read with the present key."""
    try:
        return sorted(opened(stored))
    except ConfigurationError:
        return []


def opened(stored: str) -> dict[str, str]:
    """Name → value. Raises ConfigurationError when they were encrypted with another key."""
    if not stored:
        return {}
    found: dict[str, str] = json.loads(decrypt(stored))
    return found


def merged(stored: str, value: object, *, taken: Callable[[str], bool] = lambda _: False) -> str:
    """What to store when name → value is taken in; None or "" takes a header away, those not named
    stay as they are. `taken` says which names are not to be given.

    Raises InvalidInput. The error never repeats a value.
    """
    if not isinstance(value, dict):
        raise InvalidInput(_("This must be names of headers with their values."))
    try:
        kept = opened(stored)
    except ConfigurationError:  # encrypted with another key: entered again from nothing
        kept = {}
    for name, secret in value.items():
        _check_name(str(name), taken)
        kept = {one: text for one, text in kept.items() if one.lower() != str(name).lower()}
        if secret in (None, ""):
            continue
        if not isinstance(secret, str) or len(secret) > MOST_VALUE or not _VALUE.fullmatch(secret):
            raise InvalidInput(
                _("The value of “%(name)s” cannot be sent in a header.") % {"name": name}
            )
        kept[str(name)] = secret
    if len(kept) > MOST_HEADERS:
        raise InvalidInput(_("These are more than %(most)s.") % {"most": MOST_HEADERS})
    return encrypt(json.dumps(kept)) if kept else ""


def _check_name(name: str, taken: Callable[[str], bool]) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidInput(_("A header name has letters, digits and hyphens."))
    if taken(name) or _RESERVED.fullmatch(name):
        raise InvalidInput(_("The header “%(name)s” is the portal's to send.") % {"name": name})
