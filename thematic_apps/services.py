"""Writes about applications."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction

from common.errors import Forbidden
from people.access import is_operator
from thematic_apps.models import ThematicApp

if TYPE_CHECKING:
    from people.models import Group, User
    from providers.models import Service


@transaction.atomic
def save_app(
    *,
    actor: User,
    slug: str,
    fields: Mapping[str, Any],
    services: Iterable[Service],
    groups: Iterable[Group] = (),
) -> ThematicApp:
    """Create the application or change it; only its owner and operators may change one.

    `fields` are model fields; `services` and `groups` replace the present selection. Raises
    Forbidden, and django's ValidationError when a field is wrong.
    """
    app = ThematicApp.objects.filter(slug=slug).first() or ThematicApp(slug=slug, owner=actor)
    if app.owner_id != actor.pk and not is_operator(actor):
        raise Forbidden
    for name, value in fields.items():
        setattr(app, name, value)
    app.full_clean()
    app.save()
    app.services.set(services)
    app.groups.set(groups)
    return app
