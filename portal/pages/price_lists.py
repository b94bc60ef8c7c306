"""The pages of price lists: a provider's own, and the portal's for providers without one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounting.models import PriceList, Rate, Unit
from accounting.prices.price_lists import (
    specs_of,
    validity,
    version_of,
    versions,
    withdraw,
)
from accounting.prices.pricing import DEFAULT, WHOLE_PROVIDER, list_in_force
from common.clock import now
from common.errors import Conflict, InvalidInput, NotFound
from people.access import is_operator
from people.models import User
from portal.pages.feedback import told
from portal.pages.paging import page_of
from portal.pages.rates import beginning, posted_rows, rows_of, specs
from portal.price_books import Book
from providers.access import provider_for
from providers.models import Provider, Service

VERSIONS_PER_PAGE = 10


@dataclass(frozen=True, slots=True)
class Row:
    """A place that prices hold for; `name` is how its address calls it."""

    provider_id: int
    service_id: int
    label: str
    name: str = ""
    rates: tuple[Rate, ...] = ()


@login_required
@require_http_methods(["GET", "POST"])
def provider_prices(request: HttpRequest, slug: str) -> HttpResponse:
    """A provider's prices with their history; POST publishes those of one place anew."""
    return _prices(request, Book(provider_for(cast(User, request.user), slug, "manage")))


@login_required
@require_http_methods(["GET", "POST"])
def default_prices(request: HttpRequest) -> HttpResponse:
    """The portal's own price list, for its operators."""
    _must_operate(request)
    return _prices(request, Book(None))


@login_required
@require_POST
def withdraw_provider_prices(request: HttpRequest, slug: str, version: int) -> HttpResponse:
    """Take back prices that have not begun."""
    book = Book(provider_for(cast(User, request.user), slug, "manage"))
    return _withdraw(request, book, version)


@login_required
@require_POST
def withdraw_default_prices(request: HttpRequest, version: int) -> HttpResponse:
    """Take back the portal's own prices before they begin."""
    _must_operate(request)
    return _withdraw(request, Book(None), version)


def _prices(request: HttpRequest, book: Book) -> HttpResponse:
    if request.method == "POST":
        return _publish(request, book)
    context = _context(request, book)
    if "edit" in request.GET:
        place = _place(book, request.GET["edit"].strip())
        present = specs_of(list_in_force(book.code))
        context["edit"] = place
        context["rate_rows"] = rows_of(present, place.provider_id, place.service_id)
    return render(request, "prices/page.html", context)


def _publish(request: HttpRequest, book: Book) -> HttpResponse:
    place = _place(book, request.POST.get("place", ""))
    rows = posted_rows(request.POST)
    try:
        begin = beginning(request.POST.get("effective_from", ""))
        rates = specs_of(list_in_force(book.code, begin))
        here = (place.provider_id, place.service_id)
        rates = {key: spec for key, spec in rates.items() if key[:2] != here}
        rates |= {(*here, unit): spec for unit, spec in specs(rows).items()}
        published = book.publish(cast(User, request.user), rates, begin)
    except (InvalidInput, Conflict) as error:
        context = {**_context(request, book), "edit": place, "rate_rows": rows}
        context |= {"problem": error.detail, "begin": request.POST.get("effective_from", "")}
        return render(request, "prices/page.html", context, status=400)
    text = _("Version %(n)s of the prices is published.") % {"n": published.version}
    messages.success(request, text)
    return redirect(request.path)


def _withdraw(request: HttpRequest, book: Book, number: int) -> HttpResponse:
    version = version_of(book.code, number)
    with told(request, _("Version %(n)s is withdrawn; it will not begin.") % {"n": number}):
        withdraw(actor=cast(User, request.user), price_list=version)
    return redirect(request.path.rsplit(f"{number}/", 1)[0])


