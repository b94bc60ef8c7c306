"""Which viewers there are: for operators, since users' results are sent to them."""

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

from catalogue_client.models import Viewer, ViewState
from catalogue_client.viewers.configure import delete_viewer, save_viewer
from catalogue_client.viewers.registry import adapters
from common.errors import InvalidInput, NotFound
from people.access import is_operator
from people.models import Group
from portal.pages.feedback import told
from portal.pages.paging import page_of

if TYPE_CHECKING:
    from people.models import User

ADAPTERS = {
    "geonode": gettext_lazy("GeoNode 4 or 5"),
    "puma": gettext_lazy("PUMA integration service"),
}
PLACE = ("label", "code", "adapter", "address", "username", "secret")
USE = ("media_types", "options", "groups", "enabled")


class ViewerForm(forms.ModelForm):
    """A viewer's settings. The secret is never shown; empty leaves it as it is."""

    adapter = forms.ChoiceField(label=gettext_lazy("Kind"))
    secret = forms.CharField(
        label=gettext_lazy("Password or token"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy(
            "Kept encrypted. Empty leaves the present one; another address needs it again."
        ),
    )
    media_types = forms.CharField(
        label=gettext_lazy("Media types"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy("One on each line, such as image/tiff; none: what the kind can."),
    )
    groups = forms.ModelMultipleChoiceField(
        Group.objects.order_by("name"),
        label=gettext_lazy("Groups"),
        required=False,
        help_text=gettext_lazy("Whose members may use it; none: everybody who is signed in."),
    )

    class Meta:
        model = Viewer
        fields = ("label", "code", "adapter", "address", "username", "options", "enabled")
        labels = {
            "label": gettext_lazy("Name"),
            "code": gettext_lazy("Code"),
            "address": gettext_lazy("Address"),
            "username": gettext_lazy("User name there"),
            "options": gettext_lazy("Options"),
            "enabled": gettext_lazy("Switched on"),
        }
        help_texts = {
            "label": gettext_lazy("Users read “View in …”."),
            "code": gettext_lazy("Lower case; stands in the entries, and stays."),
            "address": gettext_lazy("Of the site; what the kind needs below it is added."),
            "options": gettext_lazy('As JSON, for example {"version": 4}; see docs/viewers.md.'),
        }
        widgets = {
            "address": forms.TextInput,
            "options": forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        viewer: Viewer = kwargs["instance"]
        listed = {"media_types": "\n".join(viewer.media_types), "secret": ""}
        chosen = {"groups": list(viewer.groups.all())} if viewer.pk else {}
        kwargs["initial"] = {**listed, **chosen}
        super().__init__(*args, **kwargs)
        choice = cast("forms.ChoiceField", self.fields["adapter"])
        choice.choices = [(name, ADAPTERS.get(name, name)) for name in adapters()]

    def changes(self) -> dict[str, Any]:
        """What is to be saved, without the groups; the secret only when one was given."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "groups"}
        lines = given["media_types"].lower().splitlines()
        given["media_types"] = [line.strip() for line in lines if line.strip()]
        given["options"] = given["options"] or {}
        if not given["secret"]:
            del given["secret"]
        return given

    def _post_clean(self) -> None:
        """The instance is only changed by who checks it whole (save_viewer)."""


@login_required
@require_safe
def viewers(request: HttpRequest) -> HttpResponse:
    """Every viewer, how many files it shows, and how many it would not."""
    _must_operate(request)
    shown = Count("visualisations", filter=Q(visualisations__state=ViewState.READY))
    failed = Count("visualisations", filter=Q(visualisations__state=ViewState.FAILED))
    rows = Viewer.objects.annotate(shown=shown, failed=failed).order_by("label", "pk")
    context = {"page": page_of(request, rows.prefetch_related("groups")), "adapters": ADAPTERS}
    return render(request, "operator/viewers.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def viewer(request: HttpRequest, viewer_id: int | None = None) -> HttpResponse:
    """Register a viewer, or change one."""
    _must_operate(request)
    known = get_object_or_404(Viewer, pk=viewer_id) if viewer_id else Viewer()
    form = ViewerForm(request.POST or None, instance=known)
    if request.method == "POST" and form.is_valid() and _saved(request, known, form):
        messages.success(request, _("The viewer is saved."))
        return redirect("pages:viewers")
    place, use = ([form[name] for name in names] for names in (PLACE, USE))
    columns = [[(_("Place"), place)], [(_("Use"), use)]]
    failed = []
    if known.pk:
        rows = known.visualisations.filter(state=ViewState.FAILED).select_related("item")
        failed = list(rows.order_by("-asked_at")[:10])
    context = {"viewer": known, "form": form, "columns": columns, "failed": failed}
    return render(request, "operator/viewer.html", context)


@login_required
@require_POST
def act(request: HttpRequest, viewer_id: int) -> HttpResponse:
    """Switch a viewer on or off, or delete it (`action`)."""
    _must_operate(request)
    known = get_object_or_404(Viewer, pk=viewer_id)
    user = cast("User", request.user)
    if request.POST.get("action") == "delete":
        with told(request, _("The viewer is deleted.")):
            delete_viewer(user, known)
    else:
        with told(request, _("The viewer is switched off.")) as said:
            if save_viewer(user, known, {"enabled": not known.enabled}).enabled:
                said.append(_("The viewer is switched on."))
    return redirect("pages:viewers")


def _saved(request: HttpRequest, known: Viewer, form: ViewerForm) -> bool:
    groups = list(form.cleaned_data["groups"])
    try:
        save_viewer(cast("User", request.user), known, form.changes(), groups)
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
