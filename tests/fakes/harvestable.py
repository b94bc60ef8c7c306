"""A small catalogue that changes: a STAC API with a filter on `updated`, in pages of two items."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.http_server import Received, Reply, ScriptedServer

STAC = "https://api.stacspec.org/v1.0.0"
CQL2 = "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json"
DAY = "2026-03-{:02d}T10:00:00Z"


def item(identifier: str, day: int = 1, **properties: Any) -> dict[str, Any]:
    """An item that was last changed on that day of March."""
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": identifier, "collection": "scenes",
        "geometry": {"type": "Point", "coordinates": [14.0, 40.0]},
        "properties": {"title": f"Scene {identifier}", "datetime": "2026-01-01T00:00:00Z",
                       "updated": DAY.format(day), **properties},
        "links": [{"rel": "self", "href": f"/items/{identifier}"}],
        "assets": {"data": {"href": f"/files/{identifier}.tif", "type": "image/tiff"}},
    }  # fmt: skip


class ChangingCatalogue(ScriptedServer):
    """`items` are what it has; kinds of requests: landing, search."""

    page = 2
    tells_changes = True
    tells_number = True
    back_to: int | None = None  # the place that follows the last page, instead of an end

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Any] = []

    @property
    def address(self) -> str:
        return f"{self.base}/stac/"

    def kind_of(self, method: str, target: str) -> str:
        del method
        return "search" if "search" in target else "landing"

    def work(self, got: Received) -> Reply:
        if got.path == "/stac/":
            extra = [f"{STAC}/item-search#filter", CQL2] if self.tells_changes else []
            search = {"rel": "search", "href": f"{self.base}/stac/search", "method": "POST"}
            return _json(
                {"type": "Catalog", "stac_version": "1.0.0", "id": "changing", "title": "Changing",
                 "description": "d", "links": [search],
                 "conformsTo": [f"{STAC}/core", f"{STAC}/item-search", *extra]}
            )  # fmt: skip
        if got.path != "/stac/search":
            return Reply(404, b"{}")
        asked = json.loads(got.body)
        since = asked["filter"]["args"][1]["timestamp"] if "filter" in asked else ""
        found = [one for one in self.items if _updated(one) >= since]
        first = int(asked.get("token", 0))
        links = []
        following = first + self.page
        if self.back_to is not None and following >= len(found):
            following = self.back_to
        if following < len(found):
            links = [{"rel": "next", "href": f"{self.base}/stac/search", "method": "POST",
                      "body": {"token": following}, "merge": True}]  # fmt: skip
        number = {"numberMatched": len(found)} if self.tells_number else {}
        return _json(
            {"type": "FeatureCollection", "features": found[first : first + self.page],
             "links": links, **number}
        )  # fmt: skip


def _updated(one: Any) -> str:
    return str(one["properties"]["updated"]) if isinstance(one, dict) and "id" in one else "9"


def _json(document: object) -> Reply:
    return Reply(200, json.dumps(document).encode(), {"Content-Type": "application/json"})
