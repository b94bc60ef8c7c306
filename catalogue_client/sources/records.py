"""Entries of other catalogues as STAC items that hold what they promise.

What cannot be used is left out and told in `issues`; an entry without an id is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urljoin

from django.utils.translation import gettext as _

from catalogue_client import geometry as geo
from catalogue_client.geometry import Box
from catalogue_client.members import odd_members
from catalogue_client.owc import dates
from catalogue_client.sources.ports import Record
from catalogue_client.stac import VERSION, instant_text
from common.errors import InvalidInput

T = TypeVar("T")

MOST_RECORDS = 1000  # of one page, however many a catalogue sends
MOST_LINKS = 200
MOST_ID = 500
TIME_UNKNOWN = "tep:time"  # a property: the entry has no date
# What a catalogue says of its own tree; here they would lead nowhere.
_OF_THE_TREE = frozenset({"root", "parent", "child", "item", "items", "next", "prev", "collection"})
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
_TIMES = ("datetime", "start_datetime", "end_datetime")


class NoRecordError(Exception):
    """An entry that cannot be read; the text says why, `name` which, if that is known."""

    def __init__(self, text: str, name: str = "") -> None:
        super().__init__(text)
        self.name = name


class Entries(NamedTuple):
    """What was read of a page: its records, what to say of the rest, and each entry that is no
    record with the reason; `cut`: there were more than a page may have."""

    records: list[Record]
    warnings: list[str]
    bad: tuple[tuple[str, str], ...] = ()
    cut: bool = False

    @property
    def names(self) -> list[str]:
        """Of everything that came, to know whether the next page is another one."""
        return [*(one.id for one in self.records), *(name for name, _why in self.bad)]


def read_all(entries: Iterable[T], read: Callable[[T], Record]) -> Entries:
    """The records of a page, and what to say of the entries that are none."""
    found: dict[tuple[str, str], Record] = {}
    bad: list[tuple[str, str]] = []
    for number, entry in enumerate(entries):
        if number >= MOST_RECORDS:
            text = _("The catalogue sent more than %(most)s entries; the others are left out.")
            return Entries(list(found.values()), [text % {"most": MOST_RECORDS}], tuple(bad), True)
        try:
            record = read(entry)
        except NoRecordError as error:
            named = error.name or (_name(entry.get("id")) if isinstance(entry, Mapping) else "")
            bad.append((named or f"#{number + 1}", str(error)))
            continue
        found.setdefault((record.collection, record.id), record)
    text = _("%(n)s entries of this page have no id or are damaged; they are left out.")
    said = [text % {"n": len(bad)}] if bad else []
    return Entries(list(found.values()), said, tuple(bad))


def record_of(given: object, base: str, *, collection: str = "") -> Record:
    """The record in a STAC item, or in any GeoJSON feature; addresses are completed by `base`.

    Raises NoRecordError.
    """
    if not isinstance(given, Mapping):
        raise NoRecordError("it is no object")
    document: Mapping[str, Any] = _clean(given)
    identifier = _name(document.get("id"))
    if not identifier:
        raise NoRecordError("it has no id")
    issues: list[str] = []
    shape, box = _place(document, issues)
    properties = document.get("properties")
    properties = dict(properties) if isinstance(properties, Mapping) else {}
    inside = _name(document.get("collection")) or collection
    whole: dict[str, Any] = {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": _texts(document.get("stac_extensions")),
        "id": identifier,
        "geometry": shape,
        "properties": {**properties, **_times(properties, issues)},
        "links": _links(document.get("links"), base),
        "assets": _assets(document.get("assets"), base, issues),
    }
    if box is not None:
        whole["bbox"] = list(box)
    _drop_odd(whole, issues)
    return Record(identifier, inside, whole, tuple(issues))


def web_address(href: object, base: str = "") -> str:
    """An http(s) address, completed by `base`; "" for anything else."""
    if not isinstance(href, str):
        return ""
    try:
        url = urljoin(base, href.strip())
    except ValueError:
        return ""
    return url if re.match(r"https?://[^/\s]", url) and not re.search(r"\s", url) else ""


def period_of(document: Mapping[str, Any]) -> tuple[Any, Any]:
    """Start and end of a record's document; both None when it has no time."""
    properties = document["properties"]
    if TIME_UNKNOWN in properties:
        return None, None
    text = properties.get("datetime") or "/".join(
        str(properties.get(name) or "..") for name in _TIMES[1:]
    )
    return dates.interval(text) or (None, None)


