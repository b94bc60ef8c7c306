"""Applications in the administration."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import ManyToManyField
from django.http import HttpRequest

from providers.models import Service
from thematic_apps.models import ThematicApp


class ServicesField(forms.ModelMultipleChoiceField):
    """Services with their identifiers: two providers may well give theirs the same title."""

    def label_from_instance(self, obj: Service) -> str:
        return f"{obj.title} ({obj.public_identifier})"


@admin.register(ThematicApp)
class ThematicAppAdmin(admin.ModelAdmin):
    list_display = ("title", "slug", "owner", "visibility")
    list_filter = ("visibility",)
    search_fields = ("title", "slug", "summary")
    filter_horizontal = ("services", "groups")
    autocomplete_fields = ("owner",)

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.ModelMultipleChoiceField | None:
        if db_field.name == "services":
            kwargs["form_class"] = ServicesField
            kwargs["queryset"] = Service.objects.select_related("provider").order_by("title", "pk")
        return super().formfield_for_manytomany(db_field, request, **kwargs)
