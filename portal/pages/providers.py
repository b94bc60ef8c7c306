"""Providers: the list, and registering one by any of its addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from common.errors import InvalidInput, PortalError, ProviderError, RateLimited
from jobs.provider_work import read_soon
from portal.forms.servers import address_field, password_field, user_name_field
from portal.pages.paging import page_of
from providers import services
from providers.health import uptimes
from providers.models import Provider, ProviderState
from providers.pace import keep_pace
from providers.registry import protocols
from providers.selectors import manageable_providers
from providers.trials import try_address

if TYPE_CHECKING:
    from people.models import User

BADGES = {
    ProviderState.PENDING: "warn",
    ProviderState.APPROVED: "good",
    ProviderState.SUSPENDED: "bad",
}


class ProviderForm(forms.Form):
    """What the portal must know to use a provider: an address; the rest can be found out."""

    url = address_field(
        label=gettext_lazy("Address of the service"),
        placeholder="https://example.org/wps",
        help_text=gettext_lazy(
            "Whichever you have: its capabilities, a landing page, or the endpoint. Users never "
            "see it."
        ),
    )
    username = user_name_field()
    password = password_field()
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Empty: as the server calls itself."),
    )
    slug = forms.CharField(
        label=gettext_lazy("Short name"),
        max_length=40,
        required=False,
        help_text=gettext_lazy(
            "Small letters, digits and hyphens: the first part of its services’ identifiers. "
            "It cannot be changed later. Empty: made of the name."
        ),
        validators=(
            RegexValidator(
                r"^[a-z0-9][a-z0-9-]{1,39}\Z",
                gettext_lazy("Use two to forty small letters, digits and hyphens."),
            ),
        ),
    )
    protocol = forms.ChoiceField(
        label=gettext_lazy("Protocol"),
        required=False,
        help_text=gettext_lazy(
            "Choose one to register a server that cannot be reached at the moment."
        ),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = cast("forms.ChoiceField", self.fields["protocol"])
        choice.choices = [("", gettext_lazy("Found by looking at the server")), *protocol_choices()]


def protocol_choices() -> list[tuple[str, str]]:
    """The protocols that a provider can speak, as people write them."""
    return [(name, name.upper().replace("-", " ")) for name in protocols()]


@login_required
@require_http_methods(["GET", "POST"])
def providers(request: HttpRequest) -> HttpResponse:
    """The user's providers (all for operators); POST registers one, or only tries its address."""
    user = cast("User", request.user)
    form = ProviderForm(request.POST or None)
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and request.POST.get("action") == "test":
        form.is_valid()
        context |= _tried(user, form)
        if request.headers.get("HX-Request"):
            return render(request, "providers/trial.html", context)
    elif request.method == "POST" and form.is_valid():
        made = _register(user, form, context)
        if made is not None:
            return redirect("pages:provider", slug=made.slug)
    page = page_of(request, manageable_providers(user).order_by("name", "pk"))
    context |= {"page": page, "uptimes": uptimes(page), "badges": BADGES}
    return render(request, "providers/list.html", context)


def _tried(user: User, form: ProviderForm) -> dict[str, Any]:
    """What the server said of itself, or why it did not."""
    given = form.cleaned_data
    if "url" not in given:
        return {"failure": " ".join(map(str, form.errors.get("url", ()))), "tried": ()}
    try:
        trial = try_address(
            user=user,
            url=given["url"],
            username=given.get("username", ""),
            password=given.get("password", ""),
        )
    except (InvalidInput, ProviderError, RateLimited) as error:
        return {"failure": error.detail, "tried": error.data.get("tried", ())}
    return {"trial": trial, "tried": trial.tried}


def _register(user: User, form: ProviderForm, context: dict[str, Any]) -> Provider | None:
    """The new provider, its services to be read soon; None when the form has to be corrected."""
    try:
        keep_pace(user, "register")
        made = services.register_provider(owner=user, read=False, **form.cleaned_data)
    except InvalidInput as error:
        for name, texts in error.errors.items():
            for text in texts:
                form.add_error(name if name in form.fields else None, text)
    except ProviderError as error:
        form.add_error("url", error.detail)
        context["tried"] = error.data.get("tried", ())
    except PortalError as error:
        form.add_error(None, error.detail)
    else:
        read_soon(made)
        return made
    return None
