"""What a viewer adds to an entry: offerings for OWS Context, links for STAC."""

from __future__ import annotations

from typing import Any

from catalogue_client.models import Visualisation
from catalogue_client.offerings import of_service
from catalogue_client.owc import offering_object
from catalogue_client.viewers.contract import Service

# A path of the portal's: its address is put in front when a document is written.
VIEW = "/spec/owc/1.0/req/atom/view/"


def added(view: Visualisation, url: str, services: tuple[Service, ...]) -> dict[str, Any]:
    """What `services.attach` takes."""
    label = view.viewer.label
    opened = {"code": "View", "method": "GET", "type": "text/html", "href": url}
    page = {"rel": "preview", "href": url, "type": "text/html", "title": label}
    return {
        "asset": view.asset,
        "offerings": [
            {"code": VIEW + view.viewer.code, "operations": [opened]},
            *(offering_object(of_service(one, view.item.bbox)) for one in services),
        ],
        "links": [page, *(_link(s, label) for s in services if s.kind in ("wms", "wmts"))],
    }


def name_of(view: Visualisation) -> str:
    """The name under which it is attached."""
    return f"view/{view.viewer.code}/{view.asset}"


def _link(service: Service, label: str) -> dict[str, Any]:
    layers = [service.name] if service.kind == "wms" else service.name
    return {
        "rel": service.kind,
        "href": service.address,
        "type": "image/png",
        "title": label,
        "wms:layers" if service.kind == "wms" else "wmts:layer": layers,
    }
