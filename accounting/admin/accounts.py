"""The books in the administration: to look at, and the few things that operators may do."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from accounting import models
from accounting.accounts import set_credit_limit, set_status
from accounting.admin.base import BooksAdmin, operates
from accounting.credit.transfers import issue_credit
from accounting.inputs import LONGEST_REASON
from accounting.models import Account, AccountStatus
from common import money
from common.errors import PortalError
from people.models import User


class AmountForm(forms.Form):
    amount = forms.DecimalField(
        label=_("Credits"), max_digits=16, decimal_places=6, min_value=Decimal("0.000001")
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Shown on the account's statement."),
    )
    # Sent with the form: pressing the button twice issues once.
    key = forms.UUIDField(widget=forms.HiddenInput)


class LimitForm(forms.Form):
    limit = forms.DecimalField(
        label=_("Credit limit"), max_digits=16, decimal_places=6, min_value=Decimal(0)
    )
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON, required=False)


@admin.register(models.Account)
class AccountAdmin(BooksAdmin):
    list_display = ("code", "name", "kind", "balance", "on_hold", "spendable", "status")
    list_filter = ("kind", "status")
    search_fields = ("code", "name")
    actions = ("freeze", "reopen", "close")
    fields = ("code", "kind", "name", "currency", "status", "balance", "on_hold", "spendable")

    @admin.display(description=_("balance"), ordering="posted")
    def balance(self, account: Account) -> str:
        return money.show(account.posted)

    @admin.display(description=_("held"), ordering="held")
    def on_hold(self, account: Account) -> str:
        return money.show(account.held)

    @admin.display(description=_("available"))
    def spendable(self, account: Account) -> str:
        return money.show(account.available) if account.floor is not None else "∞"

    @admin.action(description=_("Freeze: may receive, not spend"))
    def freeze(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        self._set_status(request, accounts, AccountStatus.FROZEN)

    @admin.action(description=_("Open again"))
    def reopen(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        self._set_status(request, accounts, AccountStatus.OPEN)

    @admin.action(description=_("Close: empty accounts only"))
    def close(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        self._set_status(request, accounts, AccountStatus.CLOSED)

    def _set_status(
        self, request: HttpRequest, accounts: QuerySet[Account], status: AccountStatus
    ) -> None:
        for account in accounts:
            try:
                set_status(
                    actor=_operator(request),
                    account=account,
                    status=status,
                    reason=str(_("done in the administration")),
                )
            except PortalError as refusal:
                self.message_user(request, f"{account}: {refusal.detail}", messages.ERROR)
            else:
                self.log_change(request, account, f"status: {status}")
                self.message_user(request, f"{account}: {status.label}", messages.SUCCESS)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<path:key>/issue/", view(self.issue), name="accounting_account_issue"),
            path("<path:key>/limit/", view(self.limit), name="accounting_account_limit"),
            *super().get_urls(),
        ]

    def issue(self, request: HttpRequest, key: str) -> HttpResponse:
        """Create credit on an account, for a reason."""
        account = self._account(request, key)

        def act(data: dict[str, Any]) -> str:
            issue_credit(
                actor=_operator(request),
                account=account,
                amount=money.micro(data["amount"]),
                reason=data["reason"],
                key=str(data["key"]),
            )
            return f"issued {data['amount']}: {data['reason']}"

        form = AmountForm(request.POST or None, initial={"key": uuid4()})
        told = {
            "title": _("Issue credit"),
            "explanation": _(
                "Creates new credit on this account. It cannot be undone, only spent."
            ),
        }
        return self._act(request, account, form, act, told)

    def limit(self, request: HttpRequest, key: str) -> HttpResponse:
        """How far below zero the account may go."""
        account = self._account(request, key)

        def act(data: dict[str, Any]) -> str:
            set_credit_limit(
                actor=_operator(request),
                account=account,
                limit=money.micro(data["limit"]),
                reason=data["reason"] or str(_("done in the administration")),
            )
            return f"credit limit: {data['limit']}"

        now = money.credits(-(account.floor or 0))
        form = LimitForm(request.POST or None, initial={"limit": now.normalize()})
        told = {
            "title": _("Credit limit"),
            "explanation": _("The account may go this far below zero."),
        }
        return self._act(request, account, form, act, told)

    def _account(self, request: HttpRequest, key: str) -> Account:
        account = self.get_object(request, unquote(key))
        if account is None or not operates(request):
            raise Http404
        return account

    def _act(
        self,
        request: HttpRequest,
        account: Account,
        form: forms.Form,
        act: Callable[[dict[str, Any]], str],
        told: dict[str, Any],
    ) -> HttpResponse:
        """Show the form, or do what it says and go back to the account."""
        if request.method == "POST" and form.is_valid():
            try:
                done = act(form.cleaned_data)
            except PortalError as refusal:
                form.add_error(None, refusal.detail)
            else:
                self.log_change(request, account, done)
                self.message_user(request, done, messages.SUCCESS)
                return redirect("admin:accounting_account_change", account.pk)
        site = self.admin_site.each_context(request)
        context = {**site, **told, "opts": self.opts, "account": account, "form": form}
        return TemplateResponse(request, "admin/accounting/account/act.html", context)


def _operator(request: HttpRequest) -> User:
    """Who acts; the administration lets nobody anonymous in."""
    return cast("User", request.user)
