"""The outputs of a job as a document shows them: values, or references that lead to the portal."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

from common.errors import NotFound, ProviderError
from common.xml import text_ok
from jobs.models import Job, JobOutput
from jobs.outputs import open_output
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    LiteralValue,
    OutputRequest,
    OutputValue,
    ReferenceValue,
)

MOST_BY_VALUE = 2**20  # bytes of one document or file
MOST_IN_ALL = 8 * 2**20  # bytes of all of them in one answer
_TEXTS = ("json", "xml", "javascript", "yaml", "csv", "wkt")

Address = Callable[[JobOutput], str]


def outputs_of(job: Job, address: Address) -> Iterator[OutputValue]:
    """The outputs that were asked for, or all of them when none was named.

    Plain values and boxes always by value. Documents and files by reference when that was asked
    for, when they are large, and when the provider does not give them at the moment; `address`
    gives the portal's address of an output.
    """
    asked = {one.identifier: one for one in job.request().outputs}
    left = MOST_IN_ALL
    for output in job.outputs.order_by("number"):
        if asked and output.identifier not in asked:
            continue
        output.job = job
        value = output.value
        if not isinstance(value, LiteralValue | BoundingBoxValue):
            wanted = asked.get(output.identifier, OutputRequest(output.identifier))
            data = None if wanted.as_reference else _small(output, min(MOST_BY_VALUE, left))
            left -= len(data or b"")
            value = _reference(output, address) if data is None else _by_value(output, wanted, data)
        yield OutputValue(value, output.title, output.abstract)


def _small(output: JobOutput, most: int) -> bytes | None:
    """The bytes of an output, or None when there are more than `most` or none to be had now."""
    if output.size is not None and output.size > most:
        return None
    data = bytearray()
    try:
        with open_output(output) as source:
            if int(source.headers.get("content-length", 0)) > most:
                return None
            for chunk in source.chunks:
                data += chunk
                if len(data) > most:
                    return None
    except (ProviderError, NotFound):
        return None
    return bytes(data)


def _reference(output: JobOutput, address: Address) -> ReferenceValue:
    return ReferenceValue(
        output.identifier, address(output), output.media_type, schema=_schema(output)
    )


def _by_value(output: JobOutput, wanted: OutputRequest, data: bytes) -> ComplexValue:
    text = None
    asked_base64 = wanted.format is not None and wanted.format.encoding.lower() == "base64"
    if not asked_base64 and _is_text(output.media_type):
        text = _text(data)
    if text is None:
        encoded = base64.b64encode(data).decode()
        return ComplexValue(
            output.identifier, encoded, output.media_type, "base64", _schema(output)
        )
    return ComplexValue(output.identifier, text, output.media_type, "", _schema(output))


def _is_text(media_type: str) -> bool:
    """Whether a client expects text; bytes that happen to be readable are still base64."""
    kind = media_type.split(";", maxsplit=1)[0].strip().lower()
    return not kind or kind.startswith("text/") or kind.endswith(_TEXTS)


def _text(data: bytes) -> str | None:
    try:
        text = data.decode()
    except ValueError:
        return None
    return text if text_ok(text) else None


def _schema(output: JobOutput) -> str:
    return str(output.document.get("schema", ""))
