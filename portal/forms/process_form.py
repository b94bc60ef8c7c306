"""A form for any process, made from its description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.translation import gettext as _

from common.errors import InvalidInput
from portal.forms.occurrences import (
    Occurrence,
    degrees_crs,
    of_value,
    posted,
    shown_again,
    to_value,
)
from providers.literals import with_union
from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    InputDescription,
    InputValue,
    LiteralDomain,
    LiteralValue,
    ProcessDescription,
)

MOST_OCCURRENCES = 50
FEW = 5  # choices that are shown at once instead of in a list
LONG = 80  # characters from which a text gets a large field

Box = tuple[float, float, float, float]


@dataclass(slots=True)
class InputField:
    """One input on the page: how it is asked for, what is in its controls, what is wrong."""

    number: int
    wanted: InputDescription
    occurrences: list[Occurrence] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"in-{self.number}"

    @property
    def label(self) -> str:
        return self.wanted.title or self.wanted.identifier

    @property
    def required(self) -> bool:
        return self.wanted.min_occurs > 0

    @property
    def several(self) -> bool:
        return self.wanted.max_occurs is None or self.wanted.max_occurs > 1

    @property
    def most(self) -> int:
        """How many values the page offers room for."""
        return min(self.wanted.max_occurs or MOST_OCCURRENCES, MOST_OCCURRENCES)

    @property
    def can_add(self) -> bool:
        return self.widget != "checkboxes" and len(self.occurrences) < self.most

    @property
    def blank(self) -> Occurrence:
        """An empty value, for the script that adds one."""
        return Occurrence(f"{self.name}-__k__")

    @property
    def widget(self) -> str:
        """The kind of control."""
        domain = self.wanted.domain
        if isinstance(domain, BoundingBoxDomain):
            return "bbox"
        if isinstance(domain, ComplexDomain):
            return "complex"
        return self._literal_widget(domain)

    def _literal_widget(self, domain: LiteralDomain) -> str:
        if domain.allowed_values:
            if self.several:
                return "checkboxes"
            few = self.required and len(domain.allowed_values) <= FEW and not domain.ranges
            return "radios" if few else "select"
        if domain.data_type == "boolean":
            return "switch" if self.wanted.min_occurs == self.wanted.max_occurs == 1 else "yesno"
        long = len(domain.default or "") > LONG or "\n" in (domain.default or "")
        return "textarea" if domain.data_type == "string" and long else "input"

    @property
    def input_type(self) -> str:
        return {
            "integer": "number",
            "double": "number",
            "date": "date",
            "dateTime": "datetime-local",
            "time": "time",
            "anyURI": "url",
        }.get(self.wanted.domain.data_type, "text")  # type: ignore[union-attr]

    @property
    def limits(self) -> dict[str, str]:
        """The attributes min, max and step of a number or date, where one range says them."""
        domain = self.wanted.domain
        if not isinstance(domain, LiteralDomain) or self.input_type in ("text", "url"):
            return {}
        whole = domain.data_type in ("integer", "date")
        found = {} if whole else {"step": "1" if self.input_type != "number" else "any"}
        if len(domain.ranges) == 1 and domain.data_type != "dateTime":
            only = domain.ranges[0]
            pairs = (("min", only.minimum), ("max", only.maximum))
            found |= {name: bound for name, bound in pairs if bound}
            # A grid of steps begins at the minimum; without one it would begin elsewhere.
            if only.spacing and only.minimum and self.input_type == "number":
                found["step"] = only.spacing
        return found

    @property
    def range_text(self) -> str:
        """The allowed ranges in words."""
        domain = self.wanted.domain
        ranges = domain.ranges if isinstance(domain, LiteralDomain) else ()
        return _(" or ").join(
            _("%(low)s to %(high)s") % {"low": r.minimum or "−∞", "high": r.maximum or "∞"}
            for r in ranges
        )

    @property
    def count_text(self) -> str:
        """How many values may be given, where that is not one."""
        low, high = self.wanted.min_occurs, self.wanted.max_occurs
        if high == 1:
            return ""
        if high is None:
            return _("%(n)s or more values") % {"n": low} if low > 1 else _("one or more values")
        return _("%(low)s to %(high)s values") % {"low": low, "high": high}

    @property
    def crs(self) -> str:
        """The reference system of a box that a map cannot help with."""
        domain = self.wanted.domain
        if isinstance(domain, BoundingBoxDomain) and not degrees_crs(domain):
            return domain.crss[0]
        return ""

    @property
    def drawable(self) -> bool:
        """Whether a shape drawn on a map can be the value."""
        domain = self.wanted.domain
        kinds = domain.formats if isinstance(domain, ComplexDomain) else ()
        return any("geo+json" in kind.media_type for kind in kinds)

    @property
    def chosen(self) -> set[str]:
        """The values that are ticked."""
        return {o.text for o in self.occurrences}


class ProcessForm:
    """The inputs of a process as fields; bound to a posted form or filled with earlier values."""

    def __init__(
        self,
        description: ProcessDescription,
        *,
        initial: Sequence[InputValue] = (),
        area: Box | None = None,
    ) -> None:
        self.description = description
        wanted = map(with_union, description.inputs)
        self.fields = [InputField(n, one) for n, one in enumerate(wanted)]
        for one in self.fields:
            one.occurrences = _initial(one, initial, area)

    def bind(self, data: QueryDict, files: Mapping[str, UploadedFile]) -> tuple[InputValue, ...]:
        """The values that a posted form gives; what cannot be read is in the fields' errors."""
        return tuple(value for one in self.fields for value in _bound(one, data, files))

    def refuse(self, error: InvalidInput) -> list[str]:
        """Put errors to their fields; those of no field are returned."""
        by_name = {one.wanted.identifier: one for one in self.fields}
        rest = []
        for identifier, messages in error.errors.items():
            if identifier in by_name:
                by_name[identifier].errors += [
                    m for m in messages if m not in by_name[identifier].errors
                ]
            else:
                rest += messages
        return rest

    @property
    def wrong(self) -> list[InputField]:
        return [one for one in self.fields if one.errors]

    @property
    def has_map(self) -> bool:
        return any(one.drawable or (one.widget == "bbox" and not one.crs) for one in self.fields)


