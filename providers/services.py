"""What changes providers and services."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from common.clock import now
from common.crypto import encrypt
from common.errors import AddressRefused, Conflict, Forbidden, InvalidInput
from people.access import is_operator
from providers import configuration, detect, discovery, notices, setters
from providers.access import require_manager, require_operator
from providers.addresses import host_of
from providers.changes import note_change
from providers.models import DiscoveryRun, Provider, ProviderState, Service
from providers.registry import protocols

if TYPE_CHECKING:
    from people.models import User

SEEN_EVERY = timedelta(seconds=30)  # how exactly the last answer is remembered
MOST_EXPECTED_SECONDS = 30 * 24 * 3600
MOST_NOTE = 1000


def register_provider(  # noqa: PLR0913 (a registration form has so many fields)
    *,
    owner: User,
    slug: str = "",
    name: str = "",
    url: str,
    protocol: str = "wps-1.0",
    username: str = "",
    password: str = "",
    description: str = "",
    read: bool = True,
) -> Provider:
    """Enter a provider, waiting for approval, and read at once what it offers.

    With `protocol` "" the server is looked at, which finds its protocol, its endpoint and its name;
    one that cannot be recognised is not entered (ProviderError). With a protocol, a provider that
    does not answer is entered all the same; `discovery_error` says why its services are not known.
    With `read` False they are not read: whoever calls has that done. `user:password@` in the URL is
    moved to the credentials. Operators are told by mail. Raises InvalidInput (its `errors` by
    field), also for an address that the portal must not call.
    """
    setters.username(username)
    if not protocol:
        try:
            found = detect.look(url, username, password)
        except AddressRefused as error:
            raise InvalidInput(error.detail, locator="url") from None
        url, protocol, name = found.url, found.protocol, name.strip() or found.title[:200]
        username, password = found.username, found.password
    address, url_user, url_password = configuration.address(url)
    if protocol not in protocols():
        raise InvalidInput(
            _("The protocol must be one of %(known)s.") % {"known": ", ".join(protocols())},
            locator="protocol",
        )
    secret = password or url_password
    name = setters.line("name", name.strip() or host_of(address))
    provider = Provider(
        owner=owner,
        slug=slug.strip() or _free_slug(name),
        name=name,
        url=address,
        protocol=protocol,
        username=setters.username(username or url_user),
        secret=encrypt(secret) if secret else "",
        description=setters.text("description", description, most=configuration.MOST_DESCRIPTION),
    )
    _create(provider)
    if read:
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


def approve_provider(*, actor: User, provider: Provider, note: str = "") -> Provider:
    """Let its services be run. Raises Forbidden for anybody but operators.

    The owner is told by mail, with the operator's note.
    """
    return _decide(actor, provider, ProviderState.APPROVED, note)


def suspend_provider(*, actor: User, provider: Provider, note: str = "") -> Provider:
    """Let no new jobs go there; running ones are followed. Raises Forbidden.

    The owner is told by mail, with the operator's note.
    """
    return _decide(actor, provider, ProviderState.SUSPENDED, note)


@transaction.atomic
def update_provider(*, actor: User, provider: Provider, **changes: object) -> Provider:
    """Change some of a provider's settings; what changed is recorded, secrets only by name.

    The names are those of `configuration`; what is in its OPERATORS_ONLY is for operators. An owner
    who moves the provider to another host waits for approval again, and credentials, secret headers
    and the pinned certificate do not move along. Raises Forbidden, InvalidInput.
    """
    require_manager(actor, provider)
    reserved = configuration.OPERATORS_ONLY & changes.keys()
    if reserved and not is_operator(actor):
        raise Forbidden(_("Only operators may change: %s.") % ", ".join(sorted(reserved)))
    Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)
    provider.refresh_from_db()
    before = copy.copy(provider)
    moved = configuration.apply(provider, changes)
    told = configuration.differences(before, provider)
    if not told:
        return provider
    again = moved and provider.approved and not is_operator(actor)
    if again:
        provider.state = ProviderState.PENDING
        told.append("state: approved → pending")
    provider.save()
    note_change(provider, actor, "settings", "\n".join(told))
    if again:
        notices.waiting(provider)
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
    if service.enabled != enabled:
        service.enabled = enabled
        service.save(update_fields=("enabled",))
        what = "service switched on" if enabled else "service switched off"
        note_change(service.provider, actor, what, service.identifier)
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


@transaction.atomic
def set_quotable(*, actor: User, service: Service) -> Service:
    """Let the provider be asked for quotations of this service again. Raises Forbidden."""
    require_manager(actor, service.provider)
    service = _locked(service)
    service.unquotable_since, service.unquotable_reason = None, ""
    service.save(update_fields=("unquotable_since", "unquotable_reason"))
    return service


def note_not_quotable(*, service: Service, reason: str) -> None:
    """Remember that the provider does not follow the convention: it is not asked again."""
    service.unquotable_since, service.unquotable_reason = now(), reason[:300]
    service.save(update_fields=("unquotable_since", "unquotable_reason"))


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


def _free_slug(name: str) -> str:
    """A short name made of the name, with a number if it is taken."""
    plain = slugify(name).replace("_", "-").strip("-")[:36].strip("-")
    first = plain if len(plain) > 1 else "provider"
    taken = set(Provider.objects.filter(slug__startswith=first).values_list("slug", flat=True))
    numbered = (f"{first}-{number}" for number in range(2, 1000))
    return next((slug for slug in (first, *numbered) if slug not in taken), first)


def _create(provider: Provider) -> None:
    try:
        provider.clean_fields(exclude=("owner", "url", "secret"))
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(messages[0], locator=field, errors=error.message_dict) from None
    try:
        with transaction.atomic():
            provider.save(force_insert=True)
            note_change(provider, provider.owner, "registered", provider.url)
            notices.waiting(provider)
    except IntegrityError:
        raise InvalidInput(_("This short name is already in use."), locator="slug") from None


@transaction.atomic
def _decide(actor: User, provider: Provider, state: ProviderState, note: str) -> Provider:
    require_operator(actor)
    require_manager(actor, provider)  # the portal's own has no manager
    Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)
    provider.refresh_from_db()
    note = setters.text("note", note, most=MOST_NOTE)
    if provider.state != state:
        provider.state = state
        provider.save(update_fields=("state",))
        change = note_change(provider, actor, state.value, note)
        notices.decided(provider, change)
    return provider


def _locked(service: Service) -> Service:
    return (
        Service.objects.select_for_update(of=("self",), no_key=True)
        .select_related("provider", "current")
        .get(pk=service.pk)
    )
