"""Which adapter reads which source to its end."""

from __future__ import annotations

from catalogue_client.models import HarvestKind, HarvestSource
from catalogue_client.sources.adapters.oai_pmh import OaiPmh
from catalogue_client.sources.adapters.static_pages import StaticPages
from catalogue_client.sources.ports import Adapter, Endpoint
from catalogue_client.sources.registry import ADAPTERS
from common.crypto import decrypt
from common.secret_headers import opened

HARVESTED: dict[str, Adapter] = {
    **ADAPTERS,
    HarvestKind.STATIC_STAC: StaticPages(),
    HarvestKind.OAI_PMH: OaiPmh(),
}


def endpoint_of(source: HarvestSource) -> Endpoint:
    """Where it is and what opens it.

    Raises ConfigurationError when its secrets were encrypted with another key.
    """
    return Endpoint(
        url=source.url,
        username=source.username,
        password=decrypt(source.secret) if source.secret else "",
        headers=tuple(opened(source.secret_headers).items()),
        by_user=not source.approved,
        facts={**source.facts, "abilities": source.abilities},
    )
