"""What operators write for everybody, in the administration."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from portal.models import News


@admin.register(News)
class NewsAdmin(admin.ModelAdmin):
    list_display = ("title", "weight", "shown_from", "shown_until", "author")
    list_filter = ("weight",)
    search_fields = ("title", "text")

    def save_model(self, request: HttpRequest, obj: News, form: Any, change: bool) -> None:
        if not change:
            obj.author = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)
