"""What a provider earned: by month and by service, as the ledger has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounting.accounts import provider_account
from accounting.revenue import revenue_by_month, revenue_by_service
from portal.pages.paging import page_of
from providers.access import provider_for

if TYPE_CHECKING:
    from people.models import User


@login_required
@require_safe
def revenue(request: HttpRequest, slug: str) -> HttpResponse:
    """The income of a provider, for its owner and the operators."""
    provider = provider_for(cast("User", request.user), slug, "view")
    account = provider_account(provider.pk, provider.name)
    services = revenue_by_service(provider.pk)
    context = {
        "provider": provider,
        "account": account,
        "page": page_of(request, revenue_by_month(account)),
        "services": services,
        "titles": dict(provider.services.values_list("pk", "title")),
        "uncharged": sum(one.uncharged for one in services),
    }
    return render(request, "providers/revenue.html", context)
