"""Who may use which viewer, and on what."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from catalogue_client.models import Item, Viewer
from common.errors import Forbidden, NotFound
from people.access import is_operator
from people.models import User
from people.selectors import groups_of


def usable_viewers(user: User) -> QuerySet[Viewer]:
    """The viewers that are switched on, for everybody or for a group of the user's."""
    viewers = Viewer.objects.filter(enabled=True)
    if is_operator(user):
        return viewers
    return viewers.filter(Q(groups=None) | Q(groups__in=groups_of(user))).distinct()


def viewer_for(user: User, code: str) -> Viewer:
    """The viewer of that code, if the user may use it. Raises NotFound."""
    found = usable_viewers(user).filter(code=code).first()
    if found is None:
        raise NotFound("There is no such viewer.")
    return found


def may_send(user: User, item: Item) -> bool:
    """Whether the user may have the entry's files sent elsewhere: its owner, and operators."""
    return item.owner_id == user.pk or is_operator(user)


def must_operate(user: User) -> None:
    """Raise Forbidden for anybody but operators."""
    if not is_operator(user):
        raise Forbidden("Only operators may set up viewers.")
