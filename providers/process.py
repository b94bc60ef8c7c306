"""Processes in no protocol's words: what a service takes and gives, and the values of one request.

Doors parse their protocol into these classes, drivers write theirs from them, and the generated
form is built from them. All are immutable; `to_json` and `from_json` keep them in the database.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

DataType = Literal["string", "boolean", "integer", "double", "date", "dateTime", "time", "anyURI"]


@dataclass(frozen=True, slots=True)
class Format:
    """A media type with its encoding ("base64", "UTF-8", … or "") and schema URI."""

    media_type: str
    encoding: str = ""
    schema: str = ""


@dataclass(frozen=True, slots=True)
class ValueRange:
    """ows:Range; an absent bound is None. `closure`: closed, open, open-closed, closed-open."""

    minimum: str | None = None
    maximum: str | None = None
    closure: str = "closed"
    spacing: str | None = None


@dataclass(frozen=True, slots=True)
class LiteralDomain:
    """A plain value. No allowed values and no ranges: any value of the type."""

    data_type: DataType = "string"
    allowed_values: tuple[str, ...] = ()
    ranges: tuple[ValueRange, ...] = ()
    default: str | None = None
    uoms: tuple[str, ...] = ()  # the first is the default
    kind: Literal["literal"] = field(default="literal", init=False)


@dataclass(frozen=True, slots=True)
class ComplexDomain:
    """A document or file; the first format is the default."""

    formats: tuple[Format, ...] = (Format("application/octet-stream"),)
    maximum_megabytes: int | None = None
    kind: Literal["complex"] = field(default="complex", init=False)


@dataclass(frozen=True, slots=True)
class BoundingBoxDomain:
    """An envelope; the first CRS is the default."""

    crss: tuple[str, ...] = ("urn:ogc:def:crs:OGC:1.3:CRS84",)
    kind: Literal["bbox"] = field(default="bbox", init=False)


Domain = LiteralDomain | ComplexDomain | BoundingBoxDomain


@dataclass(frozen=True, slots=True)
class InputDescription:
    """One input; `max_occurs` None means unbounded."""

    identifier: str
    domain: Domain
    title: str = ""
    abstract: str = ""
    min_occurs: int = 1
    max_occurs: int | None = 1


@dataclass(frozen=True, slots=True)
class OutputDescription:
    identifier: str
    domain: Domain
    title: str = ""
    abstract: str = ""


@dataclass(frozen=True, slots=True)
class ProcessSummary:
    """What a capabilities document says of a process."""

    identifier: str
    title: str = ""
    abstract: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class ProcessDescription:
    """What DescribeProcess says of a process."""

    identifier: str
    title: str = ""
    abstract: str = ""
    version: str = ""
    inputs: tuple[InputDescription, ...] = ()
    outputs: tuple[OutputDescription, ...] = ()
    store_supported: bool = False
    status_supported: bool = False

    def input(self, identifier: str) -> InputDescription | None:
        """The input of that (case-sensitive) identifier."""
        return next((i for i in self.inputs if i.identifier == identifier), None)

    def output(self, identifier: str) -> OutputDescription | None:
        """The output of that (case-sensitive) identifier."""
        return next((o for o in self.outputs if o.identifier == identifier), None)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ProcessDescription:
        return cls(
            **{
                **data,
                "inputs": tuple(_input(i) for i in data["inputs"]),
                "outputs": tuple(
                    OutputDescription(**{**o, "domain": _domain(o["domain"])})
                    for o in data["outputs"]
                ),
            }
        )


def _input(data: dict[str, Any]) -> InputDescription:
    return InputDescription(**{**data, "domain": _domain(data["domain"])})


def _domain(document: dict[str, Any]) -> Domain:
    data = {name: value for name, value in document.items() if name != "kind"}
    if document["kind"] == "literal":
        ranges = tuple(ValueRange(**r) for r in data["ranges"])
        listed = {k: tuple(data[k]) for k in ("allowed_values", "uoms")}
        return LiteralDomain(**{**data, **listed, "ranges": ranges})
    if document["kind"] == "complex":
        return ComplexDomain(**{**data, "formats": tuple(Format(**f) for f in data["formats"])})
    return BoundingBoxDomain(crss=tuple(data["crss"]))


# --- the values of one request -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LiteralValue:
    identifier: str
    value: str
    data_type: str = ""
    uom: str = ""
    kind: Literal["literal"] = field(default="literal", init=False)


@dataclass(frozen=True, slots=True)
class ComplexValue:
    """Inline data as text; with `encoding` "base64" the text is base64 of the bytes."""

    identifier: str
    data: str
    media_type: str = ""
    encoding: str = ""
    schema: str = ""
    kind: Literal["complex"] = field(default="complex", init=False)


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """Data at an address, fetched by the provider."""

    identifier: str
    href: str
    media_type: str = ""
    encoding: str = ""
    schema: str = ""
    kind: Literal["reference"] = field(default="reference", init=False)


@dataclass(frozen=True, slots=True)
class BoundingBoxValue:
    """Corners in the axis order of `crs`, exactly as the caller gave them."""

    identifier: str
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    crs: str = ""
    kind: Literal["bbox"] = field(default="bbox", init=False)


InputValue = LiteralValue | ComplexValue | ReferenceValue | BoundingBoxValue

_VALUES: dict[str, type[Any]] = {
    "literal": LiteralValue,
    "complex": ComplexValue,
    "reference": ReferenceValue,
    "bbox": BoundingBoxValue,
}


def value_from_json(data: dict[str, Any]) -> InputValue:
    """The inverse of `dataclasses.asdict` on an input or output value."""
    fields = {name: value for name, value in data.items() if name != "kind"}
    for corner in ("lower", "upper"):
        if corner in fields:
            fields[corner] = tuple(fields[corner])
    value: InputValue = _VALUES[data["kind"]](**fields)
    return value


@dataclass(frozen=True, slots=True)
class OutputRequest:
    """An output that the caller wants; None as `format` is the default one."""

    identifier: str
    as_reference: bool = False
    format: Format | None = None


@dataclass(frozen=True, slots=True)
class ExecuteRequest:
    """One run of a process; identifiers repeat for several occurrences. No outputs: all of them."""

    process: str
    inputs: tuple[InputValue, ...] = ()
    outputs: tuple[OutputRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class OutputValue:
    """One output of a finished run: its value inline, or a reference at the provider."""

    value: InputValue
    title: str = ""
    abstract: str = ""
    identifier: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "identifier", self.value.identifier)
