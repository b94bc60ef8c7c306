"""OpenSearch with Geo, Time and EO extensions, answers in Atom or GeoJSON."""

from catalogue_client.sources.adapters.opensearch.client import OpenSearch

__all__ = ["OpenSearch"]
