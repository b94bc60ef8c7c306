"""Pieces of WPS answers as providers send them, and where sample documents are."""

from __future__ import annotations

from pathlib import Path

import pytest

from providers.ports import Endpoint
from tests.wps_proxy.schemas import SHARED

HERE = Endpoint("https://centre-a.example.org/wps", reference_header="X-Remote-Ref")

NAMES = (
    'xmlns:wps="http://www.opengis.net/wps/1.0.0" xmlns:ows="http://www.opengis.net/ows/1.1" '
    'xmlns:xlink="http://www.w3.org/1999/xlink"'
)


def sample(path: str) -> bytes:
    """A document of the shared schemas."""
    found = Path(SHARED) / "schemas" / path
    if not found.is_file():
        pytest.skip("shared schemas are absent")
    return found.read_bytes()


def response(status: str, *, outputs: str = "", location: str = "") -> bytes:
    """An ExecuteResponse with these pieces of XML in it."""
    where = f'statusLocation="{location}"' if location else ""
    inside = f"<wps:ProcessOutputs>{outputs}</wps:ProcessOutputs>" if outputs else ""
    return (
        f'<wps:ExecuteResponse {NAMES} service="WPS" version="1.0.0" xml:lang="en" {where}>'
        "<wps:Process><ows:Identifier>p</ows:Identifier></wps:Process>"
        f'<wps:Status creationTime="2026-03-02T10:15:00Z">{status}</wps:Status>{inside}'
        "</wps:ExecuteResponse>"
    ).encode()


def succeeded(value: str) -> bytes:
    """An ExecuteResponse with one output `out` of that value."""
    output = f"<wps:Output><ows:Identifier>out</ows:Identifier>{value}</wps:Output>"
    return response("<wps:ProcessSucceeded/>", outputs=output)


def described(inside: str, attributes: str = "") -> bytes:
    """ProcessDescriptions with one process `p` and these pieces in it."""
    return (
        f'<wps:ProcessDescriptions {NAMES} service="WPS" version="1.0.0" xml:lang="en">'
        f"<ProcessDescription {attributes}><ows:Identifier>p</ows:Identifier>{inside}"
        "</ProcessDescription></wps:ProcessDescriptions>"
    ).encode()


def with_input(inside: str, attributes: str = "") -> bytes:
    """ProcessDescriptions with one input `i`."""
    return described(
        f"<DataInputs><Input {attributes}><ows:Identifier>i</ows:Identifier>{inside}"
        "</Input></DataInputs>"
    )


def capabilities(*processes: str) -> bytes:
    """A Capabilities document with these entries of ProcessOfferings."""
    return (
        f'<wps:Capabilities {NAMES} service="WPS" version="1.0.0" xml:lang="en">'
        "<ows:ServiceIdentification><ows:Title>Centre A</ows:Title></ows:ServiceIdentification>"
        f"<wps:ProcessOfferings>{''.join(processes)}</wps:ProcessOfferings></wps:Capabilities>"
    ).encode()


def listed(identifier: str, title: str = "") -> str:
    named = f"<ows:Title>{title}</ows:Title>" if title else ""
    return f"<wps:Process><ows:Identifier>{identifier}</ows:Identifier>{named}</wps:Process>"
