"""Outputs of jobs: streamed to whoever may see the job or its entry, or holds a link to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from common.errors import NotAuthenticated, NotFound
from jobs.access import job_for, readable_output
from jobs.downloads import (
    content_type,
    download,
    download_archive,
    make_harmless,
    open_to_all,
)
from jobs.links import output_of
from jobs.models import JobOutput

if TYPE_CHECKING:
    from people.models import User

# What a browser may draw in a page of ours: pictures without script in them, and data for the map.
_DRAWN = ("image/png", "image/jpeg", "application/geo+json", "application/vnd.geo+json")


@require_safe
def output(request: HttpRequest, job_id: UUID, number: int) -> HttpResponseBase:
    """Download an output; a Range is passed on. Never shown in the portal's own pages."""
    found = _readable(request, job_id, number)
    return _answer(request, download(request, found, to_file=True))


@require_safe
def preview(request: HttpRequest, job_id: UUID, number: int) -> HttpResponseBase:
    """What the map and the page draw: the picture made of a raster, an image, or GeoJSON."""
    found = _readable(request, job_id, number)
    if found.preview:
        picture = FileResponse(found.preview.open("rb"), content_type="image/png")
        make_harmless(picture, "inline")
        return _answer(request, picture)
    if content_type(found) not in _DRAWN:
        raise NotFound
    return _answer(request, download(request, found))


@login_required
@require_safe
def archive(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """All outputs in one ZIP file."""
    return download_archive(job_for(cast("User", request.user), job_id, "view"))


@require_safe
def link(request: HttpRequest, token: str) -> HttpResponseBase:
    """One output for whoever holds the link: providers, which have no account here."""
    return download(request, output_of(token), to_file=True)


def _readable(request: HttpRequest, job_id: UUID, number: int) -> JobOutput:
    """Whether it is hidden or not there: who has not signed in may try that."""
    user = cast("User", request.user)
    try:
        return readable_output(user, job_id, number)
    except NotFound:
        if user.is_authenticated:
            raise
        raise NotAuthenticated from None


def _answer(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """What is given to somebody who has not signed in is everybody's."""
    if not request.user.is_authenticated:
        open_to_all(response)
    return response
