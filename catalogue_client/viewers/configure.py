"""Setting up viewers: what may stand in them. Only operators do: results go there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalogue_client.models import Viewer
from catalogue_client.owc.codes import STANDARD
from catalogue_client.viewers.access import must_operate
from catalogue_client.viewers.contract import Place
from catalogue_client.viewers.registry import adapter_of, adapters
from common.crypto import decrypt, encrypt
from common.errors import ConfigurationError, Conflict, InvalidInput
from common.xml import text_ok
from people.models import Group, User

MOST_TYPES = 50
MOST_OPTIONS = 5000
_TEXTS = {"code": 40, "label": 60, "adapter": 20, "address": 1000, "username": 200, "secret": 10000}
_CODE = re.compile(r"[a-z0-9][a-z0-9-]*")
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+")
# Another place must not be given what was meant for this one.
_PLACE = ("adapter", "address")


@transaction.atomic
def save_viewer(
    actor: User, viewer: Viewer, changes: Mapping[str, Any], groups: list[Group] | None = None
) -> Viewer:
    """Check the changes, set them on the (new or stored) viewer, and save it.

    `secret` is given readable and stored encrypted; a viewer that moves to another address forgets
    it. `groups`: who may use it, none for everybody. Raises Forbidden for anybody but operators,
    and InvalidInput with every fault by field.
    """
    must_operate(actor)
    errors = {name: text for name, value in changes.items() if (text := _fault(name, value))}
    used = viewer.pk and viewer.visualisations.exists()
    if used and changes.get("code", viewer.code) != viewer.code:
        errors["code"] = _("Entries name this viewer by its code: it stays.")
    other = Viewer.objects.filter(code=changes.get("code", viewer.code)).exclude(pk=viewer.pk)
    if other.exists():
        errors["code"] = _("There is a viewer of this code already.")
    if errors:
        raise _invalid(errors)
    if any(name in changes and changes[name] != getattr(viewer, name) for name in _PLACE):
        viewer.secret = ""
    for name, value in changes.items():
        setattr(viewer, name, encrypt(value) if name == "secret" and value else value)
    _check_whole(viewer)
    viewer.save()
    if groups is not None:
        viewer.groups.set(groups)
    return viewer


def delete_viewer(actor: User, viewer: Viewer) -> None:
    """Forget a viewer that shows nothing. Raises Conflict for one that does."""
    must_operate(actor)
    if viewer.visualisations.exists():
        raise Conflict(_("Entries are shown in this viewer. Switch it off instead."))
    viewer.delete()


def place_of(viewer: Viewer) -> Place:
    """Where a viewer is, with its secret. Raises ConfigurationError if that cannot be read."""
    secret = decrypt(viewer.secret) if viewer.secret else ""
    return Place(viewer.address, viewer.username, secret, viewer.options)


def _fault(name: str, value: Any) -> str:
    """What is wrong with a value; "" if nothing is."""
    if name in _TEXTS:
        most = _TEXTS[name]
        if not isinstance(value, str) or len(value) > most or not text_ok(value):
            return _("This must be text of at most %(most)s characters.") % {"most": most}
        if not value.strip() and name not in ("username", "secret"):
            return _("A value is required.")
    if name not in _RULES:
        return "" if name in _TEXTS else _("There is no such setting.")
    right, text = _RULES[name]
    return "" if right(value) else str(text)


def _is_code(value: Any) -> bool:
    return bool(_CODE.fullmatch(value)) and value not in (*STANDARD, "core", "map")


def _are_types(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MOST_TYPES
        and all(isinstance(one, str) and _MEDIA_TYPE.fullmatch(one) for one in value)
    )


def _is_object(value: Any) -> bool:
    try:
        text = json.dumps(value, allow_nan=False) if isinstance(value, dict) else ""
    except (ValueError, TypeError, RecursionError):
        return False
    return 0 < len(text) <= MOST_OPTIONS and not re.search(r"\\u(0000|d[89a-f])", text)


_RULES: dict[str, tuple[Callable[[Any], bool], Any]] = {
    "code": (
        _is_code,
        gettext_lazy("This must be lower-case letters, digits and dashes, no service's name."),
    ),
    "adapter": (lambda value: value in adapters(), gettext_lazy("There is no such adapter.")),
    "media_types": (
        _are_types,
        gettext_lazy("This must be a list of media types such as image/tiff."),
    ),
    "options": (_is_object, gettext_lazy("This must be a JSON object.")),
    "enabled": (lambda value: isinstance(value, bool), gettext_lazy("This must be true or false.")),
}


def _check_whole(viewer: Viewer) -> None:
    """What depends on several settings: the adapter has its own rules."""
    try:
        place = Place(viewer.address, viewer.username, "", viewer.options)
        adapter_of(viewer.adapter).check(place)
    except InvalidInput as error:
        raise _invalid({error.locator or "address": error.detail}) from None
    except ConfigurationError as error:
        raise _invalid({"adapter": error.detail}) from None


def _invalid(errors: Mapping[str, str]) -> InvalidInput:
    first = next(iter(errors))
    listed = {name: [text] for name, text in errors.items()}
    return InvalidInput(errors[first], locator=first, errors=listed)
