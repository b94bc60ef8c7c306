"""Price lists, rates, and quotes. Prices are integers of micro-credits."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounting.models.ledger import Account


class Unit(models.TextChoices):
    """What is counted, by the unit that is priced."""

    JOB = "JOB", _("per job")
    REQUEST = "REQUEST", _("request")
    CPU_CORE_HOUR = "CPU_CORE_HOUR", _("CPU core hour")
    WALL_HOUR = "WALL_HOUR", _("hour")
    WALL_CORE_HOUR = "WALL_CORE_HOUR", _("core hour")
    HS23_HOUR = "HS23_HOUR", _("HEPscore23 hour")
    GPU_HOUR = "GPU_HOUR", _("GPU hour")
    MEM_GB_HOUR = "MEM_GB_HOUR", _("GB of memory × hour")
    STORAGE_GB_DAY = "STORAGE_GB_DAY", _("GB stored × day")
    NET_GB = "NET_GB", _("GB transferred")
    READ_GB = "READ_GB", _("GB read")
    WRITTEN_GB = "WRITTEN_GB", _("GB written")
    VOLUME_GB = "VOLUME_GB", _("GB processed")
    MEMORY_GB = "MEMORY_GB", _("GB of memory")
    INSTANCE = "INSTANCE", _("instance")
    AREA_KM2 = "AREA_KM2", _("km²")
    PRODUCT_IN = "PRODUCT_IN", _("input product")
    PRODUCT_OUT = "PRODUCT_OUT", _("result")
    PRODUCT_PAIR = "PRODUCT_PAIR", _("pair of input products")
    ACQUISITION_DATE = "ACQUISITION_DATE", _("acquisition date")


_GB = 10**9
# Whole smallest units in one priced unit: quantities are integers of the smallest.
SMALLEST: dict[str, int] = {
    Unit.JOB: 1,
    Unit.REQUEST: 1,
    Unit.CPU_CORE_HOUR: 3600,  # seconds
    Unit.WALL_HOUR: 3600,
    Unit.WALL_CORE_HOUR: 3600,
    Unit.HS23_HOUR: 3600 * 1000,  # thousandths of HEPscore23 × seconds
    Unit.GPU_HOUR: 3600 * 1000,  # thousandths of a device × seconds
    Unit.MEM_GB_HOUR: 10**6 * 3600,  # kilobytes × seconds
    Unit.STORAGE_GB_DAY: _GB * 86400,  # bytes × seconds
    Unit.NET_GB: _GB,  # bytes
    Unit.READ_GB: _GB,
    Unit.WRITTEN_GB: _GB,
    Unit.VOLUME_GB: _GB,
    Unit.MEMORY_GB: _GB,
    Unit.INSTANCE: 1,
    Unit.AREA_KM2: 1_000_000,  # m²
    Unit.PRODUCT_IN: 1,
    Unit.PRODUCT_OUT: 1,
    Unit.PRODUCT_PAIR: 2,  # products
    Unit.ACQUISITION_DATE: 1,
}
# What the smallest part is, in answers for programs.
COUNTED_IN: dict[str, str] = {
    Unit.JOB: "runs",
    Unit.REQUEST: "requests",
    Unit.CPU_CORE_HOUR: "seconds",
    Unit.WALL_HOUR: "seconds",
    Unit.WALL_CORE_HOUR: "seconds",
    Unit.HS23_HOUR: "mHS23·s",
    Unit.GPU_HOUR: "milliseconds",
    Unit.MEM_GB_HOUR: "kB·s",
    Unit.STORAGE_GB_DAY: "B·s",
    Unit.NET_GB: "bytes",
    Unit.READ_GB: "bytes",
    Unit.WRITTEN_GB: "bytes",
    Unit.VOLUME_GB: "bytes",
    Unit.MEMORY_GB: "bytes",
    Unit.INSTANCE: "instances",
    Unit.AREA_KM2: "m2",
    Unit.PRODUCT_IN: "products",
    Unit.PRODUCT_OUT: "products",
    Unit.PRODUCT_PAIR: "products",
    Unit.ACQUISITION_DATE: "dates",
}
# What usage records tell. All other units are known from the request (or, PRODUCT_OUT, at the end).
MEASURED = frozenset(
    {
        Unit.REQUEST,
        Unit.CPU_CORE_HOUR,
        Unit.WALL_HOUR,
        Unit.WALL_CORE_HOUR,
        Unit.HS23_HOUR,
        Unit.GPU_HOUR,
        Unit.MEM_GB_HOUR,
        Unit.STORAGE_GB_DAY,
        Unit.NET_GB,
        Unit.READ_GB,
        Unit.WRITTEN_GB,
        Unit.VOLUME_GB,
        Unit.MEMORY_GB,
        Unit.INSTANCE,
    }
)


class PriceList(models.Model):
    """One version of a list of rates; immutable once published (trigger).

    The list `default` holds for providers without a list of their own. A version that has not begun
    may be withdrawn, once.
    """

    code = models.CharField(max_length=32, help_text=_("provider:<id>, or default"))
    version = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, default="CRD")
    effective_from = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    created_by = models.CharField(max_length=64, blank=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "acc_price_list"
        ordering = ("code", "-version")
        constraints = (
            models.UniqueConstraint(fields=("code", "version"), name="acc_price_list_version"),
            models.UniqueConstraint(fields=("code", "effective_from"), name="acc_price_list_from"),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(withdrawn_at__lt=F("effective_from")),
                name="acc_price_list_withdrawn",
            ),
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

    `lines` is a list of {unit, quantity (smallest units, text), unit_size, price, amount, basis,
    source} and, for an estimate that is known to vary, {low, high}; prices and amounts are
    micro-credits. `total` is the estimate of the cost, and what is held at least. `source` is the
    best one that any line has: provider, formula, history, declared, inputs, flat.
    """

    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_constraint=False)
    member_id = models.BigIntegerField()
    provider_id = models.BigIntegerField()
    service_id = models.BigIntegerField()
    inputs_fingerprint = models.CharField(max_length=64)
    price_list = models.ForeignKey(PriceList, models.PROTECT, null=True, related_name="+")
    lines = models.JSONField(default=list)
    source = models.CharField(max_length=12, default="declared")
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


class Formula(models.Model):
    """How much of a unit a service uses, as an expression over its inputs; append-only versions.

    The newest of a service and unit counts; an empty expression takes it back.
    """

    service_id = models.BigIntegerField()
    unit = models.CharField(max_length=20, choices=Unit)
    expression = models.CharField(max_length=500, blank=True)
    created_by = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "acc_formula"
        ordering = ("service_id", "unit", "-pk")
        indexes = (models.Index(fields=("service_id", "unit", "-id"), name="acc_formula_newest"),)

    def __str__(self) -> str:
        return f"{self.unit} = {self.expression}"
