"""What OGC API processes say of their values and no version of WPS has an element for."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from providers.process import ComplexDomain, Domain, Format
from wps_proxy.elements import media_type

BYTES, JSON = "application/octet-stream", "application/json"
MOST_CHARACTERS = 2000  # of a JSON schema in a note


def sayable(domain: ComplexDomain) -> Sequence[Format]:
    """The formats that the schemas allow. Where none has a media type, values with a JSON schema
    are JSON, and all others bytes."""
    known = [one for one in domain.formats if media_type(one.media_type)]
    return known or [Format(JSON if domain.json_schema else BYTES)]


def json_notes(domain: Domain) -> tuple[str, ...]:
    """The JSON schema of a value, in words."""
    if not isinstance(domain, ComplexDomain) or not domain.json_schema:
        return ()
    schema = domain.json_schema
    if len(schema) > MOST_CHARACTERS:
        schema = _("%s… (the whole is at /ogcapi/)") % schema[:MOST_CHARACTERS]
    return (_("A JSON value of this JSON Schema: %s") % schema,)
