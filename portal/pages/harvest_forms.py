"""The form that says where the records of a provider come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalogue_client.models import HarvestKind, HarvestSource
from portal.forms.servers import (
    address_field,
    header_name_field,
    header_value_field,
    password_field,
    user_name_field,
)
from portal.pages.sharing_forms import SharingForm

if TYPE_CHECKING:
    from people.models import User

_HOUR, _DAY = 3600, 86_400


class HarvestForm(SharingForm):
    """A catalogue of the provider, or that the centre sends its records; the rest is found out."""

    kind = forms.ChoiceField(
        label=gettext_lazy("How records come"),
        required=False,
        choices=(
            ("", gettext_lazy("The portal reads a catalogue")),
            (HarvestKind.PUSH, gettext_lazy("The centre sends them")),
        ),
    )
    url = address_field(
        label=gettext_lazy("Address of the catalogue"),
        required=False,
        placeholder="https://example.org/oai",
        help_text=gettext_lazy(
            "OAI-PMH, CSW, STAC API or catalog.json, OpenSearch, OGC API – Records: found by "
            "looking."
        ),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Empty: as the catalogue calls itself."),
    )
    parts = forms.CharField(
        label=gettext_lazy("Only these collections or sets"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=gettext_lazy("Their names there, one in a line. Empty: all."),
    )
    collection = forms.CharField(
        label=gettext_lazy("Collection here"),
        required=False,
        max_length=100,
        help_text=gettext_lazy(
            "Of one that you may change, who sees it stays as it is. Empty: a new one."
        ),
    )
    every = forms.IntegerField(
        label=gettext_lazy("Hours between two runs"),
        required=False,
        min_value=1,
        max_value=8760,
        help_text=gettext_lazy("Empty: as the portal does."),
    )
    full_every = forms.IntegerField(
        label=gettext_lazy("Days between two full passes"),
        required=False,
        min_value=1,
        max_value=365,
        help_text=gettext_lazy("Empty: as the portal does."),
    )
    username = user_name_field()
    password = password_field()
    header_name = header_name_field()
    header_value = header_value_field()
    field_order = (
        "kind", "url", "name", "parts", "collection", "visibility", "group", "every",
        "full_every", "username", "password", "header_name", "header_value",
    )  # fmt: skip

    def __init__(self, user: User, *args: Any, source: HarvestSource | None = None, **kw: Any):
        super().__init__(user, *args, **kw)
        if source is not None:
            # What it is, it stays; its records cannot move.
            for name in ("kind", "collection"):
                del self.fields[name]
        if source is not None and not source.pulled:
            for name in set(self.fields) - {"name", "visibility", "group"}:
                del self.fields[name]
        elif source is not None:
            self.fields["url"].required = True

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("kind") == "" and not given.get("url"):
            self.add_error("url", _("Where is the catalogue?"))
        return given

    def given(self) -> dict[str, Any]:
        """What the services take."""
        said = dict(self.cleaned_data)
        header = {said.pop("header_name", ""): said.pop("header_value", "")}
        if said["visibility"] != "group":
            said["group"] = None
        for name, seconds in (("every", _HOUR), ("full_every", _DAY)):
            if name in said:
                number = said.pop(name)
                said[f"{name}_seconds"] = number * seconds if number else None
        if "parts" in said:
            said["parts"] = [line.strip() for line in said["parts"].splitlines() if line.strip()]
        return {**said, **({"secret_headers": header} if "" not in header else {})}


def initial_of(source: HarvestSource) -> dict[str, Any]:
    """The form's values for a source."""
    hours, days = source.every_seconds, source.full_every_seconds
    shelf = source.collection
    return {
        **{name: getattr(source, name) for name in ("url", "name", "username")},
        "parts": "\n".join(source.parts),
        "visibility": shelf.visibility,
        "group": shelf.group.slug if shelf.group else None,
        "every": max(1, hours // _HOUR) if hours else None,
        "full_every": max(1, days // _DAY) if days else None,
    }
