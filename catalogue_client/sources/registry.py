"""Which adapter speaks to which source."""

from __future__ import annotations

from catalogue_client.access import Viewer
from catalogue_client.models import CatalogueSource, SourceKind
from catalogue_client.sources.adapters.crawled import Crawled
from catalogue_client.sources.adapters.csw import Csw
from catalogue_client.sources.adapters.embedded import Embedded
from catalogue_client.sources.adapters.ogc_records import OgcRecords
from catalogue_client.sources.adapters.opensearch import OpenSearch
from catalogue_client.sources.adapters.stac_api import StacApi
from catalogue_client.sources.ports import Adapter, Endpoint
from common.crypto import decrypt
from common.secret_headers import opened

ADAPTERS: dict[str, Adapter] = {
    SourceKind.STAC_API: StacApi(),
    SourceKind.STATIC_STAC: Crawled(),
    SourceKind.OGC_RECORDS: OgcRecords(),
    SourceKind.OPENSEARCH: OpenSearch(),
    SourceKind.CSW: Csw(),
}


def opened_source(source: CatalogueSource | None, viewer: Viewer) -> tuple[Adapter, Endpoint]:
    """The adapter of a source and what it needs; None is the portal's own catalogue.

    Raises ConfigurationError when its secrets were encrypted with another key.
    """
    if source is None:
        return Embedded(viewer), Endpoint("")
    facts = {**source.facts, "abilities": source.abilities, "source": source.pk}
    endpoint = Endpoint(
        url=source.url,
        username=source.username,
        password=decrypt(source.secret) if source.secret else "",
        headers=tuple(opened(source.secret_headers).items()),
        by_user=not source.approved,
        facts=facts,
    )
    return ADAPTERS[source.kind], endpoint


def on_the_network(source: CatalogueSource | None) -> bool:
    """Whether a search in it goes out; the others read the database."""
    return source is not None and not source.is_crawled
