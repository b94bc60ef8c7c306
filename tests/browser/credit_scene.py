"""Credit in a group with a history: long names, many rows, huge and negative amounts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock

from django.utils import timezone

from accounting.accounts import set_credit_limit, set_status, user_account
from accounting.credit import grants
from accounting.credit.alerts import add_rule
from accounting.credit.grant_rules import Plan, make_rule
from accounting.credit.transfers import grant_to_member, set_cap
from accounting.models import Account, DisputeState, Unit
from accounting.prices.price_lists import RateSpec, publish_default, publish_rates
from accounting.requests import adjustments, disputes, topups
from accounting.statements.monthly import close_due
from accounting.statements.months import month_of
from jobs.models import Job
from people.models import Membership
from providers.ports import RemoteState
from tests.browser.usage_scene import fill_console
from tests.factories import CREDIT, make_group, make_provider, make_user
from tests.pages.people import charge_of, unreported
from tests.pages.stage import Stage

LONG = "Interdisciplinary long-term observation of reed belts, lagoons and Küstenniederungen"
WORD = "Hochwasserrisikomanagementrichtlinienumsetzungsplanungsgruppe"
WHY = "Twelve monthly composites of the reed belt, for the report to the water authority in spring."
HUGE = 1_000_000_000 * CREDIT + 1
DAY = timedelta(days=1)
PERIODS = ("MONTH", "QUARTER", "YEAR", None)


@contextmanager
def days_ago(days: int) -> Iterator[None]:
    at = timezone.now() - days * DAY
    with mock.patch.object(timezone, "now", return_value=at):
        yield


class CreditScene(Stage):
    """Everybody of the stage, two closed months, and a `beginner` whose group and provider are new.

    The group has more than a thousand million credits, the researcher's own account is in debt.
    """

    def __init__(self) -> None:
        with days_ago(70):
            super().__init__(credits=1_234_567_890)
            self._name()
            first = self._paid("Berlin, first run")
        with days_ago(40):
            self.month = f"{month_of(timezone.now()):%Y-%m}"
            self.refunded = self._paid(f"{LONG}, second run")
            self._refund(self.refunded)
            unreported(self)
        close_due(timezone.now())
        self.done = self._paid(f"{WORD} {WORD}")
        self.failed()
        self.running(LONG)
        self._publish_prices()
        self._grant()
        self._set_limits()
        self._run_into_debt()
        self._ask_for_credit()
        self._object(first)
        self.messages, self.source = fill_console(self, WORD, WHY)

    def _name(self) -> None:
        self.group.name = f"{LONG} ({WORD})"
        self.group.save()
        self.provider.name = f"{LONG}: processing centre"
        self.provider.usage_keep_good = True
        self.provider.save()
        self.service.title = f"{LONG} by {WORD}"
        self.service.save()
        self.researcher.first_name, self.researcher.last_name = "Wilhelmina", WORD
        self.researcher.save()
        self.colleague = make_user(is_staff=True, first_name="Eva", last_name="Shore")
        self.members = [make_user(first_name=f"Member {n}", last_name=WORD) for n in range(27)]
        Membership.objects.bulk_create(Membership(group=self.group, user=m) for m in self.members)
        self.beginner = make_user(first_name="Nova", last_name="Dawn")
        self.bare_group = make_group(admin=self.beginner)
        self.bare_provider = make_provider(self.beginner, name="Bare centre")

    def _paid(self, title: str) -> Job:
        job = self.job(title)
        self.sent(job)
        job = self.told(job, RemoteState.SUCCEEDED, percent=100)
        self.report_usage(job)
        return job

    def _refund(self, job: Job) -> None:
        charge, text = charge_of(job), f"All cells are empty. {WHY}"
        opened = disputes.open_dispute(actor=self.researcher, charge_id=charge.pk, text=text)
        disputes.resolve(
            actor=self.provider_owner,
            dispute=opened,
            state=DisputeState.PARTLY,
            answer="Half of it",
            amount=CREDIT + 25_001,
        )

    def _publish_prices(self) -> None:
        """Every kind of line, a version for later, and a price list of the portal."""
        units = (Unit.JOB, Unit.WALL_HOUR, Unit.CPU_CORE_HOUR, Unit.NET_GB, Unit.HS23_HOUR)
        rates: dict[tuple[int, str], RateSpec] = {
            (self.service.pk, unit): RateSpec(2 * CREDIT + 1, minimum=CREDIT, free_quantity=n)
            for n, unit in enumerate(units, start=3600)
        }
        who: dict[str, Any] = {"actor": self.provider_owner, "provider_id": self.provider.pk}
        publish_rates(rates=rates, **who)
        later = {**rates, (0, Unit.STORAGE_GB_DAY): RateSpec(1)}
        publish_rates(rates=later, effective_from=timezone.now() + 9 * DAY, **who)
        of_portal = {
            (0, 0, Unit.JOB): RateSpec(HUGE),
            (self.provider.pk, 0, Unit.NET_GB): RateSpec(1),
        }
        publish_default(actor=self.operator, rates=of_portal)

    def _grant(self) -> None:
        """Given and waiting grants, more than a page of them, and rules."""
        call: dict[str, Any] = {"actor": self.operator, "account": self.account}
        for n in range(30):
            starts_at = timezone.now() + n * DAY if n % 3 else None
            grants.give(
                amount=(n + 1) * 12_345_678_901,
                reason=f"{n}: {WHY}",
                key=f"g{n}",
                starts_at=starts_at,
                expires_at=timezone.now() + (n + 5) * DAY,
                **call,
            )
        for n, every in enumerate(("WEEK", "MONTH", "YEAR"), start=1):
            plan = Plan(every, n * CREDIT, lifetime_days=10 * n)
            make_rule(plan=plan, reason=WHY, key=f"r{n}", **call)

    def _set_limits(self) -> None:
        add_rule(actor=self.admin, account=self.account, percent=99)
        add_rule(actor=self.admin, account=self.account, amount=HUGE)
        call: dict[str, Any] = {"actor": self.admin, "group": self.group}
        for n, member in enumerate(self.members):
            set_cap(member=member, limit=n * CREDIT, period=PERIODS[n % 4], **call)
        set_cap(member=self.researcher, limit=50 * CREDIT, **call)
        frozen = user_account(self.members[0])
        set_status(actor=self.operator, account=frozen, status="FROZEN", reason=WHY)

    def _run_into_debt(self) -> None:
        """The researcher's own account: nearly all of its credit limit is used up."""
        self.own = user_account(self.researcher)
        to_member = {"group": self.group, "member": self.researcher, "amount": 3 * CREDIT}
        grant_to_member(actor=self.admin, reason=WHY, key="own", **to_member)
        limit = {"limit": 98_763 * CREDIT, "reason": WHY}
        set_credit_limit(actor=self.operator, account=self.own, **limit)
        made = self._correct(self.operator, self.own, -98_765 * CREDIT - 432_101)
        adjustments.approve(actor=self.colleague, adjustment=made)

    def _ask_for_credit(self) -> None:
        of_run = {"account": self.account, "quote": self.done.quote}
        self.asked = topups.ask(actor=self.researcher, amount=HUGE, reason=WHY, **of_run)
        question = f"Could they be quarterly? {WORD}"
        topups.ask_back(actor=self.admin, top_up=self.asked, question=question)
        call: dict[str, Any] = {"account": self.account, "reason": WHY}
        for n, member in enumerate(self.members[1:], start=1):
            topups.ask(actor=member, amount=n * CREDIT, **call)
        self.asked_of_operators = topups.ask(actor=self.admin, amount=500 * CREDIT, **call)

    def _object(self, job: Job) -> None:
        """A dispute and corrections that wait for somebody."""
        self.disputed, self.charge = charge_of(job), charge_of(self.done)
        said = {"charge_id": self.disputed.pk, "text": f"{WORD} {WHY}"}
        disputes.open_dispute(actor=self.researcher, **said)
        self._correct(self.colleague, self.account, 250_000 * CREDIT)
        for n in range(200, 203):
            self._correct(self.colleague, self.account, -n * CREDIT)

    @staticmethod
    def _correct(actor: Any, account: Account, amount: int) -> Any:
        return adjustments.propose(actor=actor, account=account, amount=amount, reason=WHY)
