"""What a user asks of jobs: a quote, a run, an end to it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from accounting import access as accounts
from accounting import bills
from accounting.inputs import again
from accounting.models import Account, Quote
from accounting.prices.pricing import Prices
from accounting.prices.quotes import check_quote, make_quote
from common.errors import Conflict, NotFound
from jobs import due, terms
from jobs.callbacks import checked_callbacks
from jobs.estimates import Quantities, estimate
from jobs.limits import check_free_runs
from jobs.links import check_own_results, fetchable
from jobs.models import Job
from jobs.orders import Order, Wishes
from jobs.starting import start
from jobs.states import RUNNING, State
from jobs.transitions import lock, move
from jobs.validation import validate_inputs, validate_outputs
from jobs.worker import send_now, sent_by_caller
from providers.identity import without_reserved
from providers.models import Service, ServiceVersion
from providers.process import InputValue, OutputRequest
from thematic_apps.access import can_use

if TYPE_CHECKING:
    from people.models import User
    from thematic_apps.models import ThematicApp


def quote_job(
    *,
    actor: User,
    service: Service,
    inputs: Sequence[InputValue],
    outputs: Sequence[OutputRequest] = (),
    account: Account,
) -> Quote:
    """Price a run; the quote holds for these inputs until it expires.

    May ask the provider over the network: not inside a transaction. Raises NotFound when the actor
    may not use the service or the account, InvalidInput with every wrong input.
    """
    order = _order(actor, service, inputs, outputs, account)
    return _quote(order, *_estimated(order))


def submit(  # noqa: PLR0913 (a run has this many parts; all are named)
    *,
    actor: User,
    service: Service,
    inputs: Sequence[InputValue],
    outputs: Sequence[OutputRequest] = (),
    account: Account,
    door: str,
    quote_id: uuid.UUID | None = None,
    ceiling: int | None = None,
    application: ThematicApp | None = None,
    title: str = "",
    idempotency_key: str | None = None,
    raw: bool = False,
    callbacks: Sequence[tuple[str, str]] = (),
    mail_at_end: bool = False,
    cloned_from: Job | None = None,
    at_once: bool = False,
) -> Job:
    """Hold the price on the account and have the run sent to its provider.

    The hold is committed before anything is sent. `ceiling` is the most that the user would pay, in
    micro-credits: it is held in place of the quote, and a quote above it is refused. With an
    idempotency key, the same request again gives the same job. Without a quote the provider may be
    asked for one: not inside a transaction.
    `raw`: the caller gets the bare output. `callbacks`: pairs of an event (CallbackEvent) and the
    address that is told. `mail_at_end`: the actor gets a mail. `cloned_from`: the job, visible to
    the actor, that this one repeats or varies.
    `at_once`: the caller waits for the provider's answer, and the job is handed over before this
    returns, unless it has to wait (for a place at the provider, say). What the portal itself runs
    always is, and without a pause is at its end.
    Raises InvalidInput, NotFound, RateLimited, QuoteExpired, PaymentRequired; Conflict
    when the price is above the ceiling, or the key was used for another request. Then there is no
    job.
    """
    order = _order(actor, service, inputs, outputs, account)
    told = checked_callbacks(callbacks)
    wishes = Wishes(door, application, title, raw, told, mail_at_end, cloned_from)
    earlier = _earlier(order, wishes, idempotency_key, ceiling)
    if earlier is not None:
        return earlier
    check_free_runs(actor, service)
    estimated = _estimated(order) if quote_id is None else None
    try:
        with transaction.atomic():
            quote = (
                _quote(order, *estimated)
                if estimated
                else check_quote(
                    quote_id or "",
                    member=actor,
                    account=account,
                    fingerprint=order.fingerprint,
                )
            )
            job, row = start(
                *(order, wishes, quote),
                key=idempotency_key,
                ceiling=ceiling,
                at_once=at_once and not service.provider.in_process,
            )
    except IntegrityError:
        # Two requests with one key at the same moment: the other one made the job.
        earlier = _earlier(order, wishes, idempotency_key, ceiling)
        if earlier is None:
            raise
        return earlier
    if row is not None:
        sent_by_caller(row, job)
    elif service.provider.in_process:
        send_now(job)
    return job


@transaction.atomic
def dismiss(*, actor: User, job: Job) -> Job:
    """End a job that is not at its end; the caller has checked that the actor may.

    Not sent yet: the provider is never called. On its way or at the provider: it is told, once it
    has answered, where its protocol can. A job at its end stays as it is.
    """
    job = lock(job.pk)
    name = f"user:{actor.pk}"
    if job.final or job.state == State.CANCELLING:
        return job
    if job.state in RUNNING:
        move(job, State.CANCELLING, actor=name, reason="dismissed_by_user")
        due.schedule(kind="cancel", subject=job.pk, lane=due.lane(job.service.provider_id))
    else:
        move(job, State.CANCELLED, actor=name, reason="dismissed_by_user")
    return job


def _order(
    actor: User,
    service: Service,
    inputs: Sequence[InputValue],
    outputs: Sequence[OutputRequest],
    account: Account,
) -> Order:
    """The checked request: may the actor, may the account pay, are the values right."""
    if service.current is None or not can_use(actor, service):
        raise NotFound
    account = accounts.payable(actor, account)
    description = service.current.description
    values = validate_inputs(description, _of_the_user(service.current, inputs))
    check_own_results(actor, values)
    return Order(
        actor,
        service,
        account,
        values,
        validate_outputs(description, outputs),
    )


def _of_the_user(version: ServiceVersion, inputs: Sequence[InputValue]) -> Sequence[InputValue]:
    """Without values for an input that the portal fills itself."""
    return without_reserved(inputs, quotable=version.quotable)


def _estimated(order: Order) -> tuple[Prices, Quantities]:
    """The prices of this moment, and how much the run will use of what they are for.

    What the portal itself runs is free, whatever the default price list says.
    """
    if order.service.provider.in_process:
        return Prices(None, ()), {}
    prices = terms.prices(order.service)
    return prices, estimate(order.service, fetchable(order.inputs, order.actor), prices)


def _quote(order: Order, prices: Prices, quantities: Quantities) -> Quote:
    return make_quote(
        account=order.account,
        member=order.actor,
        provider_id=order.service.provider_id,
        service_id=order.service.pk,
        fingerprint=order.fingerprint,
        quantities=quantities,
        prices=prices,
    )


def _earlier(order: Order, wishes: Wishes, key: str | None, ceiling: int | None) -> Job | None:
    if not key:
        return None
    jobs = Job.objects.select_related("quote__bill")
    job = jobs.filter(owner=order.actor, idempotency_key=key).first()
    if job is None:
        return None
    outputs = [asdict(o) for o in order.outputs]
    asked = (order.fingerprint, order.account.pk, outputs, wishes.raw, set(wishes.callbacks))
    told = set(job.callbacks.values_list("event", "url"))
    held = bills.to_hold(job.quote, ceiling)
    if asked != (job.fingerprint, job.account_id, job.requested_outputs, job.raw, told) or (
        held != job.quote.bill.limit_amount
    ):
        raise Conflict("This idempotency key was used for another request.")
    return again(job)
