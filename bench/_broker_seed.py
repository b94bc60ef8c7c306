"""What the broker's benchmarks find in their database: a provider with its processes, a researcher
whose group pays, prices, and credit. Prints the researcher's API key.

python -m bench._broker_seed <address of the provider>
"""

from __future__ import annotations

import sys
from uuid import uuid4

import django

django.setup()

from accounting.accounts import group_account  # noqa: E402 (Django's models need it set up)
from accounting.credit.transfers import issue_credit  # noqa: E402
from accounting.models import Unit  # noqa: E402
from accounting.prices.price_lists import RateSpec, publish_rates  # noqa: E402
from people.models import Group, Membership, Scope, User  # noqa: E402
from people.services import create_api_key  # noqa: E402
from providers.models import Service  # noqa: E402
from providers.services import (  # noqa: E402
    approve_provider,
    discover,
    register_provider,
    update_provider,
)
from thematic_apps.models import ThematicApp, Visibility  # noqa: E402

CREDIT = 1_000_000


def main() -> None:
    operator = User.objects.create_superuser("operator", password=None)
    researcher = User.objects.create_user("researcher", password=None)
    group = Group.objects.create(slug="bench", name="Bench")
    Membership.objects.create(group=group, user=researcher)
    account = group_account(group)
    issue_credit(
        actor=operator, account=account, amount=10**7 * CREDIT, reason="bench", key=uuid4().hex
    )
    provider = register_provider(owner=operator, slug="bench", name="Bench", url=sys.argv[1])
    if provider.discovery_error or provider.discovered_at is None:
        discover(provider=provider, actor=operator)
    approve_provider(actor=operator, provider=provider)
    # As large as the layout of the web processes lets them be: the bench measures the portal.
    update_provider(actor=operator, provider=provider, max_connections=64)
    services = Service.objects.filter(provider=provider)
    services.update(enabled=True)
    app = ThematicApp.objects.create(
        slug="bench", title="Bench", owner=operator, visibility=Visibility.GROUPS
    )
    app.groups.add(group)
    app.services.set(services)
    publish_rates(
        actor=operator, provider_id=provider.pk, rates={(0, Unit.JOB): RateSpec(price=CREDIT)}
    )
    print(create_api_key(user=researcher, name="bench", scopes=Scope.values)[1])


if __name__ == "__main__":
    main()
