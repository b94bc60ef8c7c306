"""The ledger, prices, bills and usage in the administration, to look at."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounting import models
from accounting.admin.base import BooksAdmin, operates
from common import money


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
        return operates(request)

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
    search_fields = ("=id", "signer")


@admin.register(models.UsageRecord)
class UsageRecordAdmin(BooksAdmin):
    list_display = ("site", "local_job_id", "revision", "ended", "state", "cost", "note")
    list_filter = ("state",)
    search_fields = ("=local_job_id", "=site")


# What needs no more than a list: the columns tell what a row is about.
_LISTS: dict[type[Model], tuple[str, ...]] = {
    models.AccountChange: ("at", "account", "what", "before", "after", "actor", "reason"),
    models.Adjustment: ("requested_at", "account", "amount", "state", "requested_by", "decided_by"),
    models.AlertRule: ("account", "amount", "percent", "armed"),
    models.Alert: ("fired_at", "rule", "available", "threshold"),
    models.Dispute: ("opened_at", "account", "transfer", "state", "opened_by", "closed_by"),
    models.Formula: ("service_id", "unit", "expression", "created_by", "created_at"),
    models.Grant: ("starts_at", "account", "amount", "expires_at", "state", "created_by"),
    models.GrantRule: ("account", "amount", "every", "starts_at", "ends_at", "active"),
    models.Lot: ("expires_at", "account", "amount", "remaining"),
    models.MonthlyStatement: ("month", "account", "opening", "credits", "debits", "closing"),
    models.QuarantinedRecord: ("message", "line", "state", "decided_by", "decided_at"),
    models.Seal: ("created_at", "account", "from_version", "to_version", "hash"),
    models.TopUp: ("requested_at", "account", "amount", "state", "requested_by", "closed_by"),
    models.UsageBill: ("created_at", "provider_id", "account", "used", "charged", "uncharged"),
    models.UsageMonth: ("month", "provider_id", "site", "submit_host", "jobs"),
    models.UsageName: ("provider_id", "kind", "name", "account", "created_by"),
}
for _model, _columns in _LISTS.items():
    admin.site.register(
        _model, type(f"{_model.__name__}Admin", (BooksAdmin,), {"list_display": _columns})
    )
