"""Requests as key-value pairs in the query of a GET (14-065 §10.3): all but Execute."""

from __future__ import annotations

from django.utils.translation import gettext as _

from common.errors import PortalError
from common.kvp import Parameters, listed, required
from wps_proxy.negotiation import (
    check_service,
    check_version,
    first_language,
    language_of,
    negotiate,
    no_such_operation,
)
from wps_proxy.wps2.requests import (
    JOB_REQUESTS,
    SPOKEN,
    DescribeProcess,
    GetCapabilities,
    Request,
    media_type_of,
    sections_of,
)


def read(given: Parameters) -> Request:
    """The request in the parameters. Raises PortalError."""
    check_service(given.get("service"))
    name = required(given, "request")
    operation = name.lower()
    if operation == "getcapabilities":
        return _get_capabilities(given)
    if operation == "execute":
        raise PortalError(
            _("Execute goes as XML in a POST: WPS 2.0 knows no key-value pairs for it."),
            ows_code="OperationNotSupported",
            locator="Execute",
        )
    if operation != "describeprocess" and operation not in JOB_REQUESTS:
        raise no_such_operation(name)
    check_version(given.get("version"), SPOKEN)
    if operation in JOB_REQUESTS:
        return JOB_REQUESTS[operation](required(given, "jobid", "jobID"))
    identifiers = listed(required(given, "identifier"))
    everything = "all" in map(str.lower, identifiers)
    language = language_of(given.get("lang") or given.get("language"), "lang")
    return DescribeProcess(() if everything else identifiers, language)


def _get_capabilities(given: Parameters) -> GetCapabilities:
    # Many clients send `version` here: taken as the only one that they accept.
    negotiate(listed(given.get("acceptversions") or given.get("version", "")), SPOKEN)
    languages = listed(given.get("acceptlanguages") or given.get("language", ""))
    return GetCapabilities(
        first_language(languages, "AcceptLanguages"),
        given.get("updatesequence", "").strip(),
        sections_of(listed(given.get("sections", ""))),
        media_type_of(listed(given.get("acceptformats", ""))),
    )
