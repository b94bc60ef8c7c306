"""What a thematic application shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalogue_client.models import Item
from catalogue_client.selectors import Search, search

if TYPE_CHECKING:
    from people.models import User
    from thematic_apps.models import ThematicApp

MOST_SCENES = 30


def scenes_of(user: User, app: ThematicApp) -> list[Item]:
    """The newest items of the application's collections that the user may see."""
    if not app.collections:
        return []
    query = Search(collections=tuple(app.collections), limit=MOST_SCENES)
    return search(user, query).items
