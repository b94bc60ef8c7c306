"""The settings of a provider: which there are, who may set them, and how a change is told."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.utils.translation import gettext as _

from common.addresses import split_credentials
from common.crypto import encrypt
from common.errors import AddressRefused, InvalidInput, ProviderUnreachable
from common.guard import addresses_of, target_of
from providers import secrets
from providers.addresses import is_own
from providers.models import CopyPolicy, Provider, ProviderState
from providers.registry import protocols
from providers.setters import (
    Setter,
    choice_setter,
    hosts_setter,
    number_setter,
    set_properties,
    switch_setter,
    text,
    text_setter,
    username,
)

# Operators: what reaches into the portal's own network, into the accounts of others, or tells the
# provider who its users are.
OPERATORS_ONLY = frozenset(
    {
        "extra_hosts",
        "public_hosts",
        "trusted",
        "identity_header_prefix",
        "usage_queue",
        "usage_without_jobs",
    }
)
MOST_NUMBER = 10**6
MOST_WAIT = 7 * 24 * 3600
MOST_CONNECTIONS = 64
MOST_DAYS = 3650
PROBED_SOONEST = 30
READ_SOONEST = 600
LATEST = 30 * 24 * 3600
MOST_DESCRIPTION = 10_000

# A header of our own making: none that means something to HTTP.
_HEADER = re.compile(r"(X-[A-Za-z0-9-]{1,57}|Remote-[A-Za-z0-9-]{1,52})?", re.IGNORECASE)
_PREFIX = re.compile(r"(X-[A-Za-z0-9-]{1,25}-|Remote-|)", re.IGNORECASE)
_FORWARDED = re.compile(r"X-(Forwarded|Real|Http)-", re.IGNORECASE)


def address(url: str) -> tuple[str, str, str]:
    """A provider's URL that the portal may call, and the user and password that stood in it.

    Raises InvalidInput on field `url`. A name that cannot be resolved now may be registered.
    """
    try:
        bare, user, password = split_credentials(url.strip())
    except ValueError:
        raise InvalidInput(_("This is not a web address."), locator="url") from None
    try:
        addresses_of(target_of(bare))
    except AddressRefused as error:
        raise InvalidInput(error.detail, locator="url") from None
    except ProviderUnreachable:
        pass
    return bare, user, password


def apply(provider: Provider, changes: Mapping[str, object]) -> bool:
    """Check and set the changes on the instance; True when it moved to another host.

    Raises InvalidInput with all faults by field.
    """
    before = target_of(provider.url).origin
    unknown = [field for field in changes if field not in _SETTERS]
    errors = {field: [_("There is no such setting.")] for field in unknown}
    # The address first: the look-up address is judged by it, and new credentials follow it.
    for field in sorted(changes.keys() - errors.keys(), key=lambda name: (name != "url", name)):
        try:
            _SETTERS[field](provider, changes[field])
        except InvalidInput as error:
            errors[field] = [error.detail]
    if errors:
        first = next(iter(errors))
        raise InvalidInput(errors[first][0], locator=first, errors=errors)
    return target_of(provider.url).origin != before


def differences(before: Provider, after: Provider) -> list[str]:
    """What is different, a line for each setting; of secrets only that they were set or taken."""
    told = []
    for field in sorted(_SETTERS.keys() - _SECRET.keys()):
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            told.append(f"{field}: {_shown(old)} → {_shown(new)}")
    for field, stored in _SECRET.items():
        if getattr(before, stored) != getattr(after, stored):
            told.append(f"{field}: {_secret_words(field, before, after)}")
    return told


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={told}" for name, told in value.items()) or "–"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    return str(value) or "–"


def _secret_words(field: str, before: Provider, after: Provider) -> str:
    if field == "password":
        return "set" if after.secret else "taken away"
    old, new = set(secrets.header_names(before)), set(secrets.header_names(after))
    gone = [f"−{name}" for name in sorted(old - new)]
    return ", ".join([*sorted(new), *gone]) or "taken away"


def _set_url(provider: Provider, value: object) -> None:
    before = target_of(provider.url).origin
    url, user, password = address(str(value))
    if target_of(url).origin != before:
        # What was confirmed or confided was so for the other host.
        provider.username = provider.secret = provider.secret_headers = ""
        provider.lookup_url = provider.pinned_certificate = provider.pending_certificate = ""
        provider.trusted = False
    provider.url = url
    if user or password:
        provider.username = username(user)
        provider.secret = encrypt(password) if password else ""


def _set_password(provider: Provider, value: object) -> None:
    provider.secret = encrypt(str(value)) if value else ""


def _set_username(provider: Provider, value: object) -> None:
    provider.username = username(value)


def _set_lookup_url(provider: Provider, value: object) -> None:
    url = str(value).strip()
    if url and ("{reference}" not in url or not is_own(provider.endpoint(), url)):
        raise InvalidInput(
            _("This must be an address on the provider's own host, with {reference} in it.")
        )
    provider.lookup_url = url


def _set_reference_header(provider: Provider, value: object) -> None:
    name = str(value).strip()
    if not _HEADER.fullmatch(name) or _FORWARDED.match(name):
        raise InvalidInput(_("A header name begins with X- or Remote-: letters, digits, hyphens."))
    provider.reference_header = name


def _set_identity_header_prefix(provider: Provider, value: object) -> None:
    prefix = str(value).strip()
    if not _PREFIX.fullmatch(prefix) or _FORWARDED.match(prefix):
        raise InvalidInput(_("This begins with X- or is Remote-, and ends with a hyphen."))
    provider.identity_header_prefix = prefix


def _set_usage_site(provider: Provider, value: object) -> None:
    """Two providers with one site would leave both without the usage that names only the site."""
    site = text("usage_site", value)
    others = Provider.objects.exclude(pk=provider.pk).exclude(state=ProviderState.PENDING)
    if site and site != provider.usage_site and others.filter(usage_site=site).exists():
        raise InvalidInput(_("This site is another provider's."), locator="usage_site")
    provider.usage_site = site


# What is kept encrypted: setting → column.
_SECRET = {"password": "secret", "secret_headers": "secret_headers"}

_SETTERS: dict[str, Setter] = {
    "name": text_setter("name", required=True),
    "description": text_setter("description", most=MOST_DESCRIPTION),
    "url": _set_url,
    "protocol": choice_setter("protocol", protocols),
    "username": _set_username,
    "password": _set_password,
    "secret_headers": secrets.set_headers,
    "reference_header": _set_reference_header,
    "identity_header_prefix": _set_identity_header_prefix,
    "lookup_url": _set_lookup_url,
    "properties": set_properties,
    "usage_site": _set_usage_site,
    "usage_queue": text_setter("usage_queue", most=500),
    "usage_keep_good": switch_setter("usage_keep_good"),
    "usage_without_jobs": switch_setter("usage_without_jobs"),
    "charge_unsuccessful": switch_setter("charge_unsuccessful"),
    "failure_mails": switch_setter("failure_mails"),
    "trusted": switch_setter("trusted"),
    "extra_hosts": hosts_setter("extra_hosts"),
    "public_hosts": hosts_setter("public_hosts"),
    "copy_results": choice_setter("copy_results", lambda: CopyPolicy.values),
    "max_running_jobs": number_setter("max_running_jobs", MOST_NUMBER),
    "max_running_jobs_per_user": number_setter("max_running_jobs_per_user", MOST_NUMBER),
    "max_connections": number_setter("max_connections", MOST_CONNECTIONS, 1),
    "retry_attempts": number_setter("retry_attempts", MOST_NUMBER),
    "retry_wait_seconds": number_setter("retry_wait_seconds", MOST_WAIT),
    "results_kept_days": number_setter("results_kept_days", MOST_DAYS),
    "discovery_seconds": number_setter("discovery_seconds", LATEST, READ_SOONEST, or_zero=True),
    "probe_seconds": number_setter("probe_seconds", LATEST, PROBED_SOONEST, or_zero=True),
}
