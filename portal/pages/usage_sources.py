"""Where usage is fetched from: for operators, since folders and networks are named here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounting.models import UsageSource
from accounting.sources.configure import LATEST, SOONEST, delete_source, save_source
from accounting.sources.registry import kinds
from common.errors import InvalidInput, NotFound
from jobs.usage_work import look_now
from people.access import is_operator
from portal.pages.feedback import told
from portal.pages.paging import page_of
from providers.models import Provider

if TYPE_CHECKING:
    from people.models import User

KINDS = {
    "dirq": gettext_lazy("Directory queue (dirq, SSM)"),
    "stomp": gettext_lazy("STOMP broker"),
    "ams": gettext_lazy("ARGO Messaging Service"),
    "apel-rest": gettext_lazy("APEL REST summaries"),
    "egi": gettext_lazy("EGI Accounting Portal (JSON or CSV)"),
    "t2": gettext_lazy("T2 search, running totals"),
}
PLACE = ("name", "kind", "provider", "address", "destination", "username", "secret", "options")
SIGNATURES = ("signed", "signers", "authorities", "decryption_key")
TIMES = ("every_seconds", "enabled")


class SourceForm(forms.ModelForm):
    """A source's settings. Secrets are never shown; empty leaves them as they are."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"))
    provider = forms.ModelChoiceField(
        Provider.objects.order_by("name"),
        label=gettext_lazy("Provider"),
        required=False,
        empty_label=gettext_lazy("Several: the site in each record says whose it is"),
    )
    secret = forms.CharField(
        label=gettext_lazy("Password or token"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy(
            "Kept encrypted. Empty leaves the present one; another address needs it again."
        ),
    )
    signers = forms.CharField(
        label=gettext_lazy("Allowed signers"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy("One name on each line: /C=XX/O=Centre/CN=host"),
    )
    decryption_key = forms.CharField(
        label=gettext_lazy("Key for encrypted messages"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy(
            "PEM. Kept encrypted and never shown; empty leaves the present one."
        ),
    )

    class Meta:
        model = UsageSource
        fields = tuple(name for name in (*PLACE, *SIGNATURES, *TIMES) if name != "provider")
        labels = {
            "name": gettext_lazy("Name"),
            "address": gettext_lazy("Address"),
            "destination": gettext_lazy("Queue or subscription"),
            "username": gettext_lazy("User name there"),
            "options": gettext_lazy("Options"),
            "signed": gettext_lazy("Take only signed messages"),
            "authorities": gettext_lazy("Trusted authorities"),
            "every_seconds": gettext_lazy("Seconds between two looks"),
            "enabled": gettext_lazy("Switched on"),
        }
        help_texts = {
            "address": gettext_lazy(
                "A folder for directory queues, host:port for STOMP, else a web address."
            ),
            "destination": gettext_lazy("/queue/usage for STOMP, project/subscription for ARGO."),
            "options": gettext_lazy('As JSON, for example {"tls": true}; see the documentation.'),
            "signed": gettext_lazy("A signature that does not hold is refused in any case."),
            "authorities": gettext_lazy("Certificates, PEM, one after the other."),
            "every_seconds": "",
        }
        widgets = {
            "address": forms.TextInput,
            "options": forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
            "authorities": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        source: UsageSource = kwargs["instance"]
        written = {"signers": "\n".join(source.signers), "provider": source.provider_id}
        hidden = {"secret": "", "decryption_key": ""}
        kwargs["initial"] = {**written, **hidden}
        super().__init__(*args, **kwargs)
        choice = cast("forms.ChoiceField", self.fields["kind"])
        choice.choices = [(kind, KINDS.get(kind, kind)) for kind in kinds()]
        self.fields["every_seconds"] = forms.IntegerField(
            label=self.fields["every_seconds"].label, min_value=SOONEST, max_value=LATEST
        )

    def changes(self) -> dict[str, Any]:
        """What is to be saved; secrets only when one was given."""
        given = dict(self.cleaned_data)
        provider = given.pop("provider")
        lines = given["signers"].splitlines()
        given["signers"] = [line.strip() for line in lines if line.strip()]
        given["options"] = given["options"] or {}
        for name in ("secret", "decryption_key"):
            if not given[name]:
                del given[name]
        return {**given, "provider_id": provider.pk if provider else None}

    def _post_clean(self) -> None:
        """The instance is only changed by who checks it whole (save_source)."""


@login_required
@require_safe
def sources(request: HttpRequest) -> HttpResponse:
    """Every source, when it was asked, and what went wrong."""
    _must_operate(request)
    page = page_of(request, UsageSource.objects.defer("authorities", "signers"))
    names = Provider.objects.in_bulk({s.provider_id for s in page if s.provider_id})
    context = {"page": page, "providers": names, "kinds": KINDS}
    return render(request, "operator/usage_sources.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def source(request: HttpRequest, source_id: int | None = None) -> HttpResponse:
    """Set up a source, or change one."""
    _must_operate(request)
    known = get_object_or_404(UsageSource, pk=source_id) if source_id else UsageSource()
    form = SourceForm(request.POST or None, instance=known)
    if request.method == "POST" and form.is_valid() and _saved(request, known, form):
        messages.success(request, _("The source is saved."))
        return redirect("pages:usage_sources")
    place, signatures, times = (
        [form[name] for name in names] for names in (PLACE, SIGNATURES, TIMES)
    )
    right = [(_("Signatures"), signatures), (_("Looking"), times)]
    context = {"source": known, "form": form, "columns": [[(_("Place"), place)], right]}
    return render(request, "operator/usage_source.html", context)


@login_required
@require_POST
def act(request: HttpRequest, source_id: int) -> HttpResponse:
    """Look now, switch on or off, or delete (`action`)."""
    _must_operate(request)
    known = get_object_or_404(UsageSource, pk=source_id)
    user = cast("User", request.user)
    action = request.POST.get("action")
    if action == "delete":
        delete_source(user, known)
        messages.success(request, _("The source is deleted. What came from it stays."))
    elif action == "switch":
        with told(request, _("The source is switched off.")) as said:
            if save_source(user, known, {"enabled": not known.enabled}).enabled:
                look_now(known.pk)
                said.append(_("The source is switched on."))
    else:
        with told(request, _("It is asked as soon as a worker is free.")):
            if not known.enabled:
                raise InvalidInput(_("The source is switched off."))
            look_now(known.pk)
    return redirect("pages:usage_sources")


def _saved(request: HttpRequest, known: UsageSource, form: SourceForm) -> bool:
    try:
        saved = save_source(cast("User", request.user), known, form.changes())
    except InvalidInput as error:
        for name, texts in error.errors.items():
            for text in texts:
                form.add_error(name if name in form.fields else None, text)
        return False
    if saved.enabled:
        look_now(saved.pk)
    return True


def _must_operate(request: HttpRequest) -> None:
    """For everybody else these pages do not exist."""
    if not is_operator(cast("User", request.user)):
        raise NotFound
