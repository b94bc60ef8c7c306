"""Who may do what with groups."""

from __future__ import annotations

from typing import Literal

from common.errors import Forbidden, NotFound
from common.prepared import Prepared
from people.models import Group, Membership, Role, User

Right = Literal["view", "manage"]


def is_operator(user: User) -> bool:
    """Operators run the portal: they see everything and approve providers."""
    return user.is_active and user.is_staff


def membership(user: User, group: Group) -> Membership | None:
    """The user's place in the group, if there is one."""
    return _PLACE.one(group.pk, user.pk)


_PLACE = Prepared(
    lambda group, user: Membership.objects.filter(group=group, user=user), *(int, int)
)


def group_for(user: User, slug: str, right: Right) -> Group:
    """The group, if the user may view it (members, operators) or manage it (administrators too).

    Raises NotFound for a group that the user may not see, Forbidden for one that may only be seen.
    """
    group = Group.objects.filter(slug=slug).first()
    if group is None:
        raise NotFound
    if is_operator(user):
        return group
    own = membership(user, group)
    if own is None:
        raise NotFound
    if right == "manage" and own.role != Role.ADMIN:
        raise Forbidden("Only the group's administrators may do this.")
    return group
