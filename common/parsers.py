"""JSON from callers, as strict as the databases behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

_ESCAPED = re.compile(r"\x00|[\ud800-\udfff]")


class StrictJSONParser(JSONParser):
    """JSON without what no text can hold: NUL, lone surrogates, endless nesting, NaN."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
            _check(data)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        return data


def _check(data: Any) -> None:
    if isinstance(data, str) and _ESCAPED.search(data):
        raise ParseError("The JSON holds a character that no text may have.")
    if isinstance(data, dict):
        for name, value in data.items():
            _check(name)
            _check(value)
    elif isinstance(data, list):
        for value in data:
            _check(value)
