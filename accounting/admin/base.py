"""How the books are shown in the administration: operators look, nobody changes."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from people.access import is_operator


class BooksAdmin(admin.ModelAdmin):
    """Operators look; nobody changes what only the ledger may write."""

    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return operates(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return operates(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def operates(request: HttpRequest) -> bool:
    return request.user.is_authenticated and is_operator(request.user)
