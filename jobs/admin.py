"""Jobs and due work in the administration: to read, and to take up parked work again; and what
workers do about providers, asked for there."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from common.clock import now
from common.errors import Conflict
from jobs.models import Due, Job, JobEvent
from jobs.provider_work import read_soon
from providers.admin import ProviderAdmin
from providers.models import Provider


class ReadOnly(admin.ModelAdmin):
    """What the portal writes is not edited by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class EventInline(admin.TabularInline):
    model = JobEvent
    fields = ("number", "at", "old_state", "new_state", "percent", "actor", "reason", "text")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(ReadOnly):
    list_display = ("id", "title", "owner", "service", "state", "outcome_unknown", "created_at")
    list_filter = ("state", "outcome_unknown", "door", "service__provider")
    list_select_related = ("owner", "service")
    search_fields = ("id", "title", "owner__username", "remote_id")
    exclude = ("remote_handle",)  # an address inside the provider
    inlines = (EventInline,)


@admin.register(Due)
class DueAdmin(ReadOnly):
    list_display = ("kind", "subject", "due_at", "attempts", "failures", "parked_at", "done_at")
    list_filter = ("kind", ("parked_at", admin.EmptyFieldListFilter))
    search_fields = ("subject",)
    actions = ("take_up_again",)

    @admin.action(description="Take up parked work again")
    def take_up_again(self, request: HttpRequest, queryset: QuerySet[Due]) -> None:
        taken = queryset.filter(parked_at__isnull=False, done_at__isnull=True)
        count = taken.update(parked_at=None, failures=0, due_at=now())
        self.message_user(request, f"{count} taken up again.")


@admin.action(description="Read the services again")
def read_again(
    administration: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet[Provider]
) -> None:
    """By a worker, soon: a provider may take minutes to answer."""
    for provider in queryset:
        try:
            read_soon(provider)
        except Conflict as error:
            administration.message_user(request, f"{provider}: {error}", level=messages.ERROR)
        else:
            administration.message_user(request, f"{provider}: read soon; see its readings.")


# Providers know nothing of the due work of jobs, which reading them is a part of.
ProviderAdmin.actions = (*ProviderAdmin.actions, read_again)
