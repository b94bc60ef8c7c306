"""GeoNode 4 and 5: upload, wait, set who may see it, and give its page and its services.

The handle is "execution/<uuid>" while GeoNode imports, then "dataset/<pk>". With a user name and
`secret` it is asked by HTTP Basic, with `secret` alone by bearer token; the user there needs the
permission to add resources. Option `version`: 4 or 5 (the default).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from catalogue_client.viewers import web
from catalogue_client.viewers.contract import Busy, Look, Place, Service, Upload
from common.errors import ProviderNonsense, ProviderRefused

MEDIA_TYPES: tuple[str, ...] = (
    "image/tiff",
    "image/geotiff",
    "application/geo+json",
    "application/vnd.geo+json",
    "application/vnd.google-earth.kml+xml",
    "application/vnd.google-earth.kmz",
    "application/geopackage+sqlite3",
    "text/csv",
)
VERSIONS = (4, 5)
ANONYMOUS = -1
_KINDS = {"OGC:WMS": "wms", "OGC:WFS": "wfs", "OGC:WCS": "wcs", "OGC:WMTS": "wmts"}
_EXECUTION = re.compile(r"[A-Za-z0-9-]{1,64}")
_LAST_NUMBER = re.compile(r"(\d{1,18})/?$")
_NOT_YET = frozenset({"ready", "running"})


def check(place: Place) -> None:
    """A web address; which version of GeoNode it is."""
    web.check_address(place)
    web.check_options(place, {"version": int})
    if place.options.get("version", 5) not in VERSIONS:
        web.check_options(place, {})


def send(place: Place, upload: Upload) -> str:
    """Upload the file as it comes; the execution that imports it."""
    mark = f"tep-{secrets.token_hex(16)}"
    fields = {"store_spatial_files": "true", "skip_existing_layers": "false"}
    if place.options.get("version", 5) > 4:  # noqa: PLR2004 (4 has no actions)
        fields["action"] = "upload"
    head = b"".join(_field(mark, name, value) for name, value in fields.items())
    head += (
        f'--{mark}\r\nContent-Disposition: form-data; name="base_file";'
        f' filename="{upload.name}"\r\nContent-Type: {upload.media_type}\r\n\r\n'
    ).encode()
    tail = f"\r\n--{mark}--\r\n".encode()
    status, body = web.send(
        place,
        web.at(place, "api/v2/uploads/upload"),
        _whole(head, upload, tail),
        len(head) + upload.size + len(tail),
        f"multipart/form-data; boundary={mark}",
    )
    if status != 201:  # noqa: PLR2004 (HTTP)
        raise _refusal(status, body)
    found = web.object_in(body).get("execution_id")
    if not isinstance(found, str) or not _EXECUTION.fullmatch(found):
        raise ProviderNonsense(_("The viewer does not say what becomes of the upload."))
    return f"execution/{found}"


def find(place: Place, upload: Upload) -> str | None:
    """The dataset with the token in its name: GeoNode changes names, but keeps letters in them."""
    query = urlencode({"filter{alternate.icontains}": upload.token, "page_size": 2})
    answer = web.ask(place, "GET", web.at(place, f"api/v2/datasets?{query}"))
    if answer.status != 200:  # noqa: PLR2004 (HTTP)
        raise web.refused(answer)
    found = web.object_in(answer.body).get("datasets")
    if not isinstance(found, list):
        raise ProviderNonsense(_("The viewer's answer is not the JSON that it should be."))
    for one in found:
        # A server that does not know the filter answers with everything it has.
        if isinstance(one, dict) and upload.token in str(one.get("alternate", "")).lower():
            return f"dataset/{_number(one.get('pk'))}"
    return None


def look(place: Place, handle: str, upload: Upload) -> Look:
    """One step further: from the execution to the dataset, its title, its permissions, its page."""
    kind, _slash, name = handle.partition("/")
    if kind == "execution":
        return _execution(place, name)
    answer = web.ask(place, "GET", web.at(place, f"api/v2/datasets/{_number(name)}"))
    if answer.status == 404:  # noqa: PLR2004 (for some seconds after “finished”)
        return Look(handle)
    if answer.status != 200:  # noqa: PLR2004 (HTTP)
        raise web.refused(answer)
    dataset = web.object_in(answer.body).get("dataset")
    if not isinstance(dataset, dict):
        raise ProviderNonsense(_("The viewer's answer is not the JSON that it should be."))
    if not _permitted(place, name, public=upload.public):
        return Look(handle)
    if dataset.get("title") != upload.title:
        _done(web.ask(
            place, "PATCH", web.at(place, f"api/v2/datasets/{name}"), {"title": upload.title}
        ))  # fmt: skip
    return Look(handle, web.at(place, f"catalogue/#/dataset/{name}"), _services(place, dataset))


def remove(place: Place, handle: str) -> None:
    """Delete the dataset. An import that never became one leaves nothing behind."""
    kind, _slash, name = handle.partition("/")
    if kind == "dataset":
        url = web.at(place, f"api/v2/resources/{_number(name)}/delete")
        answer = web.ask(place, "DELETE", url)
        if answer.status not in (404, 410):
            _done(answer)


def _execution(place: Place, name: str) -> Look:
    answer = web.ask(place, "GET", web.at(place, f"api/v2/executionrequest/{name}"))
    if answer.status != 200:  # noqa: PLR2004 (HTTP)
        raise web.refused(answer)
    request = web.object_in(answer.body).get("request")
    if not isinstance(request, dict):
        raise ProviderNonsense(_("The viewer's answer is not the JSON that it should be."))
    if request.get("status") in _NOT_YET:
        return Look(f"execution/{name}")
    if request.get("status") != "finished":
        raise web.because(str(request.get("log") or request.get("status")))
    return Look(f"dataset/{_dataset_of(request.get('output_params'))}")


def _dataset_of(output: Any) -> int:
    """Version 5 lists resources; version 4 addresses only."""
    output = output if isinstance(output, dict) else {}
    resources = output.get("resources")
    if isinstance(resources, list) and resources and isinstance(resources[0], dict):
        return _number(resources[0].get("id"))
    pages = output.get("detail_url")
    last = _LAST_NUMBER.search(str(pages[0])) if isinstance(pages, list) and pages else None
    if last is None:
        raise ProviderRefused(_("The viewer finished, and made nothing of the file."))
    return int(last[1])


def _permitted(place: Place, pk: str, *, public: bool) -> bool:
    """Whether strangers see what they should; if not, that is asked for, and takes its time.

    The whole list is replaced, so that what is in it is sent along.
    """
    url = web.at(place, f"api/v2/resources/{pk}/permissions")
    answer = web.ask(place, "GET", url)
    if answer.status == 404:  # noqa: PLR2004 (as for the dataset)
        return False
    if answer.status != 200:  # noqa: PLR2004 (HTTP)
        raise web.refused(answer)
    present = web.object_in(answer.body)
    users = [one for one in _list(present, "users") if isinstance(one, dict)]
    seen = any(one.get("id") == ANONYMOUS and one.get("permissions") != "none" for one in users)
    if seen == public:
        return True
    others = [one for one in users if one.get("id") != ANONYMOUS]
    strangers = {"id": ANONYMOUS, "permissions": "view" if public else "none"}
    document = {
        "users": [*(_granted(one) for one in others), strangers],
        "groups": [_granted(one) for one in _list(present, "groups")],
        "organizations": [_granted(one) for one in _list(present, "organizations")],
    }
    _done(web.ask(place, "PUT", url, document))
    return False


def _granted(one: Any) -> Any:
    return {name: one.get(name) for name in ("id", "permissions")} if isinstance(one, dict) else one


def _list(document: dict[str, Any], name: str) -> list[Any]:
    found = document.get(name)
    return found if isinstance(found, list) else []


def _services(place: Place, dataset: dict[str, Any]) -> tuple[Service, ...]:
    """The services that the dataset's links name, for the layer as GeoNode calls it."""
    layer = dataset.get("alternate")
    if not isinstance(layer, str) or not layer:
        return ()
    found = {}
    for link in _list(dataset, "links"):
        kind = _KINDS.get(str(link.get("link_type"))) if isinstance(link, dict) else None
        if kind and kind not in found:
            address = web.shown_at(place, link.get("url")).partition("?")[0]
            found[kind] = Service(kind, address, layer)
    return tuple(found.values())


def _refusal(status: int, body: bytes) -> Exception:
    try:
        code = web.object_in(body).get("code")
    except ProviderNonsense:
        code = None
    if code == "upload_parallelism_limit_exceeded":
        return Busy(_("The viewer takes no more uploads at the moment."))
    return web.refusal(status, body)


def _done(answer: Any) -> None:
    if answer.status >= 300:  # noqa: PLR2004 (HTTP)
        raise web.refused(answer)


def _number(value: Any) -> int:
    text = str(value)
    if not re.fullmatch(r"\d{1,18}", text):
        raise ProviderNonsense(_("The viewer's answer is not the JSON that it should be."))
    return int(text)


def _field(mark: str, name: str, value: str) -> bytes:
    return f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def _whole(head: bytes, upload: Upload, tail: bytes) -> Iterator[bytes]:
    yield head
    with upload.open() as pieces:
        yield from pieces
    yield tail
