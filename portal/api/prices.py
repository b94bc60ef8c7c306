"""Prices over REST: a provider's own list, the portal's default list, formulas of services."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounting.models import PriceList, Rate, Unit
from accounting.models.ledger import MOST
from accounting.prices.formulas import LONGEST, current_formulas, set_formula
from accounting.prices.price_lists import (
    Place,
    RateSpec,
    Validity,
    validity,
    version_of,
    versions,
    withdraw,
)
from accounting.prices.pricing import ANY_PROVIDER, WHOLE_PROVIDER, list_in_force
from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from common.serializers import CreditsField
from jobs.estimates.counting import samples
from people.access import is_operator
from people.authentication import signed_in
from portal.price_books import Book
from providers.access import provider_for, require_manager
from providers.models import Provider, Service
from thematic_apps.access import usable_services

MOST_PRICES = 10_000


class PriceSerializer(serializers.Serializer[Any]):
    """`price` per `unit_size` units; `service` null: for every service of the provider.

    `provider` null: in the default list, for every provider.
    """

    provider = serializers.IntegerField(allow_null=True, default=None, min_value=1, max_value=MOST)
    service = serializers.IntegerField(allow_null=True, default=None, min_value=1, max_value=MOST)
    unit = serializers.ChoiceField(choices=Unit.choices)
    price = CreditsField(least=0)
    unit_size = serializers.IntegerField(default=1, min_value=1, max_value=MOST)
    minimum = CreditsField(least=0, default=0)
    free_quantity = serializers.IntegerField(
        default=0, min_value=0, max_value=MOST, help_text="in the smallest unit: seconds, bytes, m²"
    )


class VersionSerializer(serializers.Serializer[Any]):
    """A version of a price list: valid from `effective_from` until `effective_until`."""

    version = serializers.IntegerField(source="price_list.version")
    state = serializers.CharField(help_text="scheduled, in force, past, withdrawn")
    effective_from = serializers.DateTimeField(source="price_list.effective_from")
    effective_until = serializers.DateTimeField(source="until", allow_null=True)
    published_at = serializers.DateTimeField(source="price_list.published_at")
    published_by = serializers.CharField(source="price_list.created_by")
    currency = serializers.CharField(source="price_list.currency")
    prices = serializers.SerializerMethodField()

    def get_prices(self, one: Validity) -> list[dict[str, Any]]:
        return _documents(one.price_list)


class PriceListSerializer(serializers.Serializer[Any]):
    """The prices that hold now; `version` 0: there are none.

    A provider without prices of its own has those of the portal's default list; without any, all is
    free. Sent: all prices, valid from `effective_from` (absent: at once).
    """

    version = serializers.IntegerField(read_only=True)
    effective_from = serializers.DateTimeField(required=False, allow_null=True)
    currency = serializers.CharField(read_only=True)
    prices = PriceSerializer(many=True)

    def validate_prices(self, prices: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(prices) > MOST_PRICES:
            raise serializers.ValidationError(f"There are more than {MOST_PRICES} prices.")
        return prices


class BookView(APIView):
    """Views of one list: `slug` names the provider, without it the default list is meant.

    Whoever may use a service of the provider may know what it costs.
    """

    def book(self, request: Request) -> Book:
        slug, user = self.kwargs.get("slug"), signed_in(request)
        if not slug:
            return Book(None)
        service = usable_services(user).filter(provider__slug=slug).first()
        return Book(service.provider if service else provider_for(user, slug, "view"))

    def changeable(self, request: Request) -> Book:
        """The list, for those who may publish it."""
        found, user = self.book(request), signed_in(request)
        if found.provider is not None:
            require_manager(user, found.provider)
        elif not is_operator(user):
            raise Forbidden("Only operators publish the portal's own prices.")
        return found


class Prices(BookView):
    @extend_schema(responses=PriceListSerializer)
    def get(self, request: Request, slug: str = "") -> Response:
        """The prices in force: of a provider whose services you may use, or the portal's own."""
        return Response(_answer(list_in_force(self.book(request).code)))

    @extend_schema(request=PriceListSerializer, responses=PriceListSerializer)
    def put(self, request: Request, slug: str = "") -> Response:
        """Publish all prices anew, now or from a later moment; answers with the new version.

        Jobs and quotes keep the prices that they were given.
        """
        book = self.changeable(request)
        body = PriceListSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        rates = _rates(book.provider, body.validated_data["prices"])
        begin = body.validated_data.get("effective_from")
        return Response(_answer(book.publish(signed_in(request), rates, begin)))


class PriceVersions(BookView, ListAPIView[PriceList]):
    """Every version of a price list, the one that begins last first."""

    serializer_class = VersionSerializer

    def get_queryset(self) -> QuerySet[PriceList]:
        return versions(self.book(self.request).code).prefetch_related("rates")

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        return None if page is None else validity(self.book(self.request).code, list(page))


