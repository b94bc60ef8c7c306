"""ISO 19115 metadata as ISO/TS 19139 writes it (`gmd:MD_Metadata`, `gmi:MI_Metadata`), as a STAC
item."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from catalogue_client.geometry import Box
from catalogue_client.sources.adapters.csw_records import references
from catalogue_client.sources.ports import Record
from catalogue_client.sources.records import NoRecordError, record_of
from common.xml import Element, local_name

ROOTS = ("MD_Metadata", "MI_Metadata")
_BOX = ("westBoundLongitude", "southBoundLatitude", "eastBoundLongitude", "northBoundLatitude")
_LONGEST_NAME = 100


def iso_record(element: Element, base: str, *, identifier: str = "") -> Record:
    """The record in a metadata element, under that name if one is given. Raises NoRecordError."""
    identifier = identifier or _first(element, "fileIdentifier")
    if local_name(element) not in ROOTS or not identifier:
        raise NoRecordError("it is no ISO metadata with an identifier", identifier)
    about = element.find("{*}identificationInfo")
    about = element if about is None else about
    citation = about.find(".//{*}CI_Citation")
    properties: dict[str, Any] = {
        "title": _first(citation, "title") or identifier,
        "description": _first(about, "abstract"),
        "keywords": [text for text in _all(about, "keyword") if text],
        "updated": _first(element, "dateStamp"),
        "date": _period(about) or _first(citation, "date") or _first(element, "dateStamp"),
        "license": _first(about, "otherConstraints") or _first(about, "useLimitation"),
        "processing:lineage": _first(element, "statement"),
    }
    assets, links = references(_online(element))
    for number, text in enumerate(_all(about, "fileName")):
        assets[f"preview-{number}"] = {"href": text, "roles": ["thumbnail"]}
    parent = _first(element, "parentIdentifier")
    document: dict[str, Any] = {
        "id": identifier,
        "collection": parent if len(parent) <= _LONGEST_NAME and "://" not in parent else "",
        "properties": {name: value for name, value in properties.items() if value},
        "links": links,
        "assets": assets,
    }
    if box := _box(about):
        document["bbox"] = list(box)
    return record_of(document, base)


def _online(element: Element) -> Iterable[tuple[str, str, str]]:
    """Address, protocol and title of the online resources of its distribution."""
    info = element.find("{*}distributionInfo")
    for one in () if info is None else info.iter("{*}CI_OnlineResource"):
        function = one.find(".//{*}CI_OnLineFunctionCode")
        said = "" if function is None else str(function.get("codeListValue") or "")
        protocol = _first(one, "protocol")
        yield _first(one, "URL"), protocol or said, _first(one, "name")


def _box(about: Element) -> Box | None:
    for one in about.iter("{*}EX_GeographicBoundingBox"):
        try:
            west, south, east, north = (float(_first(one, name)) for name in _BOX)
        except ValueError:
            continue
        if all(map(math.isfinite, (west, south, east, north))):
            return west, south, east, north
    return None


def _period(about: Element) -> str:
    extent = about.find(".//{*}EX_TemporalExtent")
    begin = _first(extent, "beginPosition") or _first(extent, "begin")
    end = _first(extent, "endPosition") or _first(extent, "end")
    if begin or end:
        return f"{begin or '..'}/{end or '..'}"
    return _first(extent, "timePosition")


def _first(element: Element | None, name: str) -> str:
    return next((text for text in _all(element, name) if text), "")


def _all(element: Element | None, name: str) -> list[str]:
    """The texts of the elements of that name, wherever they are inside."""
    found = () if element is None else element.iter(f"{{*}}{name}")
    return [" ".join("".join(one.itertext()).split()) for one in found]
