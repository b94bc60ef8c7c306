"""What a run would use, said without running: the convention of the input `quotation`."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from pywps import FORMATS, ComplexOutput, LiteralInput

INPUT = "quotation"
OUTPUT = "QUOTATION"

Quantities = Mapping[str, int]


def question() -> LiteralInput:
    return LiteralInput(
        INPUT,
        "Quotation",
        data_type="boolean",
        default=False,
        min_occurs=0,
        abstract="Only say what the run would use; nothing is computed.",
    )


def answer() -> ComplexOutput:
    return ComplexOutput(
        OUTPUT,
        "Job Quotation",
        supported_formats=[FORMATS.JSON],
        abstract="What the run would use, in place of all other outputs.",
    )


def is_asked(request: Any) -> bool:
    given = request.inputs.get(INPUT)
    value = given[0].data if given and hasattr(given[0], "data") else _raw(given)
    return str(value).strip().lower() in ("true", "1", "yes")


def document(quantities: Quantities, process: str) -> str:
    """Usage records with estimated quantities, in JSON."""
    record = {
        "id": f"quote-{uuid.uuid4()}",
        "account": {"platform": "demo"},
        "compound": {"id": process, "type": "WPS-QUOTATION"},
        "quantity": [{"id": name, "value": value} for name, value in quantities.items()],
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "status": "QUOTATION",
    }
    return json.dumps([record])


def _raw(given: Any) -> object:
    """The value before PyWPS has made an input of it."""
    return given[0].get("data") if given and isinstance(given[0], dict) else None
