"""Writing Execute requests (18-062r2 §7.11, execute.yaml)."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    ComplexValue,
    ExecuteRequest,
    InputValue,
    LiteralDomain,
    LiteralValue,
    OutputRequest,
    ProcessDescription,
    ReferenceValue,
)

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,400}", re.ASCII)
_YES, _NO = ("true", "1"), ("false", "0")


def execute_document(process: ProcessDescription, request: ExecuteRequest) -> bytes:
    """The request as JSON: results in one document, files by reference where the process can."""
    given: dict[str, list[Any]] = defaultdict(list)
    for value in request.inputs:
        given[value.identifier].append(_value(process, value))
    inputs = {
        name: values if _is_list(process, name) or len(values) > 1 else values[0]
        for name, values in given.items()
    }
    body: dict[str, Any] = {"inputs": inputs, "response": "document"}
    wanted = request.outputs or tuple(OutputRequest(one.identifier) for one in process.outputs)
    if wanted:  # an empty object would mean: none
        body["outputs"] = {one.identifier: _output(process, one) for one in wanted}
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode(errors="replace")


def _is_list(process: ProcessDescription, identifier: str) -> bool:
    known = process.input(identifier)
    return known is not None and known.max_occurs != 1


def _output(process: ProcessDescription, wanted: OutputRequest) -> dict[str, Any]:
    known = process.output(wanted.identifier)
    is_file = known is not None and isinstance(known.domain, ComplexDomain)
    # A file inside the answer cannot be streamed.
    by_reference = is_file and process.store_supported
    said: dict[str, Any] = {"transmissionMode": "reference" if by_reference else "value"}
    if is_file and wanted.format is not None:
        form = {"mediaType": wanted.format.media_type, "encoding": wanted.format.encoding}
        said["format"] = {name: value for name, value in form.items() if value}
    return said


def _value(process: ProcessDescription, value: InputValue) -> Any:
    if isinstance(value, LiteralValue):
        return _literal(process, value)
    if isinstance(value, ComplexValue):
        return _complex(value)
    if isinstance(value, ReferenceValue):
        said = {"href": value.href, "type": value.media_type}
        return {name: given for name, given in said.items() if given}
    return {"bbox": [*value.lower, *value.upper], "crs": crs_url(_crs(process, value))}


def _literal(process: ProcessDescription, value: LiteralValue) -> Any:
    """In JSON's own types; a unit goes beside the number, unless that is in it anyhow: most servers
    take only the number, whatever they say of its unit."""
    known = process.input(value.identifier)
    domain = known.domain if known and isinstance(known.domain, LiteralDomain) else LiteralDomain()
    kind = value.data_type.rpartition(":")[2]
    if known and not (kind and domain.alternatives):
        kind = domain.data_type
    said = _typed(kind, value.value)
    return said if value.uom in ("", *domain.uoms[:1]) else {"value": said, "uom": value.uom}


def _typed(kind: str, value: str) -> Any:
    bare = value.strip()
    if kind == "boolean" and bare.lower() in (*_YES, *_NO):
        return bare.lower() in _YES
    if kind == "integer" and _INTEGER.fullmatch(bare):
        return int(bare)
    if kind == "double" and _NUMBER.fullmatch(bare.removeprefix("+")):
        number = float(bare)
        whole = re.fullmatch(r"-?\d{1,15}", bare) is not None
        return int(bare) if whole else number if abs(number) != float("inf") else value
    return value


def _complex(value: ComplexValue) -> dict[str, Any]:
    """Qualified: a bare object would not be told from a reference or a box."""
    said: dict[str, Any] = {"value": value.data}
    media_type = value.media_type.partition(";")[0].strip().lower()
    if media_type.endswith(("/json", "+json")) and value.encoding.lower() != "base64":
        said["value"] = _document(value.data)
    form = {"mediaType": value.media_type, "encoding": value.encoding, "schema": value.schema}
    return {**said, **{name: given for name, given in form.items() if given}}


def _document(data: str) -> Any:
    """The JSON itself; what is none is left to the provider to refuse."""
    try:
        return json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return data


def _no_number(name: str) -> None:
    raise ValueError(name)


def _crs(process: ProcessDescription, value: InputValue) -> str:
    known = process.input(value.identifier)
    said = getattr(value, "crs", "")
    if not said and known is not None and isinstance(known.domain, BoundingBoxDomain):
        return known.domain.crss[0]
    return str(said)


def crs_url(crs: str) -> str:
    """A system of coordinates as OGC APIs name it, with the same order of axes.

    The short form `EPSG:4326` means longitude first, as CRS84 does; its URL would not.
    """
    found = re.fullmatch(r"urn:ogc:def:crs:([^:]+):([^:]*):([^:]+)", crs, re.IGNORECASE)
    if found:
        version = found[2] or ("1.3" if found[1].upper() == "OGC" else "0")
        return f"http://www.opengis.net/def/crs/{found[1]}/{version}/{found[3]}"
    if not crs or crs.upper() in ("EPSG:4326", "CRS:84", "CRS84", "OGC:CRS84"):
        return CRS84
    short = re.fullmatch(r"EPSG:(\d+)", crs, re.IGNORECASE)
    return f"http://www.opengis.net/def/crs/EPSG/0/{short[1]}" if short else crs
