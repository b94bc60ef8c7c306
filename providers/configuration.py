"""The settings of a provider: which there are, and what they may be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _

from common.crypto import encrypt
from common.errors import AddressRefused, InvalidInput, ProviderUnreachable
from common.guard import addresses_of, target_of
from common.xml import text_ok
from providers.addresses import is_own, split_credentials
from providers.models import Provider

OPERATORS_ONLY = frozenset({"extra_hosts", "usage_queue"})
MOST_LINE = 200
MOST_NUMBER = 10**6
MOST_WAIT = 7 * 24 * 3600

# A header of our own making: none that means something to HTTP.
_HEADER = re.compile(r"(X-[A-Za-z0-9-]{1,57}|Remote-[A-Za-z0-9-]{1,52})?", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:\d{1,5})?", re.IGNORECASE)
_FORWARDED = re.compile(r"X-(Forwarded|Real|Http)-", re.IGNORECASE)


def address(url: str) -> tuple[str, str, str]:
    """A provider's URL that the portal may call, and the user and password that stood in it.

    Raises InvalidInput on field `url`. A name that cannot be resolved now may be registered.
    """
    try:
        bare, user, password = split_credentials(url.strip())
    except ValueError:
        raise InvalidInput(_("This is not a web address."), locator="url") from None
    try:
        addresses_of(target_of(bare))
    except AddressRefused as error:
        raise InvalidInput(error.detail, locator="url") from None
    except ProviderUnreachable:
        pass
    return bare, user, password


def line(field: str, value: object) -> str:
    """A line of text that may not be empty."""
    text = _text(field, value)
    if not text:
        raise InvalidInput(_("A value is required."), locator=field, missing=True)
    return text


def username(value: object) -> str:
    """A user name for HTTP Basic, which has no colon."""
    text = _text("username", value)
    if ":" in text:
        raise InvalidInput(_("A user name cannot have a colon."), locator="username")
    return text


def apply(provider: Provider, changes: Mapping[str, object]) -> bool:
    """Check and set the changes on the instance; True when it moved to another host.

    Raises InvalidInput with all faults by field.
    """
    before = target_of(provider.url).origin
    unknown = [field for field in changes if field not in _SETTERS]
    errors = {field: [_("There is no such setting.")] for field in unknown}
    # The address first: the look-up address is judged by it, and new credentials follow it.
    for field in sorted(changes.keys() - errors.keys(), key=lambda name: (name != "url", name)):
        try:
            _SETTERS[field](provider, changes[field])
        except InvalidInput as error:
            errors[field] = [error.detail]
    if errors:
        first = next(iter(errors))
        raise InvalidInput(errors[first][0], locator=first, errors=errors)
    return target_of(provider.url).origin != before


def _set_url(provider: Provider, value: object) -> None:
    before = target_of(provider.url).origin
    url, user, password = address(str(value))
    if target_of(url).origin != before:
        provider.username = provider.secret = ""
        provider.lookup_url = ""
    provider.url = url
    if user or password:
        provider.username = username(user)
        provider.secret = encrypt(password) if password else ""


def _set_password(provider: Provider, value: object) -> None:
    provider.secret = encrypt(str(value)) if value else ""


def _set_lookup_url(provider: Provider, value: object) -> None:
    url = str(value).strip()
    if url and ("{reference}" not in url or not is_own(provider.endpoint(), url)):
        raise InvalidInput(
            _("This must be an address on the provider's own host, with {reference} in it.")
        )
    provider.lookup_url = url


def _set_reference_header(provider: Provider, value: object) -> None:
    name = str(value).strip()
    if not _HEADER.fullmatch(name) or _FORWARDED.match(name):
        raise InvalidInput(_("A header name begins with X- or Remote-: letters, digits, hyphens."))
    provider.reference_header = name


def _set_extra_hosts(provider: Provider, value: object) -> None:
    hosts = [str(one).strip().lower() for one in value] if isinstance(value, list | tuple) else []
    if not isinstance(value, list | tuple) or not all(_HOST.fullmatch(one) for one in hosts):
        raise InvalidInput(_("This must be a list of host names, each with a port or without."))
    provider.extra_hosts = list(dict.fromkeys(hosts))


def _set_charge_unsuccessful(provider: Provider, value: object) -> None:
    if not isinstance(value, bool):
        raise InvalidInput(_("This must be true or false."))
    provider.charge_unsuccessful = value


def _text_setter(
    field: str, *, required: bool = False, most: int = MOST_LINE
) -> Callable[[Provider, object], None]:
    def put(provider: Provider, value: object) -> None:
        text = line(field, value) if required else _text(field, value, most=most)
        setattr(provider, field, text)

    return put


def _number_setter(field: str, most: int) -> Callable[[Provider, object], None]:
    def put(provider: Provider, value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise InvalidInput(
                _("This must be a whole number from 0 to %(most)s.") % {"most": most}
            )
        setattr(provider, field, value)

    return put


def _text(field: str, value: object, *, most: int = MOST_LINE) -> str:
    text = str(value).strip()
    if len(text) > most or not text_ok(text):
        raise InvalidInput(
            _("This must be text of at most %(most)s characters.") % {"most": most}, locator=field
        )
    return text


def _set_username(provider: Provider, value: object) -> None:
    provider.username = username(value)


_SETTERS: dict[str, Callable[[Provider, object], None]] = {
    "name": _text_setter("name", required=True),
    "description": _text_setter("description", most=10_000),
    "url": _set_url,
    "username": _set_username,
    "password": _set_password,
    "reference_header": _set_reference_header,
    "lookup_url": _set_lookup_url,
    "usage_site": _text_setter("usage_site"),
    "charge_unsuccessful": _set_charge_unsuccessful,
    "max_running_jobs": _number_setter("max_running_jobs", MOST_NUMBER),
    "retry_attempts": _number_setter("retry_attempts", MOST_NUMBER),
    "retry_wait_seconds": _number_setter("retry_wait_seconds", MOST_WAIT),
    "extra_hosts": _set_extra_hosts,
    "usage_queue": _text_setter("usage_queue", most=500),
}
