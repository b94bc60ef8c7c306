"""Prometheus metrics, read from the database when they are asked for: the same in every process."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from common.clock import now
from common.errors import NotFound
from common.money import MICRO
from jobs.models import Due, Job, WorkerBeat
from jobs.states import State
from people.access import is_operator
from people.tokens import user_of_request
from portal.health import WORKER_SEEN_WITHIN
from providers.models import Provider, ProviderState


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For operators, and for the addresses in METRICS_ALLOW; nobody else learns that it exists."""
    if not _from_allowed_address(request):
        caller = user_of_request(request)
        if caller is None or not is_operator(caller.user) or not caller.allows("read"):
            raise NotFound
    registry = CollectorRegistry()
    registry.register(Figures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _from_allowed_address(request: HttpRequest) -> bool:
    if not settings.METRICS_ALLOW:
        return False
    address = ip_address(get_adapter(request).get_client_ip(request))
    return any(address in ip_network(network) for network in settings.METRICS_ALLOW)


class Figures(Collector):
    """What those on duty watch; a few grouped counts over indexed columns."""

    def describe(self) -> list[Metric]:
        """Nothing beforehand: registering must not query."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from _jobs()
        yield from _due_work()
        yield from _money()
        yield from _far_side()


def _jobs() -> Iterator[Metric]:
    jobs = GaugeMetricFamily("tep_jobs", "Jobs by state", labels=["state"])
    counted = dict(Job.objects.order_by().values_list("state").annotate(n=Count("pk")))
    for state in State.values:
        jobs.add_metric([state], counted.get(state, 0))
    yield jobs
    unknown = Job.objects.filter(outcome_unknown=True).count()
    yield GaugeMetricFamily(
        "tep_jobs_outcome_unknown", "Jobs sent whose answer was lost", value=unknown
    )


def _due_work() -> Iterator[Metric]:
    moment = now()
    rows = GaugeMetricFamily("tep_due_rows", "Open due rows by kind", labels=["kind"])
    parked = GaugeMetricFamily("tep_due_parked", "Due rows given up, by kind", labels=["kind"])
    late = GaugeMetricFamily(
        "tep_due_oldest_seconds", "How long the oldest due row waits, by kind", labels=["kind"]
    )
    kinds = (
        Due.objects.filter(done_at=None)
        .order_by()
        .values("kind")
        .annotate(
            rows=Count("pk"),
            parked=Count("pk", filter=Q(parked_at__isnull=False)),
            oldest=Min("due_at", filter=Q(parked_at=None)),
        )
    )
    for kind in kinds:
        name = [kind["kind"]]
        waits = (moment - kind["oldest"]).total_seconds() if kind["oldest"] else 0
        rows.add_metric(name, kind["rows"])
        parked.add_metric(name, kind["parked"])
        late.add_metric(name, max(0, waits))
    yield from (rows, parked, late)
    seen = WorkerBeat.objects.filter(seen_at__gte=moment - WORKER_SEEN_WITHIN).count()
    yield GaugeMetricFamily("tep_workers", "Workers seen within a minute", value=seen)


# One statement, so that all is seen at one moment.
_SUMS = """
    SELECT COALESCE(SUM(posted), 0), COALESCE(SUM(held), 0),
      (SELECT COUNT(*) FROM acc_job_bill
        WHERE state IN ('OPEN', 'AWAITING_USAGE') AND hold_id IS NOT NULL),
      (SELECT COUNT(*) FROM acc_job_bill WHERE state = 'AWAITING_USAGE'),
      (SELECT COALESCE(SUM(t.amount), 0) FROM acc_job_bill b
        JOIN acc_transfer t ON t.id = b.hold_id WHERE b.state IN ('OPEN', 'AWAITING_USAGE'))
    FROM acc_account
"""


def _money() -> Iterator[Metric]:
    with connection.cursor() as cursor:
        cursor.execute(_SUMS)
        posted, held, holds, awaiting, of_bills = map(int, cursor.fetchone())
    yield GaugeMetricFamily("tep_holds", "Open holds of jobs", value=holds)
    yield GaugeMetricFamily("tep_held_credits", "Credits held", value=held / MICRO)
    yield GaugeMetricFamily("tep_bills_awaiting_usage", "Ended, usage not reported", value=awaiting)
    # The cheap part of check_ledger: both sums are right in a ledger that is.
    wrong = int(posted != 0) + int(held != of_bills)
    yield GaugeMetricFamily("tep_ledger_findings", "Sums of the ledger that are wrong", value=wrong)


def _far_side() -> Iterator[Metric]:
    providers = Provider.objects.filter(state=ProviderState.APPROVED)
    failing = GaugeMetricFamily(
        "tep_provider_failing_seconds", "How long a provider has been failing", labels=["provider"]
    )
    for slug, since in providers.values_list("slug", "failing_since"):
        failing.add_metric([slug], (now() - since).total_seconds() if since else 0)
    yield failing
