"""The outputs of a job as a document shows them: values, or references that lead to the portal."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator

from common.errors import NotFound, ProviderError
from common.xml import text_ok, undeclared
from jobs.models import Job, JobOutput
from jobs.outputs import open_output
from jobs.outputs import outputs_of as stored_outputs
from jobs.values import is_text
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
_DECLARED = re.compile(rb"""\s*<\?xml\b[^>]{1,100}?\sencoding\s*=\s*["']([\w.:-]{1,40})["']""")

Address = Callable[[JobOutput], str]


def outputs_of(
    job: Job, address: Address, *, plain_by_reference: bool = False
) -> Iterator[OutputValue]:
    """The outputs that were asked for, or all of them when none was named.

    Documents and files by reference when that was asked for, when they are large, and when the
    provider does not give them at the moment; `address` gives the portal's address of an output.
    Plain values and boxes by value, unless the standard knows references to them
    (`plain_by_reference`) and the client asked for one.
    """
    asked = {one.identifier: one for one in job.request().outputs}
    left = MOST_IN_ALL
    for output in stored_outputs(job):
        if asked and output.identifier not in asked:
            continue
        output.job = job
        value = output.value
        wanted = asked.get(output.identifier, OutputRequest(output.identifier))
        if isinstance(value, LiteralValue | BoundingBoxValue):
            if plain_by_reference and wanted.as_reference:
                value = _reference(output, address)
        else:
            data = None if wanted.as_reference else small(output, min(MOST_BY_VALUE, left))
            left -= len(data or b"")
            value = _reference(output, address) if data is None else _by_value(output, wanted, data)
        yield OutputValue(value, output.title, output.abstract)


def small(output: JobOutput, most: int) -> bytes | None:
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
    plain = output.kind in ("literal", "bbox")
    media_type = "text/plain" if plain else output.media_type
    return ReferenceValue(output.identifier, address(output), media_type, schema=_schema(output))


def _by_value(output: JobOutput, wanted: OutputRequest, data: bytes) -> ComplexValue:
    text = None
    asked_base64 = wanted.format is not None and wanted.format.encoding.lower() == "base64"
    if not asked_base64 and is_text(output.media_type):
        text = _text(data)
    if text is None:
        encoded = base64.b64encode(data).decode()
        return ComplexValue(
            output.identifier, encoded, output.media_type, "base64", _schema(output)
        )
    return ComplexValue(output.identifier, text, output.media_type, "", _schema(output))


def _text(data: bytes) -> str | None:
    """The text of the bytes, in UTF-8 unless an XML declaration says another encoding."""
    declared = _DECLARED.match(data)
    try:
        text = undeclared(data.decode(declared[1].decode() if declared else "utf-8"))
    except (ValueError, LookupError):
        return None
    return text if text_ok(text) else None


def _schema(output: JobOutput) -> str:
    return str(output.document.get("schema", ""))
