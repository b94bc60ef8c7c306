"""What changes providers and services."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from common.clock import now
from common.crypto import encrypt
from common.errors import Conflict, Forbidden, InvalidInput
from people.access import is_operator
from providers import configuration, discovery
from providers.access import require_manager, require_operator
from providers.models import DiscoveryRun, Provider, ProviderState, Service
from providers.registry import protocols

if TYPE_CHECKING:
    from people.models import User

SEEN_EVERY = timedelta(seconds=30)  # how exactly the last answer is remembered
MOST_EXPECTED_SECONDS = 30 * 24 * 3600


def register_provider(  # noqa: PLR0913 (a registration form has so many fields)
    *,
    owner: User,
    slug: str,
    name: str,
    url: str,
    protocol: str = "wps-1.0",
    username: str = "",
    password: str = "",
    description: str = "",
) -> Provider:
    """Enter a provider, waiting for approval, and read at once what it offers.

    `user:password@` in the URL is moved to the credentials. A provider that does not answer is
    entered all the same; `discovery_error` says why its services are not known. Raises InvalidInput
    (its `errors` by field), also for an address that the portal must not call.
    """
    address, url_user, url_password = configuration.address(url)
    if protocol not in protocols():
        raise InvalidInput(
            _("The protocol must be one of %(known)s.") % {"known": ", ".join(protocols())},
            locator="protocol",
        )
    secret = password or url_password
    provider = Provider(
        owner=owner,
        slug=slug.strip(),
        name=configuration.line("name", name),
        url=address,
        protocol=protocol,
        username=configuration.username(username or url_user),
        secret=encrypt(secret) if secret else "",
        description=description.strip(),
    )
    _create(provider)
    discovery.run(provider)
    return provider


def discover(*, provider: Provider, actor: User | str) -> DiscoveryRun:
    """Read the provider's capabilities and descriptions now; failures are stored, not raised.

    `actor` is a user (the owner or an operator, else Forbidden) or the name of a part of the
    portal. Calls the network: not inside a transaction.
    """
    if not isinstance(actor, str):
        require_manager(actor, provider)
    return discovery.run(provider)


def approve_provider(*, actor: User, provider: Provider) -> Provider:
    """Let its services be run. Raises Forbidden for anybody but operators."""
    return _decide(actor, provider, ProviderState.APPROVED)


def suspend_provider(*, actor: User, provider: Provider) -> Provider:
    """Let no new jobs go there; running ones are followed. Raises Forbidden."""
    return _decide(actor, provider, ProviderState.SUSPENDED)


@transaction.atomic
def update_provider(*, actor: User, provider: Provider, **changes: object) -> Provider:
    """Change some of a provider's settings.

    Owners: name, description, url, username, password, reference_header, lookup_url, usage_site,
    charge_unsuccessful, max_running_jobs, retry_attempts, retry_wait_seconds. Operators also:
    extra_hosts, usage_queue. An owner who moves the provider to another host waits for approval
    again, and credentials do not move along. Raises Forbidden, InvalidInput.
    """
    require_manager(actor, provider)
    reserved = configuration.OPERATORS_ONLY & changes.keys()
    if reserved and not is_operator(actor):
        raise Forbidden(_("Only operators may change: %s.") % ", ".join(sorted(reserved)))
    Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)
    provider.refresh_from_db()
    moved = configuration.apply(provider, changes)
    if moved and provider.approved and not is_operator(actor):
        provider.state = ProviderState.PENDING
    provider.save()
    return provider


@transaction.atomic
def set_service_enabled(*, actor: User, service: Service, enabled: bool) -> Service:
    """Switch a service on or off. Raises Forbidden, and Conflict for one that cannot be run."""
    require_manager(actor, service.provider)
    service = _locked(service)
    if enabled and service.withdrawn_at is not None:
        raise Conflict(_("The provider no longer offers this service."))
    if enabled and service.current_id is None:
        raise Conflict(_("The provider has not described this service; read its services again."))
    service.enabled = enabled
    service.save(update_fields=("enabled",))
    return service


@transaction.atomic
def set_expected_use(
    *, actor: User, service: Service, wall_seconds: int, cpu_seconds: int
) -> Service:
    """Say how much a run uses at most as a rule; quotes are made from it until there is history.

    Raises Forbidden, InvalidInput.
    """
    require_manager(actor, service.provider)
    given = {"expected_wall_seconds": wall_seconds, "expected_cpu_seconds": cpu_seconds}
    for field, seconds in given.items():
        if not 0 <= seconds <= MOST_EXPECTED_SECONDS:
            raise InvalidInput(_("This must be between 0 seconds and 30 days."), locator=field)
    service = _locked(service)
    service.expected_wall_seconds = wall_seconds
    service.expected_cpu_seconds = cpu_seconds
    service.save(update_fields=tuple(given))
    return service


def note_answer(*, provider: Provider) -> None:
    """Remember that the provider is there. Cheap enough for every answer."""
    moment = now()
    recent = provider.last_answer_at is not None and moment - provider.last_answer_at < SEEN_EVERY
    if recent and provider.failing_since is None:
        return
    provider.last_answer_at = moment
    provider.failing_since = None
    Provider.objects.filter(pk=provider.pk).update(last_answer_at=moment, failing_since=None)


def note_failure(*, provider: Provider) -> None:
    """Remember since when the provider does not answer."""
    moment = now()
    Provider.objects.filter(pk=provider.pk, failing_since=None).update(failing_since=moment)
    provider.failing_since = provider.failing_since or moment


def _create(provider: Provider) -> None:
    try:
        provider.clean_fields(exclude=("owner", "url", "secret"))
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(messages[0], locator=field, errors=error.message_dict) from None
    try:
        with transaction.atomic():
            provider.save(force_insert=True)
    except IntegrityError:
        raise InvalidInput(_("This short name is already in use."), locator="slug") from None


@transaction.atomic
def _decide(actor: User, provider: Provider, state: ProviderState) -> Provider:
    require_operator(actor)
    Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)
    provider.refresh_from_db()
    provider.state = state
    provider.save(update_fields=("state",))
    return provider


def _locked(service: Service) -> Service:
    return (
        Service.objects.select_for_update(of=("self",), no_key=True)
        .select_related("provider", "current")
        .get(pk=service.pk)
    )
