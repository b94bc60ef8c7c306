"""Who pays for usage without a job: whom the names in providers' records mean.

For operators, as in the REST API: an owner of a provider would choose who is charged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounting.accounts import group_account, user_account
from accounting.models import Account, RecordState, UsageName, UsageRecord
from accounting.models.source import NAME_KINDS
from accounting.usage.names import LONGEST, add_name, remove_name, usage_names
from common.errors import Conflict, InvalidInput, NotFound
from people.access import is_operator
from people.models import Group
from people.selectors import find_user
from portal.pages.feedback import told
from portal.pages.paging import page_of
from portal.usage_scope import Scope, scope_for
from providers.models import Provider

if TYPE_CHECKING:
    from people.models import User

PAYERS = (("user", gettext_lazy("person")), ("group", gettext_lazy("group")))


class PayerForm(forms.Form):
    """Whose account pays."""

    payer_kind = forms.ChoiceField(label=gettext_lazy("Paid by a"), choices=PAYERS)
    payer = forms.CharField(
        label=gettext_lazy("Who pays"),
        max_length=254,
        help_text=gettext_lazy("A person's user name or e-mail address; a group's short name."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "payer" in given and "payer_kind" in given:
            try:
                given["account"] = _account_of(given["payer_kind"], given["payer"])
            except NotFound as error:
                self.add_error("payer", error.detail)
        return given


class NameForm(PayerForm):
    """A name of a provider's records, and whose account pays for it."""

    provider = forms.ModelChoiceField(
        Provider.objects.order_by("name"),
        label=gettext_lazy("Provider"),
        empty_label=gettext_lazy("Choose a provider"),
    )
    kind = forms.ChoiceField(label=gettext_lazy("The records name a"), choices=NAME_KINDS)
    name = forms.CharField(
        label=gettext_lazy("Name in the records"),
        max_length=LONGEST,
        help_text=gettext_lazy("Exactly as it stands there, with upper and lower case."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("provider", "kind", "name", "payer_kind", "payer")


@login_required
@require_http_methods(["GET", "POST"])
def names(request: HttpRequest) -> HttpResponse:
    """The names that have an account; `text` finds some of them. POST adds one."""
    scope = _scope_of(request)
    form = NameForm(request.POST or None, initial=_suggested(request, scope))
    if request.method == "POST" and form.is_valid() and _added(request, form):
        return _back(form.cleaned_data["provider"].slug if scope.chosen else "")
    rows, text = scope.within(usage_names()), request.GET.get("text", "").strip()
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(account__name__icontains=text))
    page = page_of(request, rows.select_related("account__user", "account__group"))
    context = {
        "part": "names",
        "providers": scope.names,
        "chosen": scope.chosen,
        "several": scope.chosen is None and len(scope.names) > 1,
        "operator": True,
        "page": page,
        "text": text,
        "waiting": waiting_for(list(page)),
        "payers": PAYERS,
        "form": form,
    }
    return render(request, "usage/names.html", context)


@login_required
@require_POST
def act_on_name(request: HttpRequest, name_id: int) -> HttpResponse:
    """Let another account pay for a name, or nobody (`action` change or remove)."""
    scope, actor = _scope_of(request), cast("User", request.user)
    row = get_object_or_404(scope.within(usage_names()), pk=name_id)
    if request.POST.get("action") == "remove":
        with told(request, _("Nobody pays for %(name)s any more.") % {"name": row.name}):
            remove_name(actor=actor, row=row)
        return _back(scope.chosen.slug if scope.chosen else "")
    form = PayerForm(request.POST)
    with told(request, _("Another account pays for %(name)s now.") % {"name": row.name}):
        if not form.is_valid():
            texts = [str(text) for one in form.errors.values() for text in one]
            raise InvalidInput(" ".join(texts))
        _change(actor, row, form.cleaned_data["account"])
    return _back(scope.chosen.slug if scope.chosen else "")


def waiting_for(rows: Sequence[UsageName]) -> dict[int, int]:
    """How many records wait under each name, by its id; two queries."""
    waiting = UsageRecord.objects.filter(
        state=RecordState.UNMATCHED,
        superseded_by=None,
        provider_id__in={row.provider_id for row in rows},
    ).order_by()
    counts: dict[tuple[str, int, str], int] = {}
    for kind in ("user", "group"):
        wanted = {row.name for row in rows if row.kind == kind}
        found = waiting.filter(**{f"{kind}_name__in": wanted}) if wanted else waiting.none()
        for provider_id, name, number in found.values_list("provider_id", f"{kind}_name").annotate(
            Count("pk")
        ):
            counts[kind, provider_id, name] = number
    return {row.pk: counts.get((row.kind, row.provider_id, row.name), 0) for row in rows}


def _scope_of(request: HttpRequest) -> Scope:
    """All providers, or the one that the address names; for everybody else there is no page."""
    user = cast("User", request.user)
    if not is_operator(user):
        raise NotFound
    return scope_for(user, request.GET.get("provider", ""))


def _suggested(request: HttpRequest, scope: Scope) -> dict[str, Any]:
    """What a link from a record that waits fills in."""
    return {
        "provider": scope.chosen,
        "kind": request.GET.get("kind", "user"),
        "name": request.GET.get("name", "")[:LONGEST],
    }


def _added(request: HttpRequest, form: NameForm) -> bool:
    given = form.cleaned_data
    try:
        row = add_name(
            actor=cast("User", request.user),
            provider_id=given["provider"].pk,
            kind=given["kind"],
            name=given["name"],
            account=given["account"],
        )
    except (Conflict, InvalidInput) as error:
        locator = getattr(error, "locator", "") or "name"
        form.add_error(locator if locator in form.fields else None, error.detail)
        return False
    said = _("%(account)s pays for %(name)s now.") % {"account": row.account, "name": row.name}
    if waiting_for([row])[row.pk]:
        said = _("%(said)s Records wait for it: match them now.") % {"said": said}
    messages.success(request, said)
    return True


@transaction.atomic
def _change(actor: User, row: UsageName, account: Account) -> None:
    """One act: at no moment has the name nobody who pays."""
    remove_name(actor=actor, row=row)
    add_name(
        actor=actor,
        provider_id=row.provider_id,
        kind=row.kind,
        name=row.name,
        account=account,
    )


def _account_of(kind: str, payer: str) -> Account:
    if kind == "user":
        return user_account(find_user(payer.strip()))
    group = Group.objects.filter(slug=payer.strip()).first()
    if group is None:
        raise NotFound(_("There is no group of this short name."))
    return group_account(group)


def _back(provider: str) -> HttpResponse:
    address = reverse("pages:usage_names")
    return redirect(f"{address}?{urlencode({'provider': provider})}" if provider else address)
