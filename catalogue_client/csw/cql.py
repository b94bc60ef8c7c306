"""The part of CQL (OGC 07-006r1, CQL_TEXT) that catalogues' clients send."""

from __future__ import annotations

import re

from django.db.models import Q
from django.utils.translation import gettext as _

from catalogue_client.csw import properties
from catalogue_client.csw.filters import DEEPEST, MOST_CONDITIONS, wrong
from catalogue_client.geometry import checked_box
from common.ows import to_lonlat_bbox

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d{1,3})?)"""
    r"""|(?P<name>"[^"]+"|[A-Za-z_][\w:./]*)|(?P<sign><>|<=|>=|[=<>(),]))""",
    re.ASCII,
)
_WORDS = frozenset({"AND", "OR", "NOT", "LIKE", "ILIKE", "BETWEEN", "IS", "NULL", "BBOX"})
LONGEST = 20_000


def condition(text: str) -> Q:
    """What a constraint in CQL asks. Raises InvalidInput."""
    reader = _Reader(text)
    found = reader.either(DEEPEST)
    reader.expect("")
    return found


class _Reader:
    """One token ahead; "" is the end."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise wrong(_("The constraint is too long."))
        self.tokens = list(_tokens(text.strip()))
        self.conditions = 0

    @property
    def next(self) -> str:
        token = self.tokens[0][1] if self.tokens else ""
        return token.upper() if token.upper() in _WORDS else token

    def take(self, kind: str = "") -> str:
        if not self.tokens or (kind and self.tokens[0][0] != kind):
            raise wrong(_("The constraint cannot be read at “%s”.") % self.next[:40])
        return self.tokens.pop(0)[1]

    def expect(self, token: str) -> None:
        if self.next != token:
            raise wrong(_("The constraint cannot be read at “%s”.") % self.next[:40])
        if token:
            self.take()

    def skip(self, token: str) -> bool:
        found = self.next == token
        if found:
            self.take()
        return found

    def either(self, depth: int) -> Q:
        parts = [self.both(depth)]
        while self.skip("OR"):
            parts.append(self.both(depth))
        return parts[0] if len(parts) == 1 else Q(*parts, _connector=Q.OR)

    def both(self, depth: int) -> Q:
        parts = [self.one(depth)]
        while self.skip("AND"):
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else Q(*parts)

    def one(self, depth: int) -> Q:
        self.conditions += 1
        if not depth or self.conditions > MOST_CONDITIONS:
            raise wrong(_("The constraint is too long or too deep."))
        if self.skip("NOT"):
            return ~self.one(depth - 1)
        if self.skip("("):
            found = self.either(depth - 1)
            self.expect(")")
            return found
        if self.skip("BBOX"):
            return self.box()
        return self.predicate(self.take("name").strip('"'))

    def predicate(self, name: str) -> Q:
        if self.skip("IS"):
            negated = self.skip("NOT")
            self.expect("NULL")
            found = properties.null(name)
            return ~found if negated else found
        negated = self.skip("NOT")
        if self.skip("LIKE") or self.skip("ILIKE"):
            found = properties.like(name, _plain(self.take("text")))
        elif self.skip("BETWEEN"):
            lower = self.literal()
            self.expect("AND")
            found = properties.between(name, lower, self.literal())
        elif negated or self.next not in ("=", "<>", "<", "<=", ">", ">="):
            raise wrong(_("The constraint cannot be read at “%s”.") % self.next[:40])
        else:
            found = properties.compare(name, self.take("sign"), self.literal())
        return ~found if negated else found

    def literal(self) -> str:
        if self.tokens and self.tokens[0][0] == "number":
            return self.take()
        return _plain(self.take("text"))

    def box(self) -> Q:
        self.expect("(")
        name = self.take("name").strip('"')
        numbers = []
        for _side in range(4):
            self.expect(",")
            numbers.append(float(self.take("number")))
        system = _plain(self.take("text")) if self.skip(",") else ""
        self.expect(")")
        box = to_lonlat_bbox(numbers[:2], numbers[2:], system)
        return properties.meets(name, checked_box(box))


def _tokens(text: str) -> list[tuple[str, str]]:
    found, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise wrong(_("The constraint cannot be read at “%s”.") % text[position:][:40])
        found.append((str(match.lastgroup), str(match[str(match.lastgroup)])))
        position = match.end()
    return found


def _plain(text: str) -> str:
    return text[1:-1].replace("''", "'")