def _place(
    document: Mapping[str, Any], issues: list[str]
) -> tuple[dict[str, Any] | None, Box | None]:
    shape: dict[str, Any] | None = None
    if document.get("geometry"):
        try:
            shape = geo.checked(document["geometry"])
        except InvalidInput as error:
            issues.append(error.detail)
    box: Box | None = None
    given = document.get("bbox")
    if isinstance(given, list):
        try:
            box = geo.checked_box(given)
        except InvalidInput as error:
            issues.append(error.detail)
    if box is None and shape is not None:
        box = geo.box_of(shape)
    if shape is None and box is not None:
        shape = geo.polygon(box)
    return (shape, box) if box is not None else (None, None)


def _times(properties: Mapping[str, Any], issues: list[str]) -> dict[str, Any]:
    """The members for the time, as STAC wants them."""
    for text in _candidates(properties):
        try:
            found = dates.interval(text)
        except (ValueError, OverflowError):
            found = None
        if found is None or found == (None, None):
            continue
        start, end = found
        if start and end and end < start:
            issues.append(_("Its end is before its start."))
            start, end = end, start
        if start == end and start is not None:
            return {"datetime": instant_text(start)}
        return {
            "datetime": None,
            "start_datetime": instant_text(start) if start else dates.EARLIEST,
            "end_datetime": instant_text(end) if end else dates.LATEST,
        }
    issues.append(_("It has no date."))
    return {
        "datetime": None,
        "start_datetime": dates.EARLIEST,
        "end_datetime": dates.LATEST,
        TIME_UNKNOWN: "unknown",
    }


def _candidates(properties: Mapping[str, Any]) -> list[str]:
    start, end = properties.get("start_datetime"), properties.get("end_datetime")
    period = f"{start or '..'}/{end or '..'}" if start or end else ""
    single = [properties.get(name) for name in ("datetime", "date", "created", "updated")]
    return [text for text in (period, *single) if isinstance(text, str) and text]


def _links(links: object, base: str) -> list[dict[str, Any]]:
    found = []
    for link in (links if isinstance(links, list) else [])[:MOST_LINKS]:
        rel = link.get("rel") if isinstance(link, Mapping) else None
        if not isinstance(rel, str) or rel in _OF_THE_TREE:
            continue
        href = web_address(link.get("href"), base)
        if href:
            found.append({**link, "href": href})
    return found


def _assets(assets: object, base: str, issues: list[str]) -> dict[str, Any]:
    found = {}
    for key, asset in list(assets.items())[:MOST_LINKS] if isinstance(assets, Mapping) else ():
        href = web_address(asset.get("href"), base) if isinstance(asset, Mapping) else ""
        if not href:
            issues.append(_("The file “%(key)s” has no web address.") % {"key": str(key)[:60]})
            continue
        roles = asset.get("roles")
        checked = {**asset, "href": href}
        if roles is not None:
            checked["roles"] = _texts(roles)
        found[str(key)] = {k: v for k, v in checked.items() if v is not None}
    return found


def _drop_odd(whole: dict[str, Any], issues: list[str]) -> None:
    """Take out what is not of the kind that STAC says."""
    found = list(odd_members(whole["properties"], whole["links"], whole["assets"]))
    told = [odd.name for odd in found if odd.inside.pop(odd.name) is not None]
    issues += [_("“%(name)s” is not usable.") % {"name": name} for name in told]


def _texts(values: object) -> list[str]:
    return [v for v in values if isinstance(v, str)] if isinstance(values, list) else []


def _name(value: object) -> str:
    """An identifier: a short text, or a number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).strip()
    return text if 0 < len(text) <= MOST_ID else ""


def _clean(value: Any) -> Any:
    """Without characters that no database stores."""
    if isinstance(value, str):
        return _NOT_TEXT.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {_clean(str(key)): _clean(one) for key, one in value.items()}
    return [_clean(one) for one in value] if isinstance(value, list) else value
