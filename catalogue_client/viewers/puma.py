"""The integration service of PUMA: it fetches a GeoTIFF by its address, and shows it.

The viewer's address is the one that `/integration/…` is below. The handle is the service's id.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from django.utils.translation import gettext as _

from catalogue_client.viewers import web
from catalogue_client.viewers.contract import Look, Place, Upload
from common.errors import ProviderNonsense, ProviderRefused

MEDIA_TYPES: tuple[str, ...] = ("image/tiff", "image/geotiff")
LONGEST = 400
_NOT_YET = frozenset({"Started", "Processing"})


def check(place: Place) -> None:
    """A web address; there are no options."""
    web.check_address(place)
    web.check_options(place, {})


def send(place: Place, upload: Upload) -> str:
    """Name the file's address; the service fetches it by itself."""
    url = web.at(place, "integration/process")
    answer = web.ask(place, "POST", url, {"url": upload.link()})
    if answer.status != 200:  # noqa: PLR2004 (HTTP)
        raise web.refused(answer)
    found = web.object_in(answer.body).get("id")
    if not isinstance(found, str | int) or not 0 < len(str(found)) <= LONGEST:
        raise ProviderNonsense(_("The viewer does not say what becomes of the file."))
    return str(found)


def find(place: Place, upload: Upload) -> str | None:
    """The service cannot be asked what it was given."""
    del place, upload
    raise ProviderRefused(_("The viewer's answer was lost. Look there before you try again."))


def look(place: Place, handle: str, upload: Upload) -> Look:
    """What the service says of it."""
    del upload
    url = web.at(place, f"integration/status?{urlencode({'id': handle}, quote_via=quote)}")
    answer = web.ask(place, "GET", url)
    if answer.status != 200:  # noqa: PLR2004 (HTTP)
        raise web.refused(answer)
    said = web.object_in(answer.body)
    if said.get("status") in _NOT_YET:
        return Look(handle)
    if said.get("status") != "Finished":
        raise web.refused(answer)
    return Look(handle, web.shown_at(place, said.get("url")))


def remove(place: Place, handle: str) -> None:
    """The service has no way to forget what it was given."""
    del place, handle
