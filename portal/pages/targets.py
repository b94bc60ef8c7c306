"""Catalogues elsewhere that results are published to: for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalogue_client.models import (
    Publication,
    PublicationState,
    PublishTarget,
    TargetKind,
    Visibility,
)
from catalogue_client.publishing.targets import delete_target, save_target
from common.errors import InvalidInput, NotFound
from jobs import publication_work
from people.access import is_operator
from people.models import Group
from portal.pages.feedback import told
from portal.pages.paging import page_of
from providers.models import Provider

if TYPE_CHECKING:
    from people.models import User

PLACE = ("name", "kind", "url", "collection", "username", "secret")
RULES = ("groups", "automatic", "visibilities", "providers", "enabled")


class TargetForm(forms.Form):
    """A target's settings. The secret is never shown; empty leaves it as it is."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=TargetKind.choices)
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        help_text=gettext_lazy("The STAC API’s landing page, or the index."),
    )
    collection = forms.CharField(
        label=gettext_lazy("Collection there"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("Empty: as it is called here. Made if the catalogue allows it."),
    )
    username = forms.CharField(
        label=gettext_lazy("User name there"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Empty: the secret is sent as a token."),
    )
    secret = forms.CharField(
        label=gettext_lazy("Password or token"),
        max_length=10_000,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy(
            "Kept encrypted. Empty leaves the present one; another address needs it again."
        ),
    )
    groups = forms.ModelMultipleChoiceField(
        Group.objects.order_by("name"),
        label=gettext_lazy("Groups that may publish there"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None: everybody."),
    )
    automatic = forms.BooleanField(
        label=gettext_lazy("Results go there by themselves"), required=False
    )
    visibilities = forms.MultipleChoiceField(
        label=gettext_lazy("those seen by"),
        choices=Visibility.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    providers = forms.ModelMultipleChoiceField(
        Provider.objects.order_by("name"),
        to_field_name="slug",
        label=gettext_lazy("made by"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None: every provider."),
    )
    enabled = forms.BooleanField(label=gettext_lazy("Switched on"), required=False)

    def changes(self) -> dict[str, Any]:
        """What is to be saved; the secret only when one was given."""
        given = {k: v for k, v in self.cleaned_data.items() if k != "groups"}
        given["providers"] = [provider.slug for provider in given["providers"]]
        if not given["secret"]:
            del given["secret"]
        return given


@login_required
@require_safe
def targets(request: HttpRequest) -> HttpResponse:
    """Every target, what is published there, and what went wrong."""
    _must_operate(request)
    counted = PublishTarget.objects.annotate(
        there=Count("publications", Q(publications__state=PublicationState.PUBLISHED)),
        failed=Count("publications", Q(publications__state=PublicationState.FAILED)),
    ).order_by("name")
    return render(request, "operator/targets.html", {"page": page_of(request, counted)})


@login_required
@require_http_methods(["GET", "POST"])
def target(request: HttpRequest, target_id: int | None = None) -> HttpResponse:
    """Set up a target, or change one; below it the last runs."""
    _must_operate(request)
    known = get_object_or_404(PublishTarget, pk=target_id) if target_id else PublishTarget()
    form = TargetForm(request.POST or None, initial=_initial(known))
    if request.method == "POST" and form.is_valid() and _saved(request, known, form):
        messages.success(request, _("The target is saved."))
        return redirect("pages:targets")
    place, rules = ([form[name] for name in names] for names in (PLACE, RULES))
    runs = Publication.objects.filter(target_id=target_id).order_by("-updated_at")
    context = {
        "target": known,
        "form": form,
        "columns": [(_("Place"), place), (_("Use"), rules)],
        "page": page_of(request, runs.select_related("item")) if target_id else None,
    }
    return render(request, "operator/target.html", context)


@login_required
@require_POST
def act(request: HttpRequest, target_id: int) -> HttpResponse:
    """Try again what failed, switch on or off, or delete (`action`)."""
    _must_operate(request)
    known = get_object_or_404(PublishTarget, pk=target_id)
    user = cast("User", request.user)
    action = request.POST.get("action")
    if action == "delete":
        with told(request, _("The target is deleted.")):
            delete_target(actor=user, target=known)
    elif action == "switch":
        save_target(actor=user, target=known, changes={"enabled": not known.enabled})
        messages.success(request, _("The target is saved."))
    else:
        with told(request, _("What failed is tried again.")):
            publication_work.retry_failed(known)
    return redirect("pages:targets")


def _initial(known: PublishTarget) -> dict[str, Any]:
    plain = {name: getattr(known, name) for name in (*PLACE, *RULES) if name != "groups"}
    groups = known.groups.all() if known.pk else ()
    return {**plain, "secret": "", "groups": groups}


def _saved(request: HttpRequest, known: PublishTarget, form: TargetForm) -> bool:
    try:
        save_target(
            actor=cast("User", request.user),
            target=known,
            changes=form.changes(),
            groups=list(form.cleaned_data["groups"]),
        )
    except InvalidInput as error:
        for name, texts in error.errors.items():
            for text in texts:
                form.add_error(name if name in form.fields else None, text)
        return False
    return True


def _must_operate(request: HttpRequest) -> None:
    """For everybody else these pages do not exist."""
    if not is_operator(cast("User", request.user)):
        raise NotFound
