"""What a filter may ask of a record, and the condition on the table of items that it means.

Properties of csw:Record and of the ISO profile stand for the same columns.
"""

from __future__ import annotations

import re

from django.db.models import BooleanField, F, Func, Q, Value
from django.db.models.functions import Concat, Lower
from django.utils.translation import gettext as _

from catalogue_client import places
from catalogue_client.geometry import Box
from catalogue_client.metadata.facts import namespace, place_of
from catalogue_client.moments import period
from common.errors import InvalidInput

LONGEST, MOST_WILDCARDS = 1000, 10
EVERYTHING, NOTHING = ~Q(pk__in=[]), Q(pk__in=[])
_WORDS = frozenset({"anytext", "abstract", "description", "subject", "keyword"})
_TEXTS = {"title": "title", "parentidentifier": "collection__identifier"}
_TEXTS["ispartof"] = _TEXTS["parentidentifier"]
_TIMES = {
    "modified": "updated_at",
    "created": "created_at",
    "creationdate": "created_at",
    "revisiondate": "updated_at",
    "date": "start",
    "tempextent_begin": "start",
    "tempextent_end": "end",
}
_IDENTIFIER, _TYPE, _BOX = "identifier", "type", "boundingbox"
SORTABLE = {**_TEXTS, **_TIMES, _IDENTIFIER: "identifier"}
_STEPS = {"=": "", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


class _Like(Func):
    """SQL's LIKE, with “!” in front of what is meant literally."""

    template = "%(expressions)s ESCAPE '!'"
    arg_joiner = " LIKE "
    output_field = BooleanField()


def compare(name: str, operator: str, literal: str) -> Q:
    """The property beside a value by =, <>, <, <=, >, >=. Raises InvalidInput."""
    if operator == "<>":
        return ~compare(name, "=", literal)
    key = _key(name)
    if key in _TIMES:
        return _moment(_TIMES[key], operator, literal)
    if key in _TEXTS:
        suffix = f"__{_STEPS[operator]}" if _STEPS[operator] else ""
        return Q(**{f"{_TEXTS[key]}{suffix}": _bounded(literal)})
    if operator != "=":
        raise _wrong(_("“%s” has no order.") % name[:60])
    if key == _IDENTIFIER:
        place = place_of(literal)
        return Q(collection__identifier=place[0], identifier=place[1]) if place else NOTHING
    if key == _TYPE:
        return EVERYTHING if literal.strip().lower() == "dataset" else NOTHING
    return Q(words__contains=_bounded(literal).lower())


def like(name: str, pattern: str, *, wild: str = "%", single: str = "_", escape: str = "\\") -> Q:
    """The property beside a pattern, whatever the case of letters. Raises InvalidInput."""
    key, sql = _key(name), _pattern(pattern, wild, single, escape)
    if key in _TIMES:
        raise _wrong(_("“%s” is no text.") % name[:60])
    if key == _TYPE:
        form = re.escape(sql).replace("%", ".*").replace("_", ".")
        return EVERYTHING if re.fullmatch(form, "dataset") else NOTHING
    if key in _WORDS:
        return Q(_Like(F("words"), Value(f"%{sql.strip('%')}%")))
    if key == _IDENTIFIER:
        start, colon = Value(f"{namespace()}:"), Value(":")
        whole = Concat(start, "collection__identifier", colon, "identifier")
        return Q(_Like(Lower(whole), Value(sql)))
    return Q(_Like(Lower(F(_TEXTS[key])), Value(sql)))


def between(name: str, lower: str, upper: str) -> Q:
    """The property from one value to another, both included."""
    return compare(name, ">=", lower) & compare(name, "<=", upper)


def null(name: str) -> Q:
    """Whether the property is missing: none ever is."""
    _key(name)
    return NOTHING


def meets(name: str, box: Box) -> Q:
    """The item's box meets this one; either may cross the antimeridian."""
    if name and _local(name) not in (_BOX, "geometry", "the_geom", "spatial"):
        raise _wrong(_("“%s” is no place.") % name[:60])
    return places.near([box], None, None) & places.meets(box)


def order(name: str) -> str:
    """The column by which a property sorts. Raises InvalidInput."""
    key = _local(name)
    if key not in SORTABLE:
        raise InvalidInput(_("Nothing is sorted by this."), locator="SortBy")
    return SORTABLE[key]


def _key(name: str) -> str:
    """The property without prefix and path. Raises InvalidInput for one that is unknown."""
    key = _local(name)
    if key in _WORDS or key in _TEXTS or key in _TIMES or key in (_IDENTIFIER, _TYPE):
        return key
    raise _wrong(_("“%s” is not a property that can be asked for.") % name[:60])


def _local(name: str) -> str:
    return re.split(r"[:/]", name.strip())[-1].lower()


def _moment(column: str, operator: str, literal: str) -> Q:
    """A value without seconds is the whole day, month or year that it names."""
    first, beyond = period(literal.strip(), locator="Constraint")
    if operator == "=":
        return Q(**{f"{column}__gte": first, f"{column}__lt": beyond})
    bound = first if operator in (">=", "<") else beyond
    return Q(**{f"{column}__{'gte' if operator in ('>=', '>') else 'lt'}": bound})


def _pattern(text: str, wild: str, single: str, escape: str) -> str:
    """The pattern as SQL has it, in lower case. Raises InvalidInput."""
    parts, number, position = [], 0, 0
    _bounded(text)
    while position < len(text):
        letter = text[position]
        if letter == escape and position + 1 < len(text):
            position += 1
            letter = text[position]
        elif letter in (wild, single):
            number += 1
            parts.append("%" if letter == wild else "_")
            position += 1
            continue
        parts.append(f"!{letter}" if letter in "%_!" else letter.lower())
        position += 1
    if number > MOST_WILDCARDS:
        raise _wrong(_("The pattern has too many wildcards."))
    return "".join(parts)


def _bounded(text: str) -> str:
    if len(text) > LONGEST:
        raise _wrong(_("The value is too long."))
    return text


def _wrong(text: str) -> InvalidInput:
    return InvalidInput(text, locator="Constraint")
