"""All ways in which a record can be used, as OWS Context offerings (OGC 12-080r2, clause 7).

What other catalogues say of services and files is not trusted: what no encoding could write
validly is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from catalogue_client.geometry import Box
from catalogue_client.models import Item
from catalogue_client.owc import Content, Offering, Operation, read_offering
from catalogue_client.owc.checks import is_writable
from catalogue_client.owc.codes import STANDARD
from catalogue_client.stac import absolute
from catalogue_client.viewers.contract import Service
from common.errors import InvalidInput

WIDTH = 768  # pixels of a picture of a map service
MOST_LAYERS = 50
# Media types that have an offering code of their own.
_CODES = {
    "image/tiff": "geotiff",
    "image/geotiff": "geotiff",
    "application/gml+xml": "gml",
    "application/vnd.google-earth.kml+xml": "kml",
    "application/vnd.google-earth.kmz": "kml",
}
_VERSIONS = {"wms": "1.3.0", "wmts": "1.0.0", "wfs": "2.0.0", "wcs": "2.0.1"}
_OPERATIONS = {"wms": "GetMap", "wmts": "GetTile", "wfs": "GetFeature", "wcs": "GetCoverage"}
_GIVES = {"wms": "image/png", "wmts": "image/png", "wcs": "image/tiff"}


def of_item(item: Item, document: Mapping[str, Any], base: str) -> tuple[Offering, ...]:
    """Everything that an entry of the portal offers: its files, the services and viewers that were
    added to it, and how to make it again. `document` is its STAC item."""
    attached = (one for added in item.attached.values() for one in added["offerings"])
    told = (at(read_offering(one), base) for one in (*attached, *item.offerings))
    return (*of_files(document["assets"].values()), *of_links(item, base), *told)


def of_document(document: Mapping[str, Any], box: Box | None) -> tuple[Offering, ...]:
    """What the record of another catalogue offers: files, map services (web-map-links), and what it
    says in `owc:offerings`."""
    return (
        *of_files(document["assets"].values()),
        *_map_services(document["links"], box),
        *_told(document["properties"].get("owc:offerings")),
    )


def of_files(assets: Iterable[Mapping[str, Any]]) -> tuple[Offering, ...]:
    """An offering for each file whose format has a code."""
    offered = (_file(asset) for asset in assets if _is_data(asset))
    return tuple(one for one in offered if one is not None)


def of_links(item: Item, base: str) -> tuple[Offering, ...]:
    """The map services that an entry of the portal named itself when it was written."""
    links = [
        {**link, "href": absolute(link["href"], base)}
        for link in item.document["links"]
        if link["rel"] in ("wms", "wmts")
    ]
    return _map_services(links, item.bbox)


def of_service(service: Service, box: Box | None) -> Offering:
    """A service of the OGC with a request for the data in the box."""
    asked = {"service": service.kind.upper(), "version": _VERSIONS[service.kind]}
    code = _OPERATIONS[service.kind]
    known = {**asked, "request": "GetCapabilities"}
    used = {**asked, "request": code, **_parameters(service, box)}
    gives = _GIVES.get(service.kind, "application/gml+xml")
    operations = (
        Operation("GetCapabilities", _query(service.address, known), type="application/xml"),
        Operation(code, _query(service.address, used), type=gives),
    )
    return Offering(STANDARD[service.kind], operations)


def of_processes(service: str, process: str, execute: str = "") -> Offering:
    """A process at a WPS 1.0.0; `execute` is the request to run, where there is one."""
    known = {"service": "WPS", "request": "GetCapabilities"}
    asked = {"service": "WPS", "version": "1.0.0", "request": "DescribeProcess"}
    request = Content("text/xml", content=execute, markup=True) if execute else None
    described = _query(service, {**asked, "identifier": process})
    operations = (
        Operation("GetCapabilities", _query(service, known), type="text/xml"),
        Operation("DescribeProcess", described, type="text/xml"),
        Operation("Execute", service, "POST", "text/xml", request),
    )
    return Offering(STANDARD["wps"], operations)


def at(offering: Offering, base: str) -> Offering:
    """The offering with the portal's address in front of paths, and of a code of its own."""
    operations = (replace(o, href=absolute(o.href, base)) for o in offering.operations)
    contents = (replace(c, href=absolute(c.href, base)) for c in offering.contents)
    return replace(
        offering,
        code=absolute(offering.code, base),
        operations=tuple(operations),
        contents=tuple(contents),
    )


def _is_data(asset: Mapping[str, Any]) -> bool:
    return not {"thumbnail", "overview", "metadata"} & set(asset.get("roles") or ())


def _file(asset: Mapping[str, Any]) -> Offering | None:
    media_type = str(asset.get("type") or "")
    code = _CODES.get(media_type.split(";", maxsplit=1)[0].strip().lower())
    if code is None:
        return None
    return Offering(STANDARD[code], contents=(Content(media_type, href=asset["href"]),))


def _map_services(links: Iterable[Mapping[str, Any]], box: Box | None) -> tuple[Offering, ...]:
    found = []
    for link in links:
        kind = str(link.get("rel"))
        if kind not in ("wms", "wmts"):
            continue
        named = link.get("wms:layers" if kind == "wms" else "wmts:layer")
        layers = named if isinstance(named, list) else [named]
        name = ",".join(str(one) for one in layers[:MOST_LAYERS] if one)
        if name:
            found.append(of_service(Service(kind, str(link["href"]), name), box))
    return tuple(one for one in found if is_writable(one))


def _told(values: object) -> list[Offering]:
    found = []
    for value in values if isinstance(values, list) else ():
        try:
            offering = read_offering(value)
        except (InvalidInput, AttributeError, TypeError, KeyError, ValueError):
            continue
        if is_writable(offering):
            found.append(offering)
    return found


def _query(address: str, asked: Mapping[str, str]) -> str:
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}{urlencode(asked, safe=':,/')}"


def _parameters(service: Service, box: Box | None) -> dict[str, str]:
    if service.kind == "wfs":
        return {"typeNames": service.name}
    if service.kind == "wcs":
        return {"coverageId": service.name}
    if service.kind == "wmts":
        return {"layer": service.name, "style": "", "format": "image/png"}
    west, south, east, north = box or (-180.0, -90.0, 180.0, 90.0)
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
