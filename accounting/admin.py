"""The books in the administration: to look at, and the few things that operators may do."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from accounting import models
from accounting.accounts import set_credit_limit, set_status
from accounting.credit import LONGEST_REASON, issue_credit
from accounting.models import Account, AccountStatus
from common import money
from common.errors import PortalError
from people.access import is_operator
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


class BooksAdmin(admin.ModelAdmin):
    """Operators look; nobody changes what only the ledger may write."""

    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _operates(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _operates(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


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
                set_status(actor=_operator(request), account=account, status=status)
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
                actor=_operator(request), account=account, limit=money.micro(data["limit"])
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
        if account is None or not _operates(request):
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


@admin.register(models.Transfer)
class TransferAdmin(BooksAdmin):
    list_display = ("created_at", "kind", "phase", "credits", "debit", "credit", "actor", "reason")
    list_filter = ("kind", "phase")
    list_select_related = ("debit", "credit")
    search_fields = ("=id", "=reference", "=debit__code", "=credit__code")
    date_hierarchy = "created_at"

    @admin.display(description=_("credits"), ordering="amount")
    def credits(self, transfer: models.Transfer) -> str:
        return money.show(transfer.amount)


@admin.register(models.Entry)
class EntryAdmin(BooksAdmin):
    list_display = ("account", "version", "credits", "balance", "transfer")
    list_select_related = ("account", "transfer")
    search_fields = ("=account__code", "=transfer__id")

    @admin.display(description=_("credits"))
    def credits(self, entry: models.Entry) -> str:
        return money.show(entry.amount)

    @admin.display(description=_("balance after"))
    def balance(self, entry: models.Entry) -> str:
        return money.show(entry.balance_after)


@admin.register(models.MemberCap)
class MemberCapAdmin(BooksAdmin):
    list_display = ("account", "member_id", "limit_amount", "used", "held", "overrun")
    list_select_related = ("account",)
    search_fields = ("=account__code", "=member_id")


class RateInline(admin.TabularInline):
    model = models.Rate
    can_delete = False
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _operates(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(models.PriceList)
class PriceListAdmin(BooksAdmin):
    list_display = ("code", "version", "effective_from", "published_at", "created_by")
    search_fields = ("=code",)
    inlines = (RateInline,)


@admin.register(models.Quote)
class QuoteAdmin(BooksAdmin):
    list_display = ("created_at", "account", "member_id", "service_id", "total", "expires_at")
    list_select_related = ("account",)
    search_fields = ("=id", "=account__code")


@admin.register(models.JobBill)
class JobBillAdmin(BooksAdmin):
    list_display = ("job_id", "created_at", "account", "state", "used", "charged", "uncharged")
    list_filter = ("state",)
    list_select_related = ("account",)
    search_fields = ("=job_id", "=provider_job_id", "=account__code")


@admin.register(models.UsageMessage)
class UsageMessageAdmin(BooksAdmin):
    list_display = ("received_at", "source", "header", "state", "records_count", "signer")
    list_filter = ("state", "source")
    search_fields = ("=sha256", "signer")


@admin.register(models.UsageRecord)
class UsageRecordAdmin(BooksAdmin):
    list_display = ("site", "local_job_id", "revision", "ended", "state", "cost", "note")
    list_filter = ("state",)
    search_fields = ("=local_job_id", "=site")


def _operator(request: HttpRequest) -> User:
    """Who acts; the administration lets nobody anonymous in."""
    return cast("User", request.user)


def _operates(request: HttpRequest) -> bool:
    return request.user.is_authenticated and is_operator(request.user)
