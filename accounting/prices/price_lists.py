"""Publishing price lists: every change is a new version, which begins now or later and stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from accounting.models import PriceList, Rate, Unit
from accounting.models.ledger import MOST
from accounting.prices.pricing import ANY_PROVIDER, DEFAULT, WHOLE_PROVIDER, code_of, list_in_force
from common.clock import now
from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from people.access import is_operator
from people.models import User

FURTHEST = timedelta(days=5 * 366)  # how long before a list may be published

Place = tuple[int, int, str]  # provider (or ANY_PROVIDER), service (or WHOLE_PROVIDER), unit


@dataclass(frozen=True, slots=True)
class RateSpec:
    """A price to publish: micro-credits per `unit_size` units.

    `minimum` is the least a line costs; `free_quantity` counts the smallest units (seconds, m²).
    """

    price: int
    unit_size: int = 1
    minimum: int = 0
    free_quantity: int = 0


@dataclass(frozen=True, slots=True)
class Validity:
    """A version and when it holds; `until` None: until another one begins.

    `state` is withdrawn, scheduled, in force, or past.
    """

    price_list: PriceList
    until: datetime | None
    state: str


def publish_rates(
    *,
    actor: User | str,
    provider_id: int,
    rates: Mapping[tuple[int, str], RateSpec],
    effective_from: datetime | None = None,
) -> PriceList:
    """Publish all prices of a provider, by (service id or WHOLE_PROVIDER, unit); see `_publish`.

    No rates at all give the provider back to the portal's default list.
    """
    places = {(provider_id, service, unit): spec for (service, unit), spec in rates.items()}
    return _publish(code_of(provider_id), places, actor, effective_from)


def publish_default(
    *, actor: User, rates: Mapping[Place, RateSpec], effective_from: datetime | None = None
) -> PriceList:
    """Publish the portal's list for providers without one of their own; see `_publish`.

    Raises Forbidden for anybody but operators.
    """
    if not is_operator(actor):
        raise Forbidden(_("Only operators publish the portal's own prices."))
    return _publish(DEFAULT, rates, actor, effective_from)


def withdraw(*, actor: User, price_list: PriceList) -> PriceList:
    """Take back a version that has not begun; the caller has checked that the actor may.

    Raises Conflict when it has begun: it holds for quotes that were given since.
    """
    stands = PriceList.objects.filter(pk=price_list.pk, withdrawn_at__isnull=True)
    with transaction.atomic():
        moment = now()
        done = stands.filter(effective_from__gt=moment).update(
            withdrawn_at=moment, withdrawn_by=f"user:{actor.pk}"
        )
    if not done:
        raise Conflict(_("Only prices that have not begun yet can be withdrawn."))
    price_list.refresh_from_db()
    return price_list


def versions(code: str) -> QuerySet[PriceList]:
    """Every published version of a list, the one that begins last first."""
    published = PriceList.objects.filter(code=code, published_at__isnull=False)
    return published.order_by("-effective_from")


def version_of(code: str, number: int) -> PriceList:
    """One published version. Raises NotFound."""
    found = versions(code).filter(version=number).first()
    if found is None:
        raise NotFound(_("There is no such version of these prices."))
    return found


def validity(code: str, some: list[PriceList]) -> list[Validity]:
    """From when to when each of some versions of one list holds."""
    moment = now()
    standing = versions(code).filter(withdrawn_at__isnull=True)
    begins = sorted(standing.values_list("effective_from", flat=True))
    result = []
    for one in some:
        until = next((at for at in begins if at > one.effective_from), None)
        result.append(Validity(one, until, _state(one, until, moment)))
    return result


def specs_of(price_list: PriceList | None) -> dict[Place, RateSpec]:
    """The rates of a list as they would be published again."""
    rates = price_list.rates.all() if price_list is not None else ()
    return {
        (r.provider_id, r.service_id, r.unit): RateSpec(
            r.price, r.unit_size, r.minimum, r.free_quantity
        )
        for r in rates
    }


def _publish(
    code: str,
    rates: Mapping[Place, RateSpec],
    actor: User | str,
    effective_from: datetime | None,
) -> PriceList:
    """A new version with exactly these rates, effective at once or at a later moment.

    What is not in `rates` has no price any more. Jobs and quotes keep the prices they were given.
    The prices that hold at that moment anyway change nothing. Raises InvalidInput with every wrong
    rate, or for a moment in the past; Conflict when somebody else published at the same moment.
    """
    _check(rates)
    name = actor if isinstance(actor, str) else f"user:{actor.pk}"
    try:
        with transaction.atomic():
            # The clock after the version: whoever has a later version begins later.
            version = _last_version(code) + 1
            moment = _beginning(effective_from)
            before = list_in_force(code, moment)
            if before is not None and specs_of(before) == {
                (p, s, str(u)): spec for (p, s, u), spec in rates.items()
            }:
                return before
            return _create(code, version, rates, moment, name)
    except IntegrityError as error:  # the version number was taken meanwhile
        raise Conflict(
            _("The prices were changed at the same moment. Look at them again.")
        ) from error


def _beginning(wanted: datetime | None) -> datetime:
    moment = now()
    if wanted is None:
        return moment
    if not moment <= wanted <= moment + FURTHEST:
        raise InvalidInput(
            _("Prices begin now or later, at most five years ahead."), locator="effective_from"
        )
    return wanted


def _create(
    code: str, version: int, rates: Mapping[Place, RateSpec], moment: datetime, actor: str
) -> PriceList:
    every = PriceList.objects.filter(code=code)
    while every.filter(effective_from=moment).exists():  # two versions in one instant
        moment += timedelta(microseconds=1)
    price_list = PriceList.objects.create(
        code=code,
        version=version,
        effective_from=moment,
        created_by=actor,
    )
    Rate.objects.bulk_create(
        Rate(
            price_list=price_list,
            provider_id=provider_id,
            service_id=service_id,
            unit=unit,
            unit_size=spec.unit_size,
            price=spec.price,
            minimum=spec.minimum,
            free_quantity=spec.free_quantity,
        )
        for (provider_id, service_id, unit), spec in rates.items()
    )
    price_list.published_at = now()  # from here on the database keeps list and rates as they are
    price_list.save(update_fields=("published_at",))
    return price_list


def _last_version(code: str) -> int:
    return PriceList.objects.filter(code=code).aggregate(n=Max("version"))["n"] or 0


def _state(one: PriceList, until: datetime | None, moment: datetime) -> str:
    if one.withdrawn_at is not None:
        return "withdrawn"
    if one.effective_from > moment:
        return "scheduled"
    return "past" if until is not None and until <= moment else "in force"


def _check(rates: Mapping[Place, RateSpec]) -> None:
    errors: dict[str, list[str]] = {}
    for (provider_id, service_id, unit), spec in rates.items():
        wrong = _wrong_place(provider_id, service_id, unit)
        if not 1 <= spec.unit_size <= MOST:
            wrong.append(_("The price must be for at least one unit."))
        if not all(0 <= v <= MOST for v in (spec.price, spec.minimum, spec.free_quantity)):
            wrong.append(_("Prices and free quantities must not be negative or above the limit."))
        if wrong:
            errors[f"{service_id}/{unit}"] = wrong
    if errors:
        raise InvalidInput(_("Some prices are wrong."), locator="rates", errors=errors)


def _wrong_place(provider_id: int, service_id: int, unit: str) -> list[str]:
    wrong = []
    if unit not in Unit.values:
        wrong.append(_("There is no such unit."))
    if service_id < 0 or (service_id != WHOLE_PROVIDER and provider_id == ANY_PROVIDER):
        wrong.append(_("There is no such service."))
    return wrong
