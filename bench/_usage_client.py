"""One process of the usage benchmark.

Reads lines and answers each: "make <loader> <messages>" with "made", then "load" with the seconds,
and CPU seconds of this process and its PostgreSQL backend, that loading them took; "memory
<messages>" with megabytes. The first line says whether it makes the tables ("first") or uses them.
"""

from __future__ import annotations

import os
import random
import resource
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import UUID, uuid4

import django

django.setup()

from django.db import connection, models, transaction  # noqa: E402 (Django's models need it set up)

from accounting.accounts import provider_account, system_account  # noqa: E402
from accounting.booking import transfer_key  # noqa: E402
from accounting.ledger import Posting, post, post_many  # noqa: E402
from accounting.models import (  # noqa: E402
    Account,
    BillState,
    JobBill,
    Phase,
    Quote,
    TransferKind,
    Unit,
)
from accounting.prices.price_lists import RateSpec, publish_rates  # noqa: E402
from accounting.prices.pricing import price_lines, prices_for  # noqa: E402
from accounting.usage.forms import parse  # noqa: E402
from accounting.usage.importer import import_message  # noqa: E402
from accounting.usage.records import Sender  # noqa: E402
from common.clock import now  # noqa: E402
from common.ids import time_ordered  # noqa: E402

RECORDS = 1000
PROVIDER, SERVICE, MEMBER = 1, 1, 1
END = 1767231000
numbers = count()


class PlainRecord(models.Model):
    """The usual way: the fields of a record in columns, by what makes a later one replace it."""

    objects: models.Manager[models.Model]
    site = models.CharField(max_length=255)
    local_job_id = models.CharField(max_length=255)
    ended = models.DateTimeField()
    started = models.DateTimeField()
    user_name = models.CharField(max_length=255)
    group_name = models.CharField(max_length=255)
    wall_seconds = models.BigIntegerField()
    cpu_seconds = models.BigIntegerField()
    processors = models.IntegerField(null=True)
    benchmark = models.CharField(max_length=12)
    level_milli = models.BigIntegerField()
    fields = models.JSONField()

    class Meta:
        app_label = "bench"
        unique_together = (("site", "local_job_id", "ended"),)

    def __str__(self) -> str:
        return self.local_job_id


def rows_of(body: bytes) -> Iterator[dict[str, object]]:
    for record in parse(body, at=now()).records:
        yield {
            "site": record.site,
            "local_job_id": record.job,
            "ended": record.ended,
            "started": record.started,
            "user_name": record.user,
            "group_name": record.group,
            "wall_seconds": record.wall_seconds,
            "cpu_seconds": record.cpu_seconds,
            "processors": record.processors,
            "benchmark": record.benchmark,
            "level_milli": record.level_milli,
            "fields": record.fields,
        }


@transaction.atomic
def plain(body: bytes) -> None:
    """Parse and store, one `save()` each: no matching, no prices, nothing posted."""
    for row in rows_of(body):
        PlainRecord(**row).save()


@transaction.atomic
def plain_upsert(body: bytes) -> None:
    """Parse and store by one upsert of many rows: no matching, no prices, nothing posted."""
    PlainRecord.objects.bulk_create(
        [PlainRecord(**row) for row in rows_of(body)],
        update_conflicts=True,
        unique_fields=("site", "local_job_id", "ended"),
        update_fields=("cpu_seconds", "wall_seconds", "fields"),
    )


def ours(body: bytes) -> None:
    """Parse, store, match, price, and post."""
    report = import_message(body, source="bench", sender=Sender(PROVIDER))
    assert report.state == "LOADED", report


def message(jobs: list[str]) -> bytes:
    """A message with a record of each of these jobs, with the fields that real producers fill."""
    return ("APEL-individual-job-message: v0.3\n" + "%%\n".join(map(record, jobs))).encode()


def record(job: str) -> str:
    """No two jobs use the same."""
    end, wall, cpu = END + next(numbers), random.randint(60, 5400), random.randint(1, 60)
    return (
        f"Site: BENCH-SITE\nSubmitHost: wps.example.org:443/wps\nLocalJobId: {job}\n"
        "LocalUserId: user1\nGlobalUserName: CN=Ada Example,O=Institute,C=XX\n"
        f"FQAN: /tep.urban/Role=NULL/Capability=NULL\nWallDuration: {wall}\nCpuDuration: {cpu}\n"
        f"Processors: 4\nNodeCount: 1\nStartTime: {end - wall}\nEndTime: {end}\n"
        "InfrastructureType: grid\nServiceLevelType: HEPscore23\nServiceLevel: 14.7\n"
    )


