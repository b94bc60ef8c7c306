"""The price lists that somebody keeps: a provider's own, and the portal's default list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from accounting.models import PriceList
from accounting.prices.price_lists import Place, RateSpec, publish_default, publish_rates
from accounting.prices.pricing import ANY_PROVIDER, DEFAULT, code_of
from people.models import User
from providers.models import Provider


@dataclass(frozen=True, slots=True)
class Book:
    """The price list of a provider, or the default (None)."""

    provider: Provider | None

    @property
    def code(self) -> str:
        return code_of(self.provider.pk) if self.provider else DEFAULT

    @property
    def provider_id(self) -> int:
        return self.provider.pk if self.provider else ANY_PROVIDER

    def publish(
        self, user: User, rates: Mapping[Place, RateSpec], begin: datetime | None
    ) -> PriceList:
        """Publish the whole list anew; see `accounting.prices.price_lists`."""
        if self.provider is None:
            return publish_default(actor=user, rates=rates, effective_from=begin)
        own = {(service, unit): spec for (_p, service, unit), spec in rates.items()}
        return publish_rates(
            actor=user, provider_id=self.provider.pk, rates=own, effective_from=begin
        )
