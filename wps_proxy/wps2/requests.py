"""The requests of WPS 2.0 (14-065 §9, §12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from common.errors import InvalidInput
from providers.process import ExecuteRequest
from wps_proxy.negotiation import LANGUAGES

VERSION = "2.0.0"  # the schemas fix it in every message, also under the corrigenda
SPOKEN = (VERSION, "2.0.1", "2.0.2")
SECTIONS = ("ServiceIdentification", "ServiceProvider", "OperationsMetadata", "Languages")
CONTENTS = "Contents"
MEDIA_TYPES = ("text/xml", "application/xml")

Mode = Literal["sync", "async", "auto"]


@dataclass(frozen=True, slots=True)
class GetCapabilities:
    """`sections` are those beside the contents, which the schema always wants."""

    language: str = LANGUAGES[0]
    update_sequence: str = ""
    sections: frozenset[str] = frozenset(SECTIONS)
    media_type: str = MEDIA_TYPES[0]


@dataclass(frozen=True, slots=True)
class DescribeProcess:
    """`identifiers` is empty for ALL."""

    identifiers: tuple[str, ...]
    language: str = LANGUAGES[0]


@dataclass(frozen=True, slots=True)
class Execute:
    request: ExecuteRequest
    mode: Mode = "auto"
    raw: bool = False


@dataclass(frozen=True, slots=True)
class GetStatus:
    job_id: str


@dataclass(frozen=True, slots=True)
class GetResult:
    job_id: str


@dataclass(frozen=True, slots=True)
class Dismiss:
    job_id: str


JobRequest = GetStatus | GetResult | Dismiss
Request = GetCapabilities | DescribeProcess | Execute | JobRequest
JOB_REQUESTS: dict[str, type[GetStatus | GetResult | Dismiss]] = {
    "getstatus": GetStatus,
    "getresult": GetResult,
    "dismiss": Dismiss,
}


def sections_of(asked: tuple[str, ...]) -> frozenset[str]:
    """The sections to write beside the contents. Raises InvalidInput for an unknown one."""
    known = {name.lower(): name for name in (*SECTIONS, CONTENTS)}
    if not asked or "all" in (one.lower() for one in asked):
        return frozenset(SECTIONS)
    for one in asked:
        if one.lower() not in known:
            raise InvalidInput(
                _("The sections here are: %(sections)s.")
                % {"sections": ", ".join((*SECTIONS, CONTENTS, "All"))},
                locator="Sections",
            )
    return frozenset(known[one.lower()] for one in asked) - {CONTENTS}


def media_type_of(asked: tuple[str, ...]) -> str:
    """The first media type of the client's list that is spoken; ours when there is none."""
    return next((one for one in asked if one in MEDIA_TYPES), MEDIA_TYPES[0])
