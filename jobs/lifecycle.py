"""What a user asks of jobs: a quote, a run, an end to it."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from accounting import access as accounts
from accounting import bills
from accounting.models import Account, Quote
from accounting.quotes import check_quote, make_quote
from common.clock import now
from common.errors import Conflict, NotFound
from jobs import due
from jobs.estimates import quantities
from jobs.models import Job
from jobs.states import RUNNING, State
from jobs.transitions import lock, move, note
from jobs.validation import validate_inputs, validate_outputs
from providers.models import Service, ServiceVersion
from providers.process import InputValue, OutputRequest
from thematic_apps.access import can_use

if TYPE_CHECKING:
    from people.models import User
    from thematic_apps.models import ThematicApp


@dataclass(frozen=True, slots=True)
class Order:
    """One run as a user asks for it: what, with which inputs, paid by whom."""

    actor: User
    service: Service
    account: Account
    inputs: tuple[InputValue, ...]
    outputs: tuple[OutputRequest, ...]

    @property
    def version(self) -> ServiceVersion:
        if self.service.current is None:
            raise NotFound
        return self.service.current

    @property
    def fingerprint(self) -> str:
        """SHA-256 of service, its version and the inputs: a quote holds for exactly this."""
        values = sorted(json.dumps(asdict(v), sort_keys=True) for v in self.inputs)
        parts = [str(self.service.pk), self.version.fingerprint, *values]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def quote_job(
    *,
    actor: User,
    service: Service,
    inputs: Sequence[InputValue],
    outputs: Sequence[OutputRequest] = (),
    account: Account,
) -> Quote:
    """Price a run; the quote holds for these inputs until it expires.

    Raises NotFound when the actor may not use the service or the account, InvalidInput with every
    wrong input.
    """
    return _quote(_order(actor, service, inputs, outputs, account))


def submit(  # noqa: PLR0913 (a run has this many parts; all are named)
    *,
    actor: User,
    service: Service,
    inputs: Sequence[InputValue],
    outputs: Sequence[OutputRequest] = (),
    account: Account,
    door: str,
    quote_id: uuid.UUID | None = None,
    application: ThematicApp | None = None,
    title: str = "",
    idempotency_key: str | None = None,
) -> Job:
    """Hold the price on the account and have the run sent to its provider.

    The hold is committed before anything is sent. With an idempotency key, the same request again
    gives the same job. Raises InvalidInput, NotFound, QuoteExpired, InsufficientCredit,
    MemberLimitReached; Conflict when the key was used for another request. Then there is no job.
    """
    order = _order(actor, service, inputs, outputs, account)
    earlier = _earlier(order, idempotency_key)
    if earlier is not None:
        return earlier
    try:
        with transaction.atomic():
            quote = (
                check_quote(quote_id, member=actor, account=account, fingerprint=order.fingerprint)
                if quote_id
                else _quote(order)
            )
            return _create(
                order, quote, door=door, application=application, title=title, key=idempotency_key
            )
    except IntegrityError:
        # Two requests with one key at the same moment: the other one made the job.
        earlier = _earlier(order, idempotency_key)
        if earlier is None:
            raise
        return earlier


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
    account = accounts.account_for(actor, account.pk, "pay")
    description = service.current.description
    return Order(
        actor,
        service,
        account,
        validate_inputs(description, inputs),
        validate_outputs(description, outputs),
    )


def _quote(order: Order) -> Quote:
    return make_quote(
        account=order.account,
        member=order.actor,
        provider_id=order.service.provider_id,
        service_id=order.service.pk,
        fingerprint=order.fingerprint,
        quantities=quantities(order.service, order.inputs),
    )


def _earlier(order: Order, key: str | None) -> Job | None:
    if not key:
        return None
    job = Job.objects.filter(owner=order.actor, idempotency_key=key).first()
    outputs = [asdict(o) for o in order.outputs]
    asked = (order.fingerprint, order.account.pk, outputs)
    if job is not None and asked != (job.fingerprint, job.account_id, job.requested_outputs):
        raise Conflict("This idempotency key was used for another request.")
    return job


def _create(
    order: Order,
    quote: Quote,
    *,
    door: str,
    application: ThematicApp | None,
    title: str,
    key: str | None,
) -> Job:
    job = Job.objects.create(
        title=title[:200] or order.service.title[:200],
        owner=order.actor,
        account=order.account,
        service=order.service,
        service_version=order.version,
        application=application,
        quote=quote,
        door=door,
        idempotency_key=key or None,
        fingerprint=order.fingerprint,
        inputs=[asdict(v) for v in order.inputs],
        requested_outputs=[asdict(o) for o in order.outputs],
        created_at=now(),
    )
    name = f"user:{order.actor.pk}"
    note(job, actor=name, reason="created", text=f"{order.service.title} through {door}")
    bills.open_bill(
        job_id=job.pk,
        quote=quote,
        charge_unsuccessful=order.service.provider.charge_unsuccessful,
        actor=name,
        provider_name=order.service.provider.name,
    )
    move(job, State.SUBMITTED, actor=name)
    due.schedule(kind="send", subject=job.pk, lane=due.lane(order.service.provider_id))
    return job
