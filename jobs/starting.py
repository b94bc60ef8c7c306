"""The first transaction of a job: its row and events, its hold, and the work that sends it."""

from __future__ import annotations

from dataclasses import asdict

from accounting import bills
from accounting.models import Quote
from common.clock import now
from common.ids import time_ordered
from common.rows import new
from jobs import due, limits, terms
from jobs.models import Due, Job, JobCallback
from jobs.orders import Order, Wishes
from jobs.transitions import begin
from jobs.worker import owner_here
from providers.process import value_to_json


def start(
    order: Order,
    wishes: Wishes,
    quote: Quote,
    *,
    key: str | None,
    ceiling: int | None,
    at_once: bool,
) -> tuple[Job, Due | None]:
    """Write the job, hold its price, and have it sent; in the caller's transaction.

    `at_once`: the caller sends it itself after the commit, if nothing keeps it from being sent at
    this moment. Then it is on its way, and the row of that work comes with it: the caller's own,
    until its lease runs out. Raises what `open_bill` raises.
    """
    job = _job(order, wishes, quote, key)
    row = _taken(job) if at_once else None
    if row is None:
        due.schedule(kind="send", subject=job.pk, lane=due.lane(order.service.provider_id))
    name = f"user:{order.actor.pk}"
    text = f"{order.service.title} through {wishes.door}"
    begin(job, actor=name, text=text, on_its_way=row is not None)
    job.calls_back = bool(wishes.callbacks)
    if wishes.callbacks:
        JobCallback.objects.bulk_create(
            JobCallback(job=job, event=event, url=url) for event, url in wishes.callbacks
        )
    provider = order.service.provider
    # Last: it locks the account until the commit, and all who run on it wait for each other.
    bills.open_bill(
        job_id=job.pk,
        quote=quote,
        charge_unsuccessful=provider.charge_unsuccessful,
        actor=name,
        provider_name=provider.name,
        payee=terms.payee(order.service),
        ceiling=ceiling,
    )
    return job, row


def _job(order: Order, wishes: Wishes, quote: Quote, key: str | None) -> Job:
    return new(
        Job,
        id=time_ordered(),
        title=wishes.title[:200] or order.service.title[:200],
        owner=order.actor,
        account=order.account,
        service=order.service,
        service_version=order.version,
        application=wishes.application,
        quote=quote,
        door=wishes.door,
        idempotency_key=key or None,
        fingerprint=quote.inputs_fingerprint,
        inputs=[value_to_json(v) for v in order.inputs],
        requested_outputs=[asdict(o) for o in order.outputs],
        raw=wishes.raw,
        mail_at_end=wishes.mail_at_end,
        cloned_from=wishes.cloned_from,
        created_at=now(),
    )


def _taken(job: Job) -> Due | None:
    """The work of sending a new job, leased to the caller; None when it is to wait its turn."""
    if limits.are_set(job.service.provider) or terms.maintained(job.service):
        return None
    lane = due.lane(job.service.provider_id)
    return due.take(kind="send", subject=job.pk, lane=lane, owner=owner_here())
