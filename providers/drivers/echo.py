"""The portal's own process: it gives back what it was given, at once or after a pause.

It runs in the process that asks, calls nothing but the addresses of inputs by reference (guarded),
and keeps nothing: what is to be told after a pause travels in the job's handle. A run that is asked
for again gives the same, so that a crash on the way costs nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.utils.translation import gettext as _

from common.clock import now
from common.errors import PortalError, ProviderNonsense, ProviderRefused
from common.http import Limits, fetch
from providers.ports import (
    Descriptions,
    Endpoint,
    Found,
    RemoteState,
    RemoteStatus,
    ServiceInfo,
)
from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    ComplexValue,
    ExecuteRequest,
    Format,
    InputDescription,
    InputValue,
    LiteralDomain,
    LiteralValue,
    OutputDescription,
    OutputValue,
    ProcessDescription,
    ProcessSummary,
    ReferenceValue,
    ValueRange,
    value_from_json,
)

MOST_BYTES = 2**20  # of all inputs together
MOST_VALUES = 10  # occurrences of one input
MOST_SECONDS = 60  # of a pause
MOST_FETCHING = 10.0  # seconds, for all addresses of a run together: a thread is at it
PAUSE = "pause"
_TEXTS = ("json", "xml", "csv")

_LITERAL = LiteralDomain("string")
_COMPLEX = ComplexDomain(
    (
        Format("text/xml"),
        Format("application/xml"),
        Format("application/json"),
        Format("application/geo+json"),
        Format("text/plain"),
        Format("text/csv"),
        Format("application/octet-stream", "base64"),
        Format("image/tiff", "base64"),
        Format("image/png", "base64"),
    ),
    MOST_BYTES // 2**20,
)
_BOX = BoundingBoxDomain(("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4326"))
_SECONDS = LiteralDomain("double", ranges=(ValueRange("0", str(MOST_SECONDS)),))

ECHO = ProcessDescription(
    "echo",
    "Echo",
    "Gives back what it is given: texts, documents, boxes. A free run to try a client with.",
    "1.0",
    inputs=(
        InputDescription("literal", _LITERAL, "Text", "", 0, MOST_VALUES),
        InputDescription("complex", _COMPLEX, "Document or file", "", 0, MOST_VALUES),
        InputDescription("bbox", _BOX, "Bounding box", "", 0, MOST_VALUES),
        InputDescription(
            PAUSE, _SECONDS, "Pause", "Seconds to wait before it is given back.", min_occurs=0
        ),
    ),
    outputs=(
        OutputDescription("literal", _LITERAL, "Text", "As it was given."),
        OutputDescription("complex", _COMPLEX, "Document or file", "As it was given."),
        OutputDescription("bbox", _BOX, "Bounding box", "As it was given."),
    ),
    store_supported=True,
    status_supported=True,
    keywords=("echo", "test"),
    dismiss_supported=True,
)


class EchoDriver:
    """The driver of the provider that the portal itself is."""

    scheme = "echo"

    def capabilities(self, endpoint: Endpoint) -> ServiceInfo:
        del endpoint
        told = ECHO
        summary = ProcessSummary(
            told.identifier, told.title, told.abstract, told.version, told.keywords
        )
        return ServiceInfo("TEP Portal", (summary,))

    def describe(self, endpoint: Endpoint, identifiers: Sequence[str]) -> Descriptions:
        del endpoint
        unknown = {one: _("There is no such process.") for one in identifiers if one != "echo"}
        return Descriptions({"echo": ECHO} if "echo" in identifiers else {}, unknown)

    def submit(
        self,
        endpoint: Endpoint,
        process: ProcessDescription,
        request: ExecuteRequest,
        reference: str,
    ) -> RemoteStatus:
        """The end of the run; with a pause, a handle that has the end in it.

        Raises ProviderRefused when nothing is given to give back, for more than MOST_BYTES, for an
        output without its input or in another format than its input's, for an address that gives
        nothing.
        """
        del endpoint, process
        given = [value for value in request.inputs if value.identifier != PAUSE]
        _check(request, given)
        outputs = tuple(OutputValue(one) for one in _resolved(given))
        seconds = _pause(request)
        if not seconds:
            return _succeeded(outputs, reference)
        begin = now()
        handle = json.dumps(
            {
                "reference": reference,
                "begin": begin.isoformat(),
                "end": (begin + timedelta(seconds=seconds)).isoformat(),
                "outputs": [asdict(one.value) for one in outputs],
            }
        )
        return self.status(Endpoint(""), handle)

    def status(self, endpoint: Endpoint, handle: str) -> RemoteStatus:
        """Running until the end that the handle tells, then its outputs."""
        del endpoint
        try:
            told: dict[str, Any] = json.loads(handle)
            begin, end = (datetime.fromisoformat(told[name]) for name in ("begin", "end"))
            outputs = tuple(OutputValue(value_from_json(one)) for one in told["outputs"])
            reference = str(told["reference"])
        except (ValueError, KeyError, TypeError):
            raise ProviderNonsense(_("This handle is not one of the echo process.")) from None
        moment = now()
        if moment >= end:
            return _succeeded(outputs, reference)
        percent = max(0, int(100 * ((moment - begin) / (end - begin))))
        return RemoteStatus(
            RemoteState.RUNNING,
            self.scheme,
            "pausing",
            handle,
            reference,
            percent,
            _("Pausing."),
            next_poll=end,
        )

    def dismiss(self, endpoint: Endpoint, handle: str) -> bool:
        """Nothing runs that would have to be stopped."""
        del endpoint, handle
        return True

    def may_fetch(self, endpoint: Endpoint, href: str) -> bool:
        """All outputs are values."""
        del endpoint, href
        return False

    def find(self, endpoint: Endpoint, reference: str) -> RemoteStatus | Found:
        """A run whose answer was lost has left nothing behind: it may be asked for again."""
        del endpoint, reference
        return Found.NEVER_ARRIVED


def _succeeded(outputs: tuple[OutputValue, ...], reference: str) -> RemoteStatus:
    return RemoteStatus(
        RemoteState.SUCCEEDED,
        EchoDriver.scheme,
        "succeeded",
        remote_id=reference,
        percent=100,
        outputs=outputs,
    )


def _check(request: ExecuteRequest, given: Sequence[InputValue]) -> None:
    if not given:
        raise ProviderRefused(_("Give a text, a document or a box: there is nothing to give back."))
    by_name = {value.identifier: value for value in given}
    # Conformance suites ask for every output, whatever they give: one of them is enough.
    if request.outputs and not any(one.identifier in by_name for one in request.outputs):
        missing = request.outputs[0].identifier
        raise ProviderRefused(
            _("The output “%(name)s” is its input, which was not given.") % {"name": missing},
            locator=missing,
        )
    for wanted in request.outputs:
        value = by_name.get(wanted.identifier)
        media_type = wanted.format.media_type if wanted.format else ""
        if media_type and media_type != getattr(value, "media_type", media_type):
            raise ProviderRefused(
                _("The output “%(name)s” has the format of its input; nothing is converted.")
                % {"name": wanted.identifier},
                locator=wanted.identifier,
            )
    _check_size(given)


def _check_size(values: Sequence[InputValue]) -> None:
    if sum(len(_text(one).encode()) for one in values) > MOST_BYTES:
        raise ProviderRefused(_("This is more than the 1 MB that the echo process takes."))


def _text(value: InputValue) -> str:
    if isinstance(value, ComplexValue):
        return value.data
    return value.value if isinstance(value, LiteralValue) else ""


def _resolved(given: Sequence[InputValue]) -> list[InputValue]:
    """The values, those at addresses fetched."""
    end = monotonic() + MOST_FETCHING
    values: list[InputValue] = []
    for one in given:
        values.append(_fetched(one, end) if isinstance(one, ReferenceValue) else one)
        _check_size(values)
    return values


def _fetched(value: ReferenceValue, end: float) -> InputValue:
    left = max(0.1, end - monotonic())
    limits = Limits(connect=3.0, read=5.0, total=left, max_bytes=MOST_BYTES)
    try:
        answer = fetch("GET", value.href, limits=limits, by_user=True)
    except PortalError as error:
        raise ProviderRefused(error.detail, locator=value.identifier) from None
    if answer.status != 200:  # noqa: PLR2004 (OK)
        raise ProviderRefused(
            _("The address of “%(name)s” answers with status %(status)s.")
            % {"name": value.identifier, "status": answer.status},
            locator=value.identifier,
        )
    kind = value.media_type.split(";", maxsplit=1)[0].strip().lower()
    if kind.startswith("text/") or kind.endswith(_TEXTS):
        try:
            return ComplexValue(
                value.identifier, answer.body.decode(), value.media_type, "", value.schema
            )
        except ValueError:
            pass  # carried as the bytes that it is
    data = base64.b64encode(answer.body).decode()
    return ComplexValue(value.identifier, data, value.media_type, "base64", value.schema)


def _pause(request: ExecuteRequest) -> float:
    for value in request.inputs:
        if isinstance(value, LiteralValue) and value.identifier == PAUSE:
            return min(float(value.value), MOST_SECONDS)
    return 0