def ended_jobs(number: int) -> list[str]:
    """Jobs at their end that hold what was quoted for 60 CPU seconds."""
    moment = now()
    prices = prices_for(PROVIDER, SERVICE)
    assert prices.price_list is not None
    lines, total = price_lines(prices.rates, {Unit.CPU_CORE_HOUR: 60, Unit.JOB: 1})
    ids = [time_ordered() for _ in range(number)]
    quotes = [_quote(lines, total, prices.price_list.pk) for _ in ids]
    with transaction.atomic():
        Quote.objects.bulk_create(quotes)
        post_many([_hold(job_id, total) for job_id in ids])
        JobBill.objects.bulk_create(
            JobBill(
                job_id=job_id,
                quote=quote,
                account=payer,
                member_id=MEMBER,
                provider_id=PROVIDER,
                service_id=SERVICE,
                price_list=prices.price_list,
                limit_amount=total,
                hold_id=transfer_key("hold", str(job_id)),
                state=BillState.AWAITING_USAGE,
                successful=True,
                ended_at=moment,
                created_at=moment,
            )
            for job_id, quote in zip(ids, quotes, strict=True)
        )
    return list(map(str, ids))


def _quote(lines: list[dict[str, object]], total: int, price_list_id: int) -> Quote:
    moment = now()
    return Quote(
        id=time_ordered(),
        account=payer,
        member_id=MEMBER,
        provider_id=PROVIDER,
        service_id=SERVICE,
        inputs_fingerprint="f" * 64,
        price_list_id=price_list_id,
        lines=lines,
        total=total,
        created_at=moment,
        expires_at=moment + timedelta(hours=1),
    )


def _hold(job_id: UUID, total: int) -> Posting:
    return Posting(
        id=transfer_key("hold", str(job_id)),
        phase=Phase.PENDING,
        kind=TransferKind.HOLD,
        debit=payer,
        credit=payee,
        amount=total,
        member_id=MEMBER,
        reference=str(job_id),
    )


def prepare() -> None:
    """The tables of the plain loader, prices, and credit to spend."""
    with connection.schema_editor() as editor:
        editor.create_model(PlainRecord)
    rates: dict[tuple[int, str], RateSpec] = {
        (SERVICE, Unit.CPU_CORE_HOUR): RateSpec(price=360_000),
        (SERVICE, Unit.JOB): RateSpec(price=1000),
    }
    publish_rates(actor="bench", provider_id=PROVIDER, rates=rates)
    post(
        id=uuid4(),
        phase=Phase.SINGLE,
        kind=TransferKind.GRANT,
        debit=system_account("issue"),
        credit=payer,
        amount=10**12,
    )


LOADERS = {"ours": ours, "plain": plain, "upsert": plain_upsert}


def made(what: str, messages: int) -> list[bytes]:
    """Messages of 1,000 records for a loader."""
    number = messages * RECORDS
    jobs = ended_jobs(number) if what == "ours" else [str(time_ordered()) for _ in range(number)]
    random.shuffle(jobs)  # they do not end in the order in which they began
    return [message(jobs[start : start + RECORDS]) for start in range(0, number, RECORDS)]


def timed(what: str, bodies: list[bytes]) -> str:
    """Seconds, and CPU seconds, that a loader takes for these messages."""
    start, cpu = time.perf_counter(), cpu_seconds()
    for body in bodies:
        LOADERS[what](body)
    return f"{time.perf_counter() - start} {cpu_seconds() - cpu}"


def cpu_seconds() -> float:
    """Of this process, and of its PostgreSQL backend where that runs on this machine."""
    used = time.process_time()
    if connection.vendor == "postgresql":
        connection.ensure_connection()
        told = Path(f"/proc/{connection.connection.info.backend_pid}/stat")
        if told.exists():
            user, system = told.read_text().rpartition(")")[2].split()[11:13]
            used += (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return used


def memory(messages: int) -> str:
    """Megabytes at most after a hundredth of the messages (at least 5), and after all of them."""
    early = 0
    for number in range(messages):
        steps = ended_jobs(1) * 10
        ours(message([*steps, *(str(time_ordered()) for _ in range(RECORDS - len(steps)))]))
        if number == max(5, messages // 100):
            early = _peak()
    return f"{early} {_peak()}"


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


payer, payee = Account(), Account()


def main() -> None:
    global payer, payee
    first = sys.stdin.readline().strip() == "first"
    payer, payee = provider_account(2), provider_account(PROVIDER)
    if first:
        prepare()
    print("ready", flush=True)
    what, bodies = "", [b""]
    for line in sys.stdin:
        match line.split():
            case ["make", what, messages]:
                bodies = made(what, int(messages))
                told = "made"
            case ["memory", messages]:
                told = memory(int(messages))
            case _:
                told = timed(what, bodies)
        print(told, flush=True)


if __name__ == "__main__":
    main()
