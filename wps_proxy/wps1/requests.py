"""The three requests of WPS 1.0.0, and the checks that both encodings share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from common.errors import InvalidInput, PortalError
from providers.process import ExecuteRequest

SERVICE = "WPS"
VERSION = "1.0.0"
LANGUAGES = ("en",)  # the first is the default


@dataclass(frozen=True, slots=True)
class GetCapabilities:
    language: str = LANGUAGES[0]


@dataclass(frozen=True, slots=True)
class DescribeProcess:
    """`identifiers` is empty for ALL."""

    identifiers: tuple[str, ...]
    language: str = LANGUAGES[0]


@dataclass(frozen=True, slots=True)
class ResponseForm:
    """How the answer is wanted (05-007r7 §10.2.1): the bare output, or a document.

    `store` keeps the document at a statusLocation, `status` answers at once and updates it.
    """

    raw: bool = False
    store: bool = False
    status: bool = False
    lineage: bool = False


@dataclass(frozen=True, slots=True)
class Execute:
    request: ExecuteRequest
    form: ResponseForm = ResponseForm()
    language: str = LANGUAGES[0]


Request = GetCapabilities | DescribeProcess | Execute


def check_service(service: str | None) -> None:
    """Raises InvalidInput unless this is the service that is asked for."""
    if not service:
        raise InvalidInput(_("The service is not named."), locator="service", missing=True)
    if service.upper() != SERVICE:
        raise InvalidInput(_("Only the service WPS is here."), locator="service")


def check_version(version: str | None) -> None:
    """Every request but GetCapabilities names the version it is written in."""
    if not version:
        raise InvalidInput(_("The version is not named."), locator="version", missing=True)
    if version != VERSION:
        raise InvalidInput(_("Only version 1.0.0 is spoken here."), locator="version")


def negotiate(accepted: Sequence[str]) -> None:
    """The first version of the client's list that is spoken here; no list accepts any (06-121r3
    §7.3.2). Raises InvalidInput."""
    if accepted and VERSION not in accepted:
        raise InvalidInput(
            _("Only version 1.0.0 is spoken here."), ows_code="VersionNegotiationFailed"
        )


def language_of(asked: str | None) -> str:
    """The language to answer in: the default, or the supported one that was asked for.

    A regional variant gets its language (RFC 4647 look-up). Raises InvalidInput for others.
    """
    if not asked:
        return LANGUAGES[0]
    for supported in LANGUAGES:
        if asked.lower().split("-")[0] == supported:
            return supported
    raise InvalidInput(
        _("The languages here are: %(languages)s.") % {"languages": ", ".join(LANGUAGES)},
        locator="language",
    )


def no_such_operation(name: str) -> PortalError:
    """The refusal of any other request."""
    return PortalError(
        _("There is no such operation here."), ows_code="OperationNotSupported", locator=name[:100]
    )


def check_form(form: ResponseForm) -> None:
    """Status updates need a place where the document is kept (05-007r7 §10.2.1, table 50)."""
    if form.status and not form.store:
        raise InvalidInput(_("status=true needs storeExecuteResponse=true."), locator="status")


def boolean(value: str | None, locator: str) -> bool:
    """An xs:boolean; absent is false."""
    known = {"": False, "true": True, "1": True, "false": False, "0": False}
    try:
        return known[(value or "").strip().lower()]
    except KeyError:
        raise InvalidInput(_("This must be true or false."), locator=locator) from None
