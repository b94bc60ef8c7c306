"""Outputs of jobs: streamed to whoever may see the job, safe whatever is in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from common.errors import NotFound
from jobs.access import output_for
from jobs.models import JobOutput
from jobs.outputs import file_name, open_output

if TYPE_CHECKING:
    from people.models import User

# What a browser may draw in a page of ours: pictures without script in them, and data for the map.
_DRAWN = ("image/png", "image/jpeg", "application/geo+json", "application/vnd.geo+json")


@login_required
@require_safe
def output(request: HttpRequest, job_id: UUID, number: int) -> HttpResponseBase:
    """Download an output; a Range is passed on. Never shown in the portal's own pages."""
    return streamed(request, _visible(request, job_id, number), inline=False)


@login_required
@require_safe
def preview(request: HttpRequest, job_id: UUID, number: int) -> HttpResponseBase:
    """What the map and the page draw: the picture made of a raster, an image, or GeoJSON."""
    found = _visible(request, job_id, number)
    if found.preview:
        answer = FileResponse(found.preview.open("rb"), content_type="image/png")
        return _safe(answer, "inline")
    if _bare_type(found) not in _DRAWN:
        raise NotFound
    return streamed(request, found, inline=True)


def _visible(request: HttpRequest, job_id: UUID, number: int) -> JobOutput:
    return output_for(cast("User", request.user), job_id, number)


def streamed(request: HttpRequest, found: JobOutput, *, inline: bool) -> HttpResponseBase:
    opened = ExitStack()
    source = opened.enter_context(
        open_output(found, range_header="" if inline else request.headers.get("Range", ""))
    )
    answer = StreamingHttpResponse(
        _closing(opened, source.chunks),
        status=source.status,
        content_type=_content_type(found, inline=inline),
    )
    # Also when nothing is read of it, as for HEAD or a reader who left.
    answer._resource_closers.append(opened.close)  # type: ignore[attr-defined]
    for name, value in source.headers.items():
        answer.headers[name.title()] = value
    kind = "inline" if inline else "attachment"
    return _safe(answer, content_disposition_header(kind == "attachment", file_name(found)) or kind)


def _closing(opened: ExitStack, chunks: Iterator[bytes]) -> Iterator[bytes]:
    with opened:
        yield from chunks


def _safe(answer: HttpResponseBase, disposition: str) -> HttpResponseBase:
    """Whatever a provider sends runs nothing here, and stays between the user and the portal."""
    answer.headers["Content-Disposition"] = disposition
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    answer.headers["Cache-Control"] = "private, max-age=300"
    return answer


def _bare_type(found: JobOutput) -> str:
    return found.media_type.split(";")[0].strip().lower()


def _content_type(found: JobOutput, *, inline: bool) -> str:
    """The provider's media type for a download, one of ours for what is drawn."""
    bare = _bare_type(found)
    if found.kind in ("literal", "bbox"):
        return "text/plain; charset=utf-8"
    if inline:
        return bare
    plain = bare.isascii() and bare.isprintable() and "/" in bare
    return bare if plain else "application/octet-stream"
