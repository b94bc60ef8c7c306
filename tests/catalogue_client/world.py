"""A small catalogue for tests: people, and records as jobs hand them over."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from catalogue_client.records import RasterInfo, ResultOutput, ResultRecord
from people.models import Group, User
from tests.factories import make_group, make_user

FINISHED = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)
EXECUTE = (
    '<wps:Execute xmlns:ows="http://www.opengis.net/ows/1.1" '
    'xmlns:wps="http://www.opengis.net/wps/1.0.0" service="WPS" version="1.0.0">'
    "<ows:Identifier>centre.ndvi</ows:Identifier></wps:Execute>"
)
RASTER = RasterInfo(
    bbox=(14.1, 40.7, 14.5, 41.0),
    footprint={
        "type": "Polygon",
        "coordinates": [[[14.1, 41.0], [14.12, 40.7], [14.5, 40.71], [14.48, 41.0], [14.1, 41.0]]],
    },
    crs="EPSG:32633",
    width=400,
    height=300,
    bands=1,
    dtype="float32",
    nodata="nan",
    transform=(100.0, 0.0, 430000.0, 0.0, -100.0, 4540000.0),
    cloud_optimised=True,
)
OUTPUTS = (
    ResultOutput(
        "result", "Index", "reference", "image/tiff", "/jobs/x/outputs/1", 123456, "ab" * 32,
        preview_href="/jobs/x/outputs/1/preview", raster=RASTER,
    ),
    ResultOutput("quicklook", "Picture", "reference", "image/png", "/jobs/x/outputs/2", 4096),
    ResultOutput("result", "Second", "complex", "application/geo+json", "/jobs/x/outputs/3", 77),
    ResultOutput("mean", "Mean", "literal", "", "", value="0.42"),
)  # fmt: skip


def record(owner: User, **changes: Any) -> ResultRecord:
    values: dict[str, Any] = {
        "job_id": uuid.uuid4(),
        "title": "Greenness <of> Naples & surroundings",
        "process": "centre.ndvi",
        "owner_id": owner.pk,
        "finished_at": FINISHED,
        "outputs": OUTPUTS,
        "process_title": "Vegetation index",
        "process_version": "1.0",
        "provider": "Centre",
        "application": "urban",
        "description": "What grows",
        "execute_request": EXECUTE,
        "job_href": "/jobs/x/",
    }
    return ResultRecord(**{**values, **changes})


def scene(identifier: str, **changes: Any) -> dict[str, Any]:
    """A STAC document as a seed has it."""
    west = changes.pop("west", 14.0)
    properties = {"title": identifier, "datetime": "2025-07-01T10:00:00Z", **changes}
    ring = [[west, 40], [west + 1, 40], [west + 1, 41], [west, 41], [west, 40]]
    return {
        "id": identifier,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": properties,
        "links": [{"rel": "self", "href": "https://elsewhere.example/"}],
        "assets": {
            "red": {"href": "/static/demo/red.tif", "type": "image/tiff", "roles": ["data"]},
            "quicklook": {
                "href": "/static/demo/q.png",
                "type": "image/png",
                "roles": ["thumbnail"],
            },
        },
    }


class People:
    """Everybody who may look: a name for each way to stand to an item."""

    def __init__(self) -> None:
        self.owner = make_user()
        self.member = make_user()
        self.stranger = make_user()
        self.operator = make_user(is_staff=True)
        self.gone = make_user(is_active=False)
        self.group: Group = make_group(admin=self.owner, members=(self.member,))

    def all(self) -> dict[str, User | None]:
        return {
            "owner": self.owner,
            "member": self.member,
            "stranger": self.stranger,
            "operator": self.operator,
            "anonymous": None,
        }
