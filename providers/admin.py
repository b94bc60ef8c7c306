"""Providers in the administration: approve, suspend, confirm hosts. Secrets are never shown."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from common.errors import InvalidInput, PortalError
from providers import configuration, services
from providers.models import DiscoveryRun, Provider, Service
from providers.ports import IN_PROCESS

if TYPE_CHECKING:
    from people.models import User


class ProviderForm(forms.ModelForm):
    """The settings that `services.update_provider` takes, with its rules."""

    class Meta:
        model = Provider
        fields = (
            "name",
            "description",
            "extra_hosts",
            "reference_header",
            "lookup_url",
            "usage_site",
            "usage_queue",
            "usage_keep_good",
            "usage_without_jobs",
            "charge_unsuccessful",
            "max_running_jobs",
            "retry_attempts",
            "retry_wait_seconds",
        )

    def changes(self) -> dict[str, object]:
        """What was changed, as `update_provider` takes it."""
        return {name: self.cleaned_data.get(name) for name in self.changed_data}

    def clean(self) -> dict[str, Any]:
        """Every fault at its field."""
        try:
            configuration.apply(copy.copy(self.instance), self.changes())
        except InvalidInput as error:
            for field, texts in error.errors.items():
                if field not in self.errors:
                    self.add_error(field, texts)
        return self.cleaned_data


class DiscoveryRunInline(admin.TabularInline):
    model = DiscoveryRun
    fields = ("at", "added", "changed", "withdrawn", "restored", "error", "warnings")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Provider)
class ProviderAdmin(admin.ModelAdmin):
    """Providers are registered on the portal's pages, where their address is checked."""

    form = ProviderForm
    list_display = ("name", "slug", "owner", "state", "discovered_at", "failing_since")
    list_filter = ("state", "protocol")
    search_fields = ("name", "slug", "owner__username")
    readonly_fields = (
        "slug",
        "owner",
        "protocol",
        "url",
        "username",
        "state",
        "created_at",
        "discovered_at",
        "discovery_error",
        "last_answer_at",
        "failing_since",
    )
    fields = (*readonly_fields, *ProviderForm.Meta.fields)
    inlines = (DiscoveryRunInline,)
    actions: tuple[Any, ...] = ("approve", "suspend")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        """Without the portal's own, which comes with the software."""
        return super().get_queryset(request).exclude(protocol=IN_PROCESS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Provider, form: Any, change: bool) -> None:
        services.update_provider(actor=_actor(request), provider=obj, **form.changes())

    @admin.action(description="Approve: services may be run")
    def approve(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        for provider in queryset:
            services.approve_provider(actor=_actor(request), provider=provider)
        self.message_user(request, f"{len(queryset)} approved.")

    @admin.action(description="Suspend: no new jobs")
    def suspend(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        for provider in queryset:
            services.suspend_provider(actor=_actor(request), provider=provider)
        self.message_user(request, f"{len(queryset)} suspended.")


@admin.register(Service)
class ServiceAdmin(admin.ModelAdmin):
    list_display = ("title", "identifier", "provider", "enabled", "withdrawn_at")
    list_filter = ("enabled", ("withdrawn_at", admin.EmptyFieldListFilter), "provider")
    list_select_related = ("provider",)
    search_fields = ("title", "identifier", "provider__name")
    actions = ("switch_on", "switch_off")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @admin.action(description="Switch on")
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Service]) -> None:
        self._switch(request, queryset, enabled=True)

    @admin.action(description="Switch off")
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Service]) -> None:
        self._switch(request, queryset, enabled=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Service], *, enabled: bool) -> None:
        for service in queryset.select_related("provider"):
            try:
                services.set_service_enabled(
                    actor=_actor(request), service=service, enabled=enabled
                )
            except PortalError as error:
                self.message_user(request, f"{service}: {error.detail}", level=messages.ERROR)


def _actor(request: HttpRequest) -> User:
    """The administration lets nobody in who is not signed in."""
    return cast("User", request.user)
