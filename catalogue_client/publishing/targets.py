"""Registering targets: who may, and what is kept of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from catalogue_client.models import Item, Publication, PublishTarget, TargetKind, Visibility
from catalogue_client.stac import IDENTIFIER
from common.crypto import encrypt
from common.errors import Conflict, Forbidden, InvalidInput, ProviderError
from common.guard import target_of
from people.access import is_operator
from people.models import Group, User

FIELDS = frozenset(
    {"name", "kind", "url", "collection", "username", "secret"}
    | {"automatic", "visibilities", "providers", "enabled"}
)
LONGEST_SECRET = 10_000


def usable_targets(user: User) -> QuerySet[PublishTarget]:
    """The targets to which the user may publish a result of their own."""
    found = PublishTarget.objects.filter(enabled=True)
    if is_operator(user):
        return found
    mine = user.memberships.values("group")
    return found.filter(Q(groups=None) | Q(groups__in=mine)).distinct()


@transaction.atomic
def save_target(
    *,
    actor: User,
    target: PublishTarget,
    changes: Mapping[str, Any],
    groups: list[Group] | None = None,
) -> PublishTarget:
    """Create or change a target. `secret` is given readable and kept encrypted.

    What is not given stays; a target that moves to another origin forgets user and secret unless
    they are given again. Raises Forbidden, InvalidInput naming the setting.
    """
    if not is_operator(actor):
        raise Forbidden(_("Only operators may set up targets."))
    unknown = set(changes) - FIELDS
    if unknown:
        raise InvalidInput(_("There is no such setting."), locator=min(unknown))
    before = _origin(target.url) if target.url else None
    for name, value in changes.items():
        setattr(target, name, encrypt(value) if name == "secret" and value else value)
    _check(target, changes)
    if before is not None and _origin(target.url) != before:
        target.secret = target.secret if changes.get("secret") else ""
        target.username = target.username if changes.get("secret") else ""
    target.last_error = ""
    target.save()
    if groups is not None:
        target.groups.set(groups)
    return target


@transaction.atomic
def delete_target(*, actor: User, target: PublishTarget) -> None:
    """Forget a target of which nothing is published any more. Raises Forbidden, Conflict."""
    if not is_operator(actor):
        raise Forbidden(_("Only operators may set up targets."))
    rows = Publication.objects.select_for_update().filter(target=target)
    if any(row.remote for row in rows):
        raise Conflict(_("Results are still published there: withdraw them first."))
    rows.delete()
    target.delete()


def goes_there_by_itself(target: PublishTarget, item: Item) -> bool:
    """Whether the target's rules name this result."""
    slug = str(item.properties.get("tep:process", "")).partition(".")[0]
    by_provider = not target.providers or slug in target.providers
    named = target.enabled and target.automatic and item.deleted_at is None
    return bool(named and by_provider and item.visibility in target.visibilities)


def _check(target: PublishTarget, changes: Mapping[str, Any]) -> None:
    same = PublishTarget.objects.filter(name=target.name).exclude(pk=target.pk)
    wrong = [
        ("name", not target.name.strip(), _("A value is required.")),
        ("name", same.exists(), _("There is a target of this name already.")),
        ("kind", target.kind not in TargetKind.values, _("There is no such kind.")),
        ("url", "?" in target.url, _("The address has no query.")),
        (
            "collection",
            target.collection and not IDENTIFIER.fullmatch(target.collection),
            _("An id is letters, digits, dots, dashes, underscores."),
        ),
        (
            "visibilities",
            not set(target.visibilities) <= set(Visibility.values),
            _("There is no such visibility."),
        ),
        (
            "visibilities",
            target.automatic and not target.visibilities,
            _("Which results go there by themselves?"),
        ),
        ("secret", len(changes.get("secret") or "") > LONGEST_SECRET, _("The secret is too long.")),
    ]
    for name, bad, text in wrong:
        if bad:
            raise InvalidInput(text, locator=name)
    try:
        _origin(target.url)
    except ProviderError as error:
        raise InvalidInput(error.detail, locator="url") from None


def _origin(url: str) -> tuple[str, str, int]:
    return target_of(url).origin
