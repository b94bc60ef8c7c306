"""Outputs of a job as the pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from jobs.models import Due, Job, JobOutput
from jobs.outputs import file_name, text_of

MOST_ON_MAP = 5_000_000  # bytes of a vector file that a browser is asked to draw
_VECTOR = ("application/geo+json", "application/vnd.geo+json")


@dataclass(frozen=True, slots=True)
class Result:
    """One output: its text if it is short, its addresses in the portal, its place on the map."""

    output: JobOutput
    label: str
    text: str
    file_name: str
    download: str
    preview: str
    vector: str
    copying: bool  # the portal is making a copy of its own

    @property
    def layer_id(self) -> str:
        return f"output-{self.output.number}"

    @property
    def on_map(self) -> bool:
        return bool(self.vector or (self.preview and self.output.footprint))


def results_of(job: Job) -> list[Result]:
    """The outputs in the order of the process."""
    found = list(job.outputs.order_by("number"))
    for output in found:
        output.job = job
    files = [str(output.pk) for output in found if output.kind == "reference"]
    copying = Due.objects.filter(kind="copy", done_at=None, subject__in=files) if files else ()
    busy = {row.subject for row in copying}
    return [_result(output, copying=str(output.pk) in busy) for output in found]


def layers_of(results: list[Result]) -> list[dict[str, Any]]:
    """What the map draws, from below to above: pictures of rasters first, then vectors."""
    layers: list[dict[str, Any]] = []
    for result in sorted(results, key=lambda r: bool(r.vector)):
        named = {"id": result.layer_id, "title": result.label}
        if result.vector:
            layers.append({**named, "type": "geojson", "url": result.vector})
        elif result.on_map:
            box = result.output.footprint
            layers.append({**named, "type": "image", "url": result.preview, "bbox": box})
            layers.append(
                {**named, "id": f"{result.layer_id}-box", "type": "footprint", "bbox": box}
            )
    return layers


def _result(output: JobOutput, *, copying: bool) -> Result:
    place = {"job_id": output.job_id, "number": output.number}
    text = text_of(output)
    download = reverse("pages:output", kwargs=place)
    kind = output.media_type.split(";")[0].strip().lower()
    small = output.size is None or output.size <= MOST_ON_MAP
    picture = output.preview or kind in ("image/png", "image/jpeg")
    return Result(
        output=output,
        label=output.title or output.identifier,
        text=text,
        file_name=file_name(output),
        download=download,
        preview=reverse("pages:preview", kwargs=place) if picture else "",
        vector=download if kind in _VECTOR and small else "",
        copying=copying,
    )
