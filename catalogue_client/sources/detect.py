"""What kind of catalogue an address is: found by looking at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from catalogue_client.models import HarvestKind, SourceKind
from catalogue_client.sources.adapters.linked import link_to
from catalogue_client.sources.ports import Adapter, Capabilities, Endpoint, Query
from catalogue_client.sources.registry import ADAPTERS
from catalogue_client.sources.visit import Visit, object_in, within
from common.addresses import typed_address
from common.errors import (
    AddressRefused,
    PortalError,
    ProviderError,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
)
from common.http import Response

SECONDS = 30.0
ACCEPT = (
    "application/json, application/geo+json, application/opensearchdescription+xml;q=0.9, "
    "application/xml;q=0.8, */*;q=0.1"
)


@dataclass(frozen=True, slots=True)
class Detected:
    """What to register: the address without credentials, and what the catalogue says of itself."""

    kind: str
    endpoint: Endpoint
    capabilities: Capabilities


def endpoint_at(
    url: str,
    username: str = "",
    password: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    *,
    by_user: bool = True,
) -> Endpoint:
    """The endpoint in what somebody typed, credentials taken out of it. Raises InvalidInput."""
    bare, user, secret = typed_address(url, username, password)
    return Endpoint(bare, user, secret, headers, by_user)


def look(
    endpoint: Endpoint, kind: str = "", adapters: Mapping[str, Adapter] = ADAPTERS
) -> Detected:
    """Look at the server, as that kind only if one is given, as one of `adapters`; SECONDS at most.

    Of several doors at one address the first is taken that answers a search; if none does, the
    first that describes itself. Raises ProviderError: why nobody is let in or nothing comes, else
    ProviderNonsense.
    """
    errors: list[ProviderError] = []
    described: Detected | None = None
    with within(SECONDS):
        if kind:
            found = adapters[kind].capabilities(endpoint)
            return Detected(kind, endpoint, found)
        for candidate, place in _candidates(endpoint, errors):
            if candidate not in adapters:
                continue
            try:
                found = adapters[candidate].capabilities(place)
            except ProviderError as error:
                errors.append(error)
                continue
            detected = Detected(candidate, place, found)
            if _is_open(detected, adapters[candidate]):
                return detected
            described = described or detected
    if described:
        return described
    raise _told(errors)


def _is_open(detected: Detected, adapter: Adapter) -> bool:
    """Whether a search is answered: some servers describe doors that do not open."""
    if detected.kind == SourceKind.STATIC_STAC:
        return True  # searched here, after it was read
    facts = {**detected.capabilities.facts, "abilities": sorted(detected.capabilities.abilities)}
    try:
        endpoint = replace(detected.endpoint, facts=facts)
        adapter.search(endpoint, Query(limit=1))
    except ProviderError:
        return False
    return True


def _candidates(endpoint: Endpoint, errors: list[ProviderError]) -> Iterator[tuple[str, Endpoint]]:
    """Kinds that the answer at the address looks like, the most able first."""
    answer: Response | None = None
    try:
        answer = Visit(endpoint).raw(endpoint.url, accept=ACCEPT)
    except ProviderError as error:
        errors.append(error)
        # Some servers break down at an address without parameters.
        if "http_status" not in error.data:
            return
    if answer is not None and (Visit(endpoint).is_own(answer.url) or not endpoint.username):
        endpoint = replace(endpoint, url=answer.url)  # sent on to a better address
    if answer is not None and answer.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        yield SourceKind.STAC_API, endpoint
        if root := _root_of(endpoint, answer):
            yield SourceKind.STAC_API, replace(endpoint, url=root)
        yield SourceKind.OGC_RECORDS, endpoint
        yield SourceKind.STATIC_STAC, endpoint
        return
    yield SourceKind.OPENSEARCH, endpoint
    yield SourceKind.CSW, endpoint
    yield HarvestKind.OAI_PMH, replace(endpoint, url=_without_verb(endpoint.url))
    yield SourceKind.OGC_RECORDS, endpoint


def _without_verb(url: str) -> str:
    """The base address in that of an OAI-PMH request."""
    base, _mark, query = url.partition("?")
    return base if "verb=" in query else url


def _root_of(endpoint: Endpoint, answer: Response) -> str:
    """The landing page that the document at a deeper address belongs to."""
    try:
        return link_to(Visit(endpoint), object_in(answer.body), answer.url, "root")
    except PortalError:
        return ""


def _told(errors: list[ProviderError]) -> ProviderError:
    for error in errors:
        closed = isinstance(error, ProviderRefused) and error.data.get("http_status") in (401, 403)
        nobody = isinstance(error, AddressRefused | ProviderUnreachable | ProviderTimeout)
        if closed or nobody:
            return error
    return ProviderNonsense(
        _("The server speaks none of the catalogue protocols that the portal knows.")
    )
