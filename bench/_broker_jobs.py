"""Running jobs on many providers, and work that waits, straight into the tables.

python -m bench._broker_jobs running <jobs> <providers> <port of the provider>
python -m bench._broker_jobs waiting <rows>
"""

from __future__ import annotations

import sys
from datetime import timedelta
from uuid import uuid4

import django

django.setup()

from django.db import models  # noqa: E402 (Django needs its set-up)
from django.db.models import Value  # noqa: E402
from django.db.models.functions import Now, Random  # noqa: E402

from accounting.accounts import group_account  # noqa: E402 (Django needs its set-up)
from accounting.models import BillState, JobBill, Quote  # noqa: E402
from common.clock import now  # noqa: E402
from jobs.due import lane  # noqa: E402
from jobs.models import Door, Due, Job  # noqa: E402
from jobs.states import State  # noqa: E402
from people.models import Group, User  # noqa: E402
from providers.models import Provider, ProviderState, Service, ServiceVersion  # noqa: E402

AGE = timedelta(minutes=10)  # a job of this age is asked for every minute
BATCH = 1000


def address(number: int, port: str) -> str:
    """Each provider is a host of its own, as to connections."""
    return f"http://127.0.1.{number + 1}:{port}"


def services(number: int, port: str) -> list[Service]:
    owner = User.objects.get(username="operator")
    pattern = Service.objects.filter(provider__slug="bench").select_related("current")[0]
    assert pattern.current is not None
    made = []
    for n in range(number):
        provider = Provider.objects.create(
            slug=f"tracked-{n}",
            name=f"Tracked {n}",
            owner=owner,
            url=f"{address(n, port)}/wps",
            state=ProviderState.APPROVED,
            probe_seconds=0,
        )
        service = Service.objects.create(
            provider=provider, identifier="process-async", title="Async", enabled=True
        )
        service.current = ServiceVersion.objects.create(
            service=service, number=1, fingerprint="f" * 64, document=pattern.current.document
        )
        service.save()
        made.append(service)
    return made


def running(jobs: int, providers: int, port: str) -> None:
    owner = User.objects.get(username="researcher")
    account = group_account(Group.objects.get(slug="bench"))
    moment = now()
    for number, service in enumerate(services(providers, port)):
        wanted = range(number, jobs, providers)
        ids = [uuid4() for _ in wanted]
        quotes = Quote.objects.bulk_create(
            Quote(
                id=uuid4(),
                account=account,
                member_id=owner.pk,
                provider_id=service.provider_id,
                service_id=service.pk,
                inputs_fingerprint="f" * 64,
                lines=[],
                total=0,
                created_at=moment,
                expires_at=moment + AGE,
            )
            for _ in ids
        )
        JobBill.objects.bulk_create(
            JobBill(
                job_id=job_id,
                quote=quote,
                account=account,
                member_id=owner.pk,
                provider_id=service.provider_id,
                service_id=service.pk,
                limit_amount=0,
                state=BillState.FREE,
                created_at=moment,
            )
            for job_id, quote in zip(ids, quotes, strict=True)
        )
        Job.objects.bulk_create(
            Job(
                id=job_id,
                title="tracked",
                owner=owner,
                account=account,
                service=service,
                service_version=service.current,
                quote=quote,
                door=Door.WPS,
                fingerprint="f" * 64,
                state=State.IN_PRODUCTION,
                percent=10,
                message="Working",
                remote_handle=f"{address(number, port)}/status/{job_id}",
                remote_id=str(job_id),
                created_at=moment - AGE,
                sent_at=moment - AGE,
                started_at=moment - AGE,
            )
            for job_id, quote in zip(ids, quotes, strict=True)
        )
        Due.objects.bulk_create(
            Due(
                kind="poll",
                subject=str(job_id),
                lane=lane(service.provider_id),
                due_at=moment + AGE,
            )
            for job_id in ids
        )
    # Only now, as all of that took its time.
    spread = Now() + Random() * Value(AGE / 10, models.DurationField())
    Due.objects.filter(kind="poll").update(due_at=spread)


def waiting(rows: int) -> None:
    """Due now, in lanes of providers, and nobody's: no worker runs."""
    moment = now()
    for first in range(0, rows, BATCH):
        Due.objects.bulk_create(
            Due(
                kind="poll",
                subject=f"waiting-{n}",
                lane=f"provider:{n % 50 + 10**6}",
                due_at=moment - timedelta(seconds=n % 600),
            )
            for n in range(first, min(rows, first + BATCH))
        )


def main() -> None:
    if sys.argv[1] == "running":
        running(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    else:
        waiting(int(sys.argv[2]))


if __name__ == "__main__":
    main()
