"""Which protocol a server speaks, and where: found by looking at it.

Whatever address of a provider somebody has at hand is taken: an endpoint, its capabilities or
description URL, a landing page, a process list, each with or without `user:password@`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from common.addresses import typed_address
from common.errors import (
    AddressRefused,
    ProviderError,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
)
from providers import calls
from providers.drivers.ogcapi.addressing import landing_page
from providers.ows.addressing import service_address
from providers.ports import Driver, Endpoint
from providers.registry import driver_of

SECONDS = 30.0  # all questions together
MOST_DESCRIBED = 2  # processes asked for, to see whether the protocol is really spoken
SPOKEN = 2  # capabilities and a description could be read

# The best first: a server that speaks several is asked in the one that says most. With each, how
# its endpoint is found in an address.
PROTOCOLS: dict[str, Callable[[str], str]] = {
    "ogcapi-processes": landing_page,
    "wps-2.0": service_address,
    "wps-1.0": service_address,
}


@dataclass(frozen=True, slots=True)
class Detected:
    """What to register: `protocol` is a driver's name, `url` without credentials and parameters of
    requests. `tried` says for people what was asked and what came of it."""

    protocol: str
    url: str
    title: str
    processes: int  # how many it offers
    username: str = ""
    password: str = field(default="", repr=False)
    tried: tuple[str, ...] = ()


def look(
    url: str,
    username: str = "",
    password: str = "",
    *,
    headers: tuple[tuple[str, str], ...] = (),
    certificate: str = "",
) -> Detected:
    """Look at the server: a few questions, `SECONDS` at most.

    A given user name and password stand before those in the URL. Raises InvalidInput (locator
    `url`) for what is no address, else a ProviderError with `tried` in its data: AddressRefused,
    ProviderUnreachable, ProviderTimeout, ProviderRefused when the server lets nobody in,
    ProviderNonsense when it speaks none of the protocols.
    """
    endpoint = _endpoint(url, username, password, headers, certificate)
    tried: list[str] = []
    best: tuple[int, Detected] | None = None
    errors: list[ProviderError] = []
    with calls.within(SECONDS):
        for protocol, place in _places(endpoint):
            try:
                sure, found = _ask(protocol, place)
            except ProviderError as error:
                tried.append(f"{protocol}: {error.detail}")
                errors.append(error)
                if _is_silent(error):
                    break
                continue
            tried.append(_("%(protocol)s: it answers.") % {"protocol": protocol})
            if best is None or sure > best[0]:
                best = sure, found
            if sure == SPOKEN:
                break
    if best is None:
        raise _told(errors, tried)
    return replace(best[1], tried=tuple(tried))


def _endpoint(
    url: str,
    username: str,
    password: str,
    headers: tuple[tuple[str, str], ...],
    certificate: str,
) -> Endpoint:
    bare, user, secret = typed_address(url, username, password)
    return Endpoint(bare, user, secret, headers, certificate=certificate)


def _places(endpoint: Endpoint) -> Iterator[tuple[str, Endpoint]]:
    for protocol, place in PROTOCOLS.items():
        yield protocol, replace(endpoint, url=place(endpoint.url))


def _ask(protocol: str, endpoint: Endpoint) -> tuple[int, Detected]:
    """How sure it is that the server speaks it, from 0; raises a ProviderError if it does not."""
    driver = driver_of(protocol)
    info = driver.capabilities(endpoint)
    found = Detected(
        protocol,
        endpoint.url,
        info.title,
        len(info.processes),
        endpoint.username,
        endpoint.password,
    )
    names = [one.identifier for one in info.processes[:MOST_DESCRIBED]]
    return (SPOKEN if _describes(driver, endpoint, names) else bool(names)), found


def _describes(driver: Driver, endpoint: Endpoint, names: list[str]) -> bool:
    """Whether it can describe what it offers: some servers list their processes in a version of the
    standard that they do not speak."""
    return bool(driver.describe(endpoint, names).found) if names else False


def _told(errors: list[ProviderError], tried: list[str]) -> ProviderError:
    """What to say in the end: why nobody is let in or nothing comes, else that it is not known."""
    for error in errors:
        refused = isinstance(error, ProviderRefused) and error.data.get("http_status") in (401, 403)
        if refused or _is_silent(error):
            error.data["tried"] = tuple(tried)
            return error
    text = _("The server speaks none of the protocols that the portal knows.")
    return ProviderNonsense(text, tried=tuple(tried))


def _is_silent(error: ProviderError) -> bool:
    """Whether nobody answers there: an answer out of order may be only that address's."""
    nobody = isinstance(error, AddressRefused | ProviderUnreachable | ProviderTimeout)
    return nobody and "http_status" not in error.data
