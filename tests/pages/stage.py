"""A portal in use: people, an application over a scene, jobs in several states, results."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import rasterio
from django.db import transaction
from rasterio.transform import from_bounds

from accounting.accounts import group_account
from accounting.models import Unit
from accounting.prices.price_lists import RateSpec, publish_rates
from accounting.usage.importer import import_message
from catalogue_client.services import put_collection, put_item
from jobs import lifecycle, results
from jobs.models import Due, Job
from jobs.states import State
from jobs.transitions import apply, lock, move
from jobs.usage_senders import sender_of
from providers.ports import RemoteState, RemoteStatus
from providers.process import (
    BoundingBoxDomain,
    BoundingBoxValue,
    ComplexDomain,
    ComplexValue,
    Format,
    InputDescription,
    InputValue,
    LiteralDomain,
    LiteralValue,
    OutputDescription,
    OutputValue,
    ProcessDescription,
    ValueRange,
)
from tests.factories import CREDIT, World, make_service

BOX = (13.2, 52.3, 13.7, 52.65)

NDVI = ProcessDescription(
    "ndvi",
    "Vegetation index",
    "Computes an index over an area of the scene and says how much of it is green.",
    "1.2",
    inputs=(
        InputDescription("area", BoundingBoxDomain(), "Area", "Where to compute it."),
        InputDescription(
            "threshold",
            LiteralDomain("double", ranges=(ValueRange("0", "1"),), default="0.4"),
            "Threshold",
            "From which value a cell counts as green.",
            min_occurs=0,
        ),
        InputDescription("index", LiteralDomain(allowed_values=("NDVI", "NDWI")), "Index"),
        InputDescription(
            "size", LiteralDomain("integer", default="10", uoms=("m", "km")), "Cell size"
        ),
        InputDescription("since", LiteralDomain("date"), "Since", min_occurs=0),
        InputDescription("smooth", LiteralDomain("boolean", default="true"), "Smooth"),
        InputDescription("note", LiteralDomain(), "Notes", min_occurs=0, max_occurs=3),
        InputDescription(
            "parcels",
            ComplexDomain((Format("application/geo+json"), Format("application/zip")), 5),
            "Parcels",
            "Outlines to summarise by.",
            min_occurs=0,
        ),
    ),
    outputs=(
        OutputDescription("result", ComplexDomain((Format("image/tiff"),)), "Index raster"),
        OutputDescription("parcels", ComplexDomain((Format("application/geo+json"),)), "Parcels"),
        OutputDescription("mean", LiteralDomain("double"), "Mean index"),
    ),
    store_supported=True,
    status_supported=True,
)


class Stage(World):
    """The world of the factories with a map application, a scene and a year of work."""

    def __init__(self, credits: int = 100) -> None:
        super().__init__(credits=credits, description=NDVI)
        for user, first, last in (
            (self.researcher, "Ada", "Meadow"),
            (self.admin, "Bruno", "Hill"),
            (self.provider_owner, "Chiara", "Stone"),
            (self.operator, "Dan", "Lake"),
        ):
            user.first_name, user.last_name = first, last
            user.save()
        self.group.name = "Wetland watch"
        self.group.description = "Mapping reed and open water around Berlin."
        self.group.save()
        self.account = group_account(self.group)  # follows the new name
        self.provider.name = "Baltic processing centre"
        self.provider.save()
        self.echo = make_service(self.provider)
        self.app.services.add(self.echo)
        self.app.title, self.app.summary = "Green city", "How green is the city, and where."
        self.app.help_text = "Choose an *index*.\n\n<script>alert(1)</script>"
        self.app.west, self.app.south, self.app.east, self.app.north = BOX
        self.app.collections = ["scenes"]
        self.app.save()
        publish_rates(
            actor=self.provider_owner,
            provider_id=self.provider.pk,
            rates={
                (self.service.pk, Unit.JOB): RateSpec(price=2 * CREDIT),
                (self.service.pk, Unit.WALL_HOUR): RateSpec(price=6 * CREDIT),
            },
        )
        self._publish_scene()

    def values(self, **changes: str) -> tuple[InputValue, ...]:
        west, south, east, north = BOX
        return (
            BoundingBoxValue("area", (west, south), (east, north), "urn:ogc:def:crs:OGC:1.3:CRS84"),
            LiteralValue("threshold", changes.get("threshold", "0.4")),
            LiteralValue("index", changes.get("index", "NDVI")),
            LiteralValue("size", "10", uom="m"),
        )

    def job(self, title: str = "", **changes: str) -> Job:
        """A submitted job."""
        return lifecycle.submit(
            actor=self.researcher,
            service=self.service,
            inputs=self.values(**changes),
            account=self.account,
            application=self.app,
            door="web",
            title=title,
        )

    def running(self, title: str = "Reed belt, spring", percent: int | None = 40) -> Job:
        job = self.job(title, threshold="0.5")
        self.sent(job)
        return self.told(job, RemoteState.RUNNING, percent=percent, message="Reading the bands")

    def failed(self, title: str = "Reed belt, autumn") -> Job:
        job = self.job(title, threshold="0.6")
        self.sent(job)
        return self.told(job, RemoteState.FAILED, error="No cloud-free cells in <area>.")

    def succeeded(self, title: str = "Berlin, March") -> Job:
        """A job with a raster, a vector and a number, described and published."""
        job = self.job(title)
        self.sent(job)
        self.told(job, RemoteState.RUNNING, percent=60, message="Computing")
        job = self.told(job, RemoteState.SUCCEEDED, percent=100, outputs=outputs())
        results.publish(Due.objects.get(kind="publish", subject=str(job.pk)))
        self.report_usage(job)
        job.refresh_from_db()
        return job

    def report_usage(self, job: Job, seconds: int = 30) -> None:
        """The provider's usage record of the job, in APEL's words."""
        body = (
            "APEL-individual-job-message: v0.3\n"
            f"Site: {self.provider.usage_site}\nSubmitHost: wps\nLocalJobId: {job.pk}\n"
            f"WallDuration: {seconds}\nCpuDuration: 20\nProcessors: 1\n"
            f"StartTime: 1767225600\nEndTime: {1767225600 + seconds}\n%%\n"
        )
        import_message(body.encode(), source="test", sender=sender_of(self.provider))

    @staticmethod
    def sent(job: Job) -> None:
        with transaction.atomic():
            move(lock(job.pk), State.SUBMITTING, actor="worker")

    @staticmethod
    def told(job: Job, state: RemoteState, **said: Any) -> Job:
        word = {"scheme": "wps", "word": "Process", "remote_id": f"remote-{job.pk}"}
        return apply(job.pk, RemoteStatus(state, handle="h", **word, **said), actor="worker")

    def _publish_scene(self) -> None:
        west, south, east, north = BOX
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        collection = put_collection(
            document={"id": "scenes", "title": "Scenes", "description": "Optical scenes."}
        )
        put_item(
            collection=collection,
            document={
                "type": "Feature",
                "id": "scene-1",
                "geometry": {"type": "Polygon", "coordinates": [ring]},
                "properties": {
                    "title": "Scene of 2 March",
                    "datetime": "2026-03-02T10:15:00Z",
                    "eo:cloud_cover": 3,
                },
                "assets": {
                    "data": {
                        "href": "https://data.example.org/scene.tif",
                        "title": "Bands",
                        "type": "image/tiff; application=geotiff",
                        "roles": ["data"],
                    },
                    "thumbnail": {
                        "href": "/static/drf_spectacular_sidecar/swagger-ui-dist/favicon-32x32.png",
                        "type": "image/png",
                        "roles": ["thumbnail"],
                    },
                },
                "links": [],
            },
        )


def outputs() -> tuple[OutputValue, ...]:
    square = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"name": "Park"},
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [
                        [[13.3, 52.4], [13.45, 52.4], [13.45, 52.5], [13.3, 52.5], [13.3, 52.4]]
                    ],
                },
            }
        ],
    }
    raster = base64.b64encode(_geotiff()).decode()
    return (
        OutputValue(ComplexValue("result", raster, "image/tiff", "base64"), title="Index raster"),
        OutputValue(ComplexValue("parcels", json.dumps(square), "application/geo+json")),
        OutputValue(LiteralValue("mean", "0.42", "double"), title="Mean index"),
    )


def _geotiff() -> bytes:
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:128, 0:160] / 24
    cells = ((np.sin(x) * np.cos(y) + rng.normal(0, 0.1, (128, 160)) + 1) * 100).astype("uint8")
    file = io.BytesIO()
    with rasterio.open(
        file, "w", driver="GTiff", width=160, height=128, count=1, dtype="uint8",
        crs="EPSG:4326", transform=from_bounds(*BOX, 160, 128),
    ) as dataset:  # fmt: skip
        dataset.write(cells, 1)
    return file.getvalue()
