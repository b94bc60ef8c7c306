"""Requests for credit: ask, see what became of it, decide."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounting.access import account_for
from accounting.models import Account, Quote, TopUp
from accounting.requests import topups
from accounting.selectors import cap_of
from common import money
from common.errors import Conflict, InvalidInput, NotFound
from jobs.access import quote_for
from portal.pages.adjust import credits_of
from portal.pages.coverage import coverage_of
from portal.pages.feedback import told

if TYPE_CHECKING:
    from people.models import User


class AskForm(forms.Form):
    """How much, as what, and why."""

    amount = forms.CharField(
        label=gettext_lazy("Credits"),
        max_length=24,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    way = forms.ChoiceField(
        label=gettext_lazy("As"),
        widget=forms.RadioSelect,
        choices=(
            ("credit", gettext_lazy("credit of my own")),
            ("limit", gettext_lazy("a higher limit")),
        ),
    )
    reason = forms.CharField(
        label=gettext_lazy("What for"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Whoever decides reads this; it also stands on the statement."),
    )
    quote = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    key = forms.CharField(widget=forms.HiddenInput, max_length=100)

    def __init__(self, *args: Any, limited: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not limited:
            del self.fields["way"]


@login_required
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, account_id: int) -> HttpResponse:
    """The form of a request; `quote` in the address attaches what a run would cost."""
    user = cast("User", request.user)
    account = account_for(user, account_id, "view")
    _to, source = topups.sides(user, account)
    limited = source is not None and cap_of(source, user.pk) is not None
    if request.method == "GET":
        quote = _quote(user, request.GET.get("quote", ""))
        form = AskForm(limited=limited, initial=_suggestion(user, account, quote))
        return _form(request, account, source, form, quote)
    form = AskForm(request.POST, limited=limited)
    quote = _quote(user, request.POST.get("quote", ""))
    if not form.is_valid():
        return _form(request, account, source, form, quote)
    try:
        row = topups.ask(
            actor=user,
            account=account,
            amount=credits_of(request),
            reason=form.cleaned_data["reason"],
            key=form.cleaned_data["key"],
            quote=quote,
            as_limit=form.cleaned_data.get("way") == "limit",
        )
    except (InvalidInput, Conflict) as error:
        locator = getattr(error, "locator", "")
        form.add_error(locator if locator in form.fields else None, error.detail)
        return _form(request, account, source, form, quote)
    return redirect("pages:top_up", pk=row.pk)


@login_required
@require_http_methods(["GET", "POST"])
def top_up(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One request with what was said about it; POST decides (`action`), or answers."""
    user = cast("User", request.user)
    row = topups.top_up_for(user, pk)
    if request.method == "POST":
        action = request.POST.get("action", "")
        if action not in _ACTIONS:
            raise NotFound
        act, done = _ACTIONS[action]
        with told(request, str(done)):
            act(request, user, row)
        return redirect("pages:top_up", pk=pk)
    context = {
        "row": row,
        "notes": row.notes.select_related("author"),
        "open": row.state in topups.UNDECIDED,
        "decides": topups.may_decide(user, row),
        "asked": row.requested_by_id == user.pk,
        "cap": cap_of(row.source, row.requested_by_id) if row.source is not None else None,
    }
    return render(request, "requests/top_up.html", context)


def _grant(request: HttpRequest, user: User, row: TopUp) -> None:
    note = request.POST.get("text", "")
    topups.grant(actor=user, top_up=row, amount=credits_of(request), note=note)


def _refuse(request: HttpRequest, user: User, row: TopUp) -> None:
    topups.refuse(actor=user, top_up=row, reason=request.POST.get("text", ""))


def _ask_back(request: HttpRequest, user: User, row: TopUp) -> None:
    topups.ask_back(actor=user, top_up=row, question=request.POST.get("text", ""))


def _answer(request: HttpRequest, user: User, row: TopUp) -> None:
    topups.answer(actor=user, top_up=row, text=request.POST.get("text", ""))


def _withdraw(request: HttpRequest, user: User, row: TopUp) -> None:
    topups.withdraw(actor=user, top_up=row)


_ACTIONS: dict[str, tuple[Callable[[HttpRequest, User, TopUp], None], Any]] = {
    "grant": (_grant, gettext_lazy("Granted. Who asked gets a mail.")),
    "refuse": (_refuse, gettext_lazy("Refused. Who asked gets a mail.")),
    "ask_back": (_ask_back, gettext_lazy("Your question is on its way.")),
    "answer": (_answer, gettext_lazy("Your answer is on its way.")),
    "withdraw": (_withdraw, gettext_lazy("The request is withdrawn.")),
}


def _form(
    request: HttpRequest,
    account: Account,
    source: Account | None,
    form: AskForm,
    quote: Quote | None,
) -> HttpResponse:
    context = {"account": account, "form": form, "quote": quote, "of_group": source is not None}
    return render(request, "requests/ask.html", context, status=400 if form.errors else 200)


def _quote(user: User, text: str) -> Quote | None:
    return quote_for(user, text) if text else None


def _suggestion(user: User, account: Account, quote: Quote | None) -> dict[str, Any]:
    first: dict[str, Any] = {"key": str(uuid.uuid4()), "way": "credit"}
    if quote is not None:
        cover = coverage_of(account, user, quote.total)
        first |= {"quote": str(quote.pk), "amount": money.show(cover.shortfall or quote.total)}
        if cover.limited:
            first["way"] = "limit"
    return first
