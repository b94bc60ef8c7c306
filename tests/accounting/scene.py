"""A member, the account of a group, a provider with prices, and jobs billed to that account."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from accounting.accounts import group_account, provider_account
from accounting.bills import open_bill
from accounting.models import Account, JobBill, Quote, Transfer, TransferKind, Unit
from accounting.prices.price_lists import RateSpec, publish_rates
from accounting.prices.quotes import make_quote
from accounting.usage.apel import write
from accounting.usage.importer import ImportReport, import_message
from accounting.usage.records import Sender
from common import clock
from people.models import User
from tests.factories import CREDIT, give_credit, make_group, make_user

PROVIDER, SERVICE = 9001, 9101
# 100 micro-credits per CPU second.
CPU_RATE = {(SERVICE, Unit.CPU_CORE_HOUR): RateSpec(price=360_000)}
END = 1767231000  # 2026-01-01T01:30:00Z


@dataclass
class Scene:
    """Jobs are quoted for 60 CPU seconds: 6,000 micro-credits, 100 a second."""

    credits: int = 10
    rates: Mapping[tuple[int, str], RateSpec] | None = None

    def __post_init__(self) -> None:
        self.member: User = make_user()
        self.group = make_group(admin=make_user(), members=(self.member,))
        self.account: Account = group_account(self.group)
        self.provider_account = provider_account(PROVIDER)
        if self.credits:
            give_credit(self.account, self.credits)
        publish_rates(
            actor="test", provider_id=PROVIDER, rates=CPU_RATE if self.rates is None else self.rates
        )

    def quote(self, **changes: Any) -> Quote:
        values: dict[str, Any] = {
            "account": self.account,
            "member": self.member,
            "provider_id": PROVIDER,
            "service_id": SERVICE,
            "fingerprint": "f" * 64,
            "quantities": {
                Unit.CPU_CORE_HOUR: (60, "expected"),
                Unit.WALL_HOUR: (60, "expected"),
                Unit.JOB: (1, "one run"),
                Unit.PRODUCT_IN: (3, "counted"),
            },
        }
        return make_quote(**{**values, **changes})

    def job(self, *, charge_unsuccessful: bool = False, **quote: Any) -> JobBill:
        return open_bill(
            job_id=uuid.uuid4(),
            quote=self.quote(**quote),
            charge_unsuccessful=charge_unsuccessful,
            actor=f"user:{self.member.pk}",
        )

    def balances(self) -> tuple[int, int, int]:
        """Spent from the account, held on it, earned by the provider."""
        self.account.refresh_from_db()
        self.provider_account.refresh_from_db()
        spent = self.credits * CREDIT - self.account.posted
        return (spent, self.account.held, self.provider_account.posted)


def usage(job: object, cpu: int, *, step: int = 0, **fields: Any) -> dict[str, Any]:
    """A record of so many CPU seconds; another step of the job ended at another time."""
    return {
        "Site": "SITE",
        "LocalJobId": str(job),
        "GlobalUserName": "CN=somebody else",
        "WallDuration": fields.pop("wall", cpu),
        "CpuDuration": cpu,
        "StartTime": END - 1000,
        "EndTime": END + step,
        **fields,
    }


def send(
    *records: dict[str, Any],
    provider_id: int | None = PROVIDER,
    sender: Sender | None = None,
    **given: Any,
) -> ImportReport:
    return import_message(
        write(records), source="rest", sender=sender or Sender(provider_id), **given
    )


def kinds(bill: JobBill) -> list[tuple[TransferKind, int]]:
    """The transfers of a job in the order in which they were booked."""
    rows = Transfer.objects.filter(reference=str(bill.pk)).order_by("created_at", "phase")
    return [(TransferKind(kind), amount) for kind, amount in rows.values_list("kind", "amount")]


def reread(bill: JobBill) -> JobBill:
    return JobBill.objects.get(pk=bill.pk)


def too_late() -> datetime:
    """When the holds of jobs that end now are released, if no usage comes."""
    return clock.now() + timedelta(seconds=settings.USAGE_WAIT_SECONDS + 1)
