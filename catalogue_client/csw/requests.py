"""Requests to CSW as they arrive, in an address or as XML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from catalogue_client.csw import cql, filters, properties
from catalogue_client.csw.filters import wrong
from catalogue_client.metadata.dublin_core import CSW, ELEMENTS
from catalogue_client.metadata.iso19139 import GMD
from common.errors import InvalidInput
from common.kvp import listed, required
from common.xml import Element, XmlRefused, local_name, parse, text_of

VERSION = "2.0.2"
OPERATIONS = ("GetCapabilities", "DescribeRecord", "GetRecords", "GetRecordById")
SCHEMAS = (CSW, GMD)
RESULT_TYPES = ("hits", "results")
FORMATS = ("application/xml", "text/xml")
TYPES = ("Record", "MD_Metadata")
DEFAULT_RECORDS, MOST_RECORDS, FARTHEST = 10, 1000, 10_000_000
Given = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Records:
    """What GetRecords asks. `order` are columns for the database; `start` counts from 1."""

    where: Q
    order: tuple[str, ...]
    size: str
    schema: str
    result_type: str
    start: int
    most: int


@dataclass(frozen=True, slots=True)
class ById:
    """What GetRecordById asks."""

    identifiers: tuple[str, ...]
    size: str
    schema: str


def operation(given: Given) -> str:
    """Which operation is wanted of which service. Raises InvalidInput."""
    if required(given, "service").upper() != "CSW":
        raise InvalidInput(_("The service here is CSW."), locator="service")
    name = required(given, "request")
    versions = listed(given.get("acceptversions", "")) or listed(given.get("version", ""))
    if versions and VERSION not in versions:
        negotiated = "acceptversions" in given
        code = "VersionNegotiationFailed" if negotiated else "InvalidParameterValue"
        raise InvalidInput(_("The version here is 2.0.2."), locator="version", ows_code=code)
    if name not in OPERATIONS:
        text = _("“%s” is not offered.") % name[:60]
        raise InvalidInput(text, locator="request", ows_code="OperationNotSupported")
    return name


def flattened(root: Element) -> dict[str, str]:
    """A posted request as the key-value pairs that say the same; the constraint is left out."""
    given = {name.lower(): str(value) for name, value in root.attrib.items()}
    given["request"] = local_name(root)
    repeated: dict[str, list[str]] = {"id": [], "typename": [], "version": []}
    for element in root.iter():
        name = local_name(element)
        if name in ("Id", "TypeName"):
            repeated[name.lower()].append(text_of(element))
        elif name == "ElementSetName":
            given["elementsetname"] = text_of(element)
        elif name == "ElementName":
            given["elementname"] = text_of(element)
        elif name == "Query":
            given["typenames"] = element.get("typeNames", "")
        elif name == "Version" and local_name(element.getparent()) == "AcceptVersions":
            repeated["version"].append(text_of(element))
    if versions := repeated.pop("version"):
        given["acceptversions"] = ",".join(versions)
    return given | {name: ",".join(values) for name, values in repeated.items() if values}


def records(given: Given, root: Element | None) -> Records:
    """The search of a GetRecords request. Raises InvalidInput."""
    names = re.split(r"[\s,]+", required(given, "typenames", "typeNames"))
    if not all(name.rpartition(":")[2] in TYPES for name in names if name):
        raise InvalidInput(_("The types are csw:Record and gmd:MD_Metadata."), locator="typeNames")
    if given.get("elementname"):
        raise InvalidInput(_("Ask for an ElementSetName."), locator="ElementName")
    constraint = _of_address(given) if root is None else _of_document(root)
    return Records(
        where=constraint,
        order=_order(given, root),
        size=_size(given),
        schema=_schema(given),
        result_type=_among(given, "resulttype", "resultType", RESULT_TYPES, "hits"),
        start=_number(given, "startposition", "startPosition", 1, FARTHEST),
        most=min(_number(given, "maxrecords", "maxRecords", DEFAULT_RECORDS), MOST_RECORDS),
    )


def by_id(given: Given) -> ById:
    """The records that a GetRecordById request names. Raises InvalidInput."""
    identifiers = listed(required(given, "id", "Id"))
    if len(identifiers) > filters.MOST_CONDITIONS:
        raise InvalidInput(_("These are too many at once."), locator="Id")
    return ById(identifiers, _size(given), _schema(given))


def _of_address(given: Given) -> Q:
    text = given.get("constraint", "").strip()
    if not text:
        return Q()
    language = given.get("constraintlanguage", "").upper()
    if language == "CQL_TEXT":
        return cql.condition(text)
    if language == "FILTER":
        try:
            return filters.condition(parse(text.encode(), what=_("filter")))
        except XmlRefused as error:
            raise wrong(error.detail) from None
    raise InvalidInput(
        _("The languages are CQL_TEXT and FILTER."),
        locator="constraintLanguage",
        missing=not language,
    )


def _of_document(root: Element) -> Q:
    constraint = next((e for e in root.iter() if local_name(e) == "Constraint"), None)
    inside = [] if constraint is None else [e for e in constraint if isinstance(e.tag, str)]
    if not inside:
        return Q()
    if local_name(inside[0]) == "CqlText":
        return cql.condition(text_of(inside[0]))
    return filters.condition(inside[0])


def _order(given: Given, root: Element | None) -> tuple[str, ...]:
    """By the change sequence, unless something else is asked for."""
    pairs = []
    if root is None:
        for part in listed(given.get("sortby", "")):
            name, _colon, direction = part.rpartition(":")
            known = direction.upper() in ("A", "D", "ASC", "DESC")
            pairs.append((name, direction) if known and name else (part, "A"))
    else:
        for element in root.iter():
            if local_name(element) == "SortProperty":
                parts = {local_name(child): text_of(child) for child in element}
                pairs.append((parts.get("PropertyName", ""), parts.get("SortOrder", "A")))
    columns = [
        f"{'-' if direction.upper().startswith('D') else ''}{properties.order(name)}"
        for name, direction in pairs[:4]
    ]
    return (*columns, "sequence")


def _size(given: Given) -> str:
    return _among(given, "elementsetname", "ElementSetName", tuple(ELEMENTS), "summary")


def _schema(given: Given) -> str:
    _among(given, "outputformat", "outputFormat", FORMATS, FORMATS[0])
    return _among(given, "outputschema", "outputSchema", SCHEMAS, CSW)


def _among(given: Given, key: str, name: str, choices: tuple[str, ...], default: str) -> str:
    value = given.get(key, "").strip() or default
    if value not in choices:
        raise InvalidInput(_("Choose one of: %s.") % ", ".join(choices), locator=name)
    return value


def _number(given: Given, key: str, name: str, default: int, most: int = 2**31) -> int:
    text = given.get(key, "").strip() or str(default)
    lowest = 1 if default == 1 else 0
    if not re.fullmatch(r"[0-9]{1,10}", text) or not lowest <= int(text) <= most:
        raise InvalidInput(_("This is no number that can be used."), locator=name)
    return int(text)
