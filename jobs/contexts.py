"""A job as an OWS Context document: what it has given so far, and how to run it again."""

from __future__ import annotations

import html
from collections.abc import Iterator

from catalogue_client import geometry as geo
from catalogue_client import offerings
from catalogue_client.owc import (
    Author,
    Category,
    Context,
    Generator,
    Link,
    Offering,
    Resource,
    Text,
)
from catalogue_client.owc.checks import is_writable
from catalogue_client.owc.codes import CORE
from catalogue_client.records import ResultOutput, ResultRecord
from catalogue_client.resources import PORTAL
from catalogue_client.stac import instant_text
from jobs.models import Job
from jobs.result_records import record_of

STATE = "/spec/owc/1.0/req/atom/job-state"  # a scheme of the portal's own; its address in front


def context_of(job: Job, base: str) -> Context:
    """The job, whatever has become of it; all addresses are the portal's, which is at `base`.

    A resource for each output, then its processing, with the WPS Execute that runs it again.
    """
    record = record_of(job)
    whole = _Whole(job, record, base)
    page = Link("alternate", f"{base}/jobs/{job.pk}/", "text/html", whole.title)
    area = geo.polygon(record.bbox) if record.bbox else None
    return Context(
        id=f"{whole.here}/",
        title=Text(whole.title),
        updated=whole.updated,
        subtitle=Text(record.process_title) if record.process_title else None,
        authors=(Author(record.provider or PORTAL),),
        publisher=PORTAL,
        generator=Generator(PORTAL, f"{base}/"),
        area=area,
        links=(Link("profile", CORE), page),
        categories=(Category(job.state, f"{base}{STATE}", str(job.get_state_display())),),
        resources=(*(whole.output(one) for one in record.outputs), whole.processing()),
    )


class _Whole:
    """What the resources of a job share."""

    def __init__(self, job: Job, record: ResultRecord, base: str) -> None:
        self.record = record
        self.base = base
        self.here = f"{base}/owc/jobs/{job.pk}"
        self.title = record.title or record.process_title or record.process
        moments = (job.created_at, job.started_at, job.checked_at, job.finished_at)
        self.updated = instant_text(max(moment for moment in moments if moment))

    def output(self, output: ResultOutput) -> Resource:
        """An output: its file, its picture, or its value."""
        title = output.title or output.identifier
        text = f"{title}: {output.value}" if output.value else title
        number = output.href.rpartition("/")[2]
        box = output.raster.bbox if output.raster else output.bbox
        asset = {"href": f"{self.base}{output.href}", "type": output.media_type}
        return self._resource(
            f"output-{number}",
            title,
            text,
            folder="data",
            bbox=box,
            links=tuple(self._links(output, title)),
            offerings=offerings.of_files([asset]),
        )

    def processing(self) -> Resource:
        """How to run it once more."""
        record = self.record
        title = record.process_title or record.process
        service = f"{self.base}{record.wps_href}"
        return self._resource(
            "processing",
            f"Processing: {record.process}",
            record.description or title,
            folder="processing",
            offerings=(offerings.of_processes(service, record.process, record.execute_request),),
        )

    def _links(self, output: ResultOutput, title: str) -> Iterator[Link]:
        href = f"{self.base}{output.href}"
        link = Link("enclosure", href, output.media_type, title, length=output.size)
        yield link if is_writable(link) else Link("enclosure", href, title=title)
        if output.preview_href:
            yield Link("icon", f"{self.base}{output.preview_href}", "image/png", title)

    def _resource(
        self,
        key: str,
        title: str,
        text: str,
        *,
        folder: str,
        bbox: geo.Box | None = None,
        links: tuple[Link, ...] = (),
        offerings: tuple[Offering, ...] = (),
    ) -> Resource:
        return Resource(
            id=f"{self.here}/#{key}",
            title=Text(title),
            updated=self.updated,
            abstract=Text(f"<p>{html.escape(text)}</p>", "html"),
            publisher=PORTAL,
            geometry=geo.polygon(bbox) if bbox else None,
            folder=folder,
            links=links,
            offerings=offerings,
        )
