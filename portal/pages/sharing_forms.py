"""The part of a form that says who may see something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.utils.translation import gettext_lazy

from catalogue_client.models import Visibility
from common.errors import InvalidInput
from people.models import Group
from people.selectors import groups_of

if TYPE_CHECKING:
    from people.models import User


class SharingForm(forms.Form):
    """Owner, one of their groups, or everybody."""

    visibility = forms.ChoiceField(
        label=gettext_lazy("Who may see it"), choices=Visibility.choices, initial="private"
    )
    group = forms.ModelChoiceField(
        label=gettext_lazy("Group"),
        queryset=Group.objects.none(),
        required=False,
        to_field_name="slug",
        help_text=gettext_lazy("For “members of its group”."),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = cast("forms.ModelChoiceField[Group]", self.fields["group"])
        groups.queryset = groups_of(user).order_by("name")

    def take(self, error: InvalidInput) -> None:
        """Show what is wrong at the fields that it is about."""
        for name, texts in error.errors.items():
            for text in texts:
                self.add_error(name if name in self.fields else None, text)
