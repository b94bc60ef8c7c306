"""OGC Filter 1.1 (and the elements of 1.0 that occur) as a condition on the table of items."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as _

from catalogue_client.csw import properties
from catalogue_client.geometry import checked_box
from common.errors import InvalidInput
from common.ows import corner, to_lonlat_bbox
from common.xml import Element, local_name, text_of

MOST_CONDITIONS, DEEPEST = 100, 20
_COMPARISONS = {
    "PropertyIsEqualTo": "=",
    "PropertyIsNotEqualTo": "<>",
    "PropertyIsLessThan": "<",
    "PropertyIsGreaterThan": ">",
    "PropertyIsLessThanOrEqualTo": "<=",
    "PropertyIsLessThanEqualTo": "<=",
    "PropertyIsGreaterThanOrEqualTo": ">=",
    "PropertyIsGreaterThanEqualTo": ">=",
}
_PAIR = 2


def condition(root: Element) -> Q:
    """What an ogc:Filter asks. Raises InvalidInput for what is not offered or cannot be read."""
    if sum(1 for element in root.iter() if isinstance(element.tag, str)) > MOST_CONDITIONS * 6:
        raise wrong(_("The filter has too many conditions."))
    inside = _children(root)
    if local_name(root) != "Filter" or len(inside) != 1:
        raise wrong(_("A Filter has one condition."))
    return _condition(inside[0], DEEPEST)


def _condition(element: Element, depth: int) -> Q:
    if not depth:
        raise wrong(_("The filter is too deep."))
    name, inside = local_name(element), _children(element)
    if name in ("And", "Or"):
        parts = [_condition(child, depth - 1) for child in inside]
        if len(parts) < _PAIR:
            raise wrong(_("And and Or join at least two conditions."))
        return Q(*parts, _connector=name.upper())
    if name == "Not" and len(inside) == 1:
        return ~_condition(inside[0], depth - 1)
    if name == "BBOX":
        return properties.meets(_text(element, "PropertyName", optional=True), _box(element))
    return _predicate(element, name)


def _predicate(element: Element, name: str) -> Q:
    asked = _text(element, "PropertyName", optional=name not in (*_COMPARISONS, *_OTHERS))
    if name in _COMPARISONS:
        return properties.compare(asked, _COMPARISONS[name], _text(element, "Literal"))
    if name == "PropertyIsLike":
        single = element.get("singleChar") or "_"
        escape = element.get("escapeChar") or element.get("escape") or "\\"
        wild = element.get("wildCard") or "%"
        pattern = _text(element, "Literal")
        return properties.like(asked, pattern, wild=wild, single=single, escape=escape)
    if name == "PropertyIsBetween":
        bounds = [_text(element, f"{side}Boundary") for side in ("Lower", "Upper")]
        return properties.between(asked, *bounds)
    if name == "PropertyIsNull":
        return properties.null(asked)
    raise wrong(_("“%s” is not offered in filters.") % name[:60])


_OTHERS = ("PropertyIsLike", "PropertyIsBetween", "PropertyIsNull")


def _box(element: Element) -> tuple[float, float, float, float]:
    for child in element.iter():
        name = local_name(child)
        if name == "Envelope":
            corners = [text_of(part) for part in _children(child)]
        elif name == "Box":
            corners = " ".join(text_of(part) for part in _children(child)).split()
            corners = [part.replace(",", " ") for part in corners]
        else:
            continue
        if len(corners) == _PAIR:
            lower, upper = corner(corners[0]), corner(corners[1])
            return checked_box(to_lonlat_bbox(lower, upper, child.get("srsName") or ""))
    raise wrong(_("A BBOX has an Envelope with two corners."))


def _text(element: Element, name: str, *, optional: bool = False) -> str:
    for child in _children(element):
        if local_name(child) == name:
            return text_of(child)
    if optional:
        return ""
    raise wrong(_("A condition lacks its %s.") % name)


def _children(element: Element) -> list[Element]:
    return [child for child in element if isinstance(child.tag, str)]


def wrong(text: str) -> InvalidInput:
    """The fault of a constraint."""
    return InvalidInput(text, locator="Constraint")
