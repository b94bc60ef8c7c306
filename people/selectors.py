"""Reading about people."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from common.errors import NotFound
from people.models import ApiKey, Group, Membership, User


def groups_of(user: User) -> QuerySet[Group]:
    """The groups that the user is a member of."""
    return Group.objects.filter(memberships__user=user)


def members_of(group: Group) -> QuerySet[Membership]:
    """The members with their roles, by user name."""
    return group.memberships.select_related("user")


def keys_of(user: User) -> QuerySet[ApiKey]:
    """The user's API keys that are not revoked, newest first."""
    return user.api_keys.filter(revoked_at=None)


def find_user(name: str) -> User:
    """The active user of that user name or e-mail address; raises NotFound.

    For adding somebody to a group: whoever asks must know the exact name.
    """
    if "\x00" in name:  # PostgreSQL fails on it
        raise NotFound("There is no user of this name.")
    found = User.objects.filter(Q(username=name) | Q(email__iexact=name), is_active=True)[:2]
    if len(found) != 1:
        raise NotFound("There is no user of this name.")
    return found[0]
