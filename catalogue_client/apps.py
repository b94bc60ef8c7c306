from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class CatalogueClientConfig(AppConfig):
    name = "catalogue_client"

    def ready(self) -> None:
        connection_created.connect(_teach_lower_case)
        post_migrate.connect(_index, sender=self)


def _teach_lower_case(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """SQLite's own LOWER knows the letters of English only."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("TEP_LOWER", 1, _lower, deterministic=True)


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def _index(using: str, **_: Any) -> None:
    from catalogue_client import index  # noqa: PLC0415 (models are not there when this is read)

    # A plan that goes back before this table has left nothing to index.
    connection = connections[using]
    if index.TABLE in connection.introspection.table_names():
        index.install(connection)
