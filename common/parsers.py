"""What callers send: JSON as strict as the databases behind it, and documents as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser, JSONParser

from common.errors import TooLarge

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


class RawParser(BaseParser):
    """Leaves a document as it is, up to `most` bytes, whatever its media type."""

    media_type = "*/*"
    most = 5 * 2**20

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        told = (parser_context or {})["request"].META
        encoding = told.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise UnsupportedMediaType("", _("Send the document itself, not compressed."))
        declared = int(told.get("CONTENT_LENGTH") or 0)
        if declared > self.most:
            raise TooLarge(limit=self.most)
        body = bytes(stream.read(self.most + 1))
        if len(body) > self.most:
            raise TooLarge(limit=self.most)
        return body


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
