"""The settings of a provider in sections, and its pinned certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from common.errors import InvalidInput, PortalError
from people.access import is_operator
from portal.pages.feedback import told
from portal.pages.provider_console import frame
from portal.pages.provider_forms import SECTIONS, SettingsForm
from providers import certificates, detect
from providers.access import provider_for
from providers.models import Provider
from providers.services import update_provider

if TYPE_CHECKING:
    from people.models import User


@login_required
@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Show and change the settings of one section."""
    user = cast("User", request.user)
    found = provider_for(user, slug, "manage")
    own = provider_for(user, slug, "manage")
    name = request.GET.get("section", "")
    section = SECTIONS.get(name) or SECTIONS["general"]
    if section.operators_only and not is_operator(user):
        section = SECTIONS["general"]
    form = SettingsForm(request.POST or None, instance=own, section=section, user=user)
    if request.method == "POST" and form.is_valid() and _saved(user, found, form):
        messages.success(request, _("The settings are saved."))
        return redirect(_address(slug, section.name))
    known = [one for one in SECTIONS.values() if is_operator(user) or not one.operators_only]
    context = {"form": form, "section": section, "sections": known, "tab": "settings"}
    pins = {
        "pinned": certificates.grouped(found.pinned_certificate),
        "pending": certificates.grouped(found.pending_certificate),
    }
    return render(request, "providers/settings.html", frame(user, found) | context | pins)


@login_required
@require_POST
def certificate(request: HttpRequest, slug: str) -> HttpResponse:
    """See or give a certificate, activate or discard it, or accept any valid one (`action`)."""
    user = cast("User", request.user)
    found = provider_for(user, slug, "manage")
    given = request.POST
    match given.get("action"):
        case "give":
            text = given.get("certificate", "")[: certificates.MOST_TEXT]
            with told(request, _("Compare the fingerprint, then activate the certificate.")):
                certificates.give(actor=user, provider=found, text=text)
        case "activate":
            fingerprint = given.get("fingerprint", "")
            with told(request, _("Only this certificate is accepted from now on.")):
                certificates.activate(actor=user, provider=found, fingerprint=fingerprint)
        case "discard":
            with told(request, _("The certificate is discarded.")):
                certificates.discard(actor=user, provider=found)
        case "unpin":
            with told(request, _("Every valid certificate is accepted again.")):
                certificates.unpin(actor=user, provider=found)
        case _:
            with told(request, _("Compare the fingerprint, then activate the certificate.")):
                certificates.see(actor=user, provider=found)
    return redirect(f"{_address(slug, 'connection')}#certificate")


def _address(slug: str, section: str) -> str:
    return f"{reverse('pages:provider_settings', args=[slug])}?section={section}"


def _saved(user: User, found: Provider, form: SettingsForm) -> bool:
    try:
        update_provider(actor=user, provider=found, **_looked_up(found, form.changes()))
    except InvalidInput as error:
        for name, texts in error.errors.items():
            for text in texts:
                form.add_error(name if name in form.fields else None, text)
        return False
    except PortalError as error:
        form.add_error("url" if "url" in form.fields else None, error.detail)
        return False
    return True


def _looked_up(found: Provider, changes: dict[str, Any]) -> dict[str, Any]:
    """With the protocol and endpoint that the server is found to have, where that is asked for."""
    if changes.get("protocol") != "":
        return changes
    old = found.endpoint()
    url = changes.get("url", old.url)
    same = url == old.url  # secrets are confided to the present address only
    seen = detect.look(
        url,
        changes.get("username", old.username if same else ""),
        changes.get("password", old.password if same else ""),
        headers=old.headers if same else (),
        certificate=old.certificate if same else "",
    )
    return changes | {"protocol": seen.protocol, "url": seen.url}
