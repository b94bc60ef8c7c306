"""Answers to a run that are no JSON document: the bare output, several parts, references in headers
(18-062r2 §7.11.3)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from urllib.parse import unquote

from django.utils.translation import gettext as _

from common.errors import ProviderNonsense
from common.http import Response
from providers.drivers.ogcapi.documents import log
from providers.drivers.ogcapi.values import values_of
from providers.process import ComplexValue, InputValue

UNNAMED = "result"  # an only output that nobody named
MOST_PARTS = 1000
LONGEST_HEADER = 100_000

_PARAMETER = re.compile(r';\s*([\w*]+)\s*=\s*(?:"([^"]*)"|([^\s;,]+))')
_NO_OUTPUT = frozenset({"monitor", "self", "alternate", "next", "up"})


def raw(identifier: str, body: bytes, media_type: str) -> ComplexValue:
    """The bytes of an output: as text where they are some."""
    kind = media_type.partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind.endswith(("/xml", "+xml", "/json", "+json")):
        try:
            said = body.decode("utf-8-sig")
        except UnicodeDecodeError:
            said = ""
        if said and "\x00" not in said:
            return ComplexValue(identifier, said, kind)
    return ComplexValue(
        identifier, base64.b64encode(body).decode(), kind or "application/octet-stream", "base64"
    )


def parts(answer: Response, media_type: str) -> Iterator[InputValue]:
    """The parts of a multipart answer: Content-ID names the output, Content-Location a file."""
    head = f"Content-Type: {media_type}\r\n\r\n".encode(errors="replace")
    found = message_from_bytes(head + answer.body).get_payload()
    if not isinstance(found, list):
        raise ProviderNonsense(_("The provider's results have no parts."))
    for part in found[:MOST_PARTS]:
        if isinstance(part, Message):
            yield from _part(part, answer.url)


def _part(part: Message, base: str) -> Iterator[InputValue]:
    name = str(part.get("Content-ID", "")).strip().strip("<>")
    location = str(part.get("Content-Location", "")).strip()
    payload = part.get_payload(decode=True)
    if not name or not name.isprintable():
        log.warning("provider.output_without_name")
    elif location and not payload:
        yield from values_of(name, {"href": location, "type": part.get_content_type()}, base)
    elif isinstance(payload, bytes):
        yield raw(name, payload, part.get_content_type())


def linked(answer: Response, only: str) -> Iterator[InputValue]:
    """Outputs by reference in `Link` headers: the relation (or the anchor) names the output."""
    header = answer.headers.get("link", "")[:LONGEST_HEADER]
    for href, rest in re.findall(r"<([^<>]*)>([^<]*)", header):
        said = {
            name.lower(): quoted or bare
            for name, quoted, bare in re.findall(
                r';\s*([\w*]+)\s*=\s*(?:"([^"]*)"|([^\s;,]+))', rest
            )
        }
        relation = said.get("rel", "")
        if relation in _NO_OUTPUT:
            continue
        named = unquote(said.get("anchor", "")).lstrip("#") or relation.rpartition("/")[2]
        name = only or named or UNNAMED
        yield from values_of(name, {"href": href, "type": said.get("type", "")}, answer.url)
