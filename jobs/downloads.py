"""An output as an HTTP answer: streamed, and harmless in a browser whatever a provider sends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.http import content_disposition_header

from jobs.archive import archive, archive_name
from jobs.models import Job, JobOutput
from jobs.outputs import file_name, open_output

# What a browser may show by itself: nothing with script in it.
SHOWN = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/webp",
        "application/json",
        "application/geo+json",
        "application/vnd.geo+json",
        "text/plain",
        "text/csv",
    }
)


def download(
    request: HttpRequest, output: JobOutput, *, to_file: bool = False
) -> StreamingHttpResponse:
    """Stream an output to somebody who may see its job; a Range is passed on.

    `to_file`: the browser keeps it and shows nothing. Raises ProviderError, NotFound before
    anything is sent.
    """
    opened = ExitStack()
    source = opened.enter_context(
        open_output(
            output,
            range_header=request.headers.get("Range", ""),
            if_range=request.headers.get("If-Range", ""),
        )
    )
    kind = content_type(output)
    response = StreamingHttpResponse(
        _Chunks(source.chunks, opened), status=source.status, content_type=kind
    )
    for name, value in source.headers.items():
        response.headers[name.title()] = value
    attached = to_file or kind.split(";")[0] not in SHOWN
    disposition = content_disposition_header(attached, file_name(output)) or "inline"
    make_harmless(response, disposition)
    return response


def download_archive(job: Job) -> StreamingHttpResponse:
    """All outputs of a job that somebody may see, as a ZIP file that is made while it is sent."""
    response = StreamingHttpResponse(archive(job), content_type="application/zip")
    disposition = content_disposition_header(True, archive_name(job)) or "attachment"
    make_harmless(response, disposition)
    return response


def make_harmless(response: HttpResponseBase, disposition: str) -> None:
    """Whatever is in the answer runs nothing here, and stays between the user and the portal."""
    response.headers["Content-Disposition"] = disposition
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "private, max-age=300"


def open_to_all(response: HttpResponseBase) -> None:
    """The answer is the same for everybody: pages elsewhere may read it, caches keep it shortly."""
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "Accept-Ranges, Content-Range, ETag"
    response.headers["Cache-Control"] = "public, max-age=60"
    patch_vary_headers(response, ("Cookie",))


def content_type(output: JobOutput) -> str:
    """The media type to answer with: the provider's, if it is one at all."""
    if output.kind in ("literal", "bbox"):
        return "text/plain; charset=utf-8"
    bare = output.media_type.split(";")[0].strip().lower()
    plain = bare.isascii() and bare.isprintable() and " " not in bare and bare.count("/") == 1
    return bare if plain else "application/octet-stream"


class _Chunks:
    """The bytes, closing their source also when nobody reads them (HEAD, a reader who left)."""

    def __init__(self, chunks: Iterator[bytes], opened: ExitStack) -> None:
        self._chunks = chunks
        self._opened = opened

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        """Called by the server when the answer is over."""
        self._opened.close()
