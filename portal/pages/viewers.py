"""Entries in viewers: the buttons beside an entry, and the portal's own full-size map."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from csp.constants import HEADER as POLICY
from csp.utils import build_policy
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from catalogue_client.access import item_for
from catalogue_client.models import Item
from catalogue_client.viewers.access import viewer_for
from catalogue_client.viewers.selectors import View, views_of
from jobs import viewing
from portal.pages.results import MOST_ON_MAP
from portal.pages.scenes import entry_address

if TYPE_CHECKING:
    from people.models import User

_VECTOR = ("application/geo+json", "application/vnd.geo+json")
_PICTURES = ("image/png", "image/jpeg", "image/webp")
_OUTPUT = re.compile(r"/jobs/[0-9a-f-]{36}/outputs/\d+")


@login_required
@require_POST
def ask(request: HttpRequest, collection: str, identifier: str) -> HttpResponse:
    """Have a file (`asset`) of the entry shown in a viewer (`viewer`), and go back (`next`)."""
    user = cast("User", request.user)
    item = item_for(user, collection, identifier)
    viewer = viewer_for(user, request.POST.get("viewer", ""))
    viewing.ask(actor=user, viewer=viewer, item=item, asset=request.POST.get("asset", ""))
    label = {"label": viewer.label}
    messages.success(request, _("It is sent to %(label)s. The button opens it soon.") % label)
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/")
    return redirect(back if safe else entry_address(item))


@login_required
@require_safe
def buttons(request: HttpRequest, collection: str, identifier: str) -> HttpResponse:
    """The buttons of one entry, asked again while something is on its way."""
    user = cast("User", request.user)
    item = item_for(user, collection, identifier)
    brief = request.GET.get("brief") == "1"
    views = viewer_buttons(user, [item], brief=brief).get(item.pk, [])
    back = request.GET.get("next", "")
    context = {"item": item, "views": views, "brief": brief, "next": back}
    return render(request, "catalogue/views.html", context)


@login_required
@require_safe
def full_map(request: HttpRequest, collection: str, identifier: str) -> HttpResponse:
    """Everything of an entry that a map can draw, as large as the window."""
    user = cast("User", request.user)
    item = item_for(user, collection, identifier)
    layers = map_layers(item)
    context = {"item": item, "layers": layers, "address": entry_address(item)}
    response = render(request, "catalogue/map.html", context)
    origins = {_origin(layer["url"]) for layer in layers if layer["type"] == "wms"}
    if origins:
        # Pictures of these map services, on this page alone.
        response.headers[POLICY] = build_policy(update={"img-src": sorted(origins)})
    return response


def viewer_buttons(user: User, items: Sequence[Item], *, brief: bool) -> dict[int, list[View]]:
    """By item: what can be opened or sent, none for who has not signed in. `brief`: one button for
    each viewer."""
    found = views_of(user, items) if user.is_authenticated else {}
    if not brief:
        return found
    short = {}
    for pk, views in found.items():
        best: dict[int, View] = {}
        for view in sorted(views, key=lambda v: (not v.url, not v.busy)):
            best.setdefault(view.viewer.pk, view)
        short[pk] = list(best.values())
    return short


def map_layers(item: Item) -> list[dict[str, Any]]:
    """From below to above: pictures, map services, vectors; else the outline."""
    assets = item.document["assets"]
    above = [layer for key in assets if (layer := _vector(assets, key))]
    drawn = {layer["id"] for layer in above}  # needs no picture of itself
    pictured = (key for key in assets if assets[key].get("tep:of") not in drawn)
    below = [layer for key in pictured if (layer := _picture(item, key))]
    found = below + _services(item) + above
    outline = {"type": "footprint", "id": "outline", "title": item.title, "bbox": list(item.bbox)}
    return found or [outline]


def _picture(item: Item, key: str) -> dict[str, Any] | None:
    """A preview of an asset, drawn where that asset lies."""
    assets = item.document["assets"]
    asset = assets[key]
    roles = set(asset.get("roles") or ())
    if not {"thumbnail", "overview"} & roles or asset.get("type") not in _PICTURES:
        return None
    data = assets.get(asset.get("tep:of", ""), {})
    west, south, east, north = data.get("tep:bbox") or item.bbox
    if not asset["href"].startswith("/") or west > east:
        return None
    title = str(data.get("title") or asset.get("title") or key)
    box = [west, south, east, north]
    return {"type": "image", "id": key, "title": title, "url": asset["href"], "bbox": box}


def _vector(assets: dict[str, Any], key: str) -> dict[str, Any] | None:
    asset = assets[key]
    kind = str(asset.get("type", "")).split(";")[0].strip().lower()
    size = asset.get("file:size")
    small = isinstance(size, int) and size <= MOST_ON_MAP
    if kind not in _VECTOR or not small or not _OUTPUT.fullmatch(asset["href"]):
        return None
    title = str(asset.get("title") or key)
    return {"type": "geojson", "id": key, "title": title, "url": asset["href"]}


def _services(item: Item) -> list[dict[str, Any]]:
    """The map services that viewers opened for the entry, or that an entry of the installation
    names: browsers are sent there, which is not for any user to decide."""
    links = [link for one in item.attached.values() for link in one["links"]]
    links += item.document["links"] if item.owner_id is None else []
    return [
        {
            "type": "wms",
            "id": f"wms-{number}",
            "title": str(link.get("title") or _("Map service")),
            "url": link["href"],
            "layers": ",".join(str(name) for name in link.get("wms:layers") or ()),
            "bbox": list(item.bbox),
        }
        for number, link in enumerate(links, start=1)
        if link["rel"] == "wms" and _origin(link["href"])
    ]


def _origin(url: str) -> str:
    """Scheme and host for the page's policy; "" for what is no plain web address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    plain = re.fullmatch(r"[A-Za-z0-9.-]+(:\d{1,5})?", parts.netloc)
    return f"{parts.scheme}://{parts.netloc}" if plain and parts.scheme in ("http", "https") else ""
