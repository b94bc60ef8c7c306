"""Requests as key-value pairs in the query of a GET (05-007r7 §8.2, §9.2, §10.2.2).

Inside `DataInputs` the values are percent-encoded once
more, so the parameter is taken apart first and its pieces are decoded last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from django.utils.translation import gettext as _

from common.errors import InvalidInput
from common.kvp import Parameters, listed, required
from providers.process import (
    BoundingBoxDomain,
    BoundingBoxValue,
    ComplexDomain,
    ComplexValue,
    ExecuteRequest,
    Format,
    InputValue,
    LiteralValue,
    OutputRequest,
    ProcessDescription,
    ReferenceValue,
)
from wps_proxy.negotiation import (
    boolean,
    check_service,
    check_version,
    language_of,
    negotiate,
    no_such_operation,
)
from wps_proxy.wps1.requests import (
    VERSION,
    DescribeProcess,
    Execute,
    GetCapabilities,
    Request,
    ResponseForm,
    no_unit,
)

Describe = Callable[[str], ProcessDescription]
_HREFS = ("xlink:href", "href")
_INPUT_ATTRIBUTES = frozenset(
    {"mimetype", "format", "encoding", "schema", "datatype", "uom", "method", *_HREFS}
)
_OUTPUT_ATTRIBUTES = frozenset({"mimetype", "format", "encoding", "schema", "uom", "asreference"})


def read(given: Parameters, describe: Describe) -> Request:
    """The request in the parameters.

    `describe` gives the description of a process, which alone tells whether the text of an input is
    a value, a document or a box. Raises PortalError, and what `describe` raises.
    """
    check_service(given.get("service"))
    name = required(given, "request")
    if name.lower() == "getcapabilities":
        # Many clients send `version` here: taken as the only one that they accept.
        negotiate(listed(given.get("acceptversions") or given.get("version", "")), (VERSION,))
        sequence = given.get("updatesequence", "").strip()
        return GetCapabilities(language_of(given.get("language")), sequence)
    if name.lower() not in ("describeprocess", "execute"):
        raise no_such_operation(name)
    check_version(given.get("version"), (VERSION,))
    language = language_of(given.get("language"))
    if name.lower() == "execute":
        return _execute(given, describe, language)
    identifiers = listed(required(given, "identifier"))
    everything = "all" in map(str.lower, identifiers)
    return DescribeProcess(() if everything else identifiers, language)


def _execute(given: Parameters, describe: Describe, language: str) -> Execute:
    identifier = required(given, "identifier")
    description = describe(identifier)
    inputs = tuple(_input(item, description) for item in _items(given.get("datainputs", "")))
    outputs = tuple(_output(item) for item in _items(given.get("responsedocument", "")))
    raw = tuple(_output(item) for item in _items(given.get("rawdataoutput", "")))
    if raw and (outputs or len(raw) > 1):
        raise InvalidInput(
            _("RawDataOutput names one output, and there is no ResponseDocument beside it."),
            locator="RawDataOutput",
        )
    flags = {
        name: boolean(given.get(name.lower()), name)
        for name in ("storeExecuteResponse", "status", "lineage")
    }
    form = ResponseForm(
        raw=bool(raw),
        store=flags["storeExecuteResponse"],
        status=flags["status"],
        lineage=flags["lineage"],
    )
    return Execute(ExecuteRequest(identifier, inputs, raw or outputs), form, language)


# --- DataInputs=id=value@attribute=value;id=value --------------------------------------------


@dataclass(frozen=True, slots=True)
class _Item:
    identifier: str
    value: str | None
    attributes: Mapping[str, str] = field(default_factory=dict)

    def get(self, *names: str) -> str:
        return next((self.attributes[n] for n in names if n in self.attributes), "")

    @property
    def format(self) -> Format:
        return Format(self.get("mimetype", "format"), self.get("encoding"), self.get("schema"))


def _items(text: str) -> Iterator[_Item]:
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):  # so in the standard's own samples
        text = text[1:-1]
    for piece in text.split(";"):
        if piece.strip():
            yield _item(piece)


def _item(piece: str) -> _Item:
    head, *tail = piece.split("@")
    name, equals, value = head.partition("=")
    identifier = _decoded(name).strip()
    attributes = {}
    for part in tail:
        attribute, has_value, content = part.partition("=")
        if not has_value:
            raise InvalidInput(
                _("“%(part)s” is no attribute. Encode ; = @ inside a value twice.")
                % {"part": _decoded(part)},
                locator=identifier,
            )
        attributes[_decoded(attribute).strip().lower()] = _decoded(content)
    return _Item(identifier, _decoded(value) if equals else None, attributes)


def _input(item: _Item, description: ProcessDescription) -> InputValue:
    _only_known(item, _INPUT_ATTRIBUTES)
    href = item.get(*_HREFS)
    if href:
        return _reference(item, href)
    if item.value is None:
        raise InvalidInput(
            _("This has no value. Write identifier=value, and encode ; = @ inside a value twice."),
            locator=item.identifier,
            missing=True,
        )
    known = description.input(item.identifier)
    if known is not None and isinstance(known.domain, ComplexDomain):
        form = item.format
        return ComplexValue(
            item.identifier, item.value, form.media_type, form.encoding, form.schema
        )
    if known is not None and isinstance(known.domain, BoundingBoxDomain):
        return _box(item.identifier, item.value)
    return LiteralValue(item.identifier, item.value, item.get("datatype"), item.get("uom"))


def _reference(item: _Item, href: str) -> ReferenceValue:
    if item.get("method").upper() not in ("", "GET"):
        raise InvalidInput(
            _("Only references that are fetched with GET are taken."), locator=item.identifier
        )
    form = item.format
    return ReferenceValue(item.identifier, href, form.media_type, form.encoding, form.schema)


def _box(identifier: str, text: str) -> BoundingBoxValue:
    """minx,miny,…,maxx,maxy,…[,crs[,dimensions]] (06-121r3 §10.2.3)."""
    parts = [part.strip() for part in text.split(",")]
    numbers = list(_leading_numbers(parts))
    crs, dimensions = [*parts[len(numbers) :], "", ""][:2]
    half = len(numbers) // 2
    wrong_count = len(numbers) % 2 or len(parts) > len(numbers) + 2
    if wrong_count or half not in (2, 3) or dimensions not in ("", str(half)):
        raise InvalidInput(_("A box is written minx,miny,maxx,maxy,crs."), locator=identifier)
    return BoundingBoxValue(identifier, tuple(numbers[:half]), tuple(numbers[half:]), crs)


def _leading_numbers(parts: list[str]) -> Iterator[float]:
    for part in parts:
        try:
            number = float(part)
        except ValueError:
            return
        if not math.isfinite(number):
            return
        yield number


def _output(item: _Item) -> OutputRequest:
    _only_known(item, _OUTPUT_ATTRIBUTES)
    if item.value:
        raise InvalidInput(_("An output has no value."), locator=item.identifier)
    if item.get("uom"):
        raise no_unit(item.identifier)
    as_reference = boolean(item.get("asreference"), item.identifier)
    form = item.format
    return OutputRequest(item.identifier, as_reference, form if form != Format("") else None)


def _only_known(item: _Item, known: frozenset[str]) -> None:
    for name in item.attributes:
        if name not in known:
            raise InvalidInput(
                _("“%(name)s” is no attribute. Encode ; = @ inside a value twice.")
                % {"name": name},
                locator=item.identifier,
            )


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except ValueError:
        raise InvalidInput(_("The value is not UTF-8.")) from None
