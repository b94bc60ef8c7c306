"""The user's own details and API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from common.clock import now
from common.errors import Conflict, InvalidInput
from people.models import Scope, User
from people.selectors import keys_of
from people.services import create_api_key, revoke_api_key
from portal.pages.feedback import told

if TYPE_CHECKING:
    from datetime import datetime


class ProfileForm(forms.ModelForm):
    """What others see of the user."""

    class Meta:
        model = User
        fields = ("first_name", "last_name", "affiliation", "country")


class KeyForm(forms.Form):
    """A new API key."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("e.g. QGIS on my laptop")}),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("May be used to"),
        choices=Scope.choices,
        initial=(Scope.READ, Scope.RUN),
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.TypedChoiceField(
        label=gettext_lazy("Expires"),
        coerce=int,
        initial=365,
        choices=(
            (30, gettext_lazy("in 30 days")),
            (90, gettext_lazy("in 90 days")),
            (365, gettext_lazy("in one year")),
            (0, gettext_lazy("never")),
        ),
    )

    def expiry(self) -> datetime | None:
        """The moment from which the key is no longer valid."""
        days = self.cleaned_data["days"]
        return now() + timedelta(days=days) if days else None


@login_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Details and keys; POST saves the details."""
    user = cast("User", request.user)
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=user.pk))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your details are saved."))
        return redirect("pages:profile")
    return _page(request, user, form, KeyForm(auto_id="key_%s"))


@login_required
@require_POST
def create_key(request: HttpRequest) -> HttpResponse:
    """Make a key and show its text, this once: there is no other way to see it again."""
    user = cast("User", request.user)
    form = KeyForm(request.POST, auto_id="key_%s")
    text = ""
    if form.is_valid():
        try:
            _key, text = create_api_key(
                user=user,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                expires_at=form.expiry(),
            )
            form = KeyForm(auto_id="key_%s")
        except (InvalidInput, Conflict) as error:
            form.add_error(None, error.detail)
    return _page(request, user, ProfileForm(instance=user), form, text)


@login_required
@require_POST
def revoke_key(request: HttpRequest, key_id: int) -> HttpResponse:
    """End a key for ever."""
    with told(request, _("The key is revoked; programs that use it are refused from now on.")):
        revoke_api_key(user=cast("User", request.user), key_id=key_id)
    return redirect("pages:profile")


def _page(
    request: HttpRequest, user: User, form: ProfileForm, key_form: KeyForm, text: str = ""
) -> HttpResponse:
    context = {
        "form": form,
        "key_form": key_form,
        "keys": keys_of(user),
        "new_key": text,
        "scopes": dict(Scope.choices),
    }
    answer = render(request, "profile/profile.html", context)
    if text:
        answer.headers["Cache-Control"] = "no-store"
    return answer
