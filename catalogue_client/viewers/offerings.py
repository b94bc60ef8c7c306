"""What a viewer adds to an entry: offerings for OWS Context, links for STAC."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from catalogue_client.models import Item, Visualisation
from catalogue_client.owc.codes import STANDARD
from catalogue_client.viewers.contract import Service

# A path of the portal's: its address is put in front when a document is written.
VIEW = "/spec/owc/1.0/req/atom/view/"
WIDTH = 768
_VERSIONS = {"wms": "1.3.0", "wmts": "1.0.0", "wfs": "2.0.0", "wcs": "2.0.1"}
_OPERATIONS = {"wms": "GetMap", "wmts": "GetTile", "wfs": "GetFeature", "wcs": "GetCoverage"}


def added(view: Visualisation, url: str, services: tuple[Service, ...]) -> dict[str, Any]:
    """What `services.attach` takes."""
    label = view.viewer.label
    opened = {"code": "View", "method": "GET", "type": "text/html", "href": url}
    page = {"rel": "preview", "href": url, "type": "text/html", "title": label}
    return {
        "asset": view.asset,
        "offerings": [
            {"code": VIEW + view.viewer.code, "operations": [opened]},
            *(_offering(service, view.item) for service in services),
        ],
        "links": [page, *(_link(s, label) for s in services if s.kind in ("wms", "wmts"))],
    }


def name_of(view: Visualisation) -> str:
    """The name under which it is attached."""
    return f"view/{view.viewer.code}/{view.asset}"


def _offering(service: Service, item: Item) -> dict[str, Any]:
    asked = {"service": service.kind.upper(), "version": _VERSIONS[service.kind]}
    known = {**asked, "request": "GetCapabilities"}
    used = {**asked, "request": _OPERATIONS[service.kind], **_parameters(service, item)}
    media_type = {"wms": "image/png", "wmts": "image/png", "wcs": "image/tiff"}
    return {
        "code": STANDARD[service.kind],
        "operations": [
            _get("GetCapabilities", service, known, "application/xml"),
            _get(
                _OPERATIONS[service.kind],
                service,
                used,
                media_type.get(service.kind, "application/gml+xml"),
            ),
        ],
    }


def _get(code: str, service: Service, asked: dict[str, str], media_type: str) -> dict[str, str]:
    href = f"{service.address}?{urlencode(asked, safe=':,/')}"
    return {"code": code, "method": "GET", "type": media_type, "href": href}


def _parameters(service: Service, item: Item) -> dict[str, str]:
    if service.kind == "wfs":
        return {"typeNames": service.name}
    if service.kind == "wcs":
        return {"coverageId": service.name}
    if service.kind == "wmts":
        return {"layer": service.name, "style": "", "format": "image/png"}
    west, south, east, north = item.bbox
    east = east + 360 if east < west else east
    height = max(1, min(2 * WIDTH, round(WIDTH * (north - south) / max(east - west, 1e-9))))
    return {
        "layers": service.name,
        "styles": "",
        "crs": "CRS:84",
        "bbox": f"{west},{south},{east},{north}",
        "width": str(WIDTH),
        "height": str(height),
        "format": "image/png",
        "transparent": "true",
    }


def _link(service: Service, label: str) -> dict[str, Any]:
    layers = [service.name] if service.kind == "wms" else service.name
    return {
        "rel": service.kind,
        "href": service.address,
        "type": "image/png",
        "title": label,
        "wms:layers" if service.kind == "wms" else "wmts:layer": layers,
    }
