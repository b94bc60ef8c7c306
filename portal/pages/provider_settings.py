"""The settings of a provider, for its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from common.errors import InvalidInput
from providers.access import provider_for
from providers.models import Provider
from providers.services import update_provider

if TYPE_CHECKING:
    from people.models import User


class SettingsForm(forms.ModelForm):
    """What the owner may change. The password is never shown; empty leaves it as it is."""

    password = forms.CharField(
        label=gettext_lazy("Password there"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Leave empty to keep the present one."),
    )

    class Meta:
        model = Provider
        fields = (
            "name", "description", "url", "username", "password", "usage_site",
            "charge_unsuccessful", "max_running_jobs", "retry_attempts", "retry_wait_seconds",
        )  # fmt: skip
        labels = {
            "url": gettext_lazy("Address"),
            "username": gettext_lazy("User name there"),
            "usage_site": gettext_lazy("Site in usage records"),
            "charge_unsuccessful": gettext_lazy("Charge failed and dismissed jobs"),
            "max_running_jobs": gettext_lazy("Running jobs at most"),
            "retry_attempts": gettext_lazy("Tries when it cannot be reached"),
            "retry_wait_seconds": gettext_lazy("Seconds between tries"),
        }
        help_texts = {
            "url": gettext_lazy("Another host has to be approved again."),
            "usage_site": gettext_lazy("The value of “Site” in the usage records that it sends."),
        }
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}


@login_required
@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Show and change the settings."""
    user = cast("User", request.user)
    found = provider_for(user, slug, "manage")
    form = SettingsForm(request.POST or None, instance=provider_for(user, slug, "manage"))
    if request.method == "POST" and form.is_valid() and _saved(user, found, form):
        messages.success(request, _("The settings are saved."))
        return redirect("pages:provider", slug=slug)
    return render(request, "providers/settings.html", {"provider": found, "form": form})


def _saved(user: User, found: Provider, form: SettingsForm) -> bool:
    changes = {name: form.cleaned_data[name] for name in form.changed_data}
    try:
        update_provider(actor=user, provider=found, **changes)
    except InvalidInput as error:
        for name, texts in error.errors.items():
            for text in texts:
                form.add_error(name if name in form.fields else None, text)
        return False
    return True