def _context(request: HttpRequest, book: Book) -> dict[str, Any]:
    present = list_in_force(book.code)
    rates = list(present.rates.all()) if present is not None else []
    page = page_of(request, versions(book.code).prefetch_related("rates"), VERSIONS_PER_PAGE)
    history = validity(book.code, list(page.object_list))
    default = list_in_force(DEFAULT) if book.provider is not None and not rates else None
    return {
        "provider": book.provider,
        "places": _places(book, rates),
        "page": page,
        "history": history,
        "names": _names(version.price_list for version in history),
        "labels": _labels(book, [version.price_list for version in history]),
        "default": default,
        "units": Unit.choices,
        "now": now(),
    }


def _whole(book: Book) -> str:
    return _("All services") if book.provider else _("Every provider")


def _place(book: Book, name: str) -> Row:
    """The place of that name: "" or a service's or provider's identifier. Raises NotFound."""
    if not name:
        return Row(book.provider_id, WHOLE_PROVIDER, _whole(book))
    if book.provider is not None:
        return _service_row(book.provider.services.all(), name, name)
    slug, _dot, identifier = name.partition(".")
    if identifier:
        return _service_row(Service.objects.filter(provider__slug=slug), identifier, name)
    provider = Provider.objects.filter(slug=slug).first()
    if provider is None:
        raise NotFound(_("There is no such provider or service."))
    return Row(provider.pk, WHOLE_PROVIDER, provider.name, provider.slug)


def _places(book: Book, rates: list[Rate]) -> list[Row]:
    """The rows of the table: the whole, and every service of the provider, or what has a price."""
    by_place: dict[tuple[int, int], list[Rate]] = {}
    for rate in rates:
        by_place.setdefault((rate.provider_id, rate.service_id), []).append(rate)
    rows = [Row(book.provider_id, WHOLE_PROVIDER, _whole(book))]
    if book.provider is not None:
        rows += [
            Row(book.provider.pk, s.pk, s.title, s.identifier) for s in book.provider.services.all()
        ]
    else:
        rows += _priced_places(by_place)
    return [replace(r, rates=tuple(by_place.get((r.provider_id, r.service_id), ()))) for r in rows]


def _priced_places(by_place: Iterable[tuple[int, int]]) -> list[Row]:
    places = sorted(by_place)
    providers = Provider.objects.in_bulk({p for p, s in places if p and not s})
    services = Service.objects.select_related("provider").in_bulk({s for _p, s in places if s})
    rows = []
    for provider_id, service_id in places:
        if service_id in services:
            service = services[service_id]
            label = f"{service.provider.name}: {service.title}"
            rows.append(Row(provider_id, service_id, label, service.public_identifier))
        elif provider_id in providers and not service_id:
            provider = providers[provider_id]
            rows.append(Row(provider_id, WHOLE_PROVIDER, provider.name, provider.slug))
    return rows


def _service_row(services: QuerySet[Service], identifier: str, name: str) -> Row:
    service = services.filter(identifier=identifier).first()
    if service is None:
        raise NotFound(_("There is no such provider or service."))
    return Row(service.provider_id, service.pk, service.title, name)


def _names(lists: Iterable[PriceList]) -> dict[str, str]:
    """By "user:<id>": who published, in words."""
    actors = {actor for one in lists for actor in (one.created_by, one.withdrawn_by)}
    ids = [actor[5:] for actor in actors if actor.startswith("user:") and actor[5:].isdecimal()]
    users = User.objects.filter(pk__in=ids)
    return {f"user:{user.pk}": user.display_name for user in users}


def _labels(book: Book, lists: Iterable[PriceList]) -> dict[int, str]:
    """By the id of a rate: what it holds for, in words."""
    rates = [rate for one in lists for rate in one.rates.all()]
    services = dict(
        Service.objects.filter(pk__in={r.service_id for r in rates}).values_list("pk", "title")
    )
    names: dict[int, str] = {}
    if book.provider is None:
        providers = Provider.objects.filter(pk__in={r.provider_id for r in rates})
        names = dict(providers.values_list("pk", "name"))
    return {
        r.pk: services.get(r.service_id) or names.get(r.provider_id) or _whole(book) for r in rates
    }


def _must_operate(request: HttpRequest) -> None:
    if not is_operator(cast(User, request.user)):
        raise NotFound
