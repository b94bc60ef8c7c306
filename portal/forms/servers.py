"""Fields of every form that names a server elsewhere and what opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


def address_field(*, placeholder: str, **given: Any) -> forms.CharField:
    """An address, which browsers do not take for a word to correct."""
    attributes = {
        "placeholder": placeholder,
        "inputmode": "url",
        "autocomplete": "off",
        "spellcheck": "false",
    }
    widget = forms.TextInput(attrs=attributes)
    return forms.CharField(max_length=2000, widget=widget, **given)


def user_name_field() -> forms.CharField:
    """The portal's name at the server; may be empty."""
    return forms.CharField(
        label=gettext_lazy("User name there"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


_ENCRYPTED = gettext_lazy("Stored encrypted, sent to this server only.")


def password_field(help_text: StrPromise = _ENCRYPTED) -> forms.CharField:
    """The portal's password at the server; never shown again, may be empty."""
    return forms.CharField(
        label=gettext_lazy("Password there"),
        required=False,
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=help_text,
    )


def header_name_field() -> forms.CharField:
    """The name of a header that opens the server; may be empty."""
    return forms.CharField(
        label=gettext_lazy("Secret header"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "X-Api-Key"}),
    )


def header_value_field(help_text: StrPromise | str = "") -> forms.CharField:
    """The secret in that header; never shown again."""
    return forms.CharField(
        label=gettext_lazy("Its value"),
        max_length=4000,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=help_text,
    )
