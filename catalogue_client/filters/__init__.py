"""Filters of searches: CQL2 as text or JSON, made into conditions of the database."""

from catalogue_client.filters.cql2 import from_json, from_text
from catalogue_client.filters.tree import AllOf, Node, Place, both

__all__ = ["AllOf", "Node", "Place", "both", "from_json", "from_text"]
