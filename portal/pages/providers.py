"""Providers: register one, see what it offers, switch services on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.errors import Conflict, InvalidInput, ProviderError
from people.access import is_operator
from portal.pages.feedback import told
from portal.pages.rates import ServiceRates, editable_rates
from portal.pages.usage import usage_of
from providers import services
from providers.access import provider_for
from providers.models import Provider, ProviderState, Service
from providers.registry import protocols
from providers.selectors import discovery_runs, manageable_providers, services_of

if TYPE_CHECKING:
    from people.models import User

BADGES = {
    ProviderState.PENDING: "warn",
    ProviderState.APPROVED: "good",
    ProviderState.SUSPENDED: "bad",
}


class ProviderForm(forms.Form):
    """What the portal must know to use a provider."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    slug = forms.CharField(
        label=gettext_lazy("Short name"),
        max_length=40,
        help_text=gettext_lazy(
            "Small letters, digits and hyphens: the first part of its services’ identifiers. "
            "It cannot be changed later."
        ),
        validators=(
            RegexValidator(
                r"^[a-z0-9][a-z0-9-]{1,39}\Z",
                gettext_lazy("Use two to forty small letters, digits and hyphens."),
            ),
        ),
    )
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=2000,
        widget=forms.URLInput(attrs={"placeholder": "https://example.org/wps"}),
        help_text=gettext_lazy(
            "Of its web service, without the request’s parameters. Users never see it."
        ),
    )
    protocol = forms.ChoiceField(label=gettext_lazy("Protocol"))
    username = forms.CharField(
        label=gettext_lazy("User name there"), max_length=200, required=False
    )
    password = forms.CharField(
        label=gettext_lazy("Password there"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Stored encrypted, sent to this address only."),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(name, name.upper().replace("-", " ")) for name in protocols()]
        cast(forms.ChoiceField, self.fields["protocol"]).choices = known


@login_required
@require_http_methods(["GET", "POST"])
def providers(request: HttpRequest) -> HttpResponse:
    """The user's providers (all for operators); POST registers one and reads what it offers."""
    user = cast("User", request.user)
    form = ProviderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = _register(user, form)
        if made is not None:
            return redirect("pages:provider", slug=made.slug)
    context = {"providers": manageable_providers(user), "form": form, "badges": BADGES}
    return render(request, "providers/list.html", context)


@login_required
@require_safe
def provider(request: HttpRequest, slug: str) -> HttpResponse:
    """The console of a provider's owner."""
    user = cast("User", request.user)
    found = provider_for(user, slug, "manage")
    offered = list(services_of(found))
    rates = editable_rates(found, offered)
    context = {
        "provider": found,
        "badge": BADGES[ProviderState(found.state)],
        "runs": discovery_runs(found, limit=8),
        "offers": [ServiceRates(service, rates[service.pk]) for service in offered],
        "usage": usage_of(found),
        "operator": is_operator(user),
    }
    return render(request, "providers/provider.html", context)


@login_required
@require_POST
def act(request: HttpRequest, slug: str) -> HttpResponse:
    """Sync now, approve, or suspend."""
    user = cast("User", request.user)
    found = provider_for(user, slug, "manage")
    action = request.POST.get("action", "")
    if action == "approve":
        with told(request, _("The provider is approved; its switched-on services can be run.")):
            services.approve_provider(actor=user, provider=found)
    elif action == "suspend":
        with told(request, _("The provider is suspended; running jobs go on.")):
            services.suspend_provider(actor=user, provider=found)
    else:
        _sync(request, user, found)
    return redirect("pages:provider", slug=slug)


@login_required
@require_POST
def switch(request: HttpRequest, slug: str, service_id: int) -> HttpResponse:
    """Switch a service on or off."""
    user = cast("User", request.user)
    found = get_object_or_404(
        Service.objects.select_related("provider"),
        pk=service_id,
        provider=provider_for(user, slug, "manage"),
    )
    on = request.POST.get("enabled") == "true"
    done = _("“%(name)s” is switched on.") if on else _("“%(name)s” is switched off.")
    with told(request, done % {"name": found.title}):
        services.set_service_enabled(actor=user, service=found, enabled=on)
    return redirect(f"{request.path.rsplit('/services/', 1)[0]}/#service-{found.pk}")


def _register(user: User, form: ProviderForm) -> Provider | None:
    """The new provider; None when the form has to be corrected."""
    try:
        return services.register_provider(owner=user, **form.cleaned_data)
    except InvalidInput as error:
        for name, messages in error.errors.items():
            for text in messages:
                form.add_error(name if name in form.fields else None, text)
    except (Conflict, ProviderError) as error:
        form.add_error(None, error.detail)
    return None


def _sync(request: HttpRequest, user: User, found: Provider) -> None:
    with told(request, _("The provider was asked what it offers.")):
        run = services.discover(provider=found, actor=user)
        if run.error:
            raise Conflict(run.error)
