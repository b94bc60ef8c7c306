"""Mail about a provider: to its owner when something fails or is decided, to operators when it
waits.

Told through the outbox, in the recipient's language, and of each kind of failure at most once a
day (UTC).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from common.clock import now
from people import mail
from people.models import Mail
from people.models import User as Person
from providers.models import MaintenanceWindow, Provider, ProviderChange, ProviderState
from providers.ports import IN_PROCESS

if TYPE_CHECKING:
    from people.models import User

# Shorter failures are told on the pages only.
PATIENCE = timedelta(minutes=15)
MOST_ROWS = 20

Text = Callable[[], str]


def waiting(provider: Provider) -> None:
    """Tell the operators that somebody's provider waits for approval."""
    occasion = f"provider:{provider.pk}:waiting:{now().date()}"
    for operator in Person.objects.filter(is_staff=True, is_active=True):
        _tell(
            operator,
            occasion,
            provider,
            lambda: _("A provider waits for approval: %(name)s") % {"name": provider.name},
            lambda: (
                _("%(owner)s has registered it, or moved it to another host.")
                % {"owner": provider.owner.display_name}
            ),
        )


def decided(provider: Provider, change: ProviderChange) -> None:
    """Tell the owner that an operator has approved or suspended the provider, with the note."""
    approved = change.what == ProviderState.APPROVED

    def subject() -> str:
        words = _("%(name)s is approved") if approved else _("%(name)s is suspended")
        return words % {"name": provider.name}

    def meaning() -> str:
        if approved:
            return _("Its services that are switched on can be run.")
        return _("No new jobs are sent to it; those that run there are followed to their end.")

    said = [meaning, *([lambda: change.text] if change.text else [])]
    _tell(provider.owner, f"provider:{provider.pk}:decided:{change.pk}", provider, subject, *said)


def discovery_failed(provider: Provider, error: str) -> None:
    """Tell the owner that the provider's services could not be read."""
    _of_failure(
        provider,
        "discovery",
        lambda: _("The services of %(name)s could not be read") % {"name": provider.name},
        lambda: error,
        lambda: _("What is known of them stays as it is. The portal tries again by itself."),
    )


def jobs_failed(provider: Provider, rows: Sequence[tuple[datetime, str, str, str]]) -> None:
    """Tell the owner of runs that ended by the provider's fault: when, service, its job, why."""

    def listed() -> str:
        lines = [
            f"{at:%Y-%m-%d %H:%M} UTC · {service} · {remote_id or '–'}\n    {why}"
            for at, service, remote_id, why in rows[:MOST_ROWS]
        ]
        if len(rows) > MOST_ROWS:
            lines.append(_("… and more."))
        return "\n".join(lines)

    _of_failure(
        provider,
        "jobs",
        lambda: _("Runs at %(name)s have failed") % {"name": provider.name},
        lambda: _("These runs did not succeed (when, service, job at the provider, why):"),
        listed,
    )


def told_of_jobs_at(provider: Provider) -> datetime | None:
    """When the last mail of `jobs_failed` was written."""
    mails = Mail.objects.filter(key__startswith=f"provider:{provider.pk}:jobs:")
    return mails.values_list("created_at", flat=True).order_by("-created_at").first()


def may_tell(provider: Provider, kind: str) -> bool:
    """Whether the owner wants mails of failures, and had none of this kind today."""
    key = f"{_occasion(provider, kind)}:{provider.owner_id}"
    return provider.failure_mails and not Mail.objects.filter(key=key).exists()


def watch(at: datetime) -> None:
    """Tell of providers that have not answered for PATIENCE, and of those that are back.

    Not while a maintenance window is open.
    """
    away = Q(failing_since__lte=at - PATIENCE, failure_mailed_at=None)
    back = Q(failing_since=None, failure_mailed_at__isnull=False)
    approved = Provider.objects.filter(state=ProviderState.APPROVED, failure_mails=True)
    resting = MaintenanceWindow.objects.filter(starts_at__lte=at, ends_at__gt=at)
    outside = approved.exclude(protocol=IN_PROCESS)
    concerned = outside.exclude(pk__in=resting.values("provider")).filter(away | back)
    for provider in concerned.select_related("owner"):
        if provider.failing_since is None:
            _back(provider)
        elif may_tell(provider, "away"):
            _away(provider, provider.failing_since, at)


def _away(provider: Provider, since: datetime, at: datetime) -> None:
    _of_failure(
        provider,
        "away",
        lambda: _("%(name)s does not answer") % {"name": provider.name},
        lambda: (
            _("It has not answered since %(since)s.") % {"since": f"{since:%Y-%m-%d %H:%M} UTC"}
        ),
        lambda: _("Jobs for it wait and are sent when it is back. You are told when it is."),
    )
    Provider.objects.filter(pk=provider.pk).update(failure_mailed_at=at)


def _back(provider: Provider) -> None:
    _of_failure(
        provider,
        "back",
        lambda: _("%(name)s answers again") % {"name": provider.name},
        lambda: _("What waited for it is sent now."),
    )
    Provider.objects.filter(pk=provider.pk).update(failure_mailed_at=None)


def _of_failure(provider: Provider, kind: str, subject: Text, *says: Text) -> None:
    if provider.failure_mails:
        _tell(provider.owner, _occasion(provider, kind), provider, subject, *says)


def _occasion(provider: Provider, kind: str) -> str:
    return f"provider:{provider.pk}:{kind}:{now().date()}"


def _tell(user: User, occasion: str, provider: Provider, subject: Text, *says: Text) -> None:
    with mail.in_language_of(user):
        hello = _("Hello %(name)s,") % {"name": user.display_name}
        told: Iterable[str] = (said() for said in says)
        link = mail.link(reverse("pages:provider", args=[provider.slug]))
        body = "\n\n".join((hello, *told, link))
        mail.queue(user, f"{occasion}:{user.pk}", subject(), body)
