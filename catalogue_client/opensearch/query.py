"""The parameters of an OpenSearch request."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from catalogue_client import places
from catalogue_client.geometry import checked_box
from catalogue_client.metadata.facts import place_of
from catalogue_client.moments import period
from common.errors import InvalidInput

DEFAULT_COUNT, MOST_COUNT, FARTHEST = 20, 1000, 10_000_000
MOST_WORDS = 20
# The name in the address, and in the template the parameter of the extension that it is.
PARAMETERS = {
    "q": "searchTerms",
    "count": "count",
    "startIndex": "startIndex",
    "startPage": "startPage",
    "bbox": "geo:box",
    "uid": "geo:uid",
    "start": "time:start",
    "end": "time:end",
    "parentIdentifier": "eo:parentIdentifier",
    "platform": "eo:platform",
    "processingLevel": "eo:processingLevel",
    "orbitDirection": "eo:orbitDirection",
    "cloudCover": "eo:cloudCover",
    "modified": "eo:modificationDate",
}
_PROPERTIES = {
    "platform": "platform",
    "processingLevel": "processing:level",
    "orbitDirection": "sat:orbit_state",
}
_CLOUDS = "document__properties__eo:cloud_cover"
_NUMBER = r"[-+]?\d{1,9}(?:\.\d{1,9})?"
_RANGE = re.compile(
    rf"(?P<open>[\[\]])?(?P<low>{_NUMBER})?(?P<comma>,)?(?P<high>{_NUMBER})?(?P<close>[\[\]])?"
)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: `where`, how many, and the number of the first, from 1."""

    where: Q
    count: int
    first: int


def read(given: Mapping[str, str]) -> Query:
    """The query of an address; parameters are given by their lower-case name, and what is empty is
    not given. Raises InvalidInput."""
    asked = {name: given.get(name.lower(), "").strip() for name in PARAMETERS}
    # A page is as long as it is answered, else the next one would begin too far on.
    count = min(_number(asked, "count", DEFAULT_COUNT, least=0), MOST_COUNT)
    page = _number(asked, "startPage", 1, least=1)
    first = _number(asked, "startIndex", 1, least=1) + (page - 1) * count
    return Query(_where(asked), count, min(first, FARTHEST))


def _where(asked: Mapping[str, str]) -> Q:
    wanted = _named(asked)
    for word in asked["q"].lower().split()[:MOST_WORDS]:
        wanted &= Q(words__contains=word.strip('"'))
    if asked["bbox"]:
        box = checked_box([_float(part) for part in asked["bbox"].split(",")])
        wanted &= places.near([box], None, None) & places.meets(box)
    if asked["start"]:
        wanted &= Q(end__gte=period(asked["start"], locator="start")[0])
    if asked["end"]:
        wanted &= Q(start__lt=period(asked["end"], locator="end")[1])
    return wanted & _clouds(asked["cloudCover"]) & _modified(asked["modified"])


def _named(asked: Mapping[str, str]) -> Q:
    wanted = Q()
    if asked["uid"]:
        place = place_of(asked["uid"])
        wanted = Q(collection__identifier=place[0], identifier=place[1]) if place else Q(pk__in=[])
    if asked["parentIdentifier"]:
        wanted &= Q(collection__identifier=asked["parentIdentifier"])
    for name, stored in _PROPERTIES.items():
        if asked[name]:
            wanted &= Q(**{f"document__properties__{stored}__iexact": asked[name]})
    return wanted


def _clouds(text: str) -> Q:
    """A number, or a range as the standard writes them: [0,10] ]0,10[ [10 10]"""
    if not text:
        return Q()
    found = _RANGE.fullmatch(text)
    if found is None or not (found["low"] or found["high"]):
        raise InvalidInput(_("This is no number and no range."), locator="cloudCover")
    low, high = (float(n) if n else None for n in (found["low"], found["high"]))
    if not found["comma"] and found["close"]:
        low, high = None, low  # “10]”
    elif not found["comma"] and not found["open"]:
        return Q(**{_CLOUDS: low})
    wanted = Q()
    if low is not None:
        wanted &= Q(**{f"{_CLOUDS}__{'gt' if found['open'] == ']' else 'gte'}": low})
    if high is not None:
        wanted &= Q(**{f"{_CLOUDS}__{'lt' if found['close'] == '[' else 'lte'}": high})
    return wanted


def _modified(text: str) -> Q:
    """An instant or a longer time, or a range of them as above."""
    if not text:
        return Q()
    low, comma, high = text.strip("[]").partition(",")
    if not comma:
        first, behind = period(low, locator="modified")
        if text.startswith("["):
            return Q(updated_at__gte=first)
        after = Q() if text.endswith("]") else Q(updated_at__gte=first)
        return after & Q(updated_at__lt=behind)
    wanted = Q()
    if low:
        wanted &= Q(updated_at__gte=period(low, locator="modified")[0])
    if high:
        wanted &= Q(updated_at__lt=period(high, locator="modified")[1])
    return wanted


def _number(asked: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = asked[name] or str(default)
    if not re.fullmatch(r"[0-9]{1,8}", text) or int(text) < least:
        raise InvalidInput(_("This is no number that can be used."), locator=name)
    return int(text)


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
