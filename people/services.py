"""Writes about people: API keys, groups and their members."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import structlog
from django.db import transaction
from django.utils.text import slugify

from common.clock import now
from common.errors import Conflict, InvalidInput, NotFound
from people.models import ApiKey, Group, Membership, Role, Scope, User
from people.tokens import new_key_text

log = structlog.get_logger(__name__)

MOST_KEYS = 50
SLUG_LENGTH = 50
LONGEST_KEY_NAME = 100
LONGEST_GROUP_NAME = 200


def create_api_key(
    *, user: User, name: str, scopes: Iterable[str], expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key and its text, which is shown this once and cannot be had again.

    Raises InvalidInput for an empty name, unknown or no scopes, or an expiry that is past;
    Conflict when the user has MOST_KEYS keys already.
    """
    name, wanted = name.strip(), sorted(set(scopes))
    if not name or len(name) > LONGEST_KEY_NAME:
        raise InvalidInput("Give the key a name of at most 100 characters.", locator="name")
    if not wanted or not set(wanted) <= set(Scope.values):
        raise InvalidInput(f"Choose from {', '.join(Scope.values)}.", locator="scopes")
    if expires_at is not None and expires_at <= now():
        raise InvalidInput("The expiry must lie in the future.", locator="expires_at")
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # so that the count below stays true
        if user.api_keys.filter(revoked_at=None).count() >= MOST_KEYS:
            raise Conflict(f"You have {MOST_KEYS} keys; revoke one first.")
        text, prefix, secret_hash = new_key_text()
        key = ApiKey.objects.create(
            user=user,
            name=name,
            prefix=prefix,
            secret_hash=secret_hash,
            scopes=wanted,
            expires_at=expires_at,
        )
    log.info("api_key_created", user=user.pk, key=prefix, scopes=wanted)
    return key, text


def revoke_api_key(*, user: User, key_id: int) -> ApiKey:
    """End one of the user's keys for ever. Raises NotFound; a revoked key stays as it is."""
    key = user.api_keys.filter(pk=key_id).first()
    if key is None:
        raise NotFound
    if key.revoked_at is None:
        key.revoked_at = now()
        key.save(update_fields=["revoked_at"])
        log.info("api_key_revoked", user=user.pk, key=key.prefix)
    return key


@transaction.atomic
def create_group(*, actor: User, name: str, slug: str = "", description: str = "") -> Group:
    """A group with the actor as its administrator; without a slug one is made of the name.

    Raises InvalidInput for a name or slug that cannot be used, Conflict for a slug that is taken.
    """
    name = name.strip()
    # Unprintable ones could turn what stands beside the name.
    if not name or len(name) > LONGEST_GROUP_NAME or not name.isprintable():
        raise InvalidInput(
            "Give the group a name of at most 200 characters that can be read.", locator="name"
        )
    slug = slug or slugify(name)[:SLUG_LENGTH].strip("-")
    if not slug or slug != slugify(slug) or len(slug) > SLUG_LENGTH:
        raise InvalidInput("Use small letters, digits and hyphens.", locator="slug")
    group, created = Group.objects.get_or_create(
        slug=slug, defaults={"name": name, "description": description}
    )
    if not created:
        raise Conflict("There is a group of this name already; choose another.")
    Membership.objects.create(group=group, user=actor, role=Role.ADMIN)
    log.info("group_created", group=group.slug, actor=actor.pk)
    return group


@transaction.atomic
def add_member(*, actor: User, group: Group, user: User, role: str = Role.MEMBER) -> Membership:
    """Take a user into the group. Raises Conflict for a member, InvalidInput for a wrong role."""
    _check_role(role)
    added, created = Membership.objects.get_or_create(
        group=group, user=user, defaults={"role": role}
    )
    if not created:
        raise Conflict("This user is a member already.")
    log.info("member_added", group=group.slug, member=user.pk, role=role, actor=actor.pk)
    return added


@transaction.atomic
def change_role(*, actor: User, group: Group, user: User, role: str) -> Membership:
    """Give a member another role. Raises NotFound, and Conflict for the last administrator."""
    _check_role(role)
    changed = _lock_member(group, user)
    if role != Role.ADMIN:
        _keep_one_admin(changed)
    changed.role = role
    changed.save(update_fields=["role"])
    log.info("role_changed", group=group.slug, member=user.pk, role=role, actor=actor.pk)
    return changed


@transaction.atomic
def remove_member(*, actor: User, group: Group, user: User) -> None:
    """End a membership. Raises NotFound, and Conflict for the last administrator."""
    leaving = _lock_member(group, user)
    _keep_one_admin(leaving)
    leaving.delete()
    log.info("member_removed", group=group.slug, member=user.pk, actor=actor.pk)


def _check_role(role: str) -> None:
    if role not in Role.values:
        raise InvalidInput(f"Choose from {', '.join(Role.values)}.", locator="role")


def _lock_member(group: Group, user: User) -> Membership:
    """The membership, with the group locked: two administrators must not both leave at once."""
    Group.objects.select_for_update().get(pk=group.pk)
    found = Membership.objects.filter(group=group, user=user).first()
    if found is None:
        raise NotFound("This user is not a member.")
    return found


def _keep_one_admin(leaving: Membership) -> None:
    admins = Membership.objects.filter(group=leaving.group, role=Role.ADMIN)
    if leaving.role == Role.ADMIN and not admins.exclude(pk=leaving.pk).exists():
        raise Conflict("A group needs an administrator: make another member one first.")
