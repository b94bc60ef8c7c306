"""Setting up sources: what may stand in them, and who may do it.

A folder of this machine may be named, and a network that the guard opens; so only operators do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.utils.translation import gettext as _

from accounting.models import UsageSource
from accounting.sources.contract import Place
from accounting.sources.registry import FOLDER, adapter_of, kinds
from accounting.sources.signatures import authorities_in
from common.clock import now
from common.crypto import encrypt
from common.errors import ConfigurationError, Forbidden, InvalidInput
from common.xml import text_ok
from people.access import is_operator
from people.models import User

SOONEST, LATEST = 5, 7 * 24 * 3600  # seconds between two looks
MOST_SIGNERS = 1000
MOST_TEXT = 200_000
_UNSTORABLE = re.compile(r"\\u(0000|d[89a-f])")  # NUL and half characters, escaped
# Another place must not be given what was meant for this one.
_PLACE = ("kind", "address", "destination")
_TEXTS = {"name": 100, "kind": 20, "address": 2000, "destination": 300, "username": 200}
_SECRETS = {"secret": 10_000, "decryption_key": 50_000}
_FLAGS = ("signed", "enabled")
FIELDS = frozenset(
    {*_TEXTS, *_SECRETS, *_FLAGS, "provider_id", "options", "signers", "authorities"}
    | {"every_seconds"}
)


def save_source(actor: User, source: UsageSource, changes: Mapping[str, Any]) -> UsageSource:
    """Check the changes, set them on the (new or stored) source, and save it.

    `secret` and `decryption_key` are given readable and stored encrypted; what is not given stays,
    but a source that moves to another place forgets secret and cursor. `provider_id` is the
    caller's to check. Raises Forbidden for anybody but operators, and InvalidInput with every
    fault by field.
    """
    _must_operate(actor)
    errors: dict[str, list[str]] = {}
    for name, value in changes.items():
        try:
            _check(name, value)
        except InvalidInput as error:
            errors[name] = [error.detail]
    if errors:
        raise _invalid(errors)
    moved = any(name in changes and changes[name] != getattr(source, name) for name in _PLACE)
    if moved:
        source.cursor = ""
        source.secret = ""
    for name, value in changes.items():
        setattr(source, name, encrypt(value) if name in _SECRETS and value else value)
    _check_whole(source)
    source.failures, source.last_error = 0, ""
    source.save()
    return source


def delete_source(actor: User, source: UsageSource) -> None:
    """Forget a source; what came from it stays. Raises Forbidden for anybody but operators."""
    _must_operate(actor)
    source.delete()


def _must_operate(actor: User) -> None:
    if not is_operator(actor):
        raise Forbidden(_("Only operators may set up usage sources."))


def _check(name: str, value: Any) -> None:
    most = {**_TEXTS, **_SECRETS, "authorities": MOST_TEXT}.get(name)
    if name not in FIELDS:
        raise InvalidInput(_("There is no such setting."))
    if most is not None:
        _check_text(value, most)
    if name in _FLAGS and not isinstance(value, bool):
        raise InvalidInput(_("This must be true or false."))
    if name in _CHECKS and (name != "decryption_key" or value):
        _CHECKS[name](value)


def _check_text(value: Any, most: int) -> None:
    if not isinstance(value, str) or len(value) > most or not text_ok(value):
        raise InvalidInput(_("This must be text of at most %(most)s characters.") % {"most": most})


def _check_name(value: str) -> None:
    if not value.strip():
        raise InvalidInput(_("A value is required."))


def _check_kind(value: str) -> None:
    if value not in kinds():
        known = ", ".join(kinds())
        raise InvalidInput(_("This must be one of %(known)s.") % {"known": known})


def _check_every(value: Any) -> None:
    if type(value) is not int or not SOONEST <= value <= LATEST:
        limits = {"least": SOONEST, "most": LATEST}
        raise InvalidInput(_("This must be a number from %(least)s to %(most)s.") % limits)


def _check_options(value: Any) -> None:
    try:
        text = json.dumps(value, allow_nan=False) if isinstance(value, dict) else ""
    except (ValueError, TypeError, RecursionError):
        text = ""
    if not text or len(text) > MOST_TEXT or _UNSTORABLE.search(text):
        raise InvalidInput(_("This must be a JSON object."))


def _check_signers(value: Any) -> None:
    right = isinstance(value, list) and len(value) <= MOST_SIGNERS
    if not right or not all(isinstance(dn, str) and dn.startswith("/") for dn in value):
        raise InvalidInput(_("This must be a list of names as /C=XX/O=…/CN=host."))


def _check_authorities(value: str) -> None:
    if not authorities_in(value) and value.strip():
        raise InvalidInput(_("There is no certificate (PEM) in this."))


def _check_key(value: str) -> None:
    try:
        load_pem_private_key(value.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidInput(_("This must be a private key (PEM) without a password.")) from None


_CHECKS: dict[str, Any] = {
    "name": _check_name,
    "kind": _check_kind,
    "every_seconds": _check_every,
    "options": _check_options,
    "signers": _check_signers,
    "authorities": _check_authorities,
    "decryption_key": _check_key,
}


def _check_whole(source: UsageSource) -> None:
    """What depends on several settings: the adapter has its own rules."""
    place = Place(
        address=source.address,
        since=source.created_at or now(),
        destination=source.destination,
        username=source.username,
        options=source.options,
    )
    try:
        adapter_of(source.kind).check(place)
    except InvalidInput as error:
        name = error.locator or "address"
        raise _invalid({name: [error.detail]}) from None
    except ConfigurationError as error:
        raise _invalid({"kind": [error.detail]}) from None
    # A folder's messages were verified by who put them there; elsewhere somebody has to.
    if source.signed and not source.authorities.strip() and source.kind != FOLDER:
        text = _("Without authorities no signature can be verified.")
        raise _invalid({"authorities": [text]})


def _invalid(errors: dict[str, list[str]]) -> InvalidInput:
    first = next(iter(errors))
    return InvalidInput(errors[first][0], locator=first, errors=errors)
