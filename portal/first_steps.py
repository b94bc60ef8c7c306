"""What has to be there before a researcher can run anything, in the order in which it is made."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from accounting.models import Account, AccountKind, PriceList
from people.models import Group
from providers.models import Provider, ProviderState, Service
from providers.ports import IN_PROCESS
from thematic_apps.models import ThematicApp, Visibility


@dataclass(frozen=True)
class Step:
    """One step: whether it is done, why it is needed, and the address where it is done."""

    title: str
    done: bool
    why: str
    address: str


def first_steps() -> list[Step]:
    """The steps of a new installation; one query each."""
    remote = Provider.objects.exclude(protocol=IN_PROCESS)
    offered = Service.objects.filter(enabled=True, withdrawn_at=None).exclude(
        provider__protocol=IN_PROCESS
    )
    spendable = Account.objects.filter(kind__in=(AccountKind.USER, AccountKind.GROUP))
    opened = ThematicApp.objects.exclude(visibility=Visibility.PRIVATE)
    return [
        Step(
            _("A provider is approved"),
            remote.filter(state=ProviderState.APPROVED).exists(),
            _("Without a provider there is nothing to run."),
            reverse("pages:providers"),
        ),
        Step(
            _("A service is switched on"),
            offered.exists(),
            _("Processes that are found are off until their provider switches them on."),
            reverse("pages:providers"),
        ),
        Step(
            _("Prices are set"),
            PriceList.objects.exists(),
            _("Without prices nothing that is to be paid can be quoted."),
            reverse("pages:default_prices"),
        ),
        Step(
            _("There is a group"),
            Group.objects.exists(),
            _("Credit is given to groups, whose administrators give it to members."),
            reverse("pages:groups"),
        ),
        Step(
            _("Credit is issued"),
            spendable.filter(posted__gt=0).exists(),
            _("Nobody can pay for a run."),
            reverse("pages:operator"),
        ),
        Step(
            _("An application is open to somebody"),
            opened.exists(),
            _("Researchers use services through applications that they may open."),
            reverse("pages:apps"),
        ),
    ]
