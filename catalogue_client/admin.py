"""The catalogue in Django's admin: to look, and to change who may see what."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from catalogue_client.models import Collection, Item
from catalogue_client.services import change_collection


@admin.register(Collection)
class CollectionAdmin(admin.ModelAdmin):
    """Collections."""

    list_display = ("identifier", "title", "visibility", "owner", "group", "updated_at")
    list_filter = ("visibility",)
    search_fields = ("identifier", "title")
    readonly_fields = ("created_at", "updated_at", "revision")
    list_select_related = ("owner", "group")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They come from the portal's own services, which check them."""
        return False

    def save_model(self, request: HttpRequest, obj: Collection, form: Any, change: bool) -> None:
        """Through the service: caches and harvesters must learn of it."""
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        change_collection(pk=obj.pk, values=values)


@admin.register(Item)
class ItemAdmin(admin.ModelAdmin):
    """Items, read only: a change must take a number of the change sequence."""

    list_display = ("identifier", "title", "collection", "visibility", "state", "updated_at")
    list_filter = ("collection", "visibility", "state")
    search_fields = ("identifier", "title", "job_id")
    list_select_related = ("collection",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Item | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Item | None = None) -> bool:
        return False
