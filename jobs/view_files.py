"""An output of a job as a viewer is given it: piece by piece, and never bytes of another file."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.utils.translation import gettext as _

from catalogue_client.models import Visualisation
from catalogue_client.viewers.contract import SourceLost, Upload
from common.errors import NotFound, ProviderError, ProviderRefused
from jobs.links import signed_path
from jobs.models import JobOutput
from jobs.outputs import file_name, open_output
from people.mail import link

LONGEST_TITLE = 200


def token_of(view: Visualisation) -> str:
    """What the file is called with, so that it can be found again: letters and digits."""
    return f"tep{view.token.hex[:16]}"


def upload_of(
    view: Visualisation, output: JobOutput, *, public: bool, alive: Callable[[], bool]
) -> Upload:
    """The output for the adapter; `alive` is asked now and then while it is sent."""
    token = token_of(view)
    title = view.item.title
    asset = view.item.document["assets"].get(view.asset, {})
    if named := asset.get("title"):
        title = f"{title}: {named}"
    return Upload(
        token=token,
        name=f"{token}_{file_name(output)}",
        title=title[:LONGEST_TITLE],
        media_type=output.media_type.split(";")[0].strip().lower() or "application/octet-stream",
        size=output.size or 0,
        public=public,
        open=lambda: _pieces(output, alive),
        link=lambda: link(signed_path(output)),
    )


@contextmanager
def _pieces(output: JobOutput, alive: Callable[[], bool]) -> Iterator[Iterator[bytes]]:
    try:
        with open_output(output) as source:
            yield _checked(source.chunks, output, alive)
    except NotFound:
        raise ProviderRefused(_("The provider no longer keeps this result.")) from None


def _checked(
    chunks: Iterator[bytes], output: JobOutput, alive: Callable[[], bool]
) -> Iterator[bytes]:
    """The pieces; the last one only when all of them are what was published."""
    digest, size, held = hashlib.sha256(), 0, b""
    asked = time.monotonic()
    for chunk in _of_source(chunks):
        if held:
            yield held
        digest.update(chunk)
        size, held = size + len(chunk), chunk
        if time.monotonic() - asked > settings.DUE_LEASE_SECONDS / 4:
            asked = time.monotonic()
            if not alive():
                raise SourceLost(_("Somebody else is sending this file."))
        if size > (output.size or 0):
            break
    if size != output.size or (output.sha256 and digest.hexdigest() != output.sha256):
        raise SourceLost(_("The provider gives another file than the one that was published."))
    yield held


def _of_source(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same; what goes wrong at the source is told apart from what goes wrong at the viewer."""
    try:
        yield from chunks
    except ProviderError as error:
        raise SourceLost(error.detail) from None
