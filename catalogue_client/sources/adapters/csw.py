"""CSW 2.0.2: records in Dublin Core, asked for by GET with a filter."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.utils.translation import gettext as _
from lxml.builder import ElementMaker

from catalogue_client.geometry import Box
from catalogue_client.sources import ports
from catalogue_client.sources.adapters.csw_records import CSW, OWS, record_in
from catalogue_client.sources.adapters.linked import Cursor, continued
from catalogue_client.sources.ports import (
    Capabilities,
    CollectionInfo,
    Endpoint,
    Page,
    Query,
    Record,
)
from catalogue_client.sources.records import NoRecordError, read_all
from catalogue_client.sources.visit import Visit, with_parameters
from common.errors import ProviderNonsense, ProviderRefused
from common.xml import GML, Element, local_name, only_xml, serialise, text_of

OGC = "http://www.opengis.net/ogc"
_NAMES = {"ogc": OGC, "gml": GML, "ows": OWS, "csw": CSW, "dct": "http://purl.org/dc/terms/"}
_O = ElementMaker(namespace=OGC, nsmap=_NAMES)
_G = ElementMaker(namespace=GML, nsmap=_NAMES)
_DONE = frozenset({ports.TEXT, ports.BBOX, ports.IDS, ports.CHANGED})
WILD = "*"
MOST_WORDS = 3  # in one address; more are applied here


class Csw:
    def capabilities(self, endpoint: Endpoint) -> Capabilities:
        parameters = {"service": "CSW", "request": "GetCapabilities", "version": "2.0.2"}
        root, _base = Visit(endpoint).xml(with_parameters(endpoint.url, parameters))
        _no_report(root)
        if local_name(root) != "Capabilities" or CSW not in str(root.tag):
            raise ProviderNonsense(_("The server is no CSW 2.0.2."))
        about = root.find(f".//{{{OWS}}}ServiceIdentification")
        title = text_of(about, f"{{{OWS}}}Title")
        abstract = text_of(about, f"{{{OWS}}}Abstract")
        return Capabilities(title, _DONE | {ports.COUNT}, abstract)

    def collections(self, endpoint: Endpoint) -> list[CollectionInfo]:
        """It has none: all records are in one list."""
        del endpoint
        return []

    def search(self, endpoint: Endpoint, query: Query) -> Page:
        position = int((query.cursor or {}).get("position", 1))
        parameters = {
            "service": "CSW", "version": "2.0.2", "request": "GetRecords",
            "typeNames": "csw:Record", "resultType": "results", "elementSetName": "full",
            "outputSchema": CSW, "outputFormat": "application/xml",
            "startPosition": str(position), "maxRecords": str(query.limit),
            **_constraint(query),
        }  # fmt: skip
        root, base = Visit(endpoint).xml(with_parameters(endpoint.url, parameters))
        _no_report(root)
        results = root.find(f".//{{{CSW}}}SearchResults")
        if results is None:
            raise ProviderNonsense(_("The catalogue's answer is no list of records."))
        entries = [one for one in results if local_name(one) == "Record"]
        read = read_all(entries, lambda one: record_in(one, base))
        matched = _number(results, "numberOfRecordsMatched")
        onward = _number(results, "nextRecord") or 0
        cursor: Cursor | None = None
        more: list[str] = []
        if entries and position < onward <= (matched or 0):
            cursor, more = continued({"position": onward}, query.cursor, read.names)
        done = _DONE if len(query.text.split()) <= MOST_WORDS else _DONE - {ports.TEXT}
        return Page(
            read.records, done, cursor, matched, (*read.warnings, *more), read.bad,
            cut=read.cut or bool(more),
        )  # fmt: skip

    def get(self, endpoint: Endpoint, collection: str, identifier: str) -> Record | None:
        parameters = {
            "service": "CSW", "version": "2.0.2", "request": "GetRecordById", "id": identifier,
            "elementSetName": "full", "outputSchema": CSW,
        }  # fmt: skip
        root, base = Visit(endpoint).xml(with_parameters(endpoint.url, parameters))
        _no_report(root)
        for element in root.iter(f"{{{CSW}}}Record"):
            try:
                found = record_in(element, base)
            except NoRecordError:
                continue
            if found.id == identifier and found.collection == collection:
                return found
        return None


def _constraint(query: Query) -> dict[str, str]:
    conditions = [_like(word) for word in query.text.split()[:MOST_WORDS]]
    if query.bbox:
        boxes = [_box(box) for box in _halves(query.bbox)]
        conditions.append(boxes[0] if len(boxes) == 1 else _O.Or(*boxes))
    if query.ids:
        same = [
            _O.PropertyIsEqualTo(_O.PropertyName("dc:identifier"), _O.Literal(only_xml(one)))
            for one in query.ids
        ]
        conditions.append(same[0] if len(same) == 1 else _O.Or(*same))
    if query.since:
        # Many servers compare texts: a day is before every moment of it.
        day = query.since.astimezone(UTC).date().isoformat()
        modified = _O.PropertyName("dct:modified"), _O.Literal(day)
        conditions.append(_O.PropertyIsGreaterThanOrEqualTo(*modified))
    if not conditions:
        return {}
    whole = conditions[0] if len(conditions) == 1 else _O.And(*conditions)
    text = serialise(_O.Filter(whole)).decode()
    return {
        "constraintLanguage": "FILTER",
        "constraint_language_version": "1.1.0",
        "constraint": text.partition("?>")[2].strip(),
    }


def _like(word: str) -> Element:
    literal = only_xml(word)
    for special in ("!", WILD, "?"):
        literal = literal.replace(special, f"!{special}")
    return _O.PropertyIsLike(
        _O.PropertyName("csw:AnyText"), _O.Literal(f"{WILD}{literal}{WILD}"),
        wildCard=WILD, singleChar="?", escapeChar="!",
    )  # fmt: skip


def _box(box: Box) -> Element:
    west, south, east, north = box
    return _O.BBOX(
        _O.PropertyName("ows:BoundingBox"),
        _G.Envelope(
            _G.lowerCorner(f"{west:.7g} {south:.7g}"), _G.upperCorner(f"{east:.7g} {north:.7g}"),
            srsName="urn:ogc:def:crs:OGC:1.3:CRS84",
        ),
    )  # fmt: skip


def _halves(box: Box) -> list[Box]:
    west, south, east, north = box
    if west <= east:
        return [box]
    return [(west, south, 180.0, north), (-180.0, south, east, north)]


def _number(element: Element, name: str) -> int | None:
    text = element.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None  # noqa: PLR2004


def _no_report(root: Any) -> None:
    """Raise for an exception report, with the catalogue's own words as they may be shown."""
    if local_name(root) != "ExceptionReport":
        return
    code = next((e.get("exceptionCode", "") for e in root.iter() if e.get("exceptionCode")), "")
    raise ProviderRefused(
        _("The catalogue refused the request: %(code)s.") % {"code": code[:60] or _("no reason")},
        native_code=code[:60], locator="", http_status=200,
    )  # fmt: skip
