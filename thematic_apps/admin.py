"""Applications in the administration."""

from __future__ import annotations

from django.contrib import admin

from thematic_apps.models import ThematicApp


@admin.register(ThematicApp)
class ThematicAppAdmin(admin.ModelAdmin):
    list_display = ("title", "slug", "owner", "visibility")
    list_filter = ("visibility",)
    search_fields = ("title", "slug", "summary")
    filter_horizontal = ("services", "groups")
    autocomplete_fields = ("owner",)
