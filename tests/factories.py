"""A small world for tests: people, a provider with services, an application, credit.

Everything goes through the packages' own services where there are any, so that tests stand on what
users get.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from accounting.accounts import group_account
from accounting.credit.transfers import issue_credit
from accounting.models import Account, Unit
from accounting.prices.price_lists import RateSpec, publish_rates
from people.models import Group, Membership, Role, User
from providers.models import Provider, ProviderState, Service, ServiceVersion
from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    Format,
    InputDescription,
    LiteralDomain,
    LiteralValue,
    OutputDescription,
    ProcessDescription,
    ValueRange,
)
from thematic_apps.models import ThematicApp, Visibility

_numbers = count(1)
CREDIT = 1_000_000  # micro-credits in one credit

ECHO = ProcessDescription(
    "echo",
    "Echo",
    "Gives back what it gets.",
    "1.0.0",
    inputs=(InputDescription("message", LiteralDomain(), "Message"),),
    outputs=(OutputDescription("message", LiteralDomain(), "Message"),),
    store_supported=True,
    status_supported=True,
)

NDVI = ProcessDescription(
    "ndvi",
    "Vegetation index",
    "NDVI over a box.",
    "1.0.0",
    inputs=(
        InputDescription(
            "threshold",
            LiteralDomain("double", ranges=(ValueRange("0", "1"),), default="0.4"),
            "Threshold",
            min_occurs=0,
        ),
        InputDescription("index", LiteralDomain(allowed_values=("NDVI", "NDWI")), "Index"),
        InputDescription("area", BoundingBoxDomain(), "Area"),
        InputDescription(
            "parcels",
            ComplexDomain((Format("application/geo+json"),)),
            "Parcels",
            min_occurs=0,
            max_occurs=2,
        ),
    ),
    outputs=(
        OutputDescription("result", ComplexDomain((Format("image/tiff"),)), "Index"),
        OutputDescription("mean", LiteralDomain("double"), "Mean"),
    ),
    store_supported=True,
    status_supported=True,
)


def make_user(username: str = "", **fields: Any) -> User:
    username = username or f"user{next(_numbers)}"
    return User.objects.create_user(
        username, f"{username}@example.org", "a long pass phrase", **fields
    )


def make_group(*, admin: User | None = None, members: tuple[User, ...] = ()) -> Group:
    number = next(_numbers)
    group = Group.objects.create(slug=f"group{number}", name=f"Group {number}")
    if admin is not None:
        Membership.objects.create(group=group, user=admin, role=Role.ADMIN)
    for member in members:
        Membership.objects.create(group=group, user=member)
    return group


def make_provider(
    owner: User, *, url: str = "https://wps.example.org/wps", **fields: Any
) -> Provider:
    number = next(_numbers)
    values: dict[str, Any] = {
        "slug": f"centre{number}",
        "name": f"Centre {number}",
        "state": ProviderState.APPROVED,
        "usage_site": f"SITE-{number}",
        "retry_wait_seconds": 1,
    }
    return Provider.objects.create(owner=owner, url=url, **{**values, **fields})


def make_service(
    provider: Provider, description: ProcessDescription = ECHO, *, enabled: bool = True
) -> Service:
    service = Service.objects.create(
        provider=provider,
        identifier=description.identifier,
        title=description.title,
        abstract=description.abstract,
        enabled=enabled,
    )
    service.current = ServiceVersion.objects.create(
        service=service,
        number=1,
        fingerprint=uuid.uuid4().hex * 2,
        version=description.version,
        document=description.to_json(),
    )
    service.save()
    return service


def make_app(
    owner: User, services: tuple[Service, ...], *, group: Group | None = None
) -> ThematicApp:
    app = ThematicApp.objects.create(
        slug=f"app{next(_numbers)}",
        title="Application",
        owner=owner,
        visibility=Visibility.GROUPS if group else Visibility.PUBLIC,
    )
    app.services.set(services)
    if group:
        app.groups.add(group)
    return app


def give_credit(account: Account, credits: int) -> None:
    operator = User.objects.filter(is_staff=True).first() or make_user(is_staff=True)
    issue_credit(
        actor=operator,
        account=account,
        amount=credits * CREDIT,
        reason="test",
        key=uuid.uuid4().hex,
    )


@dataclass
class World:
    """A provider with one service at 2 credits a job, in an application of a group with credit."""

    url: str = "https://wps.example.org/wps"
    credits: int = 10
    description: ProcessDescription = ECHO
    provider_fields: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.operator = make_user(is_staff=True, is_superuser=True)
        self.researcher = make_user()
        self.admin = make_user()
        self.provider_owner = make_user()
        self.stranger = make_user()
        self.group = make_group(admin=self.admin, members=(self.researcher,))
        self.account = group_account(self.group)
        if self.credits:
            give_credit(self.account, self.credits)
            self.account.refresh_from_db()
        self.provider = make_provider(self.provider_owner, url=self.url, **self.provider_fields)
        self.service = make_service(self.provider, self.description)
        self.app = make_app(self.operator, (self.service,), group=self.group)
        self.set_price(2 * CREDIT)

    def set_price(self, per_job: int) -> None:
        publish_rates(
            actor=self.provider_owner,
            provider_id=self.provider.pk,
            rates={(self.service.pk, Unit.JOB): RateSpec(price=per_job)},
        )

    @staticmethod
    def message(text: str = "hello") -> tuple[LiteralValue, ...]:
        return (LiteralValue("message", text),)
