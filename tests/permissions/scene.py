"""Who calls, about what, and how the expected answers are written down."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from accounting import ledger
from accounting.accounts import provider_account, user_account
from accounting.models import Phase, TransferKind
from accounting.requests import adjustments, disputes, topups
from accounting.statements.months import month_of
from catalogue_client.models import Item
from common.clock import now
from jobs.lifecycle import submit
from jobs.models import Due, Job, WorkerBeat
from jobs.results import publish
from jobs.states import State
from jobs.transitions import apply, lock, move
from people.models import Membership, User
from people.services import create_api_key
from providers.ports import RemoteState, RemoteStatus
from providers.process import ComplexValue, LiteralValue, OutputValue
from tests.factories import CREDIT, World, make_user

ANON, STRANGER, MEMBER, OWNER, ADMIN, PROVIDER, OPERATOR = ROLES = (
    "anonymous",
    "stranger",
    "member",  # of the group that pays
    "owner",  # of the job, the key, the account; a member of the group as well
    "admin",  # of the group
    "provider",  # owner of the provider that runs the job
    "operator",
)


NOWHERE = "http://127.0.0.1:9/wps"  # nothing answers there


@dataclass
class Scene(World):
    """The world with a finished and a running job, both published or published to be."""

    url: str = NOWHERE

    def __post_init__(self) -> None:
        super().__post_init__()
        self.member = make_user()
        Membership.objects.create(group=self.group, user=self.member)
        self.account_of_owner = user_account(self.researcher)
        self.key, _ = create_api_key(user=self.researcher, name="key", scopes=["read"])
        self.done, self.running = self._job(), self._job()
        apply(
            self.done.pk,
            RemoteStatus(RemoteState.SUCCEEDED, "t", "w", outputs=OUTPUTS),
            actor="worker",
        )
        publish(Due(kind="publish", subject=str(self.done.pk)))
        self.item = Item.objects.get(job_id=self.done.pk).identifier
        self._requests()
        # Alive however long the whole table takes.
        WorkerBeat.objects.create(name="worker", seen_at=now() + timedelta(hours=1))
        Due.objects.update(lease_until=now() + timedelta(minutes=1))
        self.users: dict[str, User | None] = {
            ANON: None,
            STRANGER: self.stranger,
            MEMBER: self.member,
            OWNER: self.researcher,
            ADMIN: self.admin,
            PROVIDER: self.provider_owner,
            OPERATOR: self.operator,
        }

    def _requests(self) -> None:
        """A request for credit, a disputed charge, a correction that waits for an operator."""
        asked = {"account": self.account, "amount": CREDIT, "reason": "more", "key": "k"}
        self.asked = topups.ask(actor=self.researcher, **asked)
        self.charge, _ = ledger.post(
            id=uuid.uuid4(),
            phase=Phase.SINGLE,
            kind=TransferKind.CHARGE,
            debit=self.account,
            credit=provider_account(self.provider.pk),
            amount=CREDIT,
            member_id=self.researcher.pk,
        )
        said = {"charge_id": self.charge.pk, "text": "wrong"}
        self.disputed = disputes.open_dispute(actor=self.researcher, **said)
        second = make_user(is_staff=True)
        large = {"account": self.account, "amount": 101 * CREDIT, "reason": "outage"}
        self.proposed = adjustments.propose(actor=second, **large)

    def _job(self) -> Job:
        job = submit(
            actor=self.researcher,
            service=self.service,
            inputs=self.message(),
            account=self.account,
            application=self.app,
            door="web",
        )
        move(lock(job.pk), State.SUBMITTING, actor="worker")
        apply(job.pk, RemoteStatus(RemoteState.RUNNING, "t", "w", remote_id="r"), actor="worker")
        return job


POINT = '{"type": "Point", "coordinates": [7, 46]}'
OUTPUTS = (
    OutputValue(LiteralValue("message", "hello")),
    OutputValue(
        ComplexValue("area", '{"type":"Point","coordinates":[7,46]}', "application/geo+json")
    ),
)

Body = Callable[[Scene], Any]


@dataclass(frozen=True)
class Row:
    """One request and the status that each caller gets."""

    name: str
    expected: dict[str, int]
    method: str = "GET"
    arguments: Callable[[Scene], dict[str, Any]] = field(default=lambda _: {})
    body: Body | None = None
    query: Callable[[Scene], str] = field(default=lambda _: "")

    @property
    def json(self) -> bool:
        return self.name.startswith("api:")


def statuses(others: int, *, anonymous: int, **named: int) -> dict[str, int]:
    """The status of each role: those named, and one for all others who are signed in."""
    return {ANON: anonymous, **{role: named.get(role, others) for role in ROLES[1:]}}


def page(others: int = 200, **named: int) -> dict[str, int]:
    """A page: whoever is not signed in is sent to sign in."""
    return statuses(others, anonymous=302, **named)


def door(others: int = 200, **named: int) -> dict[str, int]:
    """A door for programs: whoever is not signed in is challenged."""
    return statuses(others, anonymous=401, **named)


def public(status: int = 200) -> dict[str, int]:
    return statuses(status, anonymous=status)


def for_job(status: int) -> dict[str, int]:
    """Who may see a job: its owner, administrators of the group that pays, operators."""
    return {OWNER: status, ADMIN: status, OPERATOR: status}


def for_group(status: int) -> dict[str, int]:
    return {MEMBER: status, OWNER: status, ADMIN: status, OPERATOR: status}


def for_admins(status: int, others: int = 403) -> dict[str, int]:
    """Members see the group and may not manage it."""
    return {MEMBER: others, OWNER: others, ADMIN: status, OPERATOR: status}


def for_provider(status: int) -> dict[str, int]:
    return {PROVIDER: status, OPERATOR: status}


def for_charge(status: int) -> dict[str, int]:
    """Who may see a charge: who spent, who answers for the account, who earned, operators."""
    return {OWNER: status, ADMIN: status, PROVIDER: status, OPERATOR: status}


def for_users_of_the_app(status: int, provider: int) -> dict[str, int]:
    """Members of the application's group, the provider's owner, operators."""
    return {**for_group(status), PROVIDER: provider}


def of_result(status: int) -> dict[str, int]:
    """A result in the catalogue: its owner and operators; doors show others only what is public."""
    return statuses(404, anonymous=404, owner=status, operator=status)


def job(s: Scene) -> dict[str, Any]:
    return {"job_id": s.done.pk}


def running(s: Scene) -> dict[str, Any]:
    return {"job_id": s.running.pk}


def first_output(s: Scene) -> dict[str, Any]:
    return {"job_id": s.done.pk, "number": 1}


def second_output(s: Scene) -> dict[str, Any]:
    return {"job_id": s.done.pk, "number": 2}


def app(s: Scene) -> dict[str, Any]:
    return {"slug": s.app.slug}


def group(s: Scene) -> dict[str, Any]:
    return {"slug": s.group.slug}


def provider(s: Scene) -> dict[str, Any]:
    return {"slug": s.provider.slug}


def offered(s: Scene) -> dict[str, Any]:
    return {"slug": s.provider.slug, "service_id": s.service.pk}


def first_prices(s: Scene) -> dict[str, Any]:
    return {**provider(s), "number": 1}


def service(s: Scene) -> dict[str, Any]:
    return {"service_id": s.service.pk}


def shared_account(s: Scene) -> dict[str, Any]:
    return {"account_id": s.account.pk}


def this_month(s: Scene) -> dict[str, Any]:
    return {**shared_account(s), "month": month_of(now())}


def own_account(s: Scene) -> dict[str, Any]:
    return {"account_id": s.account_of_owner.pk}


def asked(s: Scene) -> dict[str, Any]:
    return {"pk": s.asked.pk}


def charge(s: Scene) -> dict[str, Any]:
    return {"pk": s.charge.pk}


def disputed(s: Scene) -> dict[str, Any]:
    return {"pk": s.disputed.pk}


def proposed(s: Scene) -> dict[str, Any]:
    return {"pk": s.proposed.pk}


def member_id(s: Scene) -> dict[str, Any]:
    return {"slug": s.group.slug, "user_id": s.member.pk}


def member_name(s: Scene) -> dict[str, Any]:
    return {"slug": s.group.slug, "username": s.member.username}


def key(s: Scene) -> dict[str, Any]:
    return {"key_id": s.key.pk}


def item(s: Scene) -> dict[str, Any]:
    return {"identifier": "results", "item_id": s.item}


def run(s: Scene) -> dict[str, Any]:
    return {"service": s.service.pk, "account": s.account.pk, "inputs": {"message": "x"}}


def transfer(s: Scene) -> dict[str, Any]:
    return {"member": s.member.username, "amount": "1", "reason": "test"}
