"""Which addresses the portal may call: the rules on URLs, networks and ports.

Everything that a user or a provider's document names is looked at here before a connection is
opened, and the connection goes to exactly the address that was looked at: a name that resolves to
something else a moment later changes nothing.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from common.errors import AddressRefused, ConfigurationError, ProviderUnreachable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MOST_CHARACTERS = 2000
PORTS = frozenset({80, 443, 8080, 8443})
_DEFAULT_PORTS = {"http": 80, "https": 443}

# Python calls these global; nobody's public server is there.
_NOT_PUBLIC_4 = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))
_UNICAST_6 = IPv6Network("2000::/3")  # all of IPv6 that is handed out
_NOT_PUBLIC_6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "3fff::/20")))
_SIX_TO_FOUR = IPv6Network("2002::/16")
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart: `host` in ASCII without brackets, `path` with the query.

    `by_user`: somebody who uses the portal named it, or a server on the Internet by a redirect.
    Then what was opened for providers (OUTBOUND_ALLOW) is closed, except what users may name too.
    """

    scheme: str
    host: str
    port: int
    path: str
    url: str
    by_user: bool = False

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host, port: what credentials are bound to."""
        return self.scheme, self.host.rstrip("."), self.port


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator opened besides public addresses: networks, and (host, port) pairs."""

    networks: tuple[Network, ...]
    pairs: frozenset[tuple[str, int]]

    def names(self, host: str, port: int) -> bool:
        return (host.rstrip("."), port) in self.pairs

    def admits(self, address: Address, port: int) -> bool:
        return (str(address), port) in self.pairs or any(
            address.version == network.version and address in network for network in self.networks
        )

    def opens(self, target: Target, address: Address) -> bool:
        inner = _embedded(address) if isinstance(address, IPv6Address) else None
        return (
            self.names(target.host, target.port)
            or self.admits(address, target.port)
            or (inner is not None and self.admits(inner, target.port))
        )


def target_of(url: str, *, by_user: bool = False) -> Target:
    """Take a URL apart and check what can be seen without asking for its addresses.

    Raises AddressRefused: not http(s), user name or fragment in it, control characters, too long.
    """
    if len(url) > MOST_CHARACTERS or re.search(r"[\x00-\x20\x7f\\]", url):
        raise AddressRefused(_("The address is too long, or has spaces or control characters."))
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _ascii_host(parts.hostname or "")
    except (ValueError, UnicodeError):
        raise AddressRefused(_("This is not a web address.")) from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise AddressRefused(_("Only addresses with https:// or http:// may be called."))
    if "@" in parts.netloc or parts.fragment or not re.fullmatch(r"[a-z0-9._:-]+", host):
        raise AddressRefused(_("The address must be a plain host without user name or fragment."))
    if port is None:
        port = _DEFAULT_PORTS[parts.scheme]
    return Target(parts.scheme, host, port, _path(parts), url, by_user)


def addresses_of(target: Target) -> list[tuple[Any, ...]]:
    """Resolve the host once; what `socket.getaddrinfo` gave, every address of it checked.

    Raises AddressRefused when any address is not allowed (also when others are), and
    ProviderUnreachable when the name has none. To a user both are told in the same words: which
    names there are inside is not theirs to find out.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        found = []
    if not found:
        unknown = _("The provider's host name is not known.")
        raise ProviderUnreachable(_unknown_or_closed() if target.by_user else unknown)
    for *_rest, place in found:
        check_address(target, str(place[0]))
    return list(found)


def check_address(target: Target, address: str) -> None:
    """Raise AddressRefused unless the portal may call this address for that target."""
    if not _may_call(target, ip_address(address)):
        raise AddressRefused(_unknown_or_closed() if target.by_user else None)


def is_opened(target: Target) -> bool:
    """Whether the operator allowed this very target: its host and port, or its literal address."""
    allowed = allowed_by_operator()
    return allowed.names(target.host, target.port) or (
        _is_literal(target.host) and allowed.admits(ip_address(target.host), target.port)
    )


def is_public(address: Address) -> bool:
    """Whether an address is on the public Internet, IPv4 addresses inside IPv6 ones unwrapped."""
    if isinstance(address, IPv4Address):
        return (
            address.is_global
            and not (address.is_multicast or address.is_reserved)
            and not any(address in network for network in _NOT_PUBLIC_4)
        )
    inner = _embedded(address)
    if inner is not None:
        return is_public(inner)
    return address in _UNICAST_6 and not any(address in network for network in _NOT_PUBLIC_6)


def allowed_by_operator() -> Allowed:
    """The setting OUTBOUND_ALLOW, read. Raises ConfigurationError for what it cannot be."""
    return _read_allowed(tuple(settings.OUTBOUND_ALLOW))


@lru_cache(maxsize=8)
def _read_allowed(entries: tuple[str, ...]) -> Allowed:
    networks: list[Network] = []
    pairs: set[tuple[str, int]] = set()
    for entry in entries:
        pair = re.fullmatch(r"\[?([^\[\]/]+?)\]?:(\d{1,5})", entry.strip().lower())
        try:
            if pair and (entry.count(":") == 1 or "]" in entry):
                host = pair[1]
                pairs.add((str(ip_address(host)) if _is_literal(host) else host, int(pair[2])))
            else:
                networks.append(ip_network(entry.strip()))
        except ValueError:
            text = f"OUTBOUND_ALLOW: “{entry}” is neither a network nor host:port."
            raise ConfigurationError(text) from None
    return Allowed(tuple(networks), frozenset(pairs))


def _may_call(target: Target, address: Address) -> bool:
    lists = [allowed_by_operator()]
    if target.by_user:
        lists.append(_read_allowed(tuple(settings.OUTBOUND_ALLOW_USERS)))
    if all(one.opens(target, address) for one in lists):
        return True
    plain_ok = target.scheme == "https" or settings.OUTBOUND_PLAIN_HTTP
    return bool(is_public(address) and plain_ok and target.port in PORTS)


def _unknown_or_closed() -> str:
    return _("This address is not known, or may not be called from the portal.")


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that is really called: mapped, 6to4 and NAT64.

    Compatible (::a.b.c.d), Teredo and local-use NAT64 addresses are not unwrapped: they are
    outside of what `is_public` accepts, whatever is in them.
    """
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _SIX_TO_FOUR:
        return address.sixtofour
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _ascii_host(host: str) -> str:
    """The host as DNS knows it (IDNA), lower case."""
    if host.isascii():
        return host.lower()
    return host.encode("idna").decode().lower()


def _path(parts: SplitResult) -> str:
    """The request target; what is not ASCII percent-encoded, the rest as it was given."""
    path = parts.path or "/"
    text = f"{path}?{parts.query}" if parts.query else path
    return quote(text, safe="%/:=&?~+!$,;'@()*[]|^{}")