def _initial(one: InputField, values: Sequence[InputValue], area: Box | None) -> list[Occurrence]:
    own = [v for v in values if v.identifier == one.wanted.identifier]
    made = [of_value(f"{one.name}-{k}", one.wanted, v) for k, v in enumerate(own[: one.most])]
    default = _default(one, area) if not values else Occurrence("")
    if one.widget == "checkboxes":
        return made or ([default] if default.text else [])
    while len(made) < max(1, min(one.wanted.min_occurs, one.most)):
        made.append(_at(default, f"{one.name}-{len(made)}"))
    return made


def _default(one: InputField, area: Box | None) -> Occurrence:
    domain = one.wanted.domain
    if isinstance(domain, LiteralDomain) and domain.default is not None:
        return of_value("", one.wanted, LiteralValue(one.wanted.identifier, domain.default))
    if isinstance(domain, BoundingBoxDomain) and area and not one.crs and one.required:
        return Occurrence("", corners=tuple(f"{side:.10g}" for side in area))
    return Occurrence("")


def _at(occurrence: Occurrence, prefix: str) -> Occurrence:
    return Occurrence(prefix, text=occurrence.text, uom=occurrence.uom, corners=occurrence.corners)


def _bound(one: InputField, data: QueryDict, files: Mapping[str, UploadedFile]) -> list[InputValue]:
    """Read the controls of one input, keep them for the page, and give the values."""
    one.occurrences = _posted(one, data, files)
    values: list[InputValue] = []
    for place, given in enumerate(one.occurrences):
        value: InputValue | None = None
        if given.given:
            try:
                value = to_value(one.wanted, given)
            except InvalidInput as error:
                one.errors.append(error.detail)
            else:
                values.append(value)
        one.occurrences[place] = shown_again(given, value)
    return values


def _posted(one: InputField, data: Any, files: Mapping[str, UploadedFile]) -> list[Occurrence]:
    if one.widget == "checkboxes":
        ticked = data.getlist(one.name)[:MOST_OCCURRENCES]
        return [Occurrence(f"{one.name}-{k}", text=text) for k, text in enumerate(ticked)]
    if one.widget == "switch":
        on = data.get(f"{one.name}-0") == "true"
        return [Occurrence(f"{one.name}-0", text="true" if on else "false")]
    count = data.get(f"{one.name}-count", "1")
    places = int(count) if count.isascii() and count.isdigit() and len(count) < 4 else 1  # noqa: PLR2004
    found = [
        posted(f"{one.name}-{k}", data, files)
        for k in range(min(places, 2 * MOST_OCCURRENCES))
        if _present(f"{one.name}-{k}", data)
    ]
    kept = [o for o in found if o.given] or found[:1] or [Occurrence(f"{one.name}-0")]
    if data.get("add") == str(one.number) and len(kept) < one.most:
        kept.append(Occurrence(f"{one.name}-{places}"))
    return kept[:MOST_OCCURRENCES]


def _present(prefix: str, data: Mapping[str, str]) -> bool:
    """Whether the controls of that place were on the page: a value may have been taken away."""
    return any(key == prefix or key.startswith(f"{prefix}-") for key in data)
