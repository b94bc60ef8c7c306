"""What can be seen of entries, and where: for the buttons beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from catalogue_client.models import Item, Viewer, ViewState, Visualisation
from catalogue_client.viewers.access import may_send, usable_viewers
from catalogue_client.viewers.registry import adapter_of
from common.errors import ConfigurationError
from people.models import User

_OUTPUT = re.compile(r"/jobs/([0-9a-f-]{36})/outputs/(\d{1,6})")
BUSY = (ViewState.QUEUED, ViewState.SENDING, ViewState.WORKING)


@dataclass(frozen=True, slots=True)
class View:
    """A file of an entry and a viewer that can show it.

    `url` is set when it is there to be seen; `may_send` if the user may have it sent there.
    """

    viewer: Viewer
    item: Item
    asset: str
    title: str
    state: str
    url: str
    error: str
    may_send: bool

    @property
    def busy(self) -> bool:
        return self.state in BUSY


@dataclass(frozen=True, slots=True)
class Sendable:
    """A file of an entry that the portal can send: an output of a job."""

    key: str
    title: str
    media_type: str
    content: str
    job_id: UUID
    number: int


def views_of(user: User, items: Sequence[Item]) -> dict[int, list[View]]:
    """By item: every file with every viewer that shows it, or could if the user asked."""
    viewers = list(usable_viewers(user)) if items else []
    if not viewers:
        return {}
    known = {
        (one.item_id, one.viewer_id, one.asset): one
        for one in Visualisation.objects.filter(item__in=items, viewer__in=viewers)
    }
    found: dict[int, list[View]] = {}
    for item in items:
        views = [
            _view(viewer, item, asset, known.get((item.pk, viewer.pk, asset.key)), user)
            for asset in sendable(item)
            for viewer in viewers
            if asset.media_type in shown_by(viewer)
        ]
        found[item.pk] = [v for v in views if v.url or v.may_send]
    return found


def sendable(item: Item) -> Iterator[Sendable]:
    """The files of an entry that are outputs of its job and have a size."""
    for key, asset in item.document["assets"].items():
        place = _OUTPUT.fullmatch(asset["href"])
        size = asset.get("file:size")
        if place is None or place[1] != str(item.job_id) or "data" not in asset.get("roles", ()):
            continue
        media_type = str(asset.get("type", "")).split(";")[0].strip().lower()
        checksum = asset.get("file:checksum")
        content = f"sha256:{checksum}" if checksum else f"{asset['href']}#{size}"
        if isinstance(size, int):
            title = str(asset.get("title") or key)
            yield Sendable(key, title, media_type, content, UUID(place[1]), int(place[2]))


def shown_by(viewer: Viewer) -> frozenset[str]:
    """The media types that a viewer is given."""
    if viewer.media_types:
        return frozenset(viewer.media_types)
    try:
        return frozenset(adapter_of(viewer.adapter).MEDIA_TYPES)
    except ConfigurationError:  # its package is not installed any more
        return frozenset()


def _view(
    viewer: Viewer, item: Item, asset: Sendable, known: Visualisation | None, user: User
) -> View:
    current = known if known and known.content == asset.content else None
    return View(
        viewer=viewer,
        item=item,
        asset=asset.key,
        title=asset.title,
        state=current.state if current else "",
        url=current.url if current and current.state == ViewState.READY else "",
        error=current.error if current else "",
        may_send=may_send(user, item),
    )
