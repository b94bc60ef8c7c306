"""Processes in no protocol's words: what a service takes and gives, and the values of one request.

Doors parse their protocol into these classes, drivers write theirs from them, and the generated
form is built from them. All are immutable; `to_json` and `from_json` keep them in the database.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal
from urllib.parse import quote

DataType = Literal["string", "boolean", "integer", "double", "date", "dateTime", "time", "anyURI"]


@dataclass(frozen=True, slots=True)
class Format:
    """A media type with its encoding ("base64", "UTF-8", … or "") and schema URI."""

    media_type: str
    encoding: str = ""
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Metadata:
    """ows:Metadata: more about something, never at an address of the provider's own."""

    title: str = ""
    href: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class ValueRange:
    """ows:Range; an absent bound is None. `closure`: closed, open, open-closed, closed-open."""

    minimum: str | None = None
    maximum: str | None = None
    closure: str = "closed"
    spacing: str | None = None  # of the numbers in it, from the minimum, or from 0 without one


@dataclass(frozen=True, slots=True)
class LiteralDomain:
    """A plain value. No allowed values and no ranges: any value of the type."""

    data_type: DataType = "string"
    allowed_values: tuple[str, ...] = ()
    ranges: tuple[ValueRange, ...] = ()
    default: str | None = None
    uoms: tuple[str, ...] = ()  # the first is the default
    values_reference: str = ""  # where the provider lists the allowed values (ows:ValuesReference)
    alternatives: tuple[LiteralDomain, ...] = ()  # whose values are taken too; these have none
    kind: Literal["literal"] = field(default="literal", init=False)


@dataclass(frozen=True, slots=True)
class ComplexDomain:
    """A document or file; the first format is the default."""

    formats: tuple[Format, ...] = (Format("application/octet-stream"),)
    maximum_megabytes: int | None = None
    json_schema: str = ""  # JSON text of the schema that the provider gives for JSON values
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
    keywords: tuple[str, ...] = ()
    metadata: tuple[Metadata, ...] = ()


@dataclass(frozen=True, slots=True)
class OutputDescription:
    identifier: str
    domain: Domain
    title: str = ""
    abstract: str = ""
    keywords: tuple[str, ...] = ()
    metadata: tuple[Metadata, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcessSummary:
    """What a capabilities document says of a process."""

    identifier: str
    title: str = ""
    abstract: str = ""
    version: str = ""
    keywords: tuple[str, ...] = ()


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
    keywords: tuple[str, ...] = ()
    metadata: tuple[Metadata, ...] = ()
    # False: the provider only runs it asynchronously; the portal waits for whoever does not.
    sync_supported: bool = True
    dismiss_supported: bool = False

    def input(self, identifier: str) -> InputDescription | None:
        """The input of that (case-sensitive) identifier."""
        return next((i for i in self.inputs if i.identifier == identifier), None)

    def output(self, identifier: str) -> OutputDescription | None:
        """The output of that (case-sensitive) identifier."""
        return next((o for o in self.outputs if o.identifier == identifier), None)

    def to_json(self) -> dict[str, Any]:
        return asdict(self, dict_factory=_written)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ProcessDescription:
        inputs = tuple(InputDescription(**_told(one)) for one in data["inputs"])
        outputs = tuple(OutputDescription(**_told(one)) for one in data["outputs"])
        return cls(**{**_told(data), "inputs": inputs, "outputs": outputs})


def _written(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """What earlier versions of the portal did not write is only there where it says something."""
    return {name: value for name, value in fields if value or name != "alternatives"}


def _told(data: dict[str, Any]) -> dict[str, Any]:
    """Keywords and metadata, which descriptions of earlier versions of the portal do not have."""
    metadata = tuple(Metadata(**one) for one in data.get("metadata", ()))
    domain = {"domain": _domain(data["domain"])} if "domain" in data else {}
    return {**data, **domain, "keywords": tuple(data.get("keywords", ())), "metadata": metadata}


def _domain(document: dict[str, Any]) -> Domain:
    data = {name: value for name, value in document.items() if name != "kind"}
    if document["kind"] == "literal":
        ranges = tuple(ValueRange(**r) for r in data["ranges"])
        listed = {k: tuple(data[k]) for k in ("allowed_values", "uoms")}
        others = tuple(_domain(one) for one in data.get("alternatives", ()))
        return LiteralDomain(**{**data, **listed, "ranges": ranges, "alternatives": others})
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


def value_to_json(value: InputValue) -> dict[str, Any]:
    """As `dataclasses.asdict`, which takes ten times as long."""
    return {name: getattr(value, name) for name in value.__slots__}


def value_from_json(data: dict[str, Any]) -> InputValue:
    """The inverse of `value_to_json`."""
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
class Identity:
    """Who runs it, told to trusted providers alone: the user, the group that pays, the role there.

    Headers begin with `prefix`.
    """

    user: str
    domain: str = ""
    role: str = ""
    prefix: str = "X-Remote-"

    def headers(self) -> dict[str, str]:
        """…User, …Domain, …Role as a driver sends them with the run, percent-encoded where a header
        cannot carry them."""
        named = {"User": self.user, "Domain": self.domain, "Role": self.role}
        return {
            f"{self.prefix}{name}": quote(value, safe="!#$&'()*+,/:;=?@[]~")
            for name, value in named.items()
            if value
        }


@dataclass(frozen=True, slots=True)
class ExecuteRequest:
    """One run of a process; identifiers repeat for several occurrences. No outputs: all of them."""

    process: str
    inputs: tuple[InputValue, ...] = ()
    outputs: tuple[OutputRequest, ...] = ()
    identity: Identity | None = None  # None: the provider is not told


@dataclass(frozen=True, slots=True)
class OutputValue:
    """One output of a finished run: its value inline, or a reference at the provider."""

    value: InputValue
    title: str = ""
    abstract: str = ""
    identifier: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "identifier", self.value.identifier)
