"""The three requests of WPS 1.0.0, and what their parts must fulfil together."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from common.errors import InvalidInput
from providers.process import ExecuteRequest
from wps_proxy.negotiation import LANGUAGES

VERSION = "1.0.0"


@dataclass(frozen=True, slots=True)
class GetCapabilities:
    """`update_sequence` names the document that the client has."""

    language: str = LANGUAGES[0]
    update_sequence: str = ""


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


def check_form(form: ResponseForm) -> None:
    """Status updates need a place where the document is kept (05-007r7 §10.2.1, table 50)."""
    if form.status and not form.store:
        raise InvalidInput(_("status=true needs storeExecuteResponse=true."), locator="status")


def no_unit(output: str) -> InvalidInput:
    """For a request that wants an output in a unit, which neither 2.0 nor the API can ask for."""
    return InvalidInput(_("The unit of an output cannot be chosen."), locator=output)
