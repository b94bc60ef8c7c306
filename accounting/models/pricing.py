"""Price lists, rates, and quotes. Prices are integers of micro-credits."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounting.models.ledger import Account


class Unit(models.TextChoices):
    """What is counted. Time is kept in seconds and priced per hour, areas in m² per km²."""

    JOB = "JOB", _("per job")
    CPU_CORE_HOUR = "CPU_CORE_HOUR", _("CPU core hour")
    WALL_HOUR = "WALL_HOUR", _("hour")
    WALL_CORE_HOUR = "WALL_CORE_HOUR", _("core hour")
    AREA_KM2 = "AREA_KM2", _("km²")
    PRODUCT_IN = "PRODUCT_IN", _("input product")


# Smallest units in one priced unit: quantities are integers of the smallest.
SMALLEST: dict[str, int] = {
    Unit.JOB: 1,
    Unit.CPU_CORE_HOUR: 3600,
    Unit.WALL_HOUR: 3600,
    Unit.WALL_CORE_HOUR: 3600,
    Unit.AREA_KM2: 1_000_000,
    Unit.PRODUCT_IN: 1,
}


class PriceList(models.Model):
    """One version of a list of rates; immutable once published (trigger)."""

    code = models.CharField(max_length=32, help_text=_("provider:<id>, or default"))
    version = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, default="CRD")
    effective_from = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    created_by = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "acc_price_list"
        ordering = ("code", "-version")
        constraints = (
            models.UniqueConstraint(fields=("code", "version"), name="acc_price_list_version"),
            models.UniqueConstraint(fields=("code", "effective_from"), name="acc_price_list_from"),
        )

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"


class Rate(models.Model):
    """The price of one unit. The most specific wins: service, then provider, then list.

    line = ceil(max(0, quantity - free_quantity) * price / (unit_size * smallest per unit)), then at
    least `minimum`. A service_id or provider_id of 0 means any.
    """

    price_list = models.ForeignKey(PriceList, models.PROTECT, related_name="rates")
    provider_id = models.BigIntegerField(default=0)
    service_id = models.BigIntegerField(default=0)
    unit = models.CharField(max_length=20, choices=Unit)
    unit_size = models.BigIntegerField(default=1)
    price = models.BigIntegerField()
    minimum = models.BigIntegerField(default=0)
    free_quantity = models.BigIntegerField(default=0)

    class Meta:
        db_table = "acc_rate"
        ordering = ("price_list", "service_id", "unit")
        constraints = (
            models.UniqueConstraint(
                fields=("price_list", "provider_id", "service_id", "unit"), name="acc_rate_once"
            ),
            models.CheckConstraint(
                condition=Q(unit_size__gt=0, price__gte=0, minimum__gte=0, free_quantity__gte=0),
                name="acc_rate_positive",
            ),
        )

    def __str__(self) -> str:
        return f"{self.price} per {self.unit_size} {self.unit}"


class Quote(models.Model):
    """A price promised for given inputs until it expires.

    `lines` is a list of {unit, quantity (smallest units, text), unit_size, price, amount, basis};
    prices and amounts are micro-credits. `total` is the most that the job will be charged.
    """

    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_constraint=False)
    member_id = models.BigIntegerField()
    provider_id = models.BigIntegerField()
    service_id = models.BigIntegerField()
    inputs_fingerprint = models.CharField(max_length=64)
    price_list = models.ForeignKey(PriceList, models.PROTECT, null=True, related_name="+")
    lines = models.JSONField(default=list)
    total = models.BigIntegerField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "acc_quote"
        ordering = ("-created_at",)
        constraints = (
            models.CheckConstraint(condition=Q(total__gte=0), name="acc_quote_total"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="acc_quote_lives"
            ),
        )

    def __str__(self) -> str:
        return f"{self.id}: {self.total}"
