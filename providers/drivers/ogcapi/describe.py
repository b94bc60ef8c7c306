"""Process descriptions (18-062r2 §7.10)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from common.errors import ProviderNonsense
from providers.addresses import foreign
from providers.drivers.ogcapi.documents import keywords, public, read_object, text, texts
from providers.drivers.ogcapi.resolving import Schema, whole_schema
from providers.drivers.ogcapi.schemas import domain_of, occurrences_of
from providers.ows.descriptions import MOST_LISTED, MOST_OCCURRENCES, once, public_address, usable
from providers.ports import Descriptions, Endpoint
from providers.process import (
    Domain,
    InputDescription,
    LiteralDomain,
    Metadata,
    OutputDescription,
    ProcessDescription,
)


def parse_description(data: bytes, endpoint: Endpoint) -> Descriptions:
    """The description in a document, by its identifier. Raises ProviderNonsense."""
    said = read_object(data)
    inner = said.get("process")  # Weaver and older drafts put one object around it
    if isinstance(inner, dict) and "id" not in said:
        said = {**said, **inner}
    identifier = text(said, "id")
    if not usable(identifier):
        raise ProviderNonsense(_("The provider's answer describes no process."))
    warnings: list[str] = []
    options = _words(said.get("jobControlOptions"))
    asynchronous = "async-execute" in options
    process = ProcessDescription(
        **_titles(said, identifier, endpoint),
        version=public(said, endpoint, "version"),
        inputs=once([_input(*one, endpoint) for one in _named(said.get("inputs"))], warnings),
        outputs=once([_output(*one, endpoint) for one in _named(said.get("outputs"))], warnings),
        store_supported="reference" in _words(said.get("outputTransmission")),
        status_supported=asynchronous,
        sync_supported="sync-execute" in options or not asynchronous,
        dismiss_supported="dismiss" in options,
    )
    warned = {identifier: " ".join(warnings)} if warnings else {}
    return Descriptions({identifier: process}, warnings=warned)


def _words(value: Any) -> set[str]:
    return {word.lower() for one in texts(value) for word in re.split(r"[\s,]+", one)}


def _named(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Inputs or outputs by identifier: an object of them, or the list that older drafts have."""
    if isinstance(value, dict):
        yield from ((name, one) for name, one in value.items() if isinstance(one, dict))
    elif isinstance(value, list):
        yield from ((text(one, "id"), one) for one in value if isinstance(one, dict))


def _titles(said: dict[str, Any], identifier: str, endpoint: Endpoint) -> dict[str, Any]:
    return {
        "identifier": identifier,
        "title": public(said, endpoint, "title") or identifier,
        "abstract": public(said, endpoint, "description", "abstract"),
        "keywords": keywords(said.get("keywords"), endpoint)[:MOST_LISTED],
        "metadata": tuple(_metadata(said.get("metadata"), endpoint))[:MOST_LISTED],
    }


def _metadata(value: Any, endpoint: Endpoint) -> Iterator[Metadata]:
    """What lies at addresses of others; what points into the provider is left out."""
    for one in value if isinstance(value, list) else ():
        if not isinstance(one, dict) or _is_unit(one):
            continue
        title = public(one, endpoint, "title") or public(one, endpoint, "value")
        href = public_address(text(one, "href"), endpoint)
        if href or (title and not text(one, "href")):
            yield Metadata(title, href, foreign(text(one, "role"), endpoint))


def _is_unit(metadata: dict[str, Any]) -> bool:
    return re.split(r"[/#:]", text(metadata, "role").lower())[-1] in ("uom", "unit")


def _with_units(domain: Domain, said: dict[str, Any], schema: Schema, endpoint: Endpoint) -> Domain:
    """The standard has no place for units: they are in the metadata, the first is the default, or
    in the schema as OGC API - Features part 5 has it."""
    if not isinstance(domain, LiteralDomain):
        return domain
    metadata = said.get("metadata")
    listed = (
        [one for one in metadata if isinstance(one, dict)] if isinstance(metadata, list) else []
    )
    named = [text(one, "title") or text(one, "value") for one in listed if _is_unit(one)]
    known = [foreign(one.strip(), endpoint) for one in (*named, text(schema, "x-ogc-unit"))]
    units = tuple(dict.fromkeys(filter(None, known)))[:MOST_LISTED]
    others = tuple(replace(one, uoms=units) for one in domain.alternatives)
    return replace(domain, uoms=units, alternatives=others)


def _input(identifier: str, said: dict[str, Any], endpoint: Endpoint) -> InputDescription:
    schema = whole_schema(said)
    low, high = _occurs(said)
    domain, listed = domain_of(schema, endpoint, single=(low, high) == (1, 1) or high == 1)
    if listed:
        low, high = occurrences_of(schema, optional=low == 0)
    domain = _with_units(domain, said, schema, endpoint)
    return InputDescription(
        domain=domain, min_occurs=low, max_occurs=high, **_titles(said, identifier, endpoint)
    )


def _output(identifier: str, said: dict[str, Any], endpoint: Endpoint) -> OutputDescription:
    schema = whole_schema(said)
    domain, _listed = domain_of(schema, endpoint, single=False)
    domain = _with_units(domain, said, schema, endpoint)
    return OutputDescription(domain=domain, **_titles(said, identifier, endpoint))


def _occurs(said: dict[str, Any]) -> tuple[int, int | None]:
    low = _count(said.get("minOccurs"))
    high = said.get("maxOccurs")
    most = None if str(high).lower() == "unbounded" else max(_count(high), low, 1)
    return min(low, MOST_OCCURRENCES), None if most is None or most > MOST_OCCURRENCES else most


def _count(number: Any) -> int:
    """A count of occurrences; 1 when it is missing or no number."""
    said = str(number) if isinstance(number, int | str) and not isinstance(number, bool) else ""
    return int(said) if re.fullmatch(r"\d{1,18}", said, re.ASCII) else 1