class PriceVersion(BookView):
    @extend_schema(responses=VersionSerializer)
    def get(self, request: Request, number: int, slug: str = "") -> Response:
        """One version of a price list."""
        book = self.book(request)
        return _version(book.code, version_of(book.code, number))

    @extend_schema(responses=VersionSerializer)
    def delete(self, request: Request, number: int, slug: str = "") -> Response:
        """Withdraw a version that has not begun; 409 when it has."""
        book = self.changeable(request)
        version = version_of(book.code, number)
        return _version(book.code, withdraw(actor=signed_in(request), price_list=version))


class FormulaSerializer(serializers.Serializer[Any]):
    """How much of a unit a run uses, in the unit that is priced, over the inputs of the service."""

    unit = serializers.ChoiceField(choices=Unit.choices)
    expression = serializers.CharField(
        max_length=LONGEST, allow_blank=True, help_text="empty: there is no formula any more"
    )


class Formulas(APIView):
    @extend_schema(responses=FormulaSerializer(many=True))
    def get(self, request: Request, slug: str, service_id: int) -> Response:
        """The formulas of a service by unit."""
        return self._answer(self._service(request, slug, service_id))

    @extend_schema(request=FormulaSerializer, responses=FormulaSerializer(many=True))
    def put(self, request: Request, slug: str, service_id: int) -> Response:
        """Set or take back the formula of one unit; quotes that were given stay."""
        service = self._service(request, slug, service_id)
        body = FormulaSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if service.current is None:
            raise Conflict("The provider has not described this service.")
        set_formula(
            actor=signed_in(request),
            service_id=service.pk,
            samples=samples(service.current.description),
            **body.validated_data,
        )
        return self._answer(service)

    @staticmethod
    def _service(request: Request, slug: str, service_id: int) -> Service:
        provider = provider_for(signed_in(request), slug, "manage")
        found = provider.services.select_related("current").filter(pk=service_id).first()
        if found is None:
            raise NotFound("The provider has no such service.")
        return found

    @staticmethod
    def _answer(service: Service) -> Response:
        formulas = current_formulas(service.pk)
        return Response([FormulaSerializer(formulas[unit]).data for unit in sorted(formulas)])


def _version(code: str, version: PriceList) -> Response:
    return Response(VersionSerializer(validity(code, [version])[0]).data)


def _answer(price_list: PriceList | None) -> dict[str, Any]:
    document = {
        "version": price_list.version if price_list else 0,
        "effective_from": price_list.effective_from if price_list else None,
        "currency": price_list.currency if price_list else "CRD",
        "prices": _raw(price_list.rates.all()) if price_list else [],
    }
    return dict(PriceListSerializer(document).data)


def _documents(price_list: PriceList) -> list[dict[str, Any]]:
    return [dict(one) for one in PriceSerializer(_raw(price_list.rates.all()), many=True).data]


def _raw(rates: Any) -> list[dict[str, Any]]:
    ordered: list[Rate] = sorted(rates, key=lambda r: (r.provider_id, r.service_id, r.unit))
    return [
        {
            "provider": rate.provider_id or None,
            "service": rate.service_id or None,
            "unit": rate.unit,
            "price": rate.price,
            "unit_size": rate.unit_size,
            "minimum": rate.minimum,
            "free_quantity": rate.free_quantity,
        }
        for rate in ordered
    ]


def _rates(provider: Provider | None, prices: list[dict[str, Any]]) -> dict[Place, RateSpec]:
    """The prices by place. Raises InvalidInput for services that there are not, and doubles."""
    owners = _owners(provider, {p["service"] for p in prices if p["service"]})
    rates: dict[Place, RateSpec] = {}
    for price in prices:
        place = (*_place(provider, price, owners), price["unit"])
        if place in rates:
            raise InvalidInput("There are two prices for the same.", locator="prices")
        rates[place] = RateSpec(
            price["price"], price["unit_size"], price["minimum"], price["free_quantity"]
        )
    return rates


def _owners(provider: Provider | None, service_ids: set[int]) -> dict[int, int]:
    """Service → its provider, of those that may be priced here."""
    services = Service.objects.filter(pk__in=service_ids)
    if provider is not None:
        services = services.filter(provider=provider)
    return dict(services.values_list("pk", "provider_id"))


def _place(
    provider: Provider | None, price: dict[str, Any], owners: dict[int, int]
) -> tuple[int, int]:
    service_id, named = price["service"], price["provider"]
    own = provider.pk if provider is not None else named or ANY_PROVIDER
    if provider is not None and named not in (None, provider.pk):
        raise InvalidInput("A provider prices only its own services.", locator="prices")
    if service_id is None:
        if provider is None and named and not Provider.objects.filter(pk=named).exists():
            raise InvalidInput(f"There is no provider {named}.", locator="prices")
        return own, WHOLE_PROVIDER
    if service_id not in owners or named not in (None, owners[service_id]):
        raise InvalidInput(f"The provider has no service {service_id}.", locator="prices")
    return owners[service_id], service_id
