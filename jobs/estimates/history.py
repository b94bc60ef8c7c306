"""Quantities from the last runs of a service: what they were reported to have used."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from fractions import Fraction
from statistics import median, quantiles
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from accounting.models import JobBill, RecordState, Unit, UsageRecord
from accounting.models.pricing import MEASURED
from accounting.prices.quotes import Quantity
from jobs.estimates.counting import area_in, products_in
from jobs.models import Job
from providers.models import Service
from providers.process import InputValue

MOST_RUNS = 20
FEWEST_RUNS = 3  # one or two say little

TOLD = MEASURED | {Unit.PRODUCT_OUT}  # what records tell; the rest is known before a run

Counter = Callable[[Iterable[InputValue]], int]


def usual(
    service: Service, inputs: tuple[InputValue, ...], units: frozenset[str]
) -> dict[str, Quantity]:
    """Unit → the median over the last successful runs, per input product (or area) where all of
    them and this run have some."""
    if not units & TOLD:
        return {}
    used = _used(service)
    if len(used) < FEWEST_RUNS or not units & {u for run in used.values() for u in run}:
        return {}
    sizes, now, per = _sizes(list(used), inputs)
    found = {}
    for unit in units:
        shares = [Fraction(run[unit], sizes[job]) for job, run in used.items() if unit in run]
        if len(shares) >= FEWEST_RUNS:
            low, _half, high = (math.ceil(q * now) for q in quantiles(shares, method="inclusive"))
            basis = _("median of the last %(n)s runs") % {"n": len(shares)} + per
            found[unit] = Quantity(math.ceil(median(shares) * now), basis, "history", low, high)
    return found


def runs_known(service: Service) -> int:
    """How many runs the next estimate would be made of."""
    return len(_used(service))


def _used(service: Service) -> dict[UUID, dict[str, int]]:
    """Job → unit → what its usage records add up to, for the last jobs that have some."""
    records = UsageRecord.objects.filter(superseded_by=None).exclude(state=RecordState.HELD_BACK)
    bills = JobBill.objects.filter(
        Exists(records.filter(bill=OuterRef("pk"))),
        provider_id=service.provider_id,
        service_id=service.pk,
        successful=True,
    ).order_by("-created_at")
    last = dict(bills.values_list("pk", "products_out")[:MOST_RUNS])
    used: dict[UUID, dict[str, int]] = {job: defaultdict(int) for job in last}
    for record in records.filter(bill__in=last):
        if record.bill_id is not None:
            for unit, quantity in record.quantities.items():
                used[record.bill_id][unit] += int(quantity)
    for job, products in last.items():
        if products is not None:
            used[job][Unit.PRODUCT_OUT] = products
    return used


def _sizes(job_ids: list[UUID], inputs: tuple[InputValue, ...]) -> tuple[dict[UUID, int], int, str]:
    """How large each run was, how large this one is, and in words what that is counted in."""
    kinds: tuple[tuple[Counter, str], ...] = (
        (products_in, _(", per input product")),
        (area_in, _(", per area")),
    )
    if any(count(inputs) for count, _per in kinds):
        past = {
            job.pk: job.input_values for job in Job.objects.filter(pk__in=job_ids).only("inputs")
        }
        for count, per in kinds:
            sizes = {job: count(values) for job, values in past.items()}
            if count(inputs) and len(sizes) == len(job_ids) and all(sizes.values()):
                return sizes, count(inputs), per
    return dict.fromkeys(job_ids, 1), 1, ""
