"""What the values of a provider's settings may be: one small checker for each kind of value."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from django.utils.translation import gettext as _

from common.errors import InvalidInput
from common.xml import text_ok
from providers.models import Provider

Setter = Callable[[Provider, object], None]

MOST_LINE = 200
MOST_HOSTS = 50
MOST_PROPERTIES = 50
MOST_PROPERTY = 1000

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:\d{1,5})?", re.IGNORECASE)


def text(field: str, value: object, *, most: int = MOST_LINE) -> str:
    """Text without what a database or a document cannot hold. Raises InvalidInput on `field`."""
    stripped = str(value).strip()
    if len(stripped) > most or not text_ok(stripped):
        raise InvalidInput(
            _("This must be text of at most %(most)s characters.") % {"most": most}, locator=field
        )
    return stripped


def line(field: str, value: object) -> str:
    """A line of text that may not be empty."""
    found = text(field, value)
    if not found:
        raise InvalidInput(_("A value is required."), locator=field, missing=True)
    return found


def username(value: object) -> str:
    """A user name for HTTP Basic, which has no colon."""
    found = text("username", value)
    if ":" in found:
        raise InvalidInput(_("A user name cannot have a colon."), locator="username")
    return found


def text_setter(field: str, *, required: bool = False, most: int = MOST_LINE) -> Setter:
    def put(provider: Provider, value: object) -> None:
        found = line(field, value) if required else text(field, value, most=most)
        setattr(provider, field, found)

    return put


def number_setter(field: str, most: int, least: int = 0, *, or_zero: bool = False) -> Setter:
    """`or_zero`: 0 has a meaning of its own below `least`."""

    def put(provider: Provider, value: object) -> None:
        zero = or_zero and value == 0
        if (
            not isinstance(value, int)
            or isinstance(value, bool)
            or not (least <= value <= most or zero)
        ):
            words = {"least": least, "most": most}
            if or_zero:
                told = _("This must be 0, or a whole number from %(least)s to %(most)s.") % words
            else:
                told = _("This must be a whole number from %(least)s to %(most)s.") % words
            raise InvalidInput(told)
        setattr(provider, field, value)

    return put


def switch_setter(field: str) -> Setter:
    def put(provider: Provider, value: object) -> None:
        if not isinstance(value, bool):
            raise InvalidInput(_("This must be true or false."))
        setattr(provider, field, value)

    return put


def choice_setter(field: str, known: Callable[[], Collection[str]]) -> Setter:
    def put(provider: Provider, value: object) -> None:
        if value not in known():
            words = {"known": ", ".join(known())}
            raise InvalidInput(_("This must be one of %(known)s.") % words, locator=field)
        setattr(provider, field, value)

    return put


def hosts_setter(field: str) -> Setter:
    def put(provider: Provider, value: object) -> None:
        hosts = [str(one).strip().lower() for one in value] if isinstance(value, list) else []
        if not isinstance(value, list) or not all(_HOST.fullmatch(one) for one in hosts):
            raise InvalidInput(_("This must be a list of host names, each with a port or without."))
        if len(hosts) > MOST_HOSTS:
            raise InvalidInput(_("These are more than %(most)s.") % {"most": MOST_HOSTS})
        setattr(provider, field, list(dict.fromkeys(hosts)))

    return put


def set_properties(provider: Provider, value: object) -> None:
    """Custom properties: name → text; they replace those that were there."""
    if not isinstance(value, dict):
        raise InvalidInput(_("This must be names with their texts."))
    if len(value) > MOST_PROPERTIES:
        raise InvalidInput(_("These are more than %(most)s.") % {"most": MOST_PROPERTIES})
    provider.properties = {
        line("properties", name): text("properties", told, most=MOST_PROPERTY)
        for name, told in value.items()
    }
