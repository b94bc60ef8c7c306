"""Writing APEL usage messages. What reads them, and all other forms, is accounting/usage/forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from accounting.usage.forms.text import JOB, SEPARATOR


def write(records: Iterable[Mapping[str, Any]], *, version: str = "0.3") -> bytes:
    """An individual-job message of these records (their own keys; None is left out).

    Times are given as aware datetimes or seconds since 1970; a mapping is written as a dictionary
    (ServiceLevel of v0.4). Raises ValueError for what the form cannot carry.
    """
    parts = [f"{JOB}: v{version}\n"]
    for record in records:
        for key, value in record.items():
            if key == "extra":
                parts.extend(_line(k, v) for k, v in value.items())
            elif value is not None:
                parts.append(_line(key, value))
        parts.append(f"{SEPARATOR}\n")
    return "".join(parts).encode()


def _line(key: str, value: object) -> str:
    if isinstance(value, datetime):
        value = int(value.timestamp())
    elif isinstance(value, Mapping):
        value = "{" + ", ".join(f"{k}: {v}" for k, v in value.items()) + "}"
    line = f"{key}: {value}"
    if ":" in key or not key.strip() or "\n" in line or "\r" in line:
        raise ValueError(f"an APEL message cannot carry {key!r} with this value")
    return line + "\n"
