"""Reading what a provider offers, and writing down what that changes.

The provider is asked outside of any transaction. Services are matched by the provider's own
identifier and never deleted: jobs point to them.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from common.clock import now
from common.errors import PortalError, ProviderTimeout, ProviderUnreachable
from providers import notices
from providers.changes import note_change
from providers.models import DiscoveryRun, Provider, Service, ServiceVersion
from providers.ports import Descriptions, ServiceInfo
from providers.process import ProcessDescription, ProcessSummary
from providers.registry import driver_for

MOST_RUNS = 50  # kept per provider
MOST_WARNINGS = 50
MOST_NAMES = 100  # of services told of one run, for each kind of change


@dataclass(frozen=True, slots=True)
class Offer:
    """What a provider said in one round."""

    info: ServiceInfo
    descriptions: Descriptions

    @property
    def repaired(self) -> bool:
        return self.info.repaired or self.descriptions.repaired

    def warnings(self) -> list[str]:
        """For the provider's owner, in words."""
        found = []
        if self.repaired:
            found.append(_("Its documents are not well-formed XML and had to be repaired."))
        if self.info.repaired:
            found.append(_("What is missing in them is not taken as withdrawn."))
        listed = Counter(one.identifier for one in self.info.processes)
        twice = sorted(one for one, count in listed.items() if count > 1)
        found += [
            _("“%(id)s” is listed twice; the last one counts.") % {"id": one} for one in twice
        ]
        found += self.info.warnings
        told = (*self.descriptions.problems.items(), *self.descriptions.warnings.items())
        found += [f"“{one}”: {why}" for one, why in told]
        return found[:MOST_WARNINGS]


@dataclass(slots=True)
class Changed:
    """The identifiers of the services that a run found new, changed, gone or back."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """A line for each kind of change that there was."""
        kinds = ("added", "changed", "withdrawn", "restored")
        named = {kind: getattr(self, kind) for kind in kinds}
        return [f"{kind}: {_listed(names)}" for kind, names in named.items() if names]


def run(provider: Provider) -> DiscoveryRun:
    """Ask the provider what it offers and store it; a failure is stored too, never raised."""
    try:
        driver = driver_for(provider)
        endpoint = provider.endpoint()
        info = driver.capabilities(endpoint)
        identifiers = list(dict.fromkeys(one.identifier for one in info.processes))
        descriptions = driver.describe(endpoint, identifiers)
    except PortalError as error:
        return _failed(provider, error)
    return _store(provider, Offer(info, descriptions))


@transaction.atomic
def _failed(provider: Provider, error: PortalError) -> DiscoveryRun:
    _lock(provider)
    news = not provider.discovery_error
    provider.discovery_error = error.detail
    changed = ["discovery_error"]
    away = isinstance(error, ProviderTimeout | ProviderUnreachable)
    if away and not provider.failing_since:
        provider.failing_since = now()
        changed.append("failing_since")
    provider.save(update_fields=changed)
    if news and provider.approved and not away:  # of one that is away, its health tells
        notices.discovery_failed(provider, error.detail)
    return _written(DiscoveryRun(provider=provider, error=error.detail))


@transaction.atomic
def _store(provider: Provider, offer: Offer) -> DiscoveryRun:
    _lock(provider)
    moment = now()
    found = Changed()
    known = {one.identifier: one for one in provider.services.select_related("current")}
    listed = {one.identifier: one for one in offer.info.processes}
    for identifier, summary in listed.items():
        description = offer.descriptions.found.get(identifier)
        _take(provider, known.get(identifier), summary, description, found)
    # A document with holes in it does not prove that anything is gone.
    if not offer.info.repaired:
        _withdraw([one for key, one in known.items() if key not in listed], moment, found)
    provider.discovered_at = provider.last_answer_at = moment
    provider.failing_since = None
    provider.discovery_error = ""
    provider.save(
        update_fields=("discovered_at", "last_answer_at", "failing_since", "discovery_error")
    )
    run = DiscoveryRun(
        provider=provider,
        warnings=offer.warnings(),
        added=len(found.added),
        changed=len(found.changed),
        withdrawn=len(found.withdrawn),
        restored=len(found.restored),
    )
    _written(run)
    if lines := found.lines():
        note_change(provider, actor_of(run), "services", "\n".join(lines))
    return run


def actor_of(run: DiscoveryRun) -> str:
    """As whom a run is named in the record of changes."""
    return f"discovery:{run.pk}"


def _take(
    provider: Provider,
    service: Service | None,
    summary: ProcessSummary,
    description: ProcessDescription | None,
    found: Changed,
) -> None:
    """Create or update one service: new ones are off, those that are back are as they were."""
    new = service is None
    if service is None:
        service = Service(provider=provider, identifier=summary.identifier)
        found.added.append(summary.identifier)
    if service.withdrawn_at is not None:
        found.restored.append(summary.identifier)
    service.withdrawn_at = None
    described = _completed(description, summary) if description else None
    service.title = (described or summary).title[:255]
    service.abstract = (described or summary).abstract
    service.save()
    if described is not None and _new_version(service, described) and not new:
        found.changed.append(summary.identifier)


def _completed(description: ProcessDescription, summary: ProcessSummary) -> ProcessDescription:
    """The description; what it leaves out is taken from the capabilities."""
    untitled = description.title == description.identifier
    return replace(
        description,
        title=summary.title if untitled and summary.title else description.title,
        abstract=description.abstract or summary.abstract,
        version=description.version or summary.version,
    )


def fingerprint_of(document: dict[str, Any]) -> str:
    """SHA-256 of a description, whatever the order of its names."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _new_version(service: Service, description: ProcessDescription) -> bool:
    """Keep a changed description as the service's next version; jobs keep theirs."""
    document = description.to_json()
    fingerprint = fingerprint_of(document)
    if service.current is not None and service.current.fingerprint == fingerprint:
        return False
    last = service.versions.aggregate(n=Max("number"))["n"] or 0
    service.current = ServiceVersion.objects.create(
        service=service,
        number=last + 1,
        fingerprint=fingerprint,
        version=description.version[:100],
        document=document,
    )
    # A changed process may follow the convention of quotations better than before.
    service.unquotable_since, service.unquotable_reason = None, ""
    service.save(update_fields=("current", "unquotable_since", "unquotable_reason"))
    return True


def _withdraw(gone: list[Service], moment: datetime, found: Changed) -> None:
    for service in gone:
        if service.withdrawn_at is None:
            service.withdrawn_at = moment
            service.save(update_fields=("withdrawn_at",))
            found.withdrawn.append(service.identifier)


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" (+{more})" if more > 0 else "")


def _lock(provider: Provider) -> None:
    """One round at a time writes; the instance is brought up to date."""
    Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)
    provider.refresh_from_db()


def _written(run: DiscoveryRun) -> DiscoveryRun:
    run.save()
    kept = run.provider.discovery_runs.values("pk")[:MOST_RUNS]
    run.provider.discovery_runs.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()
    return run
